#include "tests/bench/index_timing.h"

#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/metrics/overlap.h"

namespace segue::bench {
namespace {

Lists RowsOfAll(const std::vector<std::vector<Neighbor>>& neighbors) {
  Lists lists;
  for (const auto& list : neighbors) lists.push_back(RowsOf(list));
  return lists;
}

}  // namespace

Answer AnswerOf(const VectorIndex& index, const SearchOptions& options) {
  return [&index, options](absl::Span<const float> query) {
    const auto found = index.Search(query, options);
    return found.ok() ? RowsOf(found->neighbors) : std::vector<int32_t>();
  };
}

absl::StatusOr<Lists> ExactLists(const IndexData& data, int32_t k,
                                 int32_t threads) {
  ASSIGN_OR_RETURN(const auto neighbors,
                   ExactTopK(data.items, data.queries, data.dimension, k,
                             threads, /*excluded=*/{}));
  return RowsOfAll(neighbors);
}

absl::StatusOr<Lists> ExactLists(const IndexData& data,
                                 const std::vector<int32_t>& rows, int32_t k,
                                 int32_t threads) {
  ASSIGN_OR_RETURN(
      const auto neighbors,
      ExactTopKAmong(rows, data.items, data.queries, data.dimension, k, threads,
                     /*excluded=*/{}));
  return RowsOfAll(neighbors);
}

JsonLine Line(absl::string_view what, absl::string_view name) {
  return JsonLine().Add("what", what).Add("name", name);
}

Searches Measure(const IndexData& data, const Lists& exact, int32_t k,
                 const Answer& answer) {
  const size_t d = data.dimension;
  Searches searches;
  double seconds = 0;
  for (size_t q = 0; q < exact.size(); ++q) {
    const auto query = absl::MakeConstSpan(data.queries).subspan(q * d, d);
    const double start = Now();
    const std::vector<int32_t> rows = answer(query);
    seconds += Now() - start;
    searches.overlap += OverlapAtK(exact[q], rows, k);
  }
  const auto count = static_cast<double>(exact.size());
  searches.overlap /= count;
  searches.microseconds = 1e6 * seconds / count;
  return searches;
}

InTurns MeasureInTurns(int32_t repetitions,
                       const std::function<Searches()>& first,
                       const std::function<Searches()>& other) {
  InTurns turns;
  for (int32_t r = 0; r < repetitions; ++r) {
    const Searches own = first(), others = other();
    turns.overlap = own.overlap;
    turns.other_overlap = others.overlap;
    turns.microseconds.push_back(own.microseconds);
    turns.other_microseconds.push_back(others.microseconds);
    turns.ratios.push_back(others.microseconds / own.microseconds);
  }
  return turns;
}

}  // namespace segue::bench
