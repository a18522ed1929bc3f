// Trains a FAISS index and fills it, with the same bytes each time. Private to
// core/index_build.
#ifndef SEGUE_CORE_INDEX_BUILD_INDEX_TRAINER_H_
#define SEGUE_CORE_INDEX_BUILD_INDEX_TRAINER_H_

#include <faiss/Index.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/index_build/index_builder.h"

namespace segue {

// Trains and fills an index, writes it to `path` and loads it from there as the
// server will; so one copy of it is in memory. InvalidArgument if FAISS refuses
// the factory string, the dimension or the number of vectors.
absl::StatusOr<std::unique_ptr<VectorIndex>> MakeIndexFile(
    const IndexBuildInputs& inputs, const std::string& factory,
    const std::string& path);

// Bytes of the file.
absl::StatusOr<uint64_t> WriteFaissIndex(const faiss::Index& index,
                                         const std::string& path);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_INDEX_TRAINER_H_
