#include "core/index_build/index_trainer.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexRefine.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/faiss_index.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"
#include "core/index_build/spread_rows.h"

namespace segue {
namespace {

// `count` of the rows, each as likely, in their order.
std::vector<float> SampleRows(absl::Span<const float> vectors,
                              int32_t dimension, int64_t count, uint64_t seed) {
  const auto rows = static_cast<int64_t>(vectors.size()) / dimension;
  std::vector<float> sample;
  sample.reserve(count * dimension);
  for (const int32_t row : DrawRows(rows, count, seed)) {
    const float* from = vectors.data() + int64_t{row} * dimension;
    sample.insert(sample.end(), from, from + dimension);
  }
  return sample;
}

// k-means for the cells on all threads, then the graph over the centroids on
// one: links that several threads make at once depend on their timing.
void TrainCells(faiss::IndexIVF& ivf, int64_t count, const float* x,
                int32_t threads, uint64_t seed) {
  auto* graph = dynamic_cast<faiss::IndexHNSW*>(ivf.quantizer);
  ivf.cp.seed = static_cast<int>(seed & 0x7fffffff);
  ivf.cp.min_points_per_centroid = 1;  // the plan has seen to it
  if (graph != nullptr) {
    faiss::Clustering clustering(ivf.d, static_cast<int>(ivf.nlist), ivf.cp);
    faiss::IndexFlat assigner(ivf.d, ivf.metric_type);
    clustering.train(count, x, assigner);
    ScopedOmpThreads alone(1);
    graph->train(ivf.nlist, clustering.centroids.data());
    graph->add(ivf.nlist, clustering.centroids.data());
    // Encoding must meet the cells that an exact search would choose.
    graph->hnsw.efSearch = 128;
  }
  ScopedOmpThreads team(threads);
  ivf.train(count, x);
}

void Train(faiss::Index& index, int64_t count, const float* x, int32_t threads,
           uint64_t seed) {
  if (auto* refine = dynamic_cast<faiss::IndexRefine*>(&index)) {
    Train(*refine->base_index, count, x, threads, seed);
    refine->refine_index->train(count, x);
  } else if (auto* pre = dynamic_cast<faiss::IndexPreTransform*>(&index)) {
    std::vector<float> now(x, x + count * pre->d);
    for (faiss::VectorTransform* transform : pre->chain) {
      if (!transform->is_trained) transform->train(count, now.data());
      std::vector<float> next(count * transform->d_out);
      transform->apply_noalloc(count, now.data(), next.data());
      now = std::move(next);
    }
    Train(*pre->index, count, now.data(), threads, seed);
  } else if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(&index)) {
    TrainCells(*ivf, count, x, threads, seed);
  } else {
    index.train(count, x);
  }
  index.is_trained = true;
}

// With the vectors that train it, if not all do, gone at the end.
void TrainOnSample(const IndexBuildInputs& inputs, int32_t threads,
                   faiss::Index& index) {
  const int64_t rows = inputs.vectors.size() / inputs.dimension;
  const faiss::IndexIVF* ivf = PeelFaissIndex(&index).ivf;
  const int64_t count =
      TrainingVectors(inputs.config, rows,
                      ivf == nullptr ? 0 : static_cast<int32_t>(ivf->nlist));
  std::vector<float> sample;
  if (count < rows) {
    sample = SampleRows(inputs.vectors, inputs.dimension, count, inputs.seed);
  }
  Train(index, count, sample.empty() ? inputs.vectors.data() : sample.data(),
        threads, inputs.seed);
}

absl::StatusOr<std::unique_ptr<faiss::Index>> TrainIndex(
    const IndexBuildInputs& inputs, const std::string& factory) {
  const int64_t rows = inputs.vectors.size() / inputs.dimension;
  const int32_t threads = std::max(1, inputs.threads);
  std::unique_ptr<faiss::Index> index;
  RETURN_IF_ERROR(GuardFaiss(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat("index ", factory, " of ", rows, " x ", inputs.dimension),
      [&] {
        index.reset(faiss::index_factory(inputs.dimension, factory.c_str(),
                                         faiss::METRIC_INNER_PRODUCT));
        ScopedOmpThreads team(threads);
        TrainOnSample(inputs, threads, *index);
        const bool is_graph = PeelFaissIndex(index.get()).graph != nullptr;
        ScopedOmpThreads adding(is_graph ? 1 : threads);
        index->add(rows, inputs.vectors.data());
      }));
  return index;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VectorIndex>> MakeIndexFile(
    const IndexBuildInputs& inputs, const std::string& factory,
    const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<faiss::Index> index,
                   TrainIndex(inputs, factory));
  const IndexShape shape = ShapeOf(PeelFaissIndex(index.get()));
  RETURN_IF_ERROR(WriteFaissIndex(*index, path).status());
  index.reset();
  return LoadFaissIndex(path, {.dimension = inputs.dimension,
                               .size = shape.items,
                               .effort = {std::max(1, shape.nlist), 1}});
}

absl::StatusOr<uint64_t> WriteFaissIndex(const faiss::Index& index,
                                         const std::string& path) {
  uint64_t bytes = 0;
  RETURN_IF_ERROR(GuardFaiss(absl::StatusCode::kInternal,
                             absl::StrCat("cannot write index ", path), [&] {
                               faiss::write_index(&index, path.c_str());
                               bytes = std::filesystem::file_size(path);
                             }));
  return bytes;
}

}  // namespace segue
