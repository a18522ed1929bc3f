// The files of the synthetic data set, in Yambda's schemas.
#ifndef SEGUE_TRAINER_DATA_SYNTHETIC_WRITER_H_
#define SEGUE_TRAINER_DATA_SYNTHETIC_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainer/data/synthetic_catalogue.h"
#include "trainer/data/synthetic_listener.h"

namespace segue {

// Ids as Yambda has them: sparse, in no order. Pure functions of the seed.
struct SyntheticIds {
  SyntheticIds(const SyntheticCatalogue& catalogue, uint64_t seed);

  std::vector<uint32_t> items;
  std::vector<uint32_t> artists;
  std::vector<uint32_t> albums;
};

// Writes listens.parquet and multi_event.parquet at once, user by user. One
// thread.
class SyntheticEventWriter {
 public:
  static absl::StatusOr<std::unique_ptr<SyntheticEventWriter>> Create(
      const std::string& folder, const SyntheticCatalogue& catalogue,
      const SyntheticIds& ids);
  ~SyntheticEventWriter();

  // Users come by ascending uid.
  absl::Status Write(uint32_t uid, const std::vector<SyntheticEvent>& events);
  // Puts both files in their places.
  absl::Status Finish();

 private:
  struct State;
  explicit SyntheticEventWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Writes artist_item_mapping.parquet, album_item_mapping.parquet and
// items.parquet.
absl::Status WriteSyntheticCatalogue(const std::string& folder,
                                     const SyntheticCatalogue& catalogue,
                                     const SyntheticIds& ids, uint64_t seed);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SYNTHETIC_WRITER_H_
