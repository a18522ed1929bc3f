// A full disk, as far as one process sees it.
#ifndef SEGUE_TESTS_TESTING_FILE_SIZE_LIMIT_H_
#define SEGUE_TESTS_TESTING_FILE_SIZE_LIMIT_H_

#include <signal.h>
#include <sys/resource.h>

#include <cstdint>

namespace segue::testing {

// While it lives no file of this process grows beyond `bytes`: writes fail
// with EFBIG, as they do with ENOSPC on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes)
      : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  sighandler_t handler_;
  rlimit before_ = {};
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TESTING_FILE_SIZE_LIMIT_H_
