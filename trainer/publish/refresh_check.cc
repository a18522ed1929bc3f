#include "trainer/publish/refresh_check.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/metrics/overlap.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

// Of each kind.
constexpr int64_t kQueries = 200;
// New items are few: so deep an answer has some of them.
constexpr int32_t kDepth = 1000;
// Where answers of held-out queries have fewer, the new items are asked for
// themselves.
constexpr int64_t kEnough = 50;

// Codes round more than this.
constexpr float kTie = 1e-4f;

// Appends up to kQueries of `from`, evenly spread; returns how many.
int64_t AddSome(absl::Span<const float> from, int32_t d,
                std::vector<float>& to) {
  const int64_t rows = static_cast<int64_t>(from.size()) / d;
  const int64_t count = std::min(rows, kQueries);
  for (int64_t i = 0; i < count; ++i) {
    const auto row = from.subspan(i * rows / count * d, d);
    to.insert(to.end(), row.begin(), row.end());
  }
  return count;
}

absl::StatusOr<std::vector<float>> VectorsOf(const ServingSnapshot& snapshot,
                                             absl::Span<const float> appended,
                                             int32_t threads) {
  std::vector<int32_t> rows(snapshot.index->size());
  std::iota(rows.begin(), rows.end(), 0);
  auto vectors = snapshot.index->Vectors(rows);
  if (absl::IsUnimplemented(vectors.status())) {
    return EmbedCatalogue(snapshot, threads);
  }
  RETURN_IF_ERROR(vectors.status());
  std::copy(appended.begin(), appended.end(), vectors->end() - appended.size());
  return vectors;
}

std::vector<int32_t> LivingRows(const ServingSnapshot& snapshot) {
  if (snapshot.available.has_value()) return snapshot.available->ToRows();
  std::vector<int32_t> rows(snapshot.index->size());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// What is searched, and what is true of it.
struct Searched {
  const ServingSnapshot& snapshot;
  const std::vector<float>& vectors;  // [rows, d]
  std::vector<int32_t> living;
  int64_t first_appended = 0;
  int32_t threads = 1;
};

struct Shares {
  double overlap = 1;
  int64_t expected = 0, found = 0;  // appended rows of exact answers
};

// Searches for `asked` [Q, d] as the server would.
absl::StatusOr<Shares> Compare(const Searched& searched,
                               const std::vector<float>& asked, int32_t k) {
  const ServingSnapshot& snapshot = searched.snapshot;
  const size_t d = snapshot.shape.dimension;
  k = static_cast<int32_t>(
      std::min<int64_t>(k, static_cast<int64_t>(searched.living.size())));
  ASSIGN_OR_RETURN(const auto exact,
                   ExactTopKAmong(searched.living, searched.vectors, asked,
                                  static_cast<int32_t>(d), k, searched.threads,
                                  /*excluded=*/{}));
  const SearchEffort effort = snapshot.EffortFor(k).effort;
  Shares shares{.overlap = 0};
  for (size_t q = 0; q < exact.size(); ++q) {
    ASSIGN_OR_RETURN(
        const Found answer,
        snapshot.index->Search(
            absl::MakeConstSpan(asked).subspan(q * d, d),
            {.k = k, .allowed = snapshot.allowed(), .effort = effort}));
    std::vector<int32_t> rows = RowsOf(answer.neighbors);
    shares.overlap += OverlapAtK(RowsOf(exact[q]), rows, k);
    std::sort(rows.begin(), rows.end());
    for (const Neighbor& one : exact[q]) {
      if (one.row < searched.first_appended) continue;
      ++shares.expected;
      // What scores as what was found does is no better an answer.
      shares.found += std::binary_search(rows.begin(), rows.end(), one.row) ||
                      (!answer.neighbors.empty() &&
                       one.score < answer.neighbors.back().score + kTie);
    }
  }
  shares.overlap /= static_cast<double>(exact.size());
  return shares;
}

}  // namespace

absl::StatusOr<RefreshOverlap> MeasureRefresh(const ServingSnapshot& snapshot,
                                              absl::Span<const float> queries,
                                              absl::Span<const float> appended,
                                              int32_t k, int32_t threads) {
  const int32_t d = snapshot.shape.dimension;
  const int64_t rows = snapshot.index->size();
  const int64_t first_appended =
      rows - static_cast<int64_t>(appended.size()) / d;
  ASSIGN_OR_RETURN(const std::vector<float> vectors,
                   VectorsOf(snapshot, appended, threads));
  const Searched searched{.snapshot = snapshot,
                          .vectors = vectors,
                          .living = LivingRows(snapshot),
                          .first_appended = first_appended,
                          .threads = threads};
  RefreshOverlap measured;
  std::vector<float> asked;
  if (AddSome(queries, d, asked) > 0) {
    ASSIGN_OR_RETURN(const Shares shares, Compare(searched, asked, k));
    measured.overlap = shares.overlap;
  }
  Shares deep;
  if (!asked.empty() && !appended.empty()) {
    ASSIGN_OR_RETURN(deep, Compare(searched, asked, std::max(k, kDepth)));
  }
  if (deep.expected < kEnough && !appended.empty()) {
    asked.clear();
    AddSome(appended, d, asked);
    ASSIGN_OR_RETURN(deep, Compare(searched, asked, k));
  }
  if (deep.expected > 0) {
    measured.new_overlap =
        static_cast<double>(deep.found) / static_cast<double>(deep.expected);
  }
  return measured;
}

}  // namespace segue
