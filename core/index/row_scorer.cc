#include "core/index/row_scorer.h"

#include <faiss/IndexFlatCodes.h>
#include <faiss/impl/DistanceComputer.h>

#include <algorithm>
#include <memory>

#include "core/base/huge_pages.h"

namespace segue {
namespace {

constexpr size_t kFetchedAhead = 8;
constexpr size_t kCacheLine = 64;

void Prefetch(const uint8_t* code, size_t bytes) {
  for (size_t at = 0; at < bytes; at += kCacheLine) {
    __builtin_prefetch(code + at);
  }
}

}  // namespace

RowScorer::RowScorer(const FaissLayers& layers) {
  if (layers.refine != nullptr) {
    index_ = layers.refine->refine_index;
    if (auto* codes =
            dynamic_cast<faiss::IndexFlatCodes*>(layers.refine->refine_index)) {
      MoveToHugePages(codes->codes);
    }
  } else if (layers.graph != nullptr) {
    index_ = layers.graph->storage;
  } else if (dynamic_cast<faiss::IndexFlatCodes*>(layers.core) != nullptr) {
    index_ = layers.core;
  }
  sees_inner_ = layers.refine == nullptr;
  has_vectors_ = index_ != nullptr && layers.outer.empty() &&
                 (!sees_inner_ || layers.inner.empty());
}

std::vector<Neighbor> RowScorer::Score(const LayeredQuery& query,
                                       const std::vector<int32_t>& rows) const {
  const std::unique_ptr<faiss::DistanceComputer> distance(
      index_->get_distance_computer());
  distance->set_query((sees_inner_ ? query.inner : query.outer).data());
  // Codes lie anywhere: those to come are fetched while others are scored.
  const auto* codes = dynamic_cast<const faiss::IndexFlatCodes*>(index_);
  std::vector<Neighbor> scored;
  scored.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (codes != nullptr && i + kFetchedAhead < rows.size()) {
      Prefetch(codes->codes.data() + rows[i + kFetchedAhead] * codes->code_size,
               codes->code_size);
    }
    scored.push_back({rows[i], (*distance)(rows[i])});
  }
  return scored;
}

std::vector<float> RowScorer::Vectors(absl::Span<const int32_t> rows) const {
  std::vector<float> vectors(rows.size() * index_->d);
  const auto* flat = dynamic_cast<const faiss::IndexFlatCodes*>(index_);
  if (flat == nullptr) {
    for (size_t i = 0; i < rows.size(); ++i) {
      index_->reconstruct(rows[i], vectors.data() + i * index_->d);
    }
    return vectors;
  }
  // FAISS opens a team for each single one: decoded together.
  std::vector<uint8_t> codes(rows.size() * flat->code_size);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(flat->codes.data() + rows[i] * flat->code_size, flat->code_size,
                codes.data() + i * flat->code_size);
  }
  flat->sa_decode(static_cast<int64_t>(rows.size()), codes.data(),
                  vectors.data());
  return vectors;
}

}  // namespace segue
