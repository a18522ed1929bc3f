// A file that a fuzzer's input is written into, over and over.
#ifndef SEGUE_TESTS_FUZZ_SCRATCH_H_
#define SEGUE_TESTS_FUZZ_SCRATCH_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/must.h"

namespace segue::fuzz {

// In a folder of its own, in memory where the system has such a place; gone
// with the object.
class Scratch {
 public:
  explicit Scratch(const std::string& name) {
    std::string pattern = std::filesystem::is_directory("/dev/shm")
                              ? "/dev/shm/segue-fuzz.XXXXXX"
                              : "/tmp/segue-fuzz.XXXXXX";
    Must(::mkdtemp(pattern.data()) != nullptr, "there is room for a folder");
    folder_ = pattern;
    path_ = folder_ + "/" + name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& folder() const { return folder_; }
  const std::string& path() const { return path_; }

  void Write(absl::string_view bytes) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    Must(file.good(), "there is room for an input");
  }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace segue::fuzz

#endif  // SEGUE_TESTS_FUZZ_SCRATCH_H_
