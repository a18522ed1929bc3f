// Towers that are TorchScript modules: the only serving file with torch behind
// it.
#ifndef SEGUE_CORE_TOWERS_TORCHSCRIPT_TOWERS_H_
#define SEGUE_CORE_TOWERS_TORCHSCRIPT_TOWERS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/towers/towers.h"

namespace segue {

// Loads a tower and runs it once on zeros, so that a tower of another shape is
// refused here: FailedPrecondition, or DataLoss if the bytes are no
// TorchScript. The query tower's linear layers take their weights as halves
// (half_weights.h).
//
// A TorchScript file is code: REQUIRES that `bytes` come from a verified
// bundle. Forward passes use the calling thread alone.
absl::StatusOr<std::unique_ptr<QueryTower>> LoadQueryTower(
    const std::string& bytes, const TowerShape& shape);
absl::StatusOr<std::unique_ptr<ItemTower>> LoadItemTower(
    const std::string& bytes, const TowerShape& shape);

// How many threads torch's and OpenBLAS's kernels use, whichever thread calls
// them. Torch's own choice counts what it takes for physical cores: one, on
// many virtual machines. Call before the first kernel and before other threads.
void UseKernelThreads(int threads);

// The library that multiplies matrices, with its build and its threads:
// "OpenBLAS 0.3.21 ... (pthreads), 1 threads".
std::string BlasText();

// "1.13.1" and the like, for --version and the manifest.
std::string TorchVersion();

}  // namespace segue

#endif  // SEGUE_CORE_TOWERS_TORCHSCRIPT_TOWERS_H_
