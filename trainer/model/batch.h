// The rows of a batch: which items it touches, and where each occurs.
#ifndef SEGUE_TRAINER_MODEL_BATCH_H_
#define SEGUE_TRAINER_MODEL_BATCH_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/data/dataset.h"
#include "trainer/data/sequence_sampler.h"
#include "trainer/data/split.h"
#include "trainer/model/row_encoder.h"

namespace segue {

// The predictions of a step, as places in lists of distinct rows. Reused from
// step to step; one thread.
//
// Filled with B windows it holds B predictions, with sequences as many as they
// have events. Occurrences of items are numbered: the histories (windows: [B,
// n], padded; sequences: their events, packed), then the B seeds of windows,
// then the candidates.
class Batch {
 public:
  struct Options {
    int32_t history_length = 10;
    bool times = false;  // whether times() are filled
    // Share of users and of items shown as unknown, drawn per (seed, step,
    // row); 0 outside of training.
    double user_dropout = 0;
    double item_dropout = 0;
    uint64_t seed = 1;
  };
  // Borrows `data`.
  Batch(const Dataset& data, const Options& options);

  // Each says what the target is, given the events before it.
  void FillWindows(int64_t step, absl::Span<const EvaluationQuery> examples);
  // Each event says what the next one is.
  void FillSequences(int64_t step,
                     absl::Span<const TrainingSequence> sequences);
  // Adds rows that are scored, and sorts the occurrences by place: what
  // training needs, once, after filling.
  void AddCandidates(absl::Span<const int32_t> items);

  // Predictions, P.
  int32_t size() const { return static_cast<int32_t>(targets_.size()); }
  int32_t history_length() const { return options_.history_length; }
  // Distinct rows, and what of each is hidden.
  const std::vector<int64_t>& items() const { return items_; }
  const std::vector<Hidden>& hidden_items() const { return hidden_items_; }
  const std::vector<int64_t>& users() const { return users_; }
  const std::vector<Hidden>& hidden_users() const { return hidden_users_; }
  // Place in items() of each occurrence; -1: padding.
  const std::vector<int32_t>& item_places() const { return item_places_; }
  // [P] place in users().
  const std::vector<int32_t>& user_places() const { return user_places_; }
  // [P] events of the targets: the rows of the request features.
  const std::vector<int64_t>& events() const { return events_; }
  const std::vector<int32_t>& targets() const { return targets_; }  // [P]
  // Of the histories' events: windows [B n], that of the target where there is
  // none; sequences [P].
  const std::vector<int64_t>& times() const { return times_; }
  // Windows: [B n], 1 an event, 0 padding.
  const std::vector<float>& mask() const { return mask_; }
  // Sequences: [P] how many events follow in the sequence; [sequences + 1].
  const std::vector<int64_t>& positions() const { return positions_; }
  const std::vector<int64_t>& begins() const { return begins_; }

  // Places of the items that a prediction knows, oldest first; -1: padding.
  absl::Span<const int32_t> History(int32_t prediction) const;

  // Occurrences by place: those of place p are
  // by_place()[place_begins()[p] .. place_begins()[p + 1]).
  const std::vector<int32_t>& place_begins() const { return place_begins_; }
  const std::vector<int32_t>& by_place() const { return by_place_; }

 private:
  void Clear(int64_t step);
  int32_t ItemPlace(int32_t row);
  void AddPrediction(int32_t user, int64_t target);
  void SortByPlace();

  const Dataset& data_;
  Options options_;
  int64_t step_ = 0;
  std::vector<int64_t> items_, users_, events_, positions_, begins_, times_;
  std::vector<Hidden> hidden_items_, hidden_users_;
  std::vector<int32_t> item_places_, user_places_, targets_;
  std::vector<float> mask_;
  std::vector<int32_t> place_begins_, by_place_;
  std::vector<int32_t> window_;         // [n] scratch
  std::vector<int32_t> place_of_item_;  // [item rows], -1: not in the batch
  std::vector<int32_t> place_of_user_;  // [user rows]
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_BATCH_H_
