#include "trainer/verbs/threads.h"

#include <omp.h>

#include "core/towers/torchscript_towers.h"

namespace segue {

int32_t UseThreads(const v1::TrainerConfig& config) {
  const int32_t threads =
      config.threads() > 0 ? config.threads() : omp_get_num_procs();
  omp_set_num_threads(threads);
  UseKernelThreads(threads);
  return threads;
}

}  // namespace segue
