// Searches of one query after the other, timed in turns and held against the
// exact answers.
#ifndef SEGUE_TESTS_BENCH_INDEX_TIMING_H_
#define SEGUE_TESTS_BENCH_INDEX_TIMING_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/index/vector_index.h"
#include "tests/bench/index_data.h"
#include "tests/bench/timing.h"

namespace segue::bench {

using Lists = std::vector<std::vector<int32_t>>;
// The rows that one query [d] is answered with.
using Answer = std::function<std::vector<int32_t>(absl::Span<const float>)>;

// What `options` find; no rows where the search fails.
Answer AnswerOf(const VectorIndex& index, const SearchOptions& options);

// The k best for each of the data's queries, of all items or of `rows`.
absl::StatusOr<Lists> ExactLists(const IndexData& data, int32_t k,
                                 int32_t threads);
absl::StatusOr<Lists> ExactLists(const IndexData& data,
                                 const std::vector<int32_t>& rows, int32_t k,
                                 int32_t threads);

// One of index_bench's lines begins so.
JsonLine Line(absl::string_view what, absl::string_view name);

struct Searches {
  double overlap = 0;       // @k, a mean
  double microseconds = 0;  // of one query, a mean
};

// Answers the data's queries on this thread.
Searches Measure(const IndexData& data, const Lists& exact, int32_t k,
                 const Answer& answer);

// Two ways to answer, one after the other, several times.
struct InTurns {
  double overlap = 0, other_overlap = 0;
  std::vector<double> microseconds, other_microseconds;
  std::vector<double> ratios;  // of the times: the other's by that of the first
};
InTurns MeasureInTurns(int32_t repetitions,
                       const std::function<Searches()>& first,
                       const std::function<Searches()>& other);

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_INDEX_TIMING_H_
