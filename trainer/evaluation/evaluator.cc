#include "trainer/evaluation/evaluator.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/metrics/overlap.h"
#include "core/retrieval/retriever.h"
#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/serving_requests.h"

namespace segue {
namespace {

// Rows embedded in one forward pass.
constexpr int64_t kEmbedBatch = 1024;

std::vector<int32_t> Rows(const std::vector<Neighbor>& neighbors) {
  std::vector<int32_t> rows;
  rows.reserve(neighbors.size());
  for (const Neighbor& neighbor : neighbors) rows.push_back(neighbor.row);
  return rows;
}

// Row of the snapshot -> row of the data, -1 where the data lacks the item; and
// back.
struct RowMap {
  std::vector<int32_t> to_data;
  std::vector<int32_t> to_snapshot;
};

RowMap MapRows(const Vocabulary& snapshot, const Vocabulary& data) {
  RowMap map;
  map.to_data.assign(snapshot.size(), -1);
  map.to_snapshot.assign(data.size(), -1);
  for (int32_t row = 0; row < snapshot.size(); ++row) {
    if (const auto found = data.Find(snapshot.id(row))) {
      map.to_data[row] = *found;
      map.to_snapshot[*found] = row;
    }
  }
  return map;
}

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

// Lists of snapshot rows as rows of the data: unknown ones keep their place.
RankedLists ToDataRows(const RankedLists& lists, const RowMap& map) {
  RankedLists translated;
  for (const std::vector<int32_t>& list : lists) {
    std::vector<int32_t>& rows = translated.emplace_back();
    for (int32_t row : list) rows.push_back(map.to_data[row]);
  }
  return translated;
}

absl::Status SearchAll(const VectorIndex& index,
                       const std::vector<float>& vectors, int32_t k,
                       const RankedLists& excluded, int32_t threads,
                       RankedLists& lists) {
  const int64_t count = static_cast<int64_t>(excluded.size());
  const size_t d = index.dimension();
  lists.assign(count, {});
  std::vector<absl::Status> failures(count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
  for (int64_t q = 0; q < count; ++q) {
    auto found = index.Search(absl::MakeConstSpan(vectors).subspan(q * d, d), k,
                              excluded[q]);
    if (found.ok()) {
      lists[q] = Rows(*found);
    } else {
      failures[q] = found.status();
    }
  }
  for (const absl::Status& failure : failures) RETURN_IF_ERROR(failure);
  return absl::OkStatus();
}

void CompareToExact(const RankingMetrics& ann_metrics,
                    const RankingMetrics& exact_metrics, const RankedLists& ann,
                    const RankedLists& exact, const v1::TrainerConfig& config,
                    v1::SplitReport& report) {
  const int32_t resamples = config.evaluation().bootstrap_samples();
  for (int32_t k : kReportDepths) {
    double overlap = 0;
    for (size_t q = 0; q < ann.size(); ++q) {
      overlap += OverlapAtK(exact[q], ann[q], k);
    }
    const std::string key = absl::StrCat(k);
    (*report.mutable_ann()->mutable_overlap())[key] = overlap / ann.size();
    const Estimate ratio =
        RecallRatio(ann_metrics, exact_metrics, k, resamples, config.seed());
    (*report.mutable_ann_recall_ratio())[key] = ratio.mean;
    v1::Interval& interval = (*report.mutable_ann_recall_ratio_interval())[key];
    interval.set_low(ratio.low);
    interval.set_high(ratio.high);
  }
}

}  // namespace

absl::StatusOr<std::vector<float>> EmbedCatalogue(
    const ServingSnapshot& snapshot, int32_t threads) {
  const int64_t items = snapshot.items.size();
  const int64_t f = snapshot.shape.item_width, d = snapshot.shape.dimension;
  std::vector<float> vectors(items * d);
  const int64_t batches = (items + kEmbedBatch - 1) / kEmbedBatch;
  std::vector<absl::Status> failures(batches);
  // One forward pass a thread: the kernels themselves run on one each.
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (int64_t b = 0; b < batches; ++b) {
    const int64_t begin = b * kEmbedBatch;
    const int64_t rows = std::min(kEmbedBatch, items - begin);
    failures[b] = snapshot.item_tower->Embed(
        static_cast<int32_t>(rows),
        {snapshot.item_rows.Row(begin).data(), static_cast<size_t>(rows * f)},
        absl::MakeSpan(vectors).subspan(begin * d, rows * d));
  }
  for (const absl::Status& failure : failures) RETURN_IF_ERROR(failure);
  return vectors;
}

absl::StatusOr<v1::SplitReport> EvaluateSnapshot(
    const ServingSnapshot& snapshot, const Dataset& data, const Split& split,
    const v1::TrainerConfig& config, int32_t threads,
    const std::function<void(absl::string_view)>& progress) {
  const v1::EvaluationConfig& wanted = config.evaluation();
  const std::vector<EvaluationQuery> queries =
      SampleQueries(split.test, wanted.max_queries(), config.seed());
  const int32_t depth =
      std::min<int32_t>(kReportDepths.back(), snapshot.items.size());
  const RowMap map = MapRows(snapshot.items, data.items);
  progress(absl::StrCat("evaluating ", queries.size(), " test queries"));

  RankedLists excluded;  // rows of the snapshot
  for (const EvaluationQuery& query : queries) {
    std::vector<int32_t>& rows = excluded.emplace_back();
    for (int32_t row : ExcludedItems(data.log, query, wanted.filter_seen())) {
      if (map.to_snapshot[row] >= 0) rows.push_back(map.to_snapshot[row]);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<float> query_vectors,
                   EmbedAsRequests(snapshot, data, queries));
  ASSIGN_OR_RETURN(const std::vector<float> item_vectors,
                   EmbedCatalogue(snapshot, threads));
  ASSIGN_OR_RETURN(
      const auto exact_neighbors,
      ExactTopK(
          item_vectors, query_vectors, snapshot.shape.dimension, depth, threads,
          [&](int64_t q) -> absl::Span<const int32_t> { return excluded[q]; }));
  RankedLists exact, ann;
  for (const auto& neighbors : exact_neighbors)
    exact.push_back(Rows(neighbors));
  RETURN_IF_ERROR(
      SearchAll(*snapshot.index, query_vectors, depth, excluded, threads, ann));

  const RankingMetrics exact_metrics =
      Measure(data.log, queries, ToDataRows(exact, map));
  const RankingMetrics ann_metrics =
      Measure(data.log, queries, ToDataRows(ann, map));
  v1::SplitReport report;
  report.set_queries(static_cast<int32_t>(queries.size()));
  const int32_t resamples = wanted.bootstrap_samples();
  *report.mutable_exact() = ToReport(exact_metrics, resamples, config.seed());
  *report.mutable_ann() = ToReport(ann_metrics, resamples, config.seed());
  CompareToExact(ann_metrics, exact_metrics, ann, exact, config, report);
  *report.mutable_baselines()->mutable_popularity() =
      ToReport(Measure(data.log, queries,
                       MostPopular(data.log, split, data.items.size(), queries,
                                   wanted.filter_seen())),
               resamples, config.seed());
  return report;
}

absl::StatusOr<double> ValidationRecall(
    TwoTowerModel& model, const Dataset& data,
    const std::vector<EvaluationQuery>& queries, int32_t k, bool filter_seen,
    int32_t threads) {
  const int32_t d = model.shape().dimension;
  std::vector<float> items(int64_t{data.items.size()} * d);
  std::vector<float> vectors(queries.size() * d);
  RETURN_IF_ERROR(model.EmbedItems(absl::MakeSpan(items)));
  RETURN_IF_ERROR(model.EmbedQueries(queries, absl::MakeSpan(vectors)));
  RankedLists excluded;
  for (const EvaluationQuery& query : queries) {
    excluded.push_back(ExcludedItems(data.log, query, filter_seen));
  }
  ASSIGN_OR_RETURN(const auto neighbors,
                   ExactTopK(items, vectors, d, k, threads,
                             [&](int64_t q) -> absl::Span<const int32_t> {
                               return excluded[q];
                             }));
  int64_t found = 0;
  for (size_t q = 0; q < queries.size(); ++q) {
    const int32_t target = data.log.items[queries[q].target];
    found += RankOf(Rows(neighbors[q]), target) >= 0 ? 1 : 0;
  }
  return static_cast<double>(found) / std::max<size_t>(queries.size(), 1);
}

}  // namespace segue
