#include "server/lifecycle/warm_up.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/retrieval/golden.h"
#include "core/retrieval/retriever.h"

namespace segue {
namespace {

// The request with the newest events of its history alone.
v1::RetrieveRequest CutTo(int events, const v1::RetrieveRequest& request) {
  v1::RetrieveRequest cut = request;
  const int older = request.history_size() - events;
  cut.mutable_history()->DeleteSubrange(0, older);
  if (!request.history_times().empty()) {
    auto& times = *cut.mutable_history_times();
    times.erase(times.begin(), times.begin() + older);
  }
  return cut;
}

// Nobody's, the bundle's own, and the longest of these cut shorter and shorter.
std::vector<v1::RetrieveRequest> Requests(const ServingSnapshot& snapshot) {
  std::vector<v1::RetrieveRequest> requests(1);
  const auto& golden = snapshot.golden_requests.requests();
  requests.insert(requests.end(), golden.begin(), golden.end());
  if (golden.empty()) return requests;
  const v1::RetrieveRequest& longest = *std::max_element(
      golden.begin(), golden.end(), [](const auto& a, const auto& b) {
        return a.history_size() < b.history_size();
      });
  for (int events = 1; events < longest.history_size(); events *= 2) {
    requests.push_back(CutTo(events, longest));
  }
  return requests;
}

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

absl::Status WarmUp(const ServingSnapshot& snapshot, int max_batch,
                    Deadline deadline) {
  std::vector<ResolvedQuery> queries;
  for (const v1::RetrieveRequest& request : Requests(snapshot)) {
    ASSIGN_OR_RETURN(queries.emplace_back(), ResolveQuery(snapshot, request));
  }
  for (const ResolvedQuery& query : queries) {
    RETURN_IF_ERROR(deadline.Check());
    RETURN_IF_ERROR(AnswerTogether(snapshot, {&query}));
  }
  for (int batch = 2; batch < 2 * max_batch; batch *= 2) {
    std::vector<const ResolvedQuery*> together;
    for (int i = 0; i < std::min(batch, max_batch); ++i) {
      together.push_back(&queries[i % queries.size()]);
    }
    RETURN_IF_ERROR(deadline.Check());
    RETURN_IF_ERROR(AnswerTogether(snapshot, together));
  }
  return CheckGolden(snapshot, deadline);
}

}  // namespace segue
