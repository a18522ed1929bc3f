// A FAISS index read from a file. FAISS itself is private to this folder and to
// core/index_build.
#ifndef SEGUE_CORE_INDEX_FAISS_INDEX_H_
#define SEGUE_CORE_INDEX_FAISS_INDEX_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/deadline.h"
#include "core/index/vector_index.h"

namespace segue {

struct FaissIndexOptions {
  int32_t dimension = 0;  // expected
  int64_t size = 0;       // expected
  // Of searches that name none; zeros where they mean nothing.
  SearchEffort effort;
};

// Reads the index, once ScanIndexFile() has found nothing wrong with its file.
// DataLoss if it is none; FailedPrecondition if dimension, size or metric
// differ from what is expected, or for a kind that cannot be searched;
// DeadlineExceeded at the next step after the deadline.
absl::StatusOr<std::unique_ptr<VectorIndex>> LoadFaissIndex(
    const std::string& path, const FaissIndexOptions& options,
    Deadline deadline = Deadline::Infinite());

// "1.7.3 AVX2": release and the instruction set that it was compiled for.
std::string FaissVersion();

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_FAISS_INDEX_H_
