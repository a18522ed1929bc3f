// The benchmarks of the trainer. Each prints one line of JSON.
#ifndef SEGUE_TESTS_BENCH_BENCHMARKS_H_
#define SEGUE_TESTS_BENCH_BENCHMARKS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "segue/v1/config.pb.h"
#include "tests/bench/seed_model.h"

namespace segue::bench {

// Training steps of the seed's model, drawn and done as the training loop does
// them; the same with the one batch over and over; and the share of a step that
// is spent in matrix products. The three take turns.
absl::Status BenchStep(const SeedSizes& sizes, int32_t steps);

// Training steps with tables of so many rows in all (at least one number),
// which take turns; divided into items, artists and albums as the seed's are.
// The batches are alike, their rows lie further apart; `evenly`: SeedSizes.
absl::Status BenchRows(const std::vector<int64_t>& rows, bool evenly,
                       int32_t steps);

// Vectors of all items of the seed's model.
absl::Status BenchEmbed(const SeedSizes& sizes, int32_t repetitions);

// What `train` does with its data before the first step: read, order, split,
// prepare to draw. Once a process, so that its peak memory is told.
absl::Status BenchRead(const v1::TrainerConfig& config);

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_BENCHMARKS_H_
