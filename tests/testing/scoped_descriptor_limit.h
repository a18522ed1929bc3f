// A process that runs out of file descriptors.
#ifndef SEGUE_TESTS_TESTING_SCOPED_DESCRIPTOR_LIMIT_H_
#define SEGUE_TESTS_TESTING_SCOPED_DESCRIPTOR_LIMIT_H_

#include <sys/resource.h>

namespace segue::testing {

// New descriptors are below `limit` for as long as this lives; 0: none is
// opened.
class ScopedDescriptorLimit {
 public:
  explicit ScopedDescriptorLimit(rlim_t limit) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lower = {.rlim_cur = limit, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &lower);
  }
  ScopedDescriptorLimit(const ScopedDescriptorLimit&) = delete;
  ScopedDescriptorLimit& operator=(const ScopedDescriptorLimit&) = delete;
  ~ScopedDescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TESTING_SCOPED_DESCRIPTOR_LIMIT_H_
