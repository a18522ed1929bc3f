#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "core/index_build/index_builder.h"

namespace segue {
namespace {

// FAISS warns below this many training vectors a cell: centroids get noisy.
constexpr int64_t kTrainingVectorsPerCell = 39;
// A 4-bit sub-quantiser has 16 centroids; below a few cells' worth of vectors
// an exact scan is faster than any cells.
constexpr int64_t kFewestItemsForCells = 4 * kTrainingVectorsPerCell;
constexpr int kGraphLinks = 32;

// The power of two nearest to 4 sqrt(items), on the log scale, or the largest
// one that training vectors suffice for.
int32_t ChooseCells(const v1::IndexConfig& config, int64_t items) {
  const int64_t training =
      std::min<int64_t>(items, config.max_training_vectors());
  const double wish = std::log2(4 * std::sqrt(static_cast<double>(items)));
  int64_t cells = int64_t{1} << std::lround(wish);
  while (cells > 1 && cells * kTrainingVectorsPerCell > training) cells /= 2;
  return static_cast<int32_t>(cells);
}

// Sub-quantisers: as configured, or the most that divide the dimension and
// stand for two floats or more.
absl::StatusOr<int32_t> ChooseSubquantizers(const v1::IndexConfig& config,
                                            int32_t dimension) {
  const int32_t wanted = config.pq_m();
  if (wanted == 0) {
    int32_t count = std::max(dimension / 2, 1);
    while (dimension % count != 0) --count;
    return count;
  }
  if (wanted < 0 || dimension % wanted != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("index.pq_m: ", wanted, " sub-quantisers do not divide ",
                     dimension, " dimensions"));
  }
  return wanted;
}

// Cells named in a factory string; 0 if there are none.
int32_t CellsOf(const std::string& factory) {
  const size_t at = factory.find("IVF");
  if (at == std::string::npos) return 0;
  return std::atoi(factory.c_str() + at + 3);
}

absl::StatusOr<IndexPlan> PlanCells(const v1::IndexConfig& config,
                                    int64_t items, int32_t dimension) {
  const int32_t cells =
      config.nlist() > 0 ? config.nlist() : ChooseCells(config, items);
  if (cells > items) {
    return absl::InvalidArgumentError(absl::StrCat(
        "index.nlist: ", cells, " cells are more than the ", items, " items"));
  }
  auto subquantizers = ChooseSubquantizers(config, dimension);
  if (!subquantizers.ok()) return subquantizers.status();
  IndexPlan plan;
  plan.nlist = cells;
  plan.factory = absl::StrCat("IVF", cells, "_HNSW", kGraphLinks, ",PQ",
                              *subquantizers, "x4fs");
  if (config.refine() == v1::IndexConfig::SQ8) {
    absl::StrAppend(&plan.factory, ",Refine(SQ8)");
  } else if (config.refine() == v1::IndexConfig::FLOAT32) {
    absl::StrAppend(&plan.factory, ",RFlat");
  }
  return plan;
}

}  // namespace

absl::StatusOr<IndexPlan> PlanIndex(const v1::IndexConfig& config,
                                    int64_t items, int32_t dimension) {
  if (items < 1 || dimension < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("no index of ", items, " vectors of ", dimension,
                     " dimensions: both must be positive"));
  }
  if (config.max_training_vectors() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("index.max_training_vectors: must be positive, not ",
                     config.max_training_vectors()));
  }
  switch (config.kind()) {
    case v1::IndexConfig::FACTORY:
      if (config.factory().empty()) {
        return absl::InvalidArgumentError(
            "index.factory: kind FACTORY needs a FAISS factory string");
      }
      return IndexPlan{config.factory(), CellsOf(config.factory())};
    case v1::IndexConfig::FLAT:
      return IndexPlan{"Flat", 0};
    case v1::IndexConfig::AUTO:
      if (items <= config.flat_limit()) return IndexPlan{"Flat", 0};
      [[fallthrough]];
    case v1::IndexConfig::HNSW_IVF_PQ:
      if (items < kFewestItemsForCells) return IndexPlan{"Flat", 0};
      return PlanCells(config, items, dimension);
  }
  return absl::InvalidArgumentError("index.kind: unknown");
}

}  // namespace segue
