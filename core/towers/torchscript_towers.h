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
// TorchScript.
//
// A TorchScript file is code: REQUIRES that `bytes` come from a verified
// bundle. Forward passes use the calling thread alone.
absl::StatusOr<std::unique_ptr<QueryTower>> LoadQueryTower(
    const std::string& bytes, const TowerShape& shape);
absl::StatusOr<std::unique_ptr<ItemTower>> LoadItemTower(
    const std::string& bytes, const TowerShape& shape);

// One thread for torch's and OpenBLAS's kernels called from any thread of this
// process: parallelism is across requests. Call in main, before other threads.
void UseSingleThreadedKernels();

// "1.13.1" and the like, for --version and the manifest.
std::string TorchVersion();

}  // namespace segue

#endif  // SEGUE_CORE_TOWERS_TORCHSCRIPT_TOWERS_H_
