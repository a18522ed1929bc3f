#include "core/index/faiss_index.h"

#include <faiss/IndexFastScan.h>
#include <faiss/IndexFlatCodes.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/allowed_rows.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"

namespace segue {
namespace {

// Breadth of the walk through a graph of vectors.
constexpr int kGraphBreadth = 128;
// Vectors compared with at each step of it, about.
constexpr double kGraphStep = 16;

// Refinement takes k_factor candidates for each of k, and of no fewer than
// this: the few best of a small k would otherwise be lost before it.
constexpr int64_t kFewestRefined = 100;

// Best first; among equals the lower row, so that an answer does not depend on
// the order in which cells were met.
bool Better(const Neighbor& a, const Neighbor& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

// What a search does to a row, in nanoseconds: scan its code in a cell; look up
// whether it is allowed; score it, which is a random access; keep it among many
// candidates. Of one machine: their ratios choose the cheapest way.
constexpr double kScan = 2;
constexpr double kLookUp = 6;
constexpr double kScore = 80;
constexpr double kCandidate = 40;

// The nearest k of a share of the rows are about the nearest k / share of all,
// which lie in more cells: as many as grow with the square root of that.
int64_t Widened(int64_t nprobe, double share, int64_t nlist) {
  return std::clamp<int64_t>(
      std::llround(static_cast<double>(nprobe) / std::sqrt(share)), 1, nlist);
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
  absl::StatusOr<Found> Search(absl::Span<const float> query,
                               const SearchOptions& options) const override;

 private:
  explicit FaissIndex(std::unique_ptr<faiss::Index> index)
      : index_(std::move(index)), layers_(PeelFaissIndex(index_.get())) {}

  absl::Status Configure(const FaissIndexOptions& options,
                         const std::string& path);
  // Why there is no such search, or OK.
  absl::Status CheckEffort(const SearchEffort& effort) const;
  absl::Status CheckQuery(absl::Span<const float> query, int32_t k) const;
  // A query as the layers of the index take it.
  struct Query {
    std::vector<float> outer, inner;
    int32_t k = 0;
    SearchEffort effort;
  };
  Found FindBest(const Query& query, const AllowedRows& allowed) const;
  FoundBy Cheapest(const Query& query, const AllowedRows& allowed) const;
  // Candidates to rank by their codes before refinement, of rows that may be
  // answered.
  double Ranked(const Query& query, const AllowedRows& allowed) const;
  // Those asked for, so that as many of them may be answered.
  int64_t Wanted(const Query& query, const AllowedRows& allowed) const;
  int64_t Probes(const Query& query, const AllowedRows& allowed) const;
  // Rows in so many cells.
  double Scanned(int64_t probes) const;
  double CostOfCells(int64_t probes, const AllowedRows& allowed) const;
  double CostOfAll(const AllowedRows& allowed) const;
  faiss::Index* Quantizer() const;

  // Those ways, each in no order and perhaps with fewer than k.
  std::vector<Neighbor> ByIndex(const Query& query,
                                const AllowedRows& allowed) const;
  // False, and nothing found, where to score all costs less.
  bool ByCells(const Query& query, const AllowedRows& allowed,
               std::vector<Neighbor>& found) const;
  std::vector<Neighbor> Exactly(const Query& query,
                                const AllowedRows& allowed) const;
  // Rows that `core` names first.
  static std::vector<Neighbor> Candidates(const faiss::Index& core,
                                          const std::vector<float>& x,
                                          int64_t count,
                                          const AllowedRows& allowed);
  std::vector<Neighbor> Scored(const Query& query,
                               const std::vector<int32_t>& rows) const;

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

absl::StatusOr<Found> FaissIndex::Search(absl::Span<const float> query,
                                         const SearchOptions& options) const {
  RETURN_IF_ERROR(CheckQuery(query, options.k));
  const SearchEffort effort = options.effort.value_or(effort_);
  RETURN_IF_ERROR(CheckEffort(effort));
  Found found;
  RETURN_IF_ERROR(GuardFaiss(absl::StatusCode::kInternal, "FAISS search", [&] {
    // FAISS opens a team for a graph even where there is one query.
    ScopedOmpThreads alone(1);
    Query asked{.k = options.k, .effort = effort};
    asked.outer = ApplyTransforms(layers_.outer, {query.begin(), query.end()});
    asked.inner = ApplyTransforms(layers_.inner, asked.outer);
    found = FindBest(asked, AllowedRows(options, size()));
  }));
  return found;
}

Found FaissIndex::FindBest(const Query& query,
                           const AllowedRows& allowed) const {
  const int64_t wanted = std::min<int64_t>(query.k, allowed.count());
  Found found{.allowed = allowed.count()};
  if (wanted == 0) return found;
  found.by = Cheapest(query, allowed);
  if (found.by == FoundBy::kIndex || found.by == FoundBy::kMoreCandidates) {
    found.neighbors = ByIndex(query, allowed);
    // A filter that leaves out what is near leaves too little to choose from.
    const double ranked =
        std::min(Ranked(query, allowed), static_cast<double>(allowed.count()));
    if (found.by == FoundBy::kMoreCandidates &&
        static_cast<double>(found.neighbors.size()) < ranked / 2) {
      found.by = scorer_ != nullptr && layers_.ivf != nullptr ? FoundBy::kCells
                                                              : FoundBy::kExact;
    }
  }
  if (found.by == FoundBy::kCells &&
      !ByCells(query, allowed, found.neighbors)) {
    found.by = FoundBy::kExact;
  }
  if (found.by == FoundBy::kExact ||
      static_cast<int64_t>(found.neighbors.size()) < wanted) {
    found.neighbors = Exactly(query, allowed);
    found.by = FoundBy::kExact;
  }
  std::partial_sort(found.neighbors.begin(), found.neighbors.begin() + wanted,
                    found.neighbors.end(), Better);
  found.neighbors.resize(wanted);
  return found;
}

FoundBy FaissIndex::Cheapest(const Query& query,
                             const AllowedRows& allowed) const {
  if (!allowed.filtered()) return FoundBy::kIndex;
  if (scorer_ == layers_.core) return FoundBy::kExact;
  const auto ranked = static_cast<double>(Wanted(query, allowed));
  double more = ranked * kCandidate;
  if (layers_.refine != nullptr) more += ranked * allowed.share() * kScore;
  if (layers_.graph != nullptr) {
    more += std::max<double>(ranked, kGraphBreadth) * kGraphStep * kScore;
  } else if (layers_.ivf == nullptr) {
    more += static_cast<double>(size()) * kScan;
  }
  double cells = std::numeric_limits<double>::infinity();
  if (layers_.ivf != nullptr) {
    const int64_t probes = Probes(query, allowed);
    more += Scanned(probes) * kScan;
    if (scorer_ != nullptr) cells = CostOfCells(probes, allowed);
  }
  const double exact = CostOfAll(allowed);
  if (exact <= std::min(more, cells)) return FoundBy::kExact;
  return cells < more ? FoundBy::kCells : FoundBy::kMoreCandidates;
}

double FaissIndex::Scanned(int64_t probes) const {
  return static_cast<double>(size()) * static_cast<double>(probes) /
         static_cast<double>(layers_.ivf->nlist);
}

double FaissIndex::CostOfCells(int64_t probes,
                               const AllowedRows& allowed) const {
  return Scanned(probes) * (kLookUp + allowed.share() * kScore);
}

double FaissIndex::CostOfAll(const AllowedRows& allowed) const {
  if (scorer_ != nullptr) return static_cast<double>(allowed.count()) * kScore;
  // Without codes of rows, to score some is to scan all.
  return static_cast<double>(size()) * (kScan + kCandidate);
}

double FaissIndex::Ranked(const Query& query,
                          const AllowedRows& allowed) const {
  // Excluded rows may be the nearest, as a history is: what is left then stands
  // so much further down.
  const double past = static_cast<double>(allowed.excluded()) *
                      (allowed.filtered() ? allowed.share() : 1);
  if (layers_.refine == nullptr) return query.k + past;
  return (static_cast<double>(std::max<int64_t>(query.k, kFewestRefined)) +
          past) *
         query.effort.k_factor;
}

int64_t FaissIndex::Probes(const Query& query,
                           const AllowedRows& allowed) const {
  const auto nlist = static_cast<int64_t>(layers_.ivf->nlist);
  if (!allowed.filtered()) {
    return std::min<int64_t>(query.effort.nprobe, nlist);
  }
  return Widened(query.effort.nprobe, allowed.share(), nlist);
}

faiss::Index* FaissIndex::Quantizer() const {
  if (cell_graph_ != nullptr) return cell_graph_.get();
  return layers_.ivf->quantizer;
}

int64_t FaissIndex::Wanted(const Query& query,
                           const AllowedRows& allowed) const {
  double wanted = Ranked(query, allowed);
  if (allowed.filtered()) {
    // Of rows that a filter leaves out evenly, three standard deviations more.
    wanted = (wanted + 3 * std::sqrt(wanted) + 3) / allowed.share();
  }
  wanted += static_cast<double>(allowed.excluded());
  return static_cast<int64_t>(
      std::min(std::ceil(wanted), static_cast<double>(size())));
}

std::vector<Neighbor> FaissIndex::ByIndex(const Query& query,
                                          const AllowedRows& allowed) const {
  const int64_t count = Wanted(query, allowed);
  std::unique_ptr<faiss::IndexIVF> cells;
  if (layers_.ivf != nullptr) {
    cells = ViewOfCells(*layers_.ivf, Quantizer(), Probes(query, allowed));
  }
  std::vector<Neighbor> found = Candidates(
      cells == nullptr ? *layers_.core : *cells, query.inner, count, allowed);
  if (layers_.refine == nullptr) return found;
  std::vector<int32_t> rows;
  rows.reserve(found.size());
  for (const Neighbor& neighbor : found) rows.push_back(neighbor.row);
  return Scored(query, rows);
}

bool FaissIndex::ByCells(const Query& query, const AllowedRows& allowed,
                         std::vector<Neighbor>& found) const {
  const faiss::InvertedLists& lists = *layers_.ivf->invlists;
  int64_t probes = Probes(query, allowed);
  // Where the filter keeps less of the near cells than of all, more of them:
  // half of what an even one would leave has to be there to choose from.
  const double enough = Scanned(probes) * allowed.share() / 2;
  while (CostOfCells(probes, allowed) < CostOfAll(allowed)) {
    std::vector<float> distances(probes);
    std::vector<faiss::Index::idx_t> cells(probes);
    Quantizer()->search(1, query.inner.data(), probes, distances.data(),
                        cells.data());
    std::vector<int32_t> rows;
    for (const faiss::Index::idx_t cell : cells) {
      if (cell < 0) continue;
      faiss::InvertedLists::ScopedIds ids(&lists, cell);
      allowed.Keep({ids.get(), lists.list_size(cell)}, rows);
    }
    if (static_cast<double>(rows.size()) >= enough) {
      found = Scored(query, rows);
      return true;
    }
    probes *= 2;
  }
  return false;
}

std::vector<Neighbor> FaissIndex::Candidates(const faiss::Index& core,
                                             const std::vector<float>& x,
                                             int64_t count,
                                             const AllowedRows& allowed) {
  std::vector<float> scores(count);
  std::vector<faiss::Index::idx_t> rows(count);
  core.search(1, x.data(), count, scores.data(), rows.data());
  std::vector<Neighbor> found;
  found.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    if (rows[i] < 0 || !allowed.Contains(rows[i])) continue;
    found.push_back({static_cast<int32_t>(rows[i]), scores[i]});
  }
  return found;
}

std::vector<Neighbor> FaissIndex::Exactly(const Query& query,
                                          const AllowedRows& allowed) const {
  if (scorer_ != nullptr) return Scored(query, allowed.ToRows());
  const int64_t wanted = std::min<int64_t>(query.k, allowed.count());
  std::vector<Neighbor> found;
  for (int64_t count = Wanted(query, allowed);; count *= 4) {
    count = std::min(count, size());
    found = Candidates(*all_cells_, query.inner, count, allowed);
    if (static_cast<int64_t>(found.size()) >= wanted) return found;
    if (count == size()) break;
  }
  // A fast-scan drops rows whose score in eight bits is 0, the farthest.
  std::vector<bool> there(size());
  float lowest = 0;
  for (const Neighbor& neighbor : found) {
    there[neighbor.row] = true;
    lowest = std::min(lowest, neighbor.score);
  }
  for (const int32_t row : allowed.ToRows()) {
    if (!there[row]) found.push_back({row, lowest});
  }
  return found;
}

std::vector<Neighbor> FaissIndex::Scored(
    const Query& query, const std::vector<int32_t>& rows) const {
  const std::unique_ptr<faiss::DistanceComputer> distance(
      scorer_->get_distance_computer());
  distance->set_query((scorer_sees_inner_ ? query.inner : query.outer).data());
  std::vector<Neighbor> scored;
  scored.reserve(rows.size());
  for (const int32_t row : rows) scored.push_back({row, (*distance)(row)});
  return scored;
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
