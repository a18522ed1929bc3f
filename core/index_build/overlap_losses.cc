#include "core/index_build/overlap_losses.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"
#include "core/index_build/index_tuner.h"

namespace segue {
namespace {

using Ids = std::vector<faiss::Index::idx_t>;

// The cell of each row.
std::vector<int32_t> CellOfRows(const faiss::IndexIVF& ivf) {
  std::vector<int32_t> cells(ivf.ntotal, -1);
  for (size_t cell = 0; cell < ivf.nlist; ++cell) {
    faiss::InvertedLists::ScopedIds ids(ivf.invlists, cell);
    for (size_t i = 0; i < ivf.invlists->list_size(cell); ++i) {
      cells[ids[i]] = static_cast<int32_t>(cell);
    }
  }
  return cells;
}

Ids NamedBy(const faiss::Index& index, const std::vector<float>& x,
            int64_t count) {
  std::vector<float> scores(count);
  Ids ids(count);
  index.search(1, x.data(), count, scores.data(), ids.data());
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool Has(const Ids& sorted, int64_t id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

// The stages of one search, as FaissIndex goes through them.
class Stages {
 public:
  Stages(const FaissLayers& layers, const SearchEffort& effort, int32_t k)
      : layers_(layers), effort_(effort) {
    candidates_ = std::min<int64_t>(
        RankedCandidates(ShapeOf(layers), k, effort), layers.core->ntotal);
    if (layers.ivf == nullptr) return;
    cell_of_ = CellOfRows(*layers.ivf);
    if (layers.quantizer_graph != nullptr) {
      graph_ = std::make_unique<CellGraph>(*layers.quantizer_graph);
    }
    view_ = ViewOfCells(*layers.ivf, Quantizer(), effort.nprobe);
  }

  void Ask(const std::vector<float>& query) {
    const std::vector<float> x =
        ApplyTransforms(layers_.inner, ApplyTransforms(layers_.outer, query));
    if (view_ != nullptr) {
      cells_ = NamedBy(*Quantizer(), x, static_cast<int64_t>(view_->nprobe));
    }
    kept_ = NamedBy(view_ != nullptr ? *view_ : *layers_.core, x, candidates_);
  }
  bool Searched(int32_t row) const {
    return view_ == nullptr || Has(cells_, cell_of_[row]);
  }
  bool Kept(int32_t row) const { return Has(kept_, row); }

 private:
  faiss::Index* Quantizer() const {
    return graph_ != nullptr ? graph_.get() : layers_.ivf->quantizer;
  }

  const FaissLayers& layers_;
  const SearchEffort effort_;
  int64_t candidates_ = 0;
  std::vector<int32_t> cell_of_;
  std::unique_ptr<CellGraph> graph_;
  std::unique_ptr<faiss::IndexIVF> view_;
  Ids cells_, kept_;
};

}  // namespace

absl::StatusOr<OverlapLosses> MeasureLosses(const IndexBuildInputs& inputs,
                                            const SearchEffort& effort,
                                            const VectorIndex& index) {
  const size_t d = inputs.dimension;
  const auto k = static_cast<int32_t>(
      std::min<int64_t>(inputs.config.at_k(), index.size()));
  const std::vector<float> queries =
      QueriesOf(inputs, inputs.config.tune_queries());
  ASSIGN_OR_RETURN(const auto exact,
                   ExactTopK(inputs.vectors, queries, inputs.dimension, k,
                             inputs.threads, /*excluded=*/{}));
  const FaissLayers& layers = LayersOf(index);
  Stages stages(layers, effort, k);
  OverlapLosses losses;
  for (size_t q = 0; q < exact.size(); ++q) {
    const auto query = absl::MakeConstSpan(queries).subspan(q * d, d);
    ASSIGN_OR_RETURN(const Found found,
                     index.Search(query, {.k = k, .effort = effort}));
    std::vector<int32_t> answer = RowsOf(found.neighbors);
    std::sort(answer.begin(), answer.end());
    RETURN_IF_ERROR(
        GuardFaiss(absl::StatusCode::kInternal, "losses of the index", [&] {
          ScopedOmpThreads alone(1);
          stages.Ask({query.begin(), query.end()});
        }));
    for (const Neighbor& one : exact[q]) {
      if (std::binary_search(answer.begin(), answer.end(), one.row)) continue;
      if (!stages.Searched(one.row) ||
          (layers.ivf == nullptr && !stages.Kept(one.row))) {
        ++losses.cells;
      } else if (!stages.Kept(one.row)) {
        ++losses.codes;
      } else {
        ++losses.refinement;
      }
    }
  }
  const double rows = static_cast<double>(exact.size()) * k;
  losses.cells /= rows;
  losses.codes /= rows;
  losses.refinement /= rows;
  return losses;
}

}  // namespace segue
