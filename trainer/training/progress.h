// Tells a person how long work is coming along.
#ifndef SEGUE_TRAINER_TRAINING_PROGRESS_H_
#define SEGUE_TRAINER_TRAINING_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/string_view.h"

namespace segue {

// Lines go to stderr and to the run's log, each with the time. A bar is redrawn
// in place on a terminal; elsewhere it is a line now and then. One thread.
class Progress {
 public:
  // `log_path`: appended to; empty: no log.
  explicit Progress(const std::string& log_path);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Line(absl::string_view text);
  // `done` of `total`, with `text` behind it; drawn at most every 200 ms on a
  // terminal, every 10 s elsewhere.
  void Bar(absl::string_view label, int64_t done, int64_t total,
           absl::string_view text);

 private:
  using Clock = std::chrono::steady_clock;

  void ClearBar();

  std::FILE* log_ = nullptr;
  const bool terminal_;
  bool bar_shown_ = false;
  Clock::time_point last_bar_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_TRAINING_PROGRESS_H_
