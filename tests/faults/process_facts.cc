#include "tests/faults/process_facts.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace segue::testing {

ProcessFacts FactsOf(pid_t pid) {
  ProcessFacts facts;
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  std::string line;
  while (std::getline(status, line)) {
    std::istringstream words(line);
    std::string name;
    int64_t value = 0;
    words >> name >> value;
    if (name == "VmRSS:") facts.resident_kib = value;
    if (name == "VmHWM:") facts.peak_kib = value;
    if (name == "Threads:") facts.threads = static_cast<int>(value);
  }
  EXPECT_GT(facts.resident_kib, 0) << "no process " << pid;
  std::error_code error;
  const std::filesystem::directory_iterator at(
      absl::StrCat("/proc/", pid, "/fd"), error);
  if (!error)
    facts.descriptors = static_cast<int>(std::distance(begin(at), end(at)));
  return facts;
}

void ForgetPeak(pid_t pid) {
  std::ofstream clear(absl::StrCat("/proc/", pid, "/clear_refs"));
  clear << "5" << std::flush;
  EXPECT_TRUE(clear.good()) << "the peak of " << pid << " cannot be forgotten";
}

}  // namespace segue::testing
