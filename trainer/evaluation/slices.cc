#include "trainer/evaluation/slices.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

// Those of baselines' recall.
constexpr std::array<int32_t, 2> kSliceDepths = {10, 100};

void AddLengths(const EventLog& log, std::vector<Slice>& slices) {
  constexpr auto kNoEnd = std::numeric_limits<int64_t>::max();
  const struct {
    const char* label;
    int64_t least, most;
  } ranges[] = {{"1-5", 0, 5},
                {"6-20", 6, 20},
                {"21-100", 21, 100},
                {"101-1000", 101, 1000},
                {"over 1000", 1001, kNoEnd}};
  for (const auto& range : ranges) {
    slices.push_back({"history length", range.label,
                      [&log, range](const EvaluationQuery& query, int32_t) {
                        const int64_t length =
                            query.target - log.user_begins[query.user];
                        return length >= range.least && length <= range.most;
                      }});
  }
}

constexpr const char* kTiers[] = {"top 1 %", "next 9 %", "next 40 %", "rest"};

// [items] the place of the item's tier in kTiers; -1 without training events.
std::vector<int8_t> FindTiers(const Split& split, const ItemCounts& counts) {
  const double trained = static_cast<double>(std::count(
      split.item_in_training.begin(), split.item_in_training.end(), true));
  std::vector<int8_t> tiers(counts.targets.size(), -1);
  int64_t before = 0;
  for (const int32_t row : ByCount(counts.targets)) {
    if (!split.item_in_training[row]) continue;
    const double share = static_cast<double>(before++) / trained;
    tiers[row] = share < 0.01 ? 0 : share < 0.1 ? 1 : share < 0.5 ? 2 : 3;
  }
  return tiers;
}

void AddTiers(std::vector<int8_t> of_items, std::vector<Slice>& slices) {
  const auto tiers =
      std::make_shared<const std::vector<int8_t>>(std::move(of_items));
  for (int8_t tier = 0; tier < 4; ++tier) {
    slices.push_back({"item popularity", kTiers[tier],
                      [tiers, tier](const EvaluationQuery&, int32_t target) {
                        return (*tiers)[target] == tier;
                      }});
  }
}

// `visit` gets each query of which targets belong to the slice, with these.
template <typename Visit>
void ForEachQuery(const Slice& slice, const EvaluationSet& set,
                  const Visit& visit) {
  std::vector<int32_t> targets;
  for (size_t q = 0; q < set.size(); ++q) {
    targets.clear();
    for (const int32_t target : set.targets[q]) {
      if (slice.holds(set.queries[q], target)) targets.push_back(target);
    }
    if (!targets.empty()) visit(q, targets);
  }
}

}  // namespace

std::vector<Slice> MakeSlices(const EventLog& log, const Split& split,
                              const ItemCounts& counts) {
  std::vector<Slice> slices;
  AddLengths(log, slices);
  AddTiers(FindTiers(split, counts), slices);
  slices.push_back(
      {"new user", "yes", [&split](const EvaluationQuery& query, int32_t) {
         return !split.user_in_training[query.user];
       }});
  slices.push_back(
      {"new item", "yes", [&split](const EvaluationQuery&, int32_t target) {
         return !split.item_in_training[target];
       }});
  return slices;
}

SliceMetrics::SliceMetrics(const std::vector<Slice>& slices)
    : slices_(slices),
      metrics_(slices.size(), RankingMetrics(kReportDepths)),
      queries_(slices.size(), 0) {}

void SliceMetrics::Add(const EvaluationSet& set, const RankedLists& lists) {
  for (size_t s = 0; s < slices_.size(); ++s) {
    ForEachQuery(
        slices_[s], set, [&](size_t q, const std::vector<int32_t>& targets) {
          ++queries_[s];
          metrics_[s].Add(set.queries[q].user, RanksOf(lists[q], targets),
                          static_cast<int64_t>(targets.size()));
        });
  }
}

void SliceMetrics::AddTo(int32_t resamples, uint64_t seed,
                         v1::SplitReport& report) const {
  for (size_t s = 0; s < slices_.size(); ++s) {
    if (queries_[s] == 0) continue;
    v1::SliceReport& slice = *report.add_slices();
    slice.set_dimension(slices_[s].dimension);
    slice.set_label(slices_[s].label);
    slice.set_queries(queries_[s]);
    *slice.mutable_exact() = ToReport(metrics_[s], resamples, seed);
  }
}

SliceRecalls::SliceRecalls(const std::vector<Slice>& slices)
    : slices_(slices),
      sums_(slices.size() * kSliceDepths.size(), 0.0),
      queries_(slices.size(), 0) {}

void SliceRecalls::Add(const EvaluationSet& set, const RankedLists& lists) {
  for (size_t s = 0; s < slices_.size(); ++s) {
    ForEachQuery(
        slices_[s], set, [&](size_t q, const std::vector<int32_t>& targets) {
          ++queries_[s];
          const std::vector<int64_t> ranks = RanksOf(lists[q], targets);
          for (size_t d = 0; d < kSliceDepths.size(); ++d) {
            const auto found = std::count_if(
                ranks.begin(), ranks.end(),
                [d](int64_t rank) { return rank < kSliceDepths[d]; });
            sums_[s * kSliceDepths.size() + d] +=
                static_cast<double>(found) /
                static_cast<double>(targets.size());
          }
        });
  }
}

void SliceRecalls::AddTo(absl::string_view name,
                         v1::SplitReport& report) const {
  int place = 0;  // among the slices that have queries
  for (size_t s = 0; s < slices_.size(); ++s) {
    if (queries_[s] == 0) continue;
    v1::SliceBaseline& baseline =
        *report.mutable_slices(place++)->add_baselines();
    baseline.set_name(std::string(name));
    for (size_t d = 0; d < kSliceDepths.size(); ++d) {
      (*baseline.mutable_recall())[absl::StrCat(kSliceDepths[d])] =
          sums_[s * kSliceDepths.size() + d] / queries_[s];
    }
  }
}

}  // namespace segue
