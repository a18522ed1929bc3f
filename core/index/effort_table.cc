#include "core/index/effort_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace segue {
namespace {

constexpr double kNearlyBest = 0.002;

EffortTable::Front ParetoFront(EffortTable::Front measured) {
  std::stable_sort(measured.points.begin(), measured.points.end(),
                   [](const EffortPoint& a, const EffortPoint& b) {
                     return a.cost != b.cost ? a.cost < b.cost
                                             : a.overlap > b.overlap;
                   });
  EffortTable::Front front{.k = measured.k};
  for (const EffortPoint& point : measured.points) {
    if (front.points.empty() || point.overlap > front.points.back().overlap) {
      front.points.push_back(point);
    }
  }
  return front;
}

EffortPoint OnFront(const EffortTable::Front& front, double target,
                    int32_t more) {
  const std::vector<EffortPoint>& points = front.points;
  const double best = points.back().overlap;
  const double enough = best >= target ? target : best - kNearlyBest;
  const auto reached = std::find_if(
      points.begin(), points.end() - 1,
      [&](const EffortPoint& point) { return point.overlap >= enough; });
  const int64_t left = points.end() - 1 - reached;
  return *(reached + std::min<int64_t>(more, left));
}

}  // namespace

EffortTable EffortTable::FrontsOf(const std::vector<Front>& measured) {
  EffortTable table;
  for (const Front& front : measured) {
    table.fronts_.push_back(ParetoFront(front));
  }
  std::sort(table.fronts_.begin(), table.fronts_.end(),
            [](const Front& a, const Front& b) { return a.k < b.k; });
  return table;
}

absl::StatusOr<EffortTable> EffortTable::Create(const v1::Efforts& efforts) {
  EffortTable table;
  for (const v1::SearchPoint& from : efforts.points()) {
    const EffortPoint point{.effort = {from.nprobe(), from.k_factor()},
                            .overlap = from.overlap(),
                            .cost = from.cost()};
    const bool number = point.overlap >= 0 && point.overlap <= 1 &&
                        point.cost >= 0 && std::isfinite(point.cost);
    if (table.empty() || table.fronts_.back().k < from.k()) {
      table.fronts_.push_back({.k = from.k()});
    }
    Front& front = table.fronts_.back();
    const bool ascends =
        front.points.empty() || (front.points.back().cost < point.cost &&
                                 front.points.back().overlap < point.overlap);
    if (!number || !ascends || front.k != from.k() || from.k() < 1) {
      return absl::DataLossError(absl::StrCat(
          "index.efforts: k ", from.k(), ", nprobe ", from.nprobe(),
          ", k_factor ", from.k_factor(), ": overlap ", from.overlap(),
          " at cost ", from.cost(), " is on no Pareto front"));
    }
    front.points.push_back(point);
  }
  return table;
}

void EffortTable::ToProto(v1::Efforts& efforts) const {
  efforts.clear_points();
  for (const Front& front : fronts_) {
    for (const EffortPoint& point : front.points) {
      v1::SearchPoint& to = *efforts.add_points();
      to.set_k(front.k);
      to.set_nprobe(point.effort.nprobe);
      to.set_k_factor(point.effort.k_factor);
      to.set_overlap(point.overlap);
      to.set_cost(point.cost);
    }
  }
}

EffortPoint EffortTable::Reach(int32_t k, double target, int32_t more) const {
  if (empty()) return {};
  const auto above =
      std::find_if(fronts_.begin(), fronts_.end(),
                   [&](const Front& front) { return front.k >= k; });
  if (above == fronts_.end()) {
    // Deeper than was measured: in more cells, by the rule of search_plan.cc.
    EffortPoint deepest = OnFront(fronts_.back(), target, more);
    const double wider = std::sqrt(static_cast<double>(k) / fronts_.back().k);
    deepest.effort.nprobe =
        static_cast<int32_t>(std::lround(deepest.effort.nprobe * wider));
    deepest.overlap = 0;
    return deepest;
  }
  const EffortPoint high = OnFront(*above, target, more);
  if (above == fronts_.begin() || above->k == k) return high;
  const Front& below = *(above - 1);
  const EffortPoint low = OnFront(below, target, more);
  const double place = std::log(static_cast<double>(k) / below.k) /
                       std::log(static_cast<double>(above->k) / below.k);
  const auto between = [&](double from, double to) {
    return from <= 0 || to <= 0 ? std::max(from, to)
                                : from * std::pow(to / from, place);
  };
  const auto effort = [&](int32_t from, int32_t to) {
    return static_cast<int32_t>(std::lround(between(from, to)));
  };
  return {.effort = {effort(low.effort.nprobe, high.effort.nprobe),
                     effort(low.effort.k_factor, high.effort.k_factor)},
          .overlap = std::min(low.overlap, high.overlap),
          .cost = between(low.cost, high.cost)};
}

}  // namespace segue
