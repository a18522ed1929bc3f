#include "core/index/search_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segue {
namespace {

// The nearest k of a share of the rows are about the nearest k / share of all.
// Those lie in so many more cells: the cells grow as that to the power of this,
// measured on towers of music (tests/bench): with .4 small catalogues miss the
// target by 2 %, with .5 large ones find 1 % more than asked.
constexpr double kCellGrowth = 0.45;

}  // namespace

FoundBy SearchPlan::Cheapest() const {
  if (!allowed_.filtered()) return FoundBy::kIndex;
  if (shape_.ScoresAll()) return FoundBy::kExact;
  const auto wanted = static_cast<double>(Wanted());
  const double more =
      ScanCost(shape_, shape_.nlist > 0 ? Probes() : 0, wanted) +
      wanted * kCandidateCost +
      (shape_.refines ? wanted * allowed_.share() * kScoreCost : 0);
  const double cells = shape_.nlist > 0 && shape_.ScoresRows()
                           ? CostOfCells(Probes())
                           : std::numeric_limits<double>::infinity();
  if (CostOfAll() <= std::min(more, cells)) return FoundBy::kExact;
  return cells < more ? FoundBy::kCells : FoundBy::kMoreCandidates;
}

double SearchPlan::Ranked() const {
  // Excluded rows may be the nearest, as a history is: what is left then stands
  // so much further down.
  const auto past = static_cast<double>(allowed_.excluded());
  const auto k = static_cast<double>(k_);
  if (!shape_.refines) return k + past;
  return (std::max<double>(k, kFewestRefined) + past) * effort_.k_factor;
}

int64_t SearchPlan::Wanted() const {
  double wanted = Ranked();
  if (allowed_.filtered()) {
    // Of rows that a filter leaves out evenly, three standard deviations more.
    wanted = (wanted + 3 * std::sqrt(wanted) + 3) / allowed_.share();
  }
  wanted += static_cast<double>(allowed_.excluded());
  return static_cast<int64_t>(
      std::min(std::ceil(wanted), static_cast<double>(shape_.items)));
}

double SearchPlan::Enough() const {
  double expected = std::min(Ranked(), static_cast<double>(allowed_.count()));
  if (shape_.nlist > 0) {
    expected = std::min(expected, Scanned(Probes()) * allowed_.share());
  }
  return LeastByChance(expected);
}

int64_t SearchPlan::Probes() const {
  const double widened =
      allowed_.filtered()
          ? effort_.nprobe * std::pow(allowed_.share(), -kCellGrowth)
          : effort_.nprobe;
  return std::clamp<int64_t>(std::llround(widened), 1, shape_.nlist);
}

double SearchPlan::Scanned(int64_t probes) const {
  return static_cast<double>(shape_.items) * static_cast<double>(probes) /
         shape_.nlist;
}

double SearchPlan::CostOfCells(int64_t probes) const {
  return FindCellsCost(shape_, probes) +
         static_cast<double>(allowed_.count()) * kBitCost +
         Scanned(probes) * (kLookUpCost + allowed_.share() * kScoreCost);
}

double SearchPlan::CostOfAll() const {
  if (shape_.ScoresRows()) {
    return static_cast<double>(allowed_.count()) * kScoreCost;
  }
  // Without codes of rows, to score some is to scan all.
  const auto items = static_cast<double>(shape_.items);
  return ScanCost(shape_, shape_.nlist, items) + items * kCandidateCost;
}

}  // namespace segue
