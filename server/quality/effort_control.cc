#include "server/quality/effort_control.h"

#include <algorithm>

namespace segue {
namespace {

constexpr int kMostPatience = 64;

}  // namespace

EffortControl::Decision EffortControl::Observe(const LiveSample& sample) {
  sum_.overlap += sample.overlap;
  sum_.expected += sample.expected;
  sum_.expected_lower += sample.expected_lower;
  sum_.expected_higher += sample.expected_higher;
  if (++samples_ < kWindow) return Decision::kNone;
  const Decision decision = Decide();
  sum_ = {};
  samples_ = 0;
  return decision;
}

EffortControl::Decision EffortControl::Decide() {
  mean_ = sum_.overlap / samples_;
  ++windows_;
  if (objective_ <= 0) return Decision::kNone;
  if (mean_ < objective_) {
    if (sum_.expected_higher <= sum_.expected) return Decision::kAtMost;
    ++raised_;
    if (lowered_last_) patience_ = std::min(2 * patience_, kMostPatience);
    lowered_last_ = false;
    windows_ = 0;
    return Decision::kRaised;
  }
  const double lost = (sum_.expected - sum_.expected_lower) / samples_;
  if (raised_ > 0 && windows_ >= patience_ && mean_ - lost >= objective_) {
    --raised_;
    lowered_last_ = true;
    windows_ = 0;
    return Decision::kLowered;
  }
  return Decision::kNone;
}

}  // namespace segue
