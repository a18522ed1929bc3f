// How core/index and core/index_build call FAISS. Private to these two.
#ifndef SEGUE_CORE_INDEX_FAISS_SUPPORT_H_
#define SEGUE_CORE_INDEX_FAISS_SUPPORT_H_

#include <omp.h>

#include <algorithm>
#include <exception>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace segue {

// FAISS throws; nothing above this file does. The caller names the code that a
// failure means to it.
template <typename Fn>
absl::Status GuardFaiss(absl::StatusCode code, absl::string_view what, Fn fn) {
  try {
    fn();
    return absl::OkStatus();
  } catch (const std::exception& e) {
    return absl::Status(code, absl::StrCat(what, ": ", e.what()));
  }
}

// The calling thread's OpenMP teams have `threads` members while this lives, or
// as many as OMP_THREAD_LIMIT allows: OpenBLAS waits for ever for those that it
// was promised and does not get. The setting is a thread's own: one thread's
// scope does not touch another's.
class ScopedOmpThreads {
 public:
  explicit ScopedOmpThreads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(std::min(threads, omp_get_thread_limit()));
  }
  ~ScopedOmpThreads() { omp_set_num_threads(before_); }
  ScopedOmpThreads(const ScopedOmpThreads&) = delete;
  ScopedOmpThreads& operator=(const ScopedOmpThreads&) = delete;

 private:
  const int before_;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_FAISS_SUPPORT_H_
