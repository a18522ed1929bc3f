#include "server/warm_up.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/retrieval/retriever.h"

namespace segue {
namespace {

// TorchScript's profiling executor has settled after its third run.
constexpr int kRounds = 3;

absl::Status CheckAnswer(const ResolvedQuery& query,
                         const v1::RetrieveResponse& answer) {
  const int64_t expected =
      std::min<int64_t>(query.top_k, answer.allowed_items());
  if (answer.item_ids_size() != expected) {
    return absl::InternalError(absl::StrCat("warm-up: ", answer.item_ids_size(),
                                            " items instead of ", expected));
  }
  for (float score : answer.scores()) {
    if (!std::isfinite(score)) {
      return absl::InternalError(
          absl::StrCat("warm-up: a score of ", score, " is not finite"));
    }
  }
  return absl::OkStatus();
}

absl::Status AnswerTogether(const ServingSnapshot& snapshot,
                            const std::vector<const ResolvedQuery*>& queries) {
  std::vector<float> vectors;
  RETURN_IF_ERROR(EmbedQueries(snapshot, queries, vectors));
  const size_t d = snapshot.shape.dimension;
  for (size_t i = 0; i < queries.size(); ++i) {
    v1::RetrieveResponse answer;
    RETURN_IF_ERROR(SearchAndFill(snapshot,
                                  absl::MakeSpan(vectors).subspan(i * d, d),
                                  *queries[i], answer)
                        .status());
    RETURN_IF_ERROR(CheckAnswer(*queries[i], answer));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WarmUp(const ServingSnapshot& snapshot, int max_batch) {
  std::vector<ResolvedQuery> queries;
  ASSIGN_OR_RETURN(ResolvedQuery anonymous, ResolveQuery(snapshot, {}));
  queries.push_back(std::move(anonymous));
  for (const auto& request : snapshot.golden_requests.requests()) {
    ASSIGN_OR_RETURN(ResolvedQuery query, ResolveQuery(snapshot, request));
    queries.push_back(std::move(query));
  }
  std::vector<const ResolvedQuery*> together;
  for (int i = 0; i < max_batch; ++i) {
    together.push_back(&queries[i % queries.size()]);
  }
  for (int round = 0; round < kRounds; ++round) {
    for (const ResolvedQuery& query : queries) {
      RETURN_IF_ERROR(AnswerTogether(snapshot, {&query}));
    }
    RETURN_IF_ERROR(AnswerTogether(snapshot, together));
  }
  return absl::OkStatus();
}

}  // namespace segue
