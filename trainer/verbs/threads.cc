#include "trainer/verbs/threads.h"

#include <omp.h>

#include <algorithm>

#include "core/towers/torchscript_towers.h"

namespace segue {

int32_t UseThreads(const v1::TrainerConfig& config) {
  const int32_t wanted =
      config.threads() > 0 ? config.threads() : omp_get_num_procs();
  // OpenBLAS waits for ever for a team that OMP_THREAD_LIMIT makes smaller.
  const int32_t threads = std::min(wanted, omp_get_thread_limit());
  omp_set_num_threads(threads);
  UseKernelThreads(threads);
  return threads;
}

}  // namespace segue
