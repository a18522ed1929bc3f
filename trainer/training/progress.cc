#include "trainer/training/progress.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace segue {
namespace {

constexpr int kBarWidth = 24;

}  // namespace

Progress::Progress(const std::string& log_path)
    : terminal_(::isatty(STDERR_FILENO) != 0), last_bar_(Clock::now()) {
  if (!log_path.empty()) log_ = std::fopen(log_path.c_str(), "ae");
}

Progress::~Progress() {
  ClearBar();
  if (log_ != nullptr) std::fclose(log_);
}

void Progress::ClearBar() {
  if (!bar_shown_) return;
  std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

void Progress::Line(absl::string_view text) {
  ClearBar();
  const absl::Time now = absl::Now();
  const std::string line = absl::StrCat(
      absl::FormatTime("%H:%M:%S ", now, absl::LocalTimeZone()), text, "\n");
  std::fputs(line.c_str(), stderr);
  if (log_ == nullptr) return;
  std::fputs(absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ ", now,
                                           absl::UTCTimeZone()),
                          text, "\n")
                 .c_str(),
             log_);
  std::fflush(log_);
}

void Progress::Bar(absl::string_view label, int64_t done, int64_t total,
                   absl::string_view text) {
  const Clock::duration pause =
      terminal_ ? Clock::duration(std::chrono::milliseconds(200))
                : std::chrono::seconds(10);
  const Clock::time_point now = Clock::now();
  if (now - last_bar_ < pause) return;
  last_bar_ = now;
  const double share = total > 0 ? double(done) / total : 1;
  if (!terminal_) {
    Line(absl::StrFormat("%s  %3.0f %%  %s", label, 100 * share, text));
    return;
  }
  const int full = static_cast<int>(share * kBarWidth);
  std::fputs(
      absl::StrFormat("\r%s [%s%s] %3.0f %%  %s\033[K", label,
                      std::string(full, '#'),
                      std::string(kBarWidth - full, '.'), 100 * share, text)
          .c_str(),
      stderr);
  bar_shown_ = true;
}

}  // namespace segue
