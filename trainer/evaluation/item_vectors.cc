#include "trainer/evaluation/item_vectors.h"

#include <algorithm>

#include "core/base/status_macros.h"

namespace segue {
namespace {

// Rows embedded in one forward pass.
constexpr int64_t kBatch = 1024;

}  // namespace

absl::StatusOr<std::vector<float>> EmbedItems(
    const ServingSnapshot& snapshot, int64_t count,
    const std::function<void(int64_t, absl::Span<float>)>& read,
    int32_t threads) {
  const int64_t f = snapshot.shape.item_width, d = snapshot.shape.dimension;
  std::vector<float> vectors(count * d);
  const int64_t batches = (count + kBatch - 1) / kBatch;
  std::vector<absl::Status> failures(batches);
  // One forward pass a thread: the kernels themselves run on one each.
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (int64_t b = 0; b < batches; ++b) {
    const int64_t begin = b * kBatch;
    const int64_t size = std::min(kBatch, count - begin);
    std::vector<float> rows(size * f);
    for (int64_t i = 0; i < size; ++i) {
      read(begin + i, absl::MakeSpan(rows).subspan(i * f, f));
    }
    failures[b] = snapshot.item_tower->Embed(
        static_cast<int32_t>(size), rows,
        absl::MakeSpan(vectors).subspan(begin * d, size * d));
  }
  for (const absl::Status& failure : failures) RETURN_IF_ERROR(failure);
  return vectors;
}

absl::StatusOr<std::vector<float>> EmbedCatalogue(
    const ServingSnapshot& snapshot, int32_t threads) {
  return EmbedItems(
      snapshot, snapshot.items.size(),
      [&](int64_t item, absl::Span<float> to) {
        const absl::Span<const float> row = snapshot.item_rows.Row(item);
        std::copy(row.begin(), row.end(), to.begin());
      },
      threads);
}

}  // namespace segue
