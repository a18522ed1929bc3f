// What a FAISS index is made of: transforms, a refinement, and the core that
// finds candidates. Private to core/index and core/index_build.
#ifndef SEGUE_CORE_INDEX_FAISS_LAYERS_H_
#define SEGUE_CORE_INDEX_FAISS_LAYERS_H_

#include <faiss/Index.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexRefine.h>
#include <faiss/VectorTransform.h>

#include <memory>
#include <vector>

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

// `x` [d] after the transforms.
std::vector<float> ApplyTransforms(
    const std::vector<const faiss::VectorTransform*>& transforms,
    std::vector<float> x);

// The same cells, all of them searched, each of their centroids compared
// exactly (a graph may hide some). Shares the inverted lists, which must
// outlive it. Null where no such view of this kind of cells is known.
std::unique_ptr<faiss::IndexIVF> ViewOfAllCells(const faiss::IndexIVF& ivf);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_FAISS_LAYERS_H_
