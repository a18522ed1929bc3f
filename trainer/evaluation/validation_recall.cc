#include "trainer/evaluation/validation_recall.h"

#include <algorithm>

#include "absl/types/span.h"
#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/row_map.h"

namespace segue {

absl::StatusOr<double> ValidationRecall(
    TwoTowerModel& model, const Dataset& data,
    const std::vector<EvaluationQuery>& queries, int32_t k, bool filter_seen,
    int32_t threads) {
  const int32_t d = model.shape().dimension;
  std::vector<float> items(int64_t{data.items.size()} * d);
  std::vector<float> vectors(queries.size() * d);
  RETURN_IF_ERROR(model.EmbedItems(absl::MakeSpan(items)));
  RETURN_IF_ERROR(model.EmbedQueries(queries, absl::MakeSpan(vectors)));
  const EvaluationSet set = MakeEvaluationSet(data.log, queries, filter_seen);
  ASSIGN_OR_RETURN(const auto neighbors,
                   ExactTopK(items, vectors, d, k, threads,
                             [&](int64_t q) -> absl::Span<const int32_t> {
                               return set.excluded[q];
                             }));
  double recall = 0;
  for (size_t q = 0; q < set.size(); ++q) {
    const std::vector<int32_t>& targets = set.targets[q];
    recall +=
        static_cast<double>(RanksOf(RowsOf(neighbors[q]), targets).size()) /
        static_cast<double>(targets.size());
  }
  return recall / static_cast<double>(std::max<size_t>(set.size(), 1));
}

}  // namespace segue
