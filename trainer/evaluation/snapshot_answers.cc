#include "trainer/evaluation/snapshot_answers.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/retrieval/retriever.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/serving_requests.h"

namespace segue {
namespace {

// Rows embedded in one forward pass.
constexpr int64_t kEmbedBatch = 1024;

// Embeds the queries as requests.
absl::StatusOr<std::vector<float>> EmbedAsRequests(
    const ServingSnapshot& snapshot, const Dataset& data,
    const std::vector<EvaluationQuery>& queries) {
  std::vector<float> vectors;
  for (size_t begin = 0; begin < queries.size(); begin += kEmbedBatch) {
    const size_t end = std::min<size_t>(begin + kEmbedBatch, queries.size());
    std::vector<ResolvedQuery> resolved;
    for (size_t q = begin; q < end; ++q) {
      ASSIGN_OR_RETURN(
          ResolvedQuery query,
          ResolveQuery(snapshot, ToRequest(data, queries[q],
                                           snapshot.shape.history_length)));
      resolved.push_back(std::move(query));
    }
    std::vector<const ResolvedQuery*> pointers;
    for (const ResolvedQuery& query : resolved) pointers.push_back(&query);
    std::vector<float> batch;
    RETURN_IF_ERROR(EmbedQueries(snapshot, pointers, batch));
    vectors.insert(vectors.end(), batch.begin(), batch.end());
  }
  return vectors;
}

absl::Status SearchAll(const ServingSnapshot& snapshot,
                       const std::vector<float>& vectors, int32_t k,
                       const RankedLists& excluded, int32_t threads,
                       RankedLists& lists) {
  const int64_t count = static_cast<int64_t>(excluded.size());
  const VectorIndex& index = *snapshot.index;
  const size_t d = index.dimension();
  lists.assign(count, {});
  std::vector<absl::Status> failures(count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
  for (int64_t q = 0; q < count; ++q) {
    // What is excluded stands before what is answered.
    const int32_t depth = k + static_cast<int32_t>(excluded[q].size());
    auto found = index.Search(absl::MakeConstSpan(vectors).subspan(q * d, d),
                              {.k = k,
                               .excluded = excluded[q],
                               .allowed = snapshot.allowed(),
                               .effort = snapshot.EffortFor(depth).effort});
    if (found.ok()) {
      lists[q] = RowsOf(found->neighbors);
    } else {
      failures[q] = found.status();
    }
  }
  for (const absl::Status& failure : failures) RETURN_IF_ERROR(failure);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SnapshotAnswers> AnswerQueries(
    const ServingSnapshot& snapshot, absl::Span<const float> item_vectors,
    const Dataset& data, const RowMap& map, const EvaluationSet& set,
    int32_t threads) {
  const int32_t depth =
      std::min<int32_t>(kReportDepths.back(), snapshot.items.size());
  const RankedLists excluded =
      Translate(set.excluded, map.to_snapshot, /*keep_unknown=*/false);
  ASSIGN_OR_RETURN(const std::vector<float> query_vectors,
                   EmbedAsRequests(snapshot, data, set.queries));
  SnapshotAnswers answers;
  const auto of_query = [&](int64_t q) -> absl::Span<const int32_t> {
    return excluded[q];
  };
  const int32_t d = snapshot.shape.dimension;
  if (snapshot.available.has_value()) {
    ASSIGN_OR_RETURN(
        answers.exact,
        ExactTopKAmong(snapshot.available->ToRows(), item_vectors,
                       query_vectors, d, depth, threads, of_query));
  } else {
    ASSIGN_OR_RETURN(answers.exact, ExactTopK(item_vectors, query_vectors, d,
                                              depth, threads, of_query));
  }
  for (const int32_t k : kReportDepths) {
    RETURN_IF_ERROR(SearchAll(snapshot, query_vectors, std::min(k, depth),
                              excluded, threads, answers.ann.emplace_back()));
  }
  return answers;
}

}  // namespace segue
