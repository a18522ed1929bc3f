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
  // The only rows to answer with; null: all. Below, a place is one in it.
  const absl::Span<const int32_t>* among;
  int32_t dimension;
  int32_t k;
  const ExcludedRows& excluded;

  int64_t rows() const {
    return static_cast<int64_t>(vectors.size()) / dimension;
  }
  int64_t places() const {
    return among != nullptr ? static_cast<int64_t>(among->size()) : rows();
  }
  int32_t RowAt(int32_t place) const {
    return among != nullptr ? (*among)[place] : place;
  }
};

// The vectors of places [first, first + count); `copied` is room for them where
// they do not lie side by side.
const float* VectorsAt(const Problem& problem, int64_t first, int64_t count,
                       std::vector<float>& copied) {
  const int64_t d = problem.dimension;
  if (problem.among == nullptr) return problem.vectors.data() + first * d;
  copied.resize(count * d);
  for (int64_t i = 0; i < count; ++i) {
    std::copy_n(problem.vectors.data() + (*problem.among)[first + i] * d, d,
                copied.data() + i * d);
  }
  return copied.data();
}

// products[q][v] = query (first_query + q) . vector v.
void Multiply(const Problem& problem, int64_t first_query, int queries,
              const float* vectors, int count, float* products) {
  const float one = 1, zero = 0;
  const int d = problem.dimension;
  sgemm_("T", "N", &count, &queries, &d, &one, vectors, &d,
         problem.queries.data() + first_query * d, &d, &zero, products, &count);
}

// Queries [begin, end), at most kQueryBlock of them.
void SearchBlock(const Problem& problem, int64_t begin, int64_t end,
                 std::vector<std::vector<Neighbor>>& results) {
  const int queries = static_cast<int>(end - begin);
  const int64_t places = problem.places();
  std::vector<std::vector<int32_t>> without(queries);
  std::vector<TopK> tops;
  for (int q = 0; q < queries; ++q) {
    without[q] = SortedExcluded(problem.excluded, begin + q, problem.rows());
    tops.emplace_back(std::min<int64_t>(
        places, problem.k + static_cast<int64_t>(without[q].size())));
  }
  std::vector<float> products(queries * std::min(kVectorBlock, places));
  std::vector<float> copied;
  for (int64_t first = 0; first < places; first += kVectorBlock) {
    const int count = static_cast<int>(std::min(kVectorBlock, places - first));
    Multiply(problem, begin, queries, VectorsAt(problem, first, count, copied),
             count, products.data());
    for (int q = 0; q < queries; ++q) {
      tops[q].Offer(
          static_cast<int32_t>(first),
          {products.data() + int64_t{q} * count, static_cast<size_t>(count)});
    }
  }
  for (int q = 0; q < queries; ++q) {
    std::vector<Neighbor> best = tops[q].Take();
    for (Neighbor& neighbor : best) neighbor.row = problem.RowAt(neighbor.row);
    std::erase_if(best, [&](const Neighbor& neighbor) {
      return std::binary_search(without[q].begin(), without[q].end(),
                                neighbor.row);
    });
    if (best.size() > static_cast<size_t>(problem.k)) best.resize(problem.k);
    results[begin + q] = std::move(best);
  }
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> Solve(const Problem& problem,
                                                         int32_t threads) {
  const int32_t d = problem.dimension;
  if (d < 1 || problem.k < 1 || problem.vectors.size() % d != 0 ||
      problem.queries.size() % d != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "exact search of k = ", problem.k, " in ", d, " dimensions, ",
        problem.vectors.size(), " floats of vectors, ", problem.queries.size(),
        " of queries: k and dimension must be positive, and rows whole"));
  }
  const auto count = static_cast<int64_t>(problem.queries.size()) / d;
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

}  // namespace

absl::StatusOr<std::vector<std::vector<Neighbor>>> ExactTopK(
    absl::Span<const float> vectors, absl::Span<const float> queries,
    int32_t dimension, int32_t k, int32_t threads,
    const ExcludedRows& excluded) {
  return Solve({vectors, queries, nullptr, dimension, k, excluded}, threads);
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> ExactTopKAmong(
    absl::Span<const int32_t> rows, absl::Span<const float> vectors,
    absl::Span<const float> queries, int32_t dimension, int32_t k,
    int32_t threads, const ExcludedRows& excluded) {
  return Solve({vectors, queries, &rows, dimension, k, excluded}, threads);
}

std::vector<float> InnerProducts(absl::Span<const float> x,
                                 absl::Span<const float> vectors) {
  std::vector<float> products(vectors.size() / x.size());
  faiss::fvec_inner_products_ny(products.data(), x.data(), vectors.data(),
                                x.size(), products.size());
  return products;
}

}  // namespace segue
