#include "trainer/model/batch.h"

#include <algorithm>

#include "core/history/window.h"
#include "trainer/base/random.h"

namespace segue {
namespace {

// Of the hidden items, the share that hides its features too.
constexpr double kEverythingShare = 0.2;

constexpr uint64_t kItemSalt = 0x6974656d;
constexpr uint64_t kUserSalt = 0x75736572;

Hidden Draw(double dropout, uint64_t key) {
  if (dropout <= 0) return Hidden::kNothing;
  const double drawn = UnitInterval(key);
  if (drawn >= dropout) return Hidden::kNothing;
  return drawn < dropout * kEverythingShare ? Hidden::kEverything : Hidden::kId;
}

}  // namespace

Batch::Batch(const Dataset& data, const Options& options)
    : data_(data),
      options_(options),
      window_(options.history_length),
      place_of_item_(data.items.rows(), -1),
      place_of_user_(data.users.rows(), -1) {}

void Batch::Clear(int64_t step) {
  step_ = step;
  for (const int64_t row : items_) place_of_item_[row] = -1;
  for (const int64_t row : users_) place_of_user_[row] = -1;
  for (auto* list :
       {&items_, &users_, &events_, &positions_, &begins_, &times_}) {
    list->clear();
  }
  for (auto* list : {&item_places_, &user_places_, &targets_}) list->clear();
  hidden_items_.clear();
  hidden_users_.clear();
  mask_.clear();
}

int32_t Batch::ItemPlace(int32_t row) {
  if (row == kPaddingRow) return -1;
  int32_t& place = place_of_item_[row];
  if (place < 0) {
    place = static_cast<int32_t>(items_.size());
    items_.push_back(row);
    hidden_items_.push_back(
        Draw(options_.item_dropout,
             Mix64(options_.seed ^ kItemSalt, Mix64(step_, row))));
  }
  return place;
}

void Batch::AddPrediction(int32_t user, int64_t target) {
  targets_.push_back(data_.log.items[target]);
  events_.push_back(target);
  int32_t& place = place_of_user_[user];
  if (place < 0) {
    place = static_cast<int32_t>(users_.size());
    users_.push_back(user);
    // A new user has no features either.
    hidden_users_.push_back(
        Draw(options_.user_dropout,
             Mix64(options_.seed ^ kUserSalt, Mix64(step_, user))));
  }
  user_places_.push_back(place);
}

void Batch::FillWindows(int64_t step,
                        absl::Span<const EvaluationQuery> examples) {
  Clear(step);
  const int32_t n = options_.history_length;
  const auto size = static_cast<int64_t>(examples.size());
  item_places_.resize(size * (n + 1));
  mask_.resize(size * n);
  if (options_.times) times_.resize(size * n);
  const EventLog& log = data_.log;
  for (int64_t b = 0; b < size; ++b) {
    const EvaluationQuery& example = examples[b];
    const int64_t begin = log.user_begins[example.user];
    const int32_t newest = FillWindow(
        absl::MakeConstSpan(log.items).subspan(begin, example.target - begin),
        data_.items.unknown_row(), absl::MakeSpan(window_),
        absl::MakeSpan(mask_).subspan(b * n, n));
    if (options_.times) {
      FillWindowTimes(
          absl::MakeConstSpan(log.times).subspan(begin, example.target - begin),
          log.times[example.target], absl::MakeSpan(times_).subspan(b * n, n));
    }
    for (int32_t i = 0; i < n; ++i) {
      item_places_[b * n + i] = ItemPlace(window_[i]);
    }
    item_places_[size * n + b] = ItemPlace(newest);
    AddPrediction(example.user, example.target);
  }
}

void Batch::FillSequences(int64_t step,
                          absl::Span<const TrainingSequence> sequences) {
  Clear(step);
  begins_.push_back(0);
  for (const TrainingSequence& sequence : sequences) {
    for (int32_t i = 0; i < sequence.length; ++i) {
      const int64_t event = sequence.begin + i;
      item_places_.push_back(ItemPlace(data_.log.items[event]));
      if (options_.times) times_.push_back(data_.log.times[event]);
      positions_.push_back(sequence.length - 1 - i);
      AddPrediction(sequence.user, event + 1);
    }
    begins_.push_back(static_cast<int64_t>(targets_.size()));
  }
}

absl::Span<const int32_t> Batch::History(int32_t prediction) const {
  const absl::Span<const int32_t> all = item_places_;
  if (begins_.empty()) {
    const int64_t n = options_.history_length;
    return all.subspan(prediction * n, n);
  }
  const int64_t begin =
      *(std::upper_bound(begins_.begin(), begins_.end(), prediction) - 1);
  return all.subspan(begin, prediction + 1 - begin);
}

void Batch::AddCandidates(absl::Span<const int32_t> items) {
  for (const int32_t item : items) item_places_.push_back(ItemPlace(item));
  SortByPlace();
}

void Batch::SortByPlace() {
  place_begins_.assign(items_.size() + 1, 0);
  for (int32_t place : item_places_) {
    if (place >= 0) ++place_begins_[place + 1];
  }
  for (size_t p = 1; p < place_begins_.size(); ++p) {
    place_begins_[p] += place_begins_[p - 1];
  }
  by_place_.resize(place_begins_.back());
  std::vector<int32_t> next(place_begins_.begin(), place_begins_.end() - 1);
  for (size_t o = 0; o < item_places_.size(); ++o) {
    const int32_t place = item_places_[o];
    if (place >= 0) by_place_[next[place]++] = static_cast<int32_t>(o);
  }
}

}  // namespace segue
