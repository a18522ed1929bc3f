// What searches cost, estimated: chooses among ways of searching, and orders
// efforts, with the same result on a busy machine. Nanoseconds of one machine
// (AVX2, 3 GHz); only their ratios matter.
#ifndef SEGUE_CORE_INDEX_SEARCH_COST_H_
#define SEGUE_CORE_INDEX_SEARCH_COST_H_

#include <algorithm>
#include <cstdint>

#include "core/index/vector_index.h"

namespace segue {

// An allowed row gets its bit; a row is looked up by it; scored by the
// refinement's code, which is a random access; kept among many candidates.
inline constexpr double kBitCost = 2;
inline constexpr double kLookUpCost = 3;
inline constexpr double kScoreCost = 60;
inline constexpr double kCandidateCost = 240;
// A cell is found on a walk; a centroid is compared with the query, a float of
// it.
inline constexpr double kCellCost = 3000;
inline constexpr double kCentroidFloatCost = 0.2;
// A walk for n cells compares with about so many centroids a cell: beyond nlist
// it is better to compare with all.
inline constexpr int64_t kComparedPerCell = 128;

// Breadth of the walk through a graph of vectors, and how many it compares with
// at each step, about.
inline constexpr int32_t kGraphBreadth = 128;
inline constexpr double kGraphStep = 16;

// Refinement takes k_factor candidates for each of k, and of no fewer than
// this: the few best of a small k would otherwise be lost before it.
inline constexpr int32_t kFewestRefined = 10;

struct IndexShape {
  int64_t items = 0;
  int32_t dimension = 0;
  int32_t nlist = 0;     // 0: no cells
  bool graph = false;    // of the vectors; not that over the cells
  bool refines = false;  // candidates are scored again by other codes
  double scan_cost = 2;  // of a row's code

  // Whether a search scores all rows anyway.
  bool ScoresAll() const { return nlist == 0 && !graph && !refines; }
  // Whether there is a code to score any row by, without its cell.
  bool ScoresRows() const { return nlist == 0 || refines; }
};

// Candidates that are ranked by their codes.
inline int64_t RankedCandidates(const IndexShape& shape, int32_t k,
                                const SearchEffort& effort) {
  if (!shape.refines) return k;
  return int64_t{std::max(k, kFewestRefined)} * effort.k_factor;
}

inline double FindCellsCost(const IndexShape& shape, int64_t nprobe) {
  if (nprobe * kComparedPerCell < shape.nlist) {
    return static_cast<double>(nprobe) * kCellCost;
  }
  return kCentroidFloatCost * shape.nlist * shape.dimension;
}

// To find `ranked` candidates: cells are found, and the codes of their rows
// scanned.
inline double ScanCost(const IndexShape& shape, int64_t nprobe, double ranked) {
  if (shape.graph) {
    return std::max<double>(ranked, kGraphBreadth) * kGraphStep * kScoreCost;
  }
  const auto items = static_cast<double>(shape.items);
  if (shape.nlist == 0) return items * shape.scan_cost;
  const auto cells = static_cast<double>(nprobe);
  return FindCellsCost(shape, nprobe) +
         items * cells / shape.nlist * shape.scan_cost;
}

// A search without a filter.
inline double SearchCost(const IndexShape& shape, int32_t k,
                         const SearchEffort& effort) {
  const auto ranked = static_cast<double>(RankedCandidates(shape, k, effort));
  return ScanCost(shape, effort.nprobe, ranked) + ranked * kCandidateCost +
         (shape.refines ? ranked * kScoreCost : 0);
}

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_SEARCH_COST_H_
