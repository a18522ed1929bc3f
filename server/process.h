// What the process itself uses.
#ifndef SEGUE_SERVER_PROCESS_H_
#define SEGUE_SERVER_PROCESS_H_

#include <chrono>
#include <cstdint>

namespace segue {

// Memory that is resident, mapped files included.
uint64_t ResidentBytes();
// Processor time of all threads, in user space and in the kernel.
double CpuSeconds();
// Of the calling thread alone.
std::chrono::duration<double> ThreadTime();
uint64_t OpenDescriptors();
uint64_t MaxDescriptors();
// Asks for as many as an administrator allows, where a shell or a service
// manager gives fewer at first: each connection takes one.
void RaiseMaxDescriptors();

}  // namespace segue

#endif  // SEGUE_SERVER_PROCESS_H_
