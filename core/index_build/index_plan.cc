#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/index_build/index_builder.h"

namespace segue {
namespace {

// FAISS warns below this many training vectors a cell: centroids get noisy.
constexpr int64_t kTrainingVectorsPerCell = 39;
// More change neither codes nor some thousand cells.
constexpr int64_t kTrainingVectors = 300000;
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

absl::StatusOr<int32_t> PlanCells(const v1::IndexConfig& config,
                                  int64_t items) {
  if (config.nlist() == 0) return ChooseCells(config, items);
  if (config.nlist() <= items) return config.nlist();
  return absl::InvalidArgumentError(
      absl::StrCat("index.nlist: ", config.nlist(), " cells are more than the ",
                   items, " items"));
}

std::string RefineOf(v1::IndexConfig::Refine refine) {
  switch (refine) {
    case v1::IndexConfig::SQ8:
      return ",Refine(SQ8)";
    case v1::IndexConfig::FLOAT32:
      return ",RFlat";
    case v1::IndexConfig::NONE:
      return "";
  }
  return "";
}

// What cells may hold, and how it is refined: fast-scan codes of half a byte
// for two dimensions or for four, refined by a byte or four bytes a dimension;
// and for the smallest index half a byte a dimension. All are refined, so that
// any row can be scored: filters and MMR need that. What the config sets is not
// tried otherwise.
absl::StatusOr<std::vector<std::string>> PlanCodes(
    const v1::IndexConfig& config, int32_t dimension) {
  auto half = ChooseSubquantizers(config, dimension);
  if (!half.ok()) return half.status();
  const std::string fine = absl::StrCat(",PQ", *half, "x4fs");
  if (config.pq_m() > 0 || config.has_refine()) {
    return std::vector<std::string>{
        absl::StrCat(fine, RefineOf(config.refine()))};
  }
  std::vector<std::string> codes = {fine + ",Refine(SQ8)"};
  if (*half % 2 == 0) {
    codes.push_back(absl::StrCat(",PQ", *half / 2, "x4fs,Refine(SQ8)"));
  }
  codes.push_back(fine + ",RFlat");
  codes.push_back(fine + ",Refine(SQ4)");
  return codes;
}

absl::StatusOr<std::vector<IndexPlan>> PlanIvf(const v1::IndexConfig& config,
                                               int64_t items,
                                               int32_t dimension) {
  auto cells = PlanCells(config, items);
  if (!cells.ok()) return cells.status();
  auto codes = PlanCodes(config, dimension);
  if (!codes.ok()) return codes.status();
  std::vector<IndexPlan> plans;
  for (const std::string& code : *codes) {
    plans.push_back(
        {absl::StrCat("IVF", *cells, "_HNSW", kGraphLinks, code), *cells});
  }
  return plans;
}

}  // namespace

absl::StatusOr<std::vector<IndexPlan>> PlanIndexes(
    const v1::IndexConfig& config, int64_t items, int32_t dimension) {
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
      return std::vector<IndexPlan>{
          {config.factory(), CellsOf(config.factory())}};
    case v1::IndexConfig::FLAT:
      return std::vector<IndexPlan>{{"Flat", 0}};
    case v1::IndexConfig::AUTO:
      if (items <= config.flat_limit())
        return std::vector<IndexPlan>{{"Flat", 0}};
      [[fallthrough]];
    case v1::IndexConfig::HNSW_IVF_PQ:
      if (items < kFewestItemsForCells)
        return std::vector<IndexPlan>{{"Flat", 0}};
      return PlanIvf(config, items, dimension);
  }
  return absl::InvalidArgumentError("index.kind: unknown");
}

int64_t TrainingVectors(const v1::IndexConfig& config, int64_t items,
                        int32_t nlist) {
  return std::min<int64_t>(
      {items, config.max_training_vectors(),
       std::max(kTrainingVectors, nlist * kTrainingVectorsPerCell)});
}

}  // namespace segue
