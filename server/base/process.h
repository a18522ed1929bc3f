// What the process itself uses.
#ifndef SEGUE_SERVER_BASE_PROCESS_H_
#define SEGUE_SERVER_BASE_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace segue {

// Memory that is resident, mapped files included.
uint64_t ResidentBytes();
// Processor time of all threads, in user space and in the kernel.
double CpuSeconds();
// Of the calling thread alone.
std::chrono::duration<double> ThreadTime();
// The calling thread gets a processor after others that want it (nice 10), but
// gets it.
void BeNice();
// The calling thread, for the rest of its life, has a processor while no other
// thread wants it (SCHED_IDLE): it gives way at once, where one that is nice
// keeps others waiting for milliseconds (Linux 6.6 and later: EEVDF lets it run
// to the end of its slice). Only who may raise priorities could undo it.
void RunOnlyWhenIdle();
// Returns when `work` is done, by a thread of its own that runs so.
void RunInIdleTime(const std::function<void()>& work);
// The calling thread, as `top -H` and debuggers show it; 15 bytes of it.
void NameThread(const std::string& name);
uint64_t OpenDescriptors();
uint64_t MaxDescriptors();
// Asks for as many as an administrator allows, where a shell or a service
// manager gives fewer at first: each connection takes one.
void RaiseMaxDescriptors();

}  // namespace segue

#endif  // SEGUE_SERVER_BASE_PROCESS_H_
