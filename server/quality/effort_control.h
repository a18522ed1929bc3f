// Keeps the overlap of live answers at an objective by searching harder or less
// hard.
#ifndef SEGUE_SERVER_QUALITY_EFFORT_CONTROL_H_
#define SEGUE_SERVER_QUALITY_EFFORT_CONTROL_H_

#include <cstdint>

namespace segue {

// One answer, searched once more exactly.
struct LiveSample {
  double overlap = 0;
  // What the tuner's table promises of the effort that was taken, and of those
  // one point less and one point more hard.
  double expected = 0, expected_lower = 0, expected_higher = 0;
};

// Decides after each kWindow samples: one point harder where their mean misses
// the objective; one point less where it would still be met, by what the table
// says. A point that was given up too early is kept for twice as many windows
// the next time. One thread.
class EffortControl {
 public:
  static constexpr int kWindow = 100;

  enum class Decision { kNone, kRaised, kLowered, kAtMost };

  // `objective` 0: nothing is ever raised.
  explicit EffortControl(double objective) : objective_(objective) {}

  // kAtMost: the objective is missed and there is no harder point.
  Decision Observe(const LiveSample& sample);
  // For another bundle: no point above its own target, no sample seen.
  void Reset() { *this = EffortControl(objective_); }

  // Points above the bundle's own target.
  int32_t raised() const { return raised_; }
  // Of the last whole window.
  double mean() const { return mean_; }

 private:
  Decision Decide();

  double objective_;
  LiveSample sum_;
  int samples_ = 0;
  double mean_ = 0;
  int32_t raised_ = 0;
  int patience_ = 1;  // windows at a point before it may be given up
  int windows_ = 0;   // at this point
  bool lowered_last_ = false;
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUALITY_EFFORT_CONTROL_H_
