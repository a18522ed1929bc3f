#include "core/index/faiss_index.h"

#include <faiss/IndexFastScan.h>
#include <faiss/IndexFlatCodes.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"

namespace segue {
namespace {

// Breadth of the walk through a graph of vectors.
constexpr int kGraphBreadth = 128;

// Refinement takes k_factor candidates for each of k, and of no fewer than
// this: the few best of a small k would otherwise be lost before it.
constexpr int64_t kFewestRefined = 100;

// Best first; among equals the lower row, so that an answer does not depend on
// the order in which cells were met.
bool Better(const Neighbor& a, const Neighbor& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

std::vector<int32_t> SortedRows(absl::Span<const int32_t> rows, int64_t size) {
  std::vector<int32_t> sorted;
  sorted.reserve(rows.size());
  for (int32_t row : rows) {
    if (row >= 0 && row < size) sorted.push_back(row);
  }
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

bool Contains(const std::vector<int32_t>& sorted, int64_t row) {
  return std::binary_search(sorted.begin(), sorted.end(),
                            static_cast<int32_t>(row));
}

// The candidates are scored here rather than by faiss::IndexRefine, whose
// search keeps no room for excluded rows and lets padding of a fast-scan crowd
// out found rows where cells hold too few.
class FaissIndex : public VectorIndex {
 public:
  static absl::StatusOr<std::unique_ptr<VectorIndex>> Create(
      std::unique_ptr<faiss::Index> index, const FaissIndexOptions& options,
      const std::string& path);

  int64_t size() const override { return index_->ntotal; }
  int32_t dimension() const override { return index_->d; }
  absl::StatusOr<std::vector<Neighbor>> Search(
      absl::Span<const float> query,
      const SearchOptions& options) const override;

 private:
  explicit FaissIndex(std::unique_ptr<faiss::Index> index)
      : index_(std::move(index)), layers_(PeelFaissIndex(index_.get())) {}

  absl::Status Configure(const FaissIndexOptions& options,
                         const std::string& path);
  // Why there is no such search, or OK.
  absl::Status CheckEffort(const SearchEffort& effort) const;
  absl::Status CheckQuery(absl::Span<const float> query, int32_t k) const;
  std::vector<Neighbor> FindBest(absl::Span<const float> query, int32_t k,
                                 int64_t wanted, const SearchEffort& effort,
                                 const std::vector<int32_t>& excluded) const;
  // At most `count` rows that `core` finds for `x`, without the excluded ones.
  static std::vector<Neighbor> Candidates(const faiss::Index& core,
                                          const std::vector<float>& x,
                                          int64_t count,
                                          const std::vector<int32_t>& excluded);
  // Every row that is not excluded, scored.
  std::vector<Neighbor> AllRows(const std::vector<float>& outer,
                                const std::vector<float>& inner,
                                const std::vector<int32_t>& excluded) const;

  std::unique_ptr<faiss::Index> index_;
  FaissLayers layers_;  // into index_
  // Scores any row by its code: the refinement's vectors, a graph's, or a flat
  // core itself. Null for cells without refinement, which have all_cells_.
  const faiss::Index* scorer_ = nullptr;
  bool scorer_sees_inner_ = false;
  std::unique_ptr<faiss::IndexIVF> all_cells_;
  std::unique_ptr<CellGraph> cell_graph_;  // null: the quantiser is no graph
  SearchEffort effort_;
};

absl::StatusOr<std::unique_ptr<VectorIndex>> FaissIndex::Create(
    std::unique_ptr<faiss::Index> index, const FaissIndexOptions& options,
    const std::string& path) {
  auto created = absl::WrapUnique(new FaissIndex(std::move(index)));
  RETURN_IF_ERROR(created->Configure(options, path));
  return created;
}

absl::Status FaissIndex::Configure(const FaissIndexOptions& options,
                                   const std::string& path) {
  const auto refuse = [&](const auto&... why) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": ", why...));
  };
  if (index_->d != options.dimension) {
    return refuse("has ", index_->d, " dimensions, ", options.dimension,
                  " are expected");
  }
  if (index_->ntotal != options.size || layers_.core->ntotal != options.size) {
    return refuse("holds ", index_->ntotal, " vectors, ", options.size,
                  " are expected");
  }
  if (index_->metric_type != faiss::METRIC_INNER_PRODUCT) {
    return refuse("has metric ", static_cast<int>(index_->metric_type),
                  ", inner product (0) is expected");
  }
  if (layers_.refine != nullptr) {
    if (layers_.refine->refine_index->ntotal != options.size) {
      return refuse("refines ", layers_.refine->refine_index->ntotal,
                    " vectors, ", options.size, " are expected");
    }
    scorer_ = layers_.refine->refine_index;
  } else if (layers_.graph != nullptr) {
    scorer_ = layers_.graph->storage;
  } else if (dynamic_cast<faiss::IndexFlatCodes*>(layers_.core) != nullptr) {
    scorer_ = layers_.core;
  }
  scorer_sees_inner_ = layers_.refine == nullptr;
  if (layers_.graph != nullptr) layers_.graph->hnsw.efSearch = kGraphBreadth;
  if (layers_.ivf != nullptr) all_cells_ = ViewOfAllCells(*layers_.ivf);
  if (layers_.quantizer_graph != nullptr) {
    cell_graph_ = std::make_unique<CellGraph>(*layers_.quantizer_graph);
  }
  if (layers_.ivf != nullptr ? all_cells_ == nullptr : scorer_ == nullptr) {
    return refuse(
        "is of a kind that is not supported: use a flat index, a graph (HNSW), "
        "cells (IVF) of flat, SQ or PQ codes, or add a refinement (Refine(SQ8))"
        " to it");
  }
  effort_ = options.effort;
  if (const absl::Status checked = CheckEffort(effort_); !checked.ok()) {
    return refuse(checked.message());
  }
  return absl::OkStatus();
}

absl::Status FaissIndex::CheckEffort(const SearchEffort& effort) const {
  if (layers_.ivf != nullptr && effort.nprobe < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the index has ", layers_.ivf->nlist,
        " cells, so nprobe must be positive, not ", effort.nprobe));
  }
  if (layers_.refine != nullptr && effort.k_factor < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the index refines, so k_factor must be positive, not ",
                     effort.k_factor));
  }
  return absl::OkStatus();
}

absl::Status FaissIndex::CheckQuery(absl::Span<const float> query,
                                    int32_t k) const {
  if (query.size() != static_cast<size_t>(index_->d)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the query vector has ", query.size(),
                     " dimensions, the index has ", index_->d));
  }
  if (k < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("k must be positive, it is ", k));
  }
  // A NaN hangs or crashes FAISS's walk through a graph.
  for (size_t i = 0; i < query.size(); ++i) {
    if (!std::isfinite(query[i])) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the query vector is not finite: ", query[i], " at ", i));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Neighbor>> FaissIndex::Search(
    absl::Span<const float> query, const SearchOptions& options) const {
  RETURN_IF_ERROR(CheckQuery(query, options.k));
  const SearchEffort effort = options.effort.value_or(effort_);
  RETURN_IF_ERROR(CheckEffort(effort));
  const std::vector<int32_t> without = SortedRows(options.excluded, size());
  const int64_t wanted = std::min<int64_t>(
      options.k, size() - static_cast<int64_t>(without.size()));
  std::vector<Neighbor> best;
  if (wanted == 0) return best;
  RETURN_IF_ERROR(GuardFaiss(absl::StatusCode::kInternal, "FAISS search", [&] {
    // FAISS opens a team for a graph even where there is one query.
    ScopedOmpThreads alone(1);
    best = FindBest(query, options.k, wanted, effort, without);
  }));
  return best;
}

std::vector<Neighbor> FaissIndex::FindBest(
    absl::Span<const float> query, int32_t k, int64_t wanted,
    const SearchEffort& effort, const std::vector<int32_t>& excluded) const {
  const std::vector<float> outer =
      ApplyTransforms(layers_.outer, {query.begin(), query.end()});
  const std::vector<float> inner = ApplyTransforms(layers_.inner, outer);
  const int64_t ranked =
      layers_.refine == nullptr
          ? k
          : std::max<int64_t>(k, kFewestRefined) * effort.k_factor;
  const int64_t count =
      std::min<int64_t>(size(), ranked + static_cast<int64_t>(excluded.size()));
  std::unique_ptr<faiss::IndexIVF> cells;
  if (layers_.ivf != nullptr) {
    cells = ViewOfCells(
        *layers_.ivf,
        cell_graph_ == nullptr ? layers_.ivf->quantizer : cell_graph_.get(),
        effort.nprobe);
  }
  std::vector<Neighbor> found = Candidates(
      cells == nullptr ? *layers_.core : *cells, inner, count, excluded);
  if (static_cast<int64_t>(found.size()) < wanted) {
    found = AllRows(outer, inner, excluded);
  } else if (layers_.refine != nullptr) {
    const std::unique_ptr<faiss::DistanceComputer> distance(
        scorer_->get_distance_computer());
    distance->set_query(outer.data());
    for (Neighbor& neighbor : found) neighbor.score = (*distance)(neighbor.row);
  }
  std::partial_sort(found.begin(), found.begin() + wanted, found.end(), Better);
  found.resize(wanted);
  return found;
}

std::vector<Neighbor> FaissIndex::Candidates(
    const faiss::Index& core, const std::vector<float>& x, int64_t count,
    const std::vector<int32_t>& excluded) {
  std::vector<float> scores(count);
  std::vector<faiss::Index::idx_t> rows(count);
  core.search(1, x.data(), count, scores.data(), rows.data());
  std::vector<Neighbor> found;
  found.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    if (rows[i] < 0 || Contains(excluded, rows[i])) continue;
    found.push_back({static_cast<int32_t>(rows[i]), scores[i]});
  }
  return found;
}

std::vector<Neighbor> FaissIndex::AllRows(
    const std::vector<float>& outer, const std::vector<float>& inner,
    const std::vector<int32_t>& excluded) const {
  std::vector<Neighbor> found;
  if (scorer_ == nullptr) {
    found = Candidates(*all_cells_, inner, size(), excluded);
    // A fast-scan drops rows whose score in eight bits is 0, the farthest.
    std::vector<bool> there(size());
    float lowest = 0;
    for (const Neighbor& neighbor : found) {
      there[neighbor.row] = true;
      lowest = std::min(lowest, neighbor.score);
    }
    for (int32_t row = 0; row < size(); ++row) {
      if (!there[row] && !Contains(excluded, row)) {
        found.push_back({row, lowest});
      }
    }
    return found;
  }
  const std::unique_ptr<faiss::DistanceComputer> distance(
      scorer_->get_distance_computer());
  distance->set_query((scorer_sees_inner_ ? inner : outer).data());
  found.reserve(size() - excluded.size());
  for (int32_t row = 0; row < size(); ++row) {
    if (!Contains(excluded, row)) found.push_back({row, (*distance)(row)});
  }
  return found;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VectorIndex>> LoadFaissIndex(
    const std::string& path, const FaissIndexOptions& options) {
  std::unique_ptr<faiss::Index> index;
  RETURN_IF_ERROR(GuardFaiss(
      absl::StatusCode::kDataLoss, absl::StrCat("cannot read index ", path),
      [&] { index.reset(faiss::read_index(path.c_str())); }));
  return FaissIndex::Create(std::move(index), options, path);
}

std::string FaissVersion() {
  return absl::StrCat(FAISS_VERSION_MAJOR, ".", FAISS_VERSION_MINOR, ".",
                      FAISS_VERSION_PATCH, " ", SEGUE_FAISS_SIMD);
}

}  // namespace segue
