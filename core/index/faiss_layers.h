// What a FAISS index is made of: transforms, a refinement, and the core that
// finds candidates. Private to core/index and core/index_build.
#ifndef SEGUE_CORE_INDEX_FAISS_LAYERS_H_
#define SEGUE_CORE_INDEX_FAISS_LAYERS_H_

#include <faiss/Index.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexRefine.h>
#include <faiss/VectorTransform.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "core/index/search_cost.h"
#include "core/index/vector_index.h"

namespace segue {

// Pointers into one index, which outlives this. A query passes `outer`, then
// `inner`, then meets `core`; the refinement sees what has passed `outer`.
struct FaissLayers {
  std::vector<const faiss::VectorTransform*> outer;
  faiss::IndexRefine* refine = nullptr;  // null: no refinement
  std::vector<const faiss::VectorTransform*> inner;
  faiss::Index* core = nullptr;

  faiss::IndexIVF* ivf = nullptr;               // core, if it has cells
  faiss::IndexHNSW* graph = nullptr;            // core, if it is a graph
  faiss::IndexHNSW* quantizer_graph = nullptr;  // of ivf, if it is a graph
};

FaissLayers PeelFaissIndex(faiss::Index* index);

// Those of an index that is searched. REQUIRES that LoadFaissIndex() made it.
const FaissLayers& LayersOf(const VectorIndex& index);

// What search_cost.h asks of it.
IndexShape ShapeOf(const FaissLayers& layers);

// `x` [d] after the transforms.
std::vector<float> ApplyTransforms(
    const std::vector<const faiss::VectorTransform*>& transforms,
    std::vector<float> x);

// Finds the cells nearest to a vector by a graph over their centroids. A search
// for n cells walks it 2 n broad (and no less than the graph's efSearch): below
// that near cells are missed, above it nothing more is found. So unlike the
// graph it has no setting that a search would have to change. Where so broad a
// walk would cost more, the vector is compared with all centroids; the cells
// then come in no order. Borrows the graph.
class CellGraph : public faiss::Index {
 public:
  explicit CellGraph(const faiss::IndexHNSW& graph);
  void search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
              const faiss::SearchParameters* params) const override;
  void reconstruct(idx_t key, float* out) const override;
  // Cells are made by the trainer alone; these throw.
  void add(idx_t n, const float* x) override;
  void reset() override;

 private:
  void Compare(const float* x, idx_t k, float* distances, idx_t* labels) const;

  const faiss::IndexHNSW& graph_;
  absl::Span<const float> centroids_;  // [ntotal, d]; empty: not known
};

// The same cells, `nprobe` of which are searched, those that `quantizer` names.
// FAISS 1.7.3 takes no parameters with a search of a fast-scan, and its fields
// must not change while others search: each search has a view of its own. It
// shares the inverted lists and the quantizer, which must outlive it, and costs
// some microseconds. Null where no such view of this kind of cells is known.
std::unique_ptr<faiss::IndexIVF> ViewOfCells(const faiss::IndexIVF& ivf,
                                             faiss::Index* quantizer,
                                             int64_t nprobe);

// A view of all cells, each of their centroids compared exactly (a graph may
// hide some).
std::unique_ptr<faiss::IndexIVF> ViewOfAllCells(const faiss::IndexIVF& ivf);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_FAISS_LAYERS_H_
