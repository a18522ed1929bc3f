// Scores rows of an index one by one, wherever they lie. Private to core/index.
#ifndef SEGUE_CORE_INDEX_ROW_SCORER_H_
#define SEGUE_CORE_INDEX_ROW_SCORER_H_

#include <faiss/Index.h>

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/index/faiss_layers.h"
#include "core/index/vector_index.h"

namespace segue {

// A query as the layers of an index take it.
struct LayeredQuery {
  std::vector<float> outer;  // behind the outer transforms
  std::vector<float> inner;  // behind the inner ones, too
};

// By the codes of the refinement, or those of a graph or a flat core. Borrows
// the layers' index, and moves its codes to huge pages: they are read all over.
class RowScorer {
 public:
  explicit RowScorer(const FaissLayers& layers);

  // False for cells without refinement: their codes have no place by row. Then
  // nothing below may be called.
  bool scores() const { return index_ != nullptr; }
  // Whether what it has are the vectors that were added: not so behind a
  // transform.
  bool has_vectors() const { return has_vectors_; }

  // In the order of `rows`.
  std::vector<Neighbor> Score(const LayeredQuery& query,
                              const std::vector<int32_t>& rows) const;
  // [rows, d], decoded.
  std::vector<float> Vectors(absl::Span<const int32_t> rows) const;

 private:
  const faiss::Index* index_ = nullptr;
  bool sees_inner_ = false;
  bool has_vectors_ = false;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_ROW_SCORER_H_
