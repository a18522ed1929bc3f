#include "trainer/evaluation/validation_recall.h"

#include <algorithm>

#include "absl/types/span.h"
#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/row_map.h"

namespace segue {
namespace {

double SumRecall(const EvaluationSet& set,
                 const std::vector<std::vector<Neighbor>>& answers) {
  double recall = 0;
  for (size_t q = 0; q < set.size(); ++q) {
    const std::vector<int32_t>& targets = set.targets[q];
    recall += static_cast<double>(RanksOf(RowsOf(answers[q]), targets).size()) /
              static_cast<double>(targets.size());
  }
  return recall;
}

}  // namespace

absl::StatusOr<double> ValidationRecall(
    TwoTowerModel& model, const Dataset& data,
    const std::vector<EvaluationQuery>& queries, int32_t k, bool filter_seen,
    int32_t threads) {
  const int32_t d = model.shape().dimension;
  std::vector<float> items(int64_t{data.items.size()} * d);
  std::vector<float> vectors(queries.size() * d);
  RETURN_IF_ERROR(model.EmbedItems(absl::MakeSpan(items)));
  RETURN_IF_ERROR(model.EmbedQueries(queries, absl::MakeSpan(vectors)));
  double recall = 0;
  for (size_t begin = 0; begin < queries.size(); begin += kQueriesAtOnce) {
    const size_t end = std::min(begin + kQueriesAtOnce, queries.size());
    const EvaluationSet set = MakeEvaluationSet(
        data.log, {queries.begin() + begin, queries.begin() + end},
        filter_seen);
    ASSIGN_OR_RETURN(
        const auto neighbors,
        ExactTopK(
            items,
            absl::MakeConstSpan(vectors).subspan(begin * d, (end - begin) * d),
            d, k, threads, [&](int64_t q) -> absl::Span<const int32_t> {
              return set.excluded[q];
            }));
    recall += SumRecall(set, neighbors);
  }
  return recall / static_cast<double>(std::max<size_t>(queries.size(), 1));
}

}  // namespace segue
