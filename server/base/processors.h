// How many processors the process may use.
#ifndef SEGUE_SERVER_BASE_PROCESSORS_H_
#define SEGUE_SERVER_BASE_PROCESSORS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace segue {

// Those that the scheduler gives the calling thread, and no more than the
// control group's quota pays for, rounded up; 1 at least. A container that may
// use two of 64 processors is slowed down by 64 workers.
int UsableProcessors();

// Of a control group (version 2) cpu.max: "QUOTA PERIOD", in microseconds.
// Unset: no limit ("max"), or not such a text.
std::optional<double> ProcessorsOfQuota(absl::string_view cpu_max);

// The folder of the process's group below /sys/fs/cgroup, from
// /proc/self/cgroup: the line of version 2, "0::/a/b". Empty: there is none.
std::string ControlGroup(absl::string_view proc_self_cgroup);

}  // namespace segue

#endif  // SEGUE_SERVER_BASE_PROCESSORS_H_
