#include "trainer/evaluation/evaluator.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/metrics/overlap.h"
#include "trainer/evaluation/answer_spread.h"
#include "trainer/evaluation/baselines.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/examples.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/row_map.h"
#include "trainer/evaluation/slices.h"
#include "trainer/evaluation/snapshot_answers.h"

namespace segue {
namespace {

// [items of the snapshot] counts of the data's items.
std::vector<double> OfSnapshot(const std::vector<double>& counts,
                               const RowMap& map) {
  std::vector<double> translated;
  translated.reserve(map.to_data.size());
  for (const int32_t row : map.to_data) {
    translated.push_back(row < 0 ? 0 : counts[row]);
  }
  return translated;
}

// The bundle's own figures, gathered a block of queries at a time. Borrows
// everything. One thread.
class ModelFigures {
 public:
  // `more_popular`: MorePopular() of the snapshot's items.
  ModelFigures(const RowMap& map, const std::vector<int32_t>& more_popular,
               const std::vector<Slice>& slices)
      : map_(map),
        exact_(kReportDepths),
        exact_spread_(more_popular, kReportDepths),
        slices_(slices) {
    for (const int32_t k : kReportDepths) ann_.emplace_back(more_popular, k);
  }

  void Add(const EvaluationSet& set, const SnapshotAnswers& answers);
  // All of the report's but baselines.
  void Fill(const v1::TrainerConfig& config, v1::SplitReport& report) const;

 private:
  // What the index answers when asked for so many.
  struct AtDepth {
    AtDepth(const std::vector<int32_t>& more_popular, int32_t k)
        : metrics({k}), spread(more_popular, {k}) {}
    RankingMetrics metrics;
    AnswerSpread spread;
    double overlap = 0;  // summed over queries
  };
  void CompareToExact(const v1::TrainerConfig& config,
                      v1::SplitReport& report) const;

  const RowMap& map_;
  RankingMetrics exact_;
  AnswerSpread exact_spread_;
  SliceMetrics slices_;
  std::vector<AtDepth> ann_;  // parallel to kReportDepths
  size_t queries_ = 0;
};

void ModelFigures::Add(const EvaluationSet& set,
                       const SnapshotAnswers& answers) {
  RankedLists exact;
  exact.reserve(set.size());
  for (const auto& neighbors : answers.exact) {
    exact.push_back(RowsOf(neighbors));
  }
  for (size_t d = 0; d < kReportDepths.size(); ++d) {
    const RankedLists& lists = answers.ann[d];
    for (size_t q = 0; q < set.size(); ++q) {
      ann_[d].overlap += OverlapAtK(exact[q], lists[q], kReportDepths[d]);
    }
    ann_[d].spread.Add(lists);
    AddLists(set, Translate(lists, map_.to_data, /*keep_unknown=*/true),
             ann_[d].metrics);
  }
  exact_spread_.Add(exact);
  exact = Translate(exact, map_.to_data, /*keep_unknown=*/true);
  AddLists(set, exact, exact_);
  slices_.Add(set, exact);
  queries_ += set.size();
}

void ModelFigures::CompareToExact(const v1::TrainerConfig& config,
                                  v1::SplitReport& report) const {
  for (size_t d = 0; d < kReportDepths.size(); ++d) {
    const std::string key = absl::StrCat(kReportDepths[d]);
    (*report.mutable_ann()->mutable_overlap())[key] =
        ann_[d].overlap / static_cast<double>(queries_);
    const Estimate ratio =
        RecallRatio(ann_[d].metrics, exact_, kReportDepths[d],
                    config.evaluation().bootstrap_samples(), config.seed());
    (*report.mutable_ann_recall_ratio())[key] = ratio.mean;
    v1::Interval& interval = (*report.mutable_ann_recall_ratio_interval())[key];
    interval.set_low(ratio.low);
    interval.set_high(ratio.high);
  }
}

void ModelFigures::Fill(const v1::TrainerConfig& config,
                        v1::SplitReport& report) const {
  const int32_t resamples = config.evaluation().bootstrap_samples();
  const uint64_t seed = config.seed();
  report.set_queries(static_cast<int32_t>(queries_));
  report.set_users(static_cast<int32_t>(exact_.Summarize(0, seed).users));
  *report.mutable_exact() = ToReport(exact_, resamples, seed);
  exact_spread_.Fill(*report.mutable_exact());
  // The reciprocal rank is that of the deepest, which comes last.
  for (const AtDepth& at : ann_) {
    report.mutable_ann()->MergeFrom(ToReport(at.metrics, resamples, seed));
    at.spread.Fill(*report.mutable_ann());
  }
  CompareToExact(config, report);
  slices_.AddTo(resamples, seed, report);
}

// Items that can be answers, and those that training did not have.
void CountItems(const RowMap& map, const Split& split,
                v1::SplitReport& report) {
  report.set_items(static_cast<int32_t>(map.to_data.size()));
  report.set_unseen_items(static_cast<int32_t>(std::count_if(
      map.to_data.begin(), map.to_data.end(), [&split](int32_t row) {
        return row < 0 || !split.item_in_training[row];
      })));
}

}  // namespace

absl::StatusOr<v1::EvaluationReport> EvaluateSnapshot(
    const ServingSnapshot& snapshot, const Dataset& data, const Split& split,
    const v1::TrainerConfig& config, int32_t threads,
    const std::function<void(absl::string_view)>& progress) {
  const v1::EvaluationConfig& wanted = config.evaluation();
  const std::vector<EvaluationQuery> queries =
      SampleQueries(split.test, wanted.max_queries(), config.seed());
  progress(absl::StrCat("evaluating ", queries.size(), " test queries"));
  const RowMap map = MapRows(snapshot.items, data.items);
  ASSIGN_OR_RETURN(const std::vector<float> item_vectors,
                   EmbedCatalogue(snapshot, threads));
  const ItemCounts counts = CountTraining(data.log, split, data.items.size());
  const std::vector<int32_t> more_popular =
      MorePopular(OfSnapshot(counts.targets, map));
  const std::vector<Slice> slices = MakeSlices(data.log, split, counts);
  ModelFigures model(map, more_popular, slices);
  Baselines baselines(data.log, split, counts, slices, config, threads);
  v1::EvaluationReport report;
  for (size_t begin = 0; begin < queries.size(); begin += kQueriesAtOnce) {
    const size_t end = std::min(begin + kQueriesAtOnce, queries.size());
    const EvaluationSet set = MakeEvaluationSet(
        data.log, {queries.begin() + begin, queries.begin() + end},
        wanted.filter_seen());
    {
      ASSIGN_OR_RETURN(
          const SnapshotAnswers answers,
          AnswerQueries(snapshot, item_vectors, data, map, set, threads));
      model.Add(set, answers);
      AddExamples(snapshot, data, set, begin, queries.size(), map,
                  answers.exact, config.seed(), report);
    }
    baselines.Add(set);
  }
  v1::SplitReport& test = *report.mutable_test();
  CountItems(map, split, test);
  model.Fill(config, test);
  baselines.Fill(progress, test);
  FindLosses(progress, test);
  return report;
}

}  // namespace segue
