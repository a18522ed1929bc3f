#include "trainer/evaluation/baselines.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_format.h"
#include "trainer/evaluation/item_knn.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/transitions.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

bool TimesAreSeconds(const v1::TrainerConfig& config) {
  return config.events().time_unit() == v1::EventsConfig::SECONDS;
}

}  // namespace

Baselines::Baselines(const EventLog& log, const Split& split,
                     const ItemCounts& counts, const std::vector<Slice>& slices,
                     const v1::TrainerConfig& config, int32_t threads)
    : config_(config),
      popular_(ByCount(counts.targets)),
      recent_(TimesAreSeconds(config)
                  ? ByCount(RecentTargetCounts(
                        log, split, static_cast<int32_t>(counts.targets.size()),
                        config.evaluation().recent_half_life_days()))
                  : std::vector<int32_t>()),
      more_popular_(MorePopular(counts.targets)) {
  const auto add = [&](const char* name, auto field, auto answer,
                       const std::vector<int32_t>& order) {
    all_.push_back({.name = name,
                    .field = field,
                    .answer = std::move(answer),
                    .order = order,
                    .metrics = RankingMetrics(kReportDepths),
                    .spread = AnswerSpread(more_popular_, kReportDepths),
                    .slices = SliceRecalls(slices)});
  };
  const auto nothing = [](const EvaluationSet& set) {
    return RankedLists(set.size());
  };
  add("popularity", &v1::Baselines::mutable_popularity, nothing, popular_);
  if (TimesAreSeconds(config)) {
    add("recent_popularity", &v1::Baselines::mutable_recent_popularity, nothing,
        recent_);
  }
  add(
      "item_knn", &v1::Baselines::mutable_item_knn,
      [&log, &split, &counts, threads,
       history =
           config.evaluation().item_knn_history()](const EvaluationSet& set) {
        return ItemKnn(log, split, counts, set, history, threads);
      },
      popular_);
  add(
      "transitions", &v1::Baselines::mutable_transitions,
      [&log, &split, &counts, threads](const EvaluationSet& set) {
        return Transitions(log, split, counts, set, threads);
      },
      popular_);
}

void Baselines::Add(const EvaluationSet& set) {
  for (Baseline& baseline : all_) {
    const Clock::time_point start = Clock::now();
    RankedLists lists = baseline.answer(set);
    FillUp(baseline.order, set, lists);
    AddLists(set, lists, baseline.metrics);
    baseline.spread.Add(lists);
    baseline.slices.Add(set, lists);
    baseline.seconds +=
        std::chrono::duration<double>(Clock::now() - start).count();
  }
}

void Baselines::Fill(const std::function<void(absl::string_view)>& progress,
                     v1::SplitReport& report) const {
  for (const Baseline& baseline : all_) {
    v1::RankingReport& figures =
        *(report.mutable_baselines()->*baseline.field)();
    figures =
        ToReport(baseline.metrics, config_.evaluation().bootstrap_samples(),
                 config_.seed());
    baseline.spread.Fill(figures);
    baseline.slices.AddTo(baseline.name, report);
    progress(
        absl::StrFormat("baseline %s: recall@10 %.4f, recall@100 %.4f, %.1f s",
                        baseline.name, figures.recall().at("10"),
                        figures.recall().at("100"), baseline.seconds));
  }
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
