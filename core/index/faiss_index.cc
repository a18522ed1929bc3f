#include "core/index/faiss_index.h"

#include <faiss/IndexFastScan.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/allowed_rows.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"
#include "core/index/index_scan.h"
#include "core/index/row_scorer.h"
#include "core/index/search_plan.h"

namespace segue {
namespace {

// Best first; among equals the lower row, so that an answer does not depend on
// the order in which cells were met.
bool Better(const Neighbor& a, const Neighbor& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

// The candidates are scored here rather than by faiss::IndexRefine, whose
// search keeps no room for excluded rows and lets padding of a fast-scan crowd
// out found rows where cells hold too few.
class FaissIndex : public VectorIndex {
 public:
  static absl::StatusOr<std::unique_ptr<VectorIndex>> Create(
      std::unique_ptr<faiss::Index> index, const FaissIndexOptions& options,
      const std::string& path);

  const FaissLayers& layers() const { return layers_; }
  int64_t size() const override { return index_->ntotal; }
  int32_t dimension() const override { return index_->d; }
  SearchEffort effort() const override { return effort_; }
  bool has_vectors() const override { return scorer_.has_vectors(); }
  absl::StatusOr<Found> Search(absl::Span<const float> query,
                               const SearchOptions& options) const override;
  absl::StatusOr<std::vector<float>> Vectors(
      absl::Span<const int32_t> rows) const override;

 private:
  explicit FaissIndex(std::unique_ptr<faiss::Index> index)
      : index_(std::move(index)),
        layers_(PeelFaissIndex(index_.get())),
        shape_(ShapeOf(layers_)),
        scorer_(layers_) {}

  absl::Status Configure(const FaissIndexOptions& options,
                         const std::string& path);
  // Why there is no such search, or OK.
  absl::Status CheckEffort(const SearchEffort& effort) const;
  absl::Status CheckQuery(absl::Span<const float> query, int32_t k) const;
  struct Query : LayeredQuery {
    int64_t wanted = 0;  // rows to answer with: k, or all that are allowed
  };
  void FindBest(const Query& query, const SearchPlan& plan,
                const AllowedRows& allowed, Found& found) const;
  faiss::Index* Quantizer() const;

  // Those ways, each in no order and perhaps with fewer than k.
  void ByIndex(const Query& query, const SearchPlan& plan,
               const AllowedRows& allowed, Found& found) const;
  // False, and nothing found, where to score all costs less.
  bool ByCells(const Query& query, const SearchPlan& plan,
               const AllowedRows& allowed, Found& found) const;
  void Exactly(const Query& query, const SearchPlan& plan,
               const AllowedRows& allowed, Found& found) const;
  // Scores the rows, and counts the time.
  void Refine(const Query& query, const std::vector<int32_t>& rows,
              Found& found) const;
  // Rows that `core` names first.
  static std::vector<Neighbor> Candidates(const faiss::Index& core,
                                          const std::vector<float>& x,
                                          int64_t count,
                                          const AllowedRows& allowed);
  std::unique_ptr<faiss::Index> index_;
  FaissLayers layers_;  // into index_
  IndexShape shape_;
  RowScorer scorer_;
  std::unique_ptr<faiss::IndexIVF> all_cells_;  // null: there are no cells
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
  if (layers_.graph != nullptr) layers_.graph->hnsw.efSearch = kGraphBreadth;
  if (layers_.ivf != nullptr) all_cells_ = ViewOfAllCells(*layers_.ivf);
  if (layers_.quantizer_graph != nullptr) {
    cell_graph_ = std::make_unique<CellGraph>(*layers_.quantizer_graph);
  }
  if (layers_.ivf != nullptr ? all_cells_ == nullptr : !scorer_.scores()) {
    return refuse(
        "has no code to score a row by: add a refinement (Refine(SQ8)) to it");
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
    const AllowedRows allowed(options, size());
    found.allowed = allowed.count();
    Query asked;
    asked.wanted = std::min<int64_t>(options.k, allowed.count());
    if (asked.wanted == 0) return;
    asked.outer = ApplyTransforms(layers_.outer, {query.begin(), query.end()});
    asked.inner = ApplyTransforms(layers_.inner, asked.outer);
    const SearchPlan plan(shape_, options.k, effort, allowed);
    found.by = options.exact ? FoundBy::kExact : plan.Cheapest();
    FindBest(asked, plan, allowed, found);
  }));
  return found;
}

absl::StatusOr<std::vector<float>> FaissIndex::Vectors(
    absl::Span<const int32_t> rows) const {
  if (!has_vectors()) {
    return absl::UnimplementedError("the index has no vectors of its items");
  }
  std::vector<float> vectors;
  RETURN_IF_ERROR(
      GuardFaiss(absl::StatusCode::kInternal, "FAISS reconstruct", [&] {
        ScopedOmpThreads alone(1);
        vectors = scorer_.Vectors(rows);
      }));
  return vectors;
}

void FaissIndex::FindBest(const Query& query, const SearchPlan& plan,
                          const AllowedRows& allowed, Found& found) const {
  if (found.by == FoundBy::kIndex || found.by == FoundBy::kMoreCandidates) {
    ByIndex(query, plan, allowed, found);
    // A filter that leaves out what is near leaves too little to choose from.
    if (found.by == FoundBy::kMoreCandidates &&
        static_cast<double>(found.neighbors.size()) < plan.Enough()) {
      found.by = scorer_.scores() && layers_.ivf != nullptr ? FoundBy::kCells
                                                            : FoundBy::kExact;
    }
  }
  if (found.by == FoundBy::kCells && !ByCells(query, plan, allowed, found)) {
    found.by = FoundBy::kExact;
  }
  if (found.by == FoundBy::kExact ||
      static_cast<int64_t>(found.neighbors.size()) < query.wanted) {
    Exactly(query, plan, allowed, found);
    found.by = FoundBy::kExact;
  }
  std::partial_sort(found.neighbors.begin(),
                    found.neighbors.begin() + query.wanted,
                    found.neighbors.end(), Better);
  found.neighbors.resize(query.wanted);
}

faiss::Index* FaissIndex::Quantizer() const {
  if (cell_graph_ != nullptr) return cell_graph_.get();
  return layers_.ivf->quantizer;
}

void FaissIndex::Refine(const Query& query, const std::vector<int32_t>& rows,
                        Found& found) const {
  const auto start = std::chrono::steady_clock::now();
  found.neighbors = scorer_.Score(query, rows);
  found.refining += std::chrono::steady_clock::now() - start;
}

void FaissIndex::ByIndex(const Query& query, const SearchPlan& plan,
                         const AllowedRows& allowed, Found& found) const {
  std::unique_ptr<faiss::IndexIVF> cells;
  if (layers_.ivf != nullptr) {
    cells = ViewOfCells(*layers_.ivf, Quantizer(), plan.Probes());
  }
  found.neighbors = Candidates(cells == nullptr ? *layers_.core : *cells,
                               query.inner, plan.Wanted(), allowed);
  if (layers_.refine != nullptr) {
    Refine(query, RowsOf(found.neighbors), found);
  }
}

bool FaissIndex::ByCells(const Query& query, const SearchPlan& plan,
                         const AllowedRows& allowed, Found& found) const {
  const faiss::InvertedLists& lists = *layers_.ivf->invlists;
  const RowBits bits(allowed.ToRows(), size());
  int64_t probes = plan.Probes();
  // Where the filter keeps less of the near cells than of all, more of them: as
  // many rows as an even one would leave, but for chance, have to be there to
  // choose from.
  const double enough = LeastByChance(plan.Scanned(probes) * allowed.share());
  std::vector<bool> searched(layers_.ivf->nlist);
  std::vector<int32_t> rows;
  while (plan.CellsCostLess(probes)) {
    std::vector<float> distances(probes);
    std::vector<faiss::Index::idx_t> cells(probes);
    Quantizer()->search(1, query.inner.data(), probes, distances.data(),
                        cells.data());
    for (const faiss::Index::idx_t cell : cells) {
      if (cell < 0 || searched[cell]) continue;
      searched[cell] = true;
      faiss::InvertedLists::ScopedIds ids(&lists, cell);
      bits.Keep({ids.get(), lists.list_size(cell)}, rows);
    }
    if (static_cast<double>(rows.size()) >= enough) {
      Refine(query, rows, found);
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

void FaissIndex::Exactly(const Query& query, const SearchPlan& plan,
                         const AllowedRows& allowed, Found& found) const {
  if (scorer_.scores()) return Refine(query, allowed.ToRows(), found);
  for (int64_t count = plan.Wanted();; count *= 4) {
    count = std::min(count, size());
    found.neighbors = Candidates(*all_cells_, query.inner, count, allowed);
    if (static_cast<int64_t>(found.neighbors.size()) >= query.wanted) return;
    if (count == size()) break;
  }
  // A fast-scan drops rows whose score in eight bits is 0, the farthest.
  std::vector<bool> there(size());
  float lowest = 0;
  for (const Neighbor& neighbor : found.neighbors) {
    there[neighbor.row] = true;
    lowest = std::min(lowest, neighbor.score);
  }
  for (const int32_t row : allowed.ToRows()) {
    if (!there[row]) found.neighbors.push_back({row, lowest});
  }
}

// One read() of everything would keep the processor from whoever answers
// requests, where the kernel preempts lazily.
struct PiecewiseReader : faiss::FileIOReader {
  using faiss::FileIOReader::FileIOReader;

  size_t operator()(void* to, size_t size, size_t count) override {
    constexpr size_t kPieceBytes = 256 << 10;
    const size_t most = std::max<size_t>(kPieceBytes / size, 1);
    size_t done = 0;
    while (done < count) {
      const size_t piece = std::min(count - done, most);
      const size_t read = faiss::FileIOReader::operator()(
          static_cast<char*>(to) + done * size, size, piece);
      done += read;
      if (read < piece) break;
    }
    return done;
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<VectorIndex>> LoadFaissIndex(
    const std::string& path, const FaissIndexOptions& options,
    Deadline deadline) {
  RETURN_IF_ERROR(deadline.Check());
  ASSIGN_OR_RETURN(const IndexSummary found, ScanIndexFile(path));
  if (found.dimension != options.dimension) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": has ", found.dimension, " dimensions, ",
                     options.dimension, " are expected"));
  }
  if (found.size != options.size) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": holds ", found.size, " vectors, ", options.size,
                     " are expected"));
  }
  std::unique_ptr<faiss::Index> index;
  RETURN_IF_ERROR(deadline.Check());
  // Not in between: FAISS 1.7.3 leaks what it has read when a reader stops.
  RETURN_IF_ERROR(GuardFaiss(absl::StatusCode::kDataLoss,
                             absl::StrCat("cannot read index ", path), [&] {
                               PiecewiseReader reader(path.c_str());
                               index.reset(faiss::read_index(&reader));
                             }));
  RETURN_IF_ERROR(deadline.Check());
  return FaissIndex::Create(std::move(index), options, path);
}

const FaissLayers& LayersOf(const VectorIndex& index) {
  return static_cast<const FaissIndex&>(index).layers();
}

std::string FaissVersion() {
  return absl::StrCat(FAISS_VERSION_MAJOR, ".", FAISS_VERSION_MINOR, ".",
                      FAISS_VERSION_PATCH, " ", SEGUE_FAISS_SIMD);
}

}  // namespace segue
