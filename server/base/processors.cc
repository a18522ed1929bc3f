#include "server/base/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace segue {
namespace {

constexpr char kRoot[] = "/sys/fs/cgroup";

// Of the kernel's files, which do not tell their size. Empty: there is none.
std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The least of the quotas of the group and of those around it.
std::optional<double> Quota() {
  std::optional<double> least;
  std::string group = ControlGroup(TextOf("/proc/self/cgroup"));
  while (true) {
    const auto quota =
        ProcessorsOfQuota(TextOf(absl::StrCat(kRoot, group, "/cpu.max")));
    if (quota.has_value()) least = std::min(least.value_or(*quota), *quota);
    const size_t parent = group.rfind('/');
    if (parent == std::string::npos) return least;
    group.resize(parent);
  }
}

}  // namespace

std::optional<double> ProcessorsOfQuota(absl::string_view cpu_max) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(absl::StripAsciiWhitespace(cpu_max), ' ');
  int64_t quota = 0, period = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &quota) ||
      !absl::SimpleAtoi(parts[1], &period) || quota <= 0 || period <= 0) {
    return std::nullopt;
  }
  return static_cast<double>(quota) / static_cast<double>(period);
}

std::string ControlGroup(absl::string_view proc_self_cgroup) {
  for (absl::string_view line : absl::StrSplit(proc_self_cgroup, '\n')) {
    if (absl::ConsumePrefix(&line, "0::")) {
      return std::string(absl::StripSuffix(line, "/"));
    }
  }
  return "";
}

int UsableProcessors() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  int count = 1;
  // Fails on machines of more than 1,024 processors; so many are not paid for
  // by accident.
  if (::sched_getaffinity(0, sizeof(usable), &usable) == 0) {
    count = CPU_COUNT(&usable);
  }
  if (const auto quota = Quota()) {
    count = std::min(count, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(count, 1);
}

}  // namespace segue
