#include "trainer/evaluation/baselines.h"

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "trainer/evaluation/answer_spread.h"
#include "trainer/evaluation/item_knn.h"
#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/transitions.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

void MeasureBaselines(const EventLog& log, const Split& split,
                      absl::Span<const double> counts, const EvaluationSet& set,
                      const v1::TrainerConfig& config, int32_t threads,
                      const std::function<void(absl::string_view)>& progress,
                      v1::Baselines& baselines) {
  const v1::EvaluationConfig& wanted = config.evaluation();
  const std::vector<int32_t> popular = ByCount(counts);
  const std::vector<double> ranks = PopularityRanks(counts);
  // Lists of one baseline: `answer` begins them, `order` fills them up.
  const auto measure = [&](const char* name, const auto& answer,
                           absl::Span<const int32_t> order) {
    const Clock::time_point start = Clock::now();
    RankedLists lists = answer();
    FillUp(order, set, lists);
    v1::RankingReport report = ToReport(
        Measure(set, lists), wanted.bootstrap_samples(), config.seed());
    FillSpread(lists, ranks, report);
    progress(absl::StrFormat(
        "baseline %s: recall@10 %.4f, recall@100 %.4f, %.1f s", name,
        report.recall().at("10"), report.recall().at("100"),
        std::chrono::duration<double>(Clock::now() - start).count()));
    return report;
  };
  const auto nothing = [&] { return RankedLists(set.size()); };
  *baselines.mutable_popularity() = measure("popularity", nothing, popular);
  if (config.events().time_unit() == v1::EventsConfig::SECONDS) {
    *baselines.mutable_recent_popularity() =
        measure("recent_popularity", nothing,
                ByCount(RecentTrainingCounts(
                    log, split, static_cast<int32_t>(counts.size()),
                    wanted.recent_half_life_days())));
  }
  *baselines.mutable_item_knn() = measure(
      "item_knn",
      [&] {
        return ItemKnn(log, split, counts, set, wanted.item_knn_history(),
                       threads);
      },
      popular);
  *baselines.mutable_transitions() = measure(
      "transitions",
      [&] { return Transitions(log, split, counts, set, threads); }, popular);
}

void FindLosses(const std::function<void(absl::string_view)>& progress,
                v1::SplitReport& report) {
  const v1::Baselines& baselines = report.baselines();
  const std::pair<const char*, const v1::RankingReport*> all[] = {
      {"popularity", &baselines.popularity()},
      {"recent_popularity", &baselines.recent_popularity()},
      {"item_knn", &baselines.item_knn()},
      {"transitions", &baselines.transitions()}};
  const auto& model = report.exact().recall();
  for (const auto& [name, figures] : all) {
    const auto& recall = figures->recall();
    if (recall.empty()) continue;
    if (recall.at("10") <= model.at("10") &&
        recall.at("100") <= model.at("100")) {
      continue;
    }
    report.add_lost_to(name);
    progress(absl::StrFormat(
        "the model loses to %s: recall@10 %.4f against %.4f, recall@100 %.4f "
        "against %.4f",
        name, model.at("10"), recall.at("10"), model.at("100"),
        recall.at("100")));
  }
}

}  // namespace segue
