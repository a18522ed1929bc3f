// How many threads a verb works with.
#ifndef SEGUE_TRAINER_VERBS_THREADS_H_
#define SEGUE_TRAINER_VERBS_THREADS_H_

#include <cstdint>

#include "segue/v1/config.pb.h"

namespace segue {

// Sets OpenMP, torch and OpenBLAS to config.threads, or to one a processor, and
// returns the number. Call once, before any of them is used.
int32_t UseThreads(const v1::TrainerConfig& config);

}  // namespace segue

#endif  // SEGUE_TRAINER_VERBS_THREADS_H_
