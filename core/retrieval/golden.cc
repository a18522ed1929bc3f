#include "core/retrieval/golden.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/retrieval/retriever.h"

namespace segue {
namespace {

struct Comparison {
  double overlap = 1;
  double score_difference = 0;  // the largest, of items that both have
};

Comparison Compare(const v1::RetrieveResponse& expected,
                   const v1::RetrieveResponse& found) {
  std::map<std::string, float> scores;
  for (int i = 0; i < expected.item_ids_size(); ++i) {
    scores[expected.item_ids(i)] = expected.scores(i);
  }
  if (scores.empty()) return {};
  Comparison comparison;
  int shared = 0;
  for (int i = 0; i < found.item_ids_size(); ++i) {
    const auto at = scores.find(found.item_ids(i));
    if (at == scores.end()) continue;
    ++shared;
    double difference = std::abs(double{at->second} - found.scores(i));
    if (std::isnan(difference)) {
      difference = std::numeric_limits<double>::infinity();
    }
    comparison.score_difference =
        std::max(comparison.score_difference, difference);
  }
  comparison.overlap = shared / static_cast<double>(scores.size());
  return comparison;
}

}  // namespace

absl::StatusOr<v1::BatchRetrieveResponse> AnswerGolden(
    const ServingSnapshot& snapshot, Deadline deadline) {
  v1::BatchRetrieveResponse answers;
  for (const auto& request : snapshot.golden_requests.requests()) {
    RETURN_IF_ERROR(deadline.Check());
    ASSIGN_OR_RETURN(const ResolvedQuery query,
                     ResolveQuery(snapshot, request));
    std::vector<float> vector;
    RETURN_IF_ERROR(EmbedQueries(snapshot, {&query}, vector));
    SearchOptions options = OptionsOf(snapshot, query);
    options.exact = true;
    ASSIGN_OR_RETURN(const Found found,
                     snapshot.index->Search(vector, options));
    v1::RetrieveResponse& answer = *answers.add_responses();
    for (const Neighbor& neighbor : found.neighbors) {
      answer.add_item_ids(std::string(snapshot.items.id(neighbor.row)));
      answer.add_scores(neighbor.score);
    }
  }
  return answers;
}

absl::Status CheckGolden(const ServingSnapshot& snapshot, Deadline deadline) {
  const v1::BatchRetrieveResponse& expected = snapshot.golden_answers;
  if (expected.responses().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const v1::BatchRetrieveResponse found,
                   AnswerGolden(snapshot, deadline));
  Comparison all{.overlap = 0};
  for (int i = 0; i < found.responses_size(); ++i) {
    const Comparison one = Compare(expected.responses(i), found.responses(i));
    all.overlap += one.overlap / found.responses_size();
    all.score_difference = std::max(all.score_difference, one.score_difference);
  }
  if (all.overlap >= kLeastGoldenOverlap &&
      all.score_difference <= kMostGoldenScoreDifference) {
    return absl::OkStatus();
  }
  return absl::OutOfRangeError(absl::StrFormat(
      "answers its golden requests otherwise than where it was published: "
      "overlap %.4f (at least %.2f), scores differ by up to %.2g (at most %g)",
      all.overlap, kLeastGoldenOverlap, all.score_difference,
      kMostGoldenScoreDifference));
}

}  // namespace segue
