#include "core/index/faiss_layers.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/impl/FaissAssert.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "core/index/exact_search.h"

namespace segue {
namespace {

constexpr int64_t kBreadthPerCell = 2;

// Nanoseconds (search_cost.h).
constexpr double kFastScanByte = 0.3;
constexpr double kScanByte = 0.5;

template <typename T>
std::unique_ptr<faiss::IndexIVF> CopyAs(const faiss::IndexIVF& ivf) {
  const T* typed = dynamic_cast<const T*>(&ivf);
  if (typed == nullptr) return nullptr;
  auto copy = std::make_unique<T>(*typed);
  // The copy took over the pointers, not what they own.
  copy->own_fields = false;
  copy->own_invlists = false;
  return copy;
}

}  // namespace

FaissLayers PeelFaissIndex(faiss::Index* index) {
  FaissLayers layers;
  while (true) {
    if (auto* pre = dynamic_cast<faiss::IndexPreTransform*>(index)) {
      auto& chain = layers.refine == nullptr ? layers.outer : layers.inner;
      chain.insert(chain.end(), pre->chain.begin(), pre->chain.end());
      index = pre->index;
    } else if (auto* refine = dynamic_cast<faiss::IndexRefine*>(index);
               refine != nullptr && layers.refine == nullptr) {
      layers.refine = refine;
      index = refine->base_index;
    } else {
      break;
    }
  }
  layers.core = index;
  layers.ivf = dynamic_cast<faiss::IndexIVF*>(index);
  layers.graph = dynamic_cast<faiss::IndexHNSW*>(index);
  if (layers.ivf != nullptr) {
    layers.quantizer_graph =
        dynamic_cast<faiss::IndexHNSW*>(layers.ivf->quantizer);
  }
  return layers;
}

IndexShape ShapeOf(const FaissLayers& layers) {
  IndexShape shape{.items = layers.core->ntotal,
                   .dimension = layers.core->d,
                   .graph = layers.graph != nullptr,
                   .refines = layers.refine != nullptr};
  if (layers.ivf == nullptr) return shape;
  shape.nlist = static_cast<int32_t>(layers.ivf->nlist);
  const auto bytes = static_cast<double>(layers.ivf->code_size);
  const bool fast =
      dynamic_cast<const faiss::IndexIVFPQFastScan*>(layers.ivf) != nullptr;
  // A fast-scan looks codes up in registers, the others a byte at a time.
  shape.scan_cost = bytes * (fast ? kFastScanByte : kScanByte);
  return shape;
}

std::vector<float> ApplyTransforms(
    const std::vector<const faiss::VectorTransform*>& transforms,
    std::vector<float> x) {
  for (const faiss::VectorTransform* transform : transforms) {
    std::vector<float> next(transform->d_out);
    transform->apply_noalloc(1, x.data(), next.data());
    x = std::move(next);
  }
  return x;
}

CellGraph::CellGraph(const faiss::IndexHNSW& graph)
    : faiss::Index(graph.d, graph.metric_type), graph_(graph) {
  ntotal = graph.ntotal;
  const auto* flat = dynamic_cast<const faiss::IndexFlat*>(graph.storage);
  if (flat != nullptr && metric_type == faiss::METRIC_INNER_PRODUCT) {
    centroids_ = {flat->get_xb(), static_cast<size_t>(ntotal * d)};
  }
}

void CellGraph::search(idx_t n, const float* x, idx_t k, float* distances,
                       idx_t* labels,
                       const faiss::SearchParameters* /*params*/) const {
  if (!centroids_.empty() && k * kComparedPerCell >= ntotal) {
    for (idx_t i = 0; i < n; ++i) {
      Compare(x + i * d, k, distances + i * k, labels + i * k);
    }
    return;
  }
  // The walk is as broad as the graph's own efSearch or as what is asked for,
  // whichever is more; parameters only say when it ends.
  const idx_t wide = std::min(kBreadthPerCell * k, ntotal);
  faiss::SearchParametersHNSW breadth;
  breadth.efSearch = static_cast<int>(wide);
  std::vector<float> all_distances(n * wide);
  std::vector<idx_t> all_labels(n * wide);
  graph_.search(n, x, wide, all_distances.data(), all_labels.data(), &breadth);
  const idx_t copied = std::min(k, wide);
  for (idx_t i = 0; i < n; ++i) {
    std::copy_n(all_distances.data() + i * wide, copied, distances + i * k);
    std::copy_n(all_labels.data() + i * wide, copied, labels + i * k);
    std::fill(labels + i * k + copied, labels + (i + 1) * k, -1);
  }
}

void CellGraph::Compare(const float* x, idx_t k, float* distances,
                        idx_t* labels) const {
  const std::vector<float> products =
      InnerProducts({x, static_cast<size_t>(d)}, centroids_);
  std::vector<idx_t> cells(ntotal);
  std::iota(cells.begin(), cells.end(), idx_t{0});
  const idx_t found = std::min(k, ntotal);
  const auto nearer = [&](idx_t a, idx_t b) {
    return products[a] != products[b] ? products[a] > products[b] : a < b;
  };
  std::nth_element(cells.begin(), cells.begin() + (found - 1), cells.end(),
                   nearer);
  for (idx_t i = 0; i < found; ++i) {
    labels[i] = cells[i];
    distances[i] = products[cells[i]];
  }
  std::fill(labels + found, labels + k, -1);
}

void CellGraph::reconstruct(idx_t key, float* out) const {
  graph_.reconstruct(key, out);
}

void CellGraph::add(idx_t /*n*/, const float* /*x*/) {
  FAISS_THROW_MSG("cells cannot be added to");
}

void CellGraph::reset() { FAISS_THROW_MSG("cells cannot be emptied"); }

std::unique_ptr<faiss::IndexIVF> ViewOfCells(const faiss::IndexIVF& ivf,
                                             faiss::Index* quantizer,
                                             int64_t nprobe) {
  auto view = CopyAs<faiss::IndexIVFPQFastScan>(ivf);
  if (view == nullptr) view = CopyAs<faiss::IndexIVFPQ>(ivf);
  if (view == nullptr) view = CopyAs<faiss::IndexIVFFlat>(ivf);
  if (view == nullptr) view = CopyAs<faiss::IndexIVFScalarQuantizer>(ivf);
  if (view == nullptr) return nullptr;
  view->nprobe = std::min<size_t>(nprobe, view->nlist);
  view->quantizer = quantizer;
  return view;
}

std::unique_ptr<faiss::IndexIVF> ViewOfAllCells(const faiss::IndexIVF& ivf) {
  const auto* graph = dynamic_cast<const faiss::IndexHNSW*>(ivf.quantizer);
  return ViewOfCells(ivf, graph == nullptr ? ivf.quantizer : graph->storage,
                     static_cast<int64_t>(ivf.nlist));
}

}  // namespace segue
