#include "core/index/exact_search.h"

#include <faiss/utils/distances.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/index/faiss_support.h"

// BLAS, Fortran calling convention: column-major, everything by pointer.
extern "C" int sgemm_(const char* transa, const char* transb, const int* m,
                      const int* n, const int* k, const float* alpha,
                      const float* a, const int* lda, const float* b,
                      const int* ldb, const float* beta, float* c,
                      const int* ldc);

namespace segue {
namespace {

// 128 x 8,192 products are 4 MiB: they stay in the outer caches until the
// selection has read them.
constexpr int64_t kQueryBlock = 128;
constexpr int64_t kVectorBlock = 8192;

bool Better(const Neighbor& a, const Neighbor& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

// Keeps the best `k` of what is offered: candidates above a threshold gather in
// a buffer, and where it is full the k best stay and the threshold rises. Rows
// must come in ascending order, so that an equal score comes too late.
class TopK {
 public:
  explicit TopK(int64_t k) : k_(k) { kept_.reserve(2 * k); }

  void Offer(int32_t first_row, absl::Span<const float> scores) {
    for (size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] > threshold_)
        Add(first_row + static_cast<int32_t>(i), scores[i]);
    }
  }

  std::vector<Neighbor> Take() {
    std::sort(kept_.begin(), kept_.end(), Better);
    if (static_cast<int64_t>(kept_.size()) > k_) kept_.resize(k_);
    return std::move(kept_);
  }

 private:
  void Add(int32_t row, float score) {
    kept_.push_back({row, score});
    if (static_cast<int64_t>(kept_.size()) < 2 * k_) return;
    std::nth_element(kept_.begin(), kept_.begin() + (k_ - 1), kept_.end(),
                     Better);
    kept_.resize(k_);
    threshold_ = kept_.back().score;
  }

  const int64_t k_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Neighbor> kept_;
};

std::vector<int32_t> SortedExcluded(const ExcludedRows& excluded, int64_t query,
                                    int64_t rows) {
  std::vector<int32_t> sorted;
  if (!excluded) return sorted;
  for (int32_t row : excluded(query)) {
    if (row >= 0 && row < rows) sorted.push_back(row);
  }
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

struct Problem {
  absl::Span<const float> vectors;
  absl::Span<const float> queries;
  int64_t rows;
  int32_t dimension;
  int32_t k;
  const ExcludedRows& excluded;
};

// products[q][v] = query (first_query + q) . vector (first_row + v).
void Multiply(const Problem& problem, int64_t first_query, int queries,
              int64_t first_row, int rows, float* products) {
  const float one = 1, zero = 0;
  const int d = problem.dimension;
  sgemm_("T", "N", &rows, &queries, &d, &one,
         problem.vectors.data() + first_row * d, &d,
         problem.queries.data() + first_query * d, &d, &zero, products, &rows);
}

// Queries [begin, end), at most kQueryBlock of them.
void SearchBlock(const Problem& problem, int64_t begin, int64_t end,
                 std::vector<std::vector<Neighbor>>& results) {
  const int queries = static_cast<int>(end - begin);
  std::vector<std::vector<int32_t>> without(queries);
  std::vector<TopK> tops;
  for (int q = 0; q < queries; ++q) {
    without[q] = SortedExcluded(problem.excluded, begin + q, problem.rows);
    tops.emplace_back(std::min<int64_t>(
        problem.rows, problem.k + static_cast<int64_t>(without[q].size())));
  }
  std::vector<float> products(queries * std::min(kVectorBlock, problem.rows));
  for (int64_t row = 0; row < problem.rows; row += kVectorBlock) {
    const int rows =
        static_cast<int>(std::min(kVectorBlock, problem.rows - row));
    Multiply(problem, begin, queries, row, rows, products.data());
    for (int q = 0; q < queries; ++q) {
      tops[q].Offer(
          static_cast<int32_t>(row),
          {products.data() + int64_t{q} * rows, static_cast<size_t>(rows)});
    }
  }
  for (int q = 0; q < queries; ++q) {
    std::vector<Neighbor> best = tops[q].Take();
    std::erase_if(best, [&](const Neighbor& neighbor) {
      return std::binary_search(without[q].begin(), without[q].end(),
                                neighbor.row);
    });
    if (best.size() > static_cast<size_t>(problem.k)) best.resize(problem.k);
    results[begin + q] = std::move(best);
  }
}

}  // namespace

absl::StatusOr<std::vector<std::vector<Neighbor>>> ExactTopK(
    absl::Span<const float> vectors, absl::Span<const float> queries,
    int32_t dimension, int32_t k, int32_t threads,
    const ExcludedRows& excluded) {
  if (dimension < 1 || k < 1 || vectors.size() % dimension != 0 ||
      queries.size() % dimension != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "exact search of k = ", k, " in ", dimension, " dimensions, ",
        vectors.size(), " floats of vectors, ", queries.size(),
        " of queries: k and dimension must be positive, and rows whole"));
  }
  const int64_t count = queries.size() / dimension;
  const Problem problem = {
      vectors,   queries, static_cast<int64_t>(vectors.size() / dimension),
      dimension, k,       excluded};
  std::vector<std::vector<Neighbor>> results(count);
  const int64_t blocks = (count + kQueryBlock - 1) / kQueryBlock;
  // One block a thread; within a team BLAS stays on the calling thread, and
  // where the team is one thread, it has one as well.
  ScopedOmpThreads team(std::max(1, threads));
#pragma omp parallel for schedule(dynamic)
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = block * kQueryBlock;
    SearchBlock(problem, begin, std::min(begin + kQueryBlock, count), results);
  }
  return results;
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> ExactTopKAmong(
    absl::Span<const int32_t> rows, absl::Span<const float> vectors,
    absl::Span<const float> queries, int32_t dimension, int32_t k,
    int32_t threads, const ExcludedRows& excluded) {
  std::vector<float> some;
  some.reserve(rows.size() * dimension);
  for (const int32_t row : rows) {
    const auto x = vectors.begin() + int64_t{row} * dimension;
    some.insert(some.end(), x, x + dimension);
  }
  std::vector<std::vector<int32_t>> places;
  if (excluded) {
    for (int64_t q = 0; q * dimension < static_cast<int64_t>(queries.size());
         ++q) {
      places.emplace_back();
      for (const int32_t row : excluded(q)) {
        const auto at = std::lower_bound(rows.begin(), rows.end(), row);
        if (at != rows.end() && *at == row) {
          places.back().push_back(static_cast<int32_t>(at - rows.begin()));
        }
      }
    }
  }
  ExcludedRows of_query;
  if (excluded) {
    of_query = [&](int64_t q) { return absl::MakeConstSpan(places[q]); };
  }
  auto found = ExactTopK(some, queries, dimension, k, threads, of_query);
  if (!found.ok()) return found;
  for (std::vector<Neighbor>& list : *found) {
    for (Neighbor& one : list) one.row = rows[one.row];
  }
  return found;
}

std::vector<float> InnerProducts(absl::Span<const float> x,
                                 absl::Span<const float> vectors) {
  std::vector<float> products(vectors.size() / x.size());
  faiss::fvec_inner_products_ny(products.data(), x.data(), vectors.data(),
                                x.size(), products.size());
  return products;
}

}  // namespace segue
