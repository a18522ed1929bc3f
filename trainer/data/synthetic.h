// Makes a data set of Yambda's shape (arXiv 2505.22238) with structure that a
// model can learn.
#ifndef SEGUE_TRAINER_DATA_SYNTHETIC_H_
#define SEGUE_TRAINER_DATA_SYNTHETIC_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace segue {

struct SyntheticOptions {
  std::string out_folder;
  int64_t users = 10000;
  int64_t items = 200000;
  int64_t events = 5000000;
  uint64_t seed = 1;
};

// Writes listens.parquet, multi_event.parquet, artist_item_mapping.parquet,
// album_item_mapping.parquet (Yambda's flat schemas) and items.parquet
// (item_id, title, artist: names to show people). Users have tastes that drift,
// artists and albums group items of like taste, popularity has a long tail,
// listening comes in sessions, and played ratios depend on taste. Deterministic
// for a seed; each file appears whole or not at all.
absl::Status WriteSyntheticDataset(
    const SyntheticOptions& options,
    const std::function<void(absl::string_view)>& progress);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SYNTHETIC_H_
