// What the kernel says of another process.
#ifndef SEGUE_TESTS_FAULTS_PROCESS_FACTS_H_
#define SEGUE_TESTS_FAULTS_PROCESS_FACTS_H_

#include <sys/types.h>

#include <cstdint>

namespace segue::testing {

// Of /proc/PID/status; a process that is gone fails the test.
struct ProcessFacts {
  int64_t resident_kib = 0;  // VmRSS
  int64_t peak_kib = 0;      // VmHWM
  int threads = 0;
  int descriptors = 0;
};
ProcessFacts FactsOf(pid_t pid);

// The peak begins anew at what is resident.
void ForgetPeak(pid_t pid);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_PROCESS_FACTS_H_
