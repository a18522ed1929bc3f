#include "trainer/evaluation/slices.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

struct Slice {
  std::string dimension;
  std::string label;
  // Does the query's target belong to it?
  std::function<bool(const EvaluationQuery& query, int32_t target)> holds;
};

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
std::vector<int8_t> FindTiers(absl::Span<const double> counts) {
  const std::vector<int32_t> order = ByCount(counts);
  const auto trained =
      std::partition_point(order.begin(), order.end(),
                           [&](int32_t row) { return counts[row] > 0; }) -
      order.begin();
  std::vector<int8_t> tiers(counts.size(), -1);
  for (int64_t i = 0; i < trained; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(trained);
    tiers[order[i]] = share < 0.01 ? 0 : share < 0.1 ? 1 : share < 0.5 ? 2 : 3;
  }
  return tiers;
}

void AddTiers(const std::vector<int8_t>& tiers, std::vector<Slice>& slices) {
  for (int8_t tier = 0; tier < 4; ++tier) {
    slices.push_back({"item popularity", kTiers[tier],
                      [&tiers, tier](const EvaluationQuery&, int32_t target) {
                        return tiers[target] == tier;
                      }});
  }
}

// Figures of one slice; false if it has no queries.
bool MeasureSlice(const Slice& slice, const EvaluationSet& set,
                  const RankedLists& lists, int32_t resamples, uint64_t seed,
                  v1::SliceReport& report) {
  RankingMetrics metrics(kReportDepths);
  int32_t queries = 0;
  for (size_t q = 0; q < set.size(); ++q) {
    std::vector<int32_t> targets;
    for (const int32_t target : set.targets[q]) {
      if (slice.holds(set.queries[q], target)) targets.push_back(target);
    }
    if (targets.empty()) continue;
    ++queries;
    metrics.Add(set.queries[q].user, RanksOf(lists[q], targets),
                static_cast<int64_t>(targets.size()));
  }
  report.set_dimension(slice.dimension);
  report.set_label(slice.label);
  report.set_queries(queries);
  if (queries == 0) return false;
  *report.mutable_exact() = ToReport(metrics, resamples, seed);
  return true;
}

}  // namespace

void AddSlices(const EventLog& log, const Split& split,
               absl::Span<const double> counts, const EvaluationSet& set,
               const RankedLists& lists, int32_t resamples, uint64_t seed,
               v1::SplitReport& report) {
  const std::vector<int8_t> tiers = FindTiers(counts);
  std::vector<Slice> slices;
  AddLengths(log, slices);
  AddTiers(tiers, slices);
  slices.push_back(
      {"new user", "yes", [&split](const EvaluationQuery& query, int32_t) {
         return !split.user_in_training[query.user];
       }});
  slices.push_back(
      {"new item", "yes", [&split](const EvaluationQuery&, int32_t target) {
         return !split.item_in_training[target];
       }});
  for (const Slice& slice : slices) {
    v1::SliceReport figures;
    if (MeasureSlice(slice, set, lists, resamples, seed, figures)) {
      *report.add_slices() = std::move(figures);
    }
  }
}

}  // namespace segue
