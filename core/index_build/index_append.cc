#include "core/index_build/index_append.h"

#include <faiss/index_io.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"
#include "core/index/index_scan.h"
#include "core/index_build/index_trainer.h"

namespace segue {
namespace {

double MeanFit(const FaissLayers& layers, absl::Span<const float> vectors,
               int32_t dimension) {
  const size_t rows = vectors.size() / dimension;
  if (layers.ivf == nullptr || rows == 0) return 1;
  double sum = 0;
  for (size_t row = 0; row < rows; ++row) {
    const auto x = vectors.subspan(row * dimension, dimension);
    const std::vector<float> inner = ApplyTransforms(
        layers.inner,
        ApplyTransforms(layers.outer, std::vector<float>(x.begin(), x.end())));
    float nearest = 0;
    faiss::Index::idx_t cell = -1;
    layers.ivf->quantizer->search(1, inner.data(), 1, &nearest, &cell);
    sum += nearest;
  }
  return sum / static_cast<double>(rows);
}

}  // namespace

absl::StatusOr<AppendedIndex> AppendToIndex(const std::string& from,
                                            const std::string& to,
                                            absl::Span<const float> vectors,
                                            absl::Span<const float> known,
                                            int32_t dimension,
                                            int32_t threads) {
  ASSIGN_OR_RETURN(const IndexSummary found, ScanIndexFile(from));
  if (found.dimension != dimension) {
    return absl::DataLossError(absl::StrCat(from, " has ", found.dimension,
                                            " dimensions, ", dimension,
                                            " are expected"));
  }
  std::unique_ptr<faiss::Index> index;
  RETURN_IF_ERROR(GuardFaiss(
      absl::StatusCode::kDataLoss, absl::StrCat("cannot read index ", from),
      [&] { index.reset(faiss::read_index(from.c_str())); }));
  AppendedIndex appended;
  RETURN_IF_ERROR(
      GuardFaiss(absl::StatusCode::kInternal,
                 absl::StrCat("cannot add to index ", from), [&] {
                   const FaissLayers layers = PeelFaissIndex(index.get());
                   // Links that several threads make at once depend on their
                   // timing.
                   ScopedOmpThreads team(layers.graph != nullptr ? 1 : threads);
                   appended.fit = MeanFit(layers, vectors, dimension);
                   appended.known_fit = MeanFit(layers, known, dimension);
                   index->add(static_cast<int64_t>(vectors.size()) / dimension,
                              vectors.data());
                 }));
  ASSIGN_OR_RETURN(appended.bytes, WriteFaissIndex(*index, to));
  return appended;
}

}  // namespace segue
