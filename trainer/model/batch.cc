#include "trainer/model/batch.h"

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

int32_t Batch::ItemPlace(int64_t step, int32_t row) {
  if (row == kPaddingRow) return -1;
  int32_t& place = place_of_item_[row];
  if (place < 0) {
    place = static_cast<int32_t>(items_.size());
    items_.push_back(row);
    hidden_items_.push_back(
        Draw(options_.item_dropout,
             Mix64(options_.seed ^ kItemSalt, Mix64(step, row))));
  }
  return place;
}

void Batch::Fill(int64_t step, absl::Span<const EvaluationQuery> examples) {
  for (int64_t row : items_) place_of_item_[row] = -1;
  items_.clear();
  hidden_items_.clear();
  users_.clear();
  hidden_users_.clear();
  const int32_t n = options_.history_length;
  size_ = static_cast<int32_t>(examples.size());
  item_places_.resize(size_ * (n + 2));
  user_places_.resize(size_);
  targets_.resize(size_);
  events_.resize(size_);
  mask_.resize(size_ * n);
  const EventLog& log = data_.log;
  for (int32_t b = 0; b < size_; ++b) {
    const EvaluationQuery& example = examples[b];
    const int64_t begin = log.user_begins[example.user];
    const int32_t newest = FillWindow(
        absl::MakeConstSpan(log.items).subspan(begin, example.target - begin),
        data_.items.unknown_row(), absl::MakeSpan(window_),
        absl::MakeSpan(mask_).subspan(b * n, n));
    for (int32_t i = 0; i < n; ++i) {
      item_places_[b * n + i] = ItemPlace(step, window_[i]);
    }
    item_places_[size_ * n + b] = ItemPlace(step, newest);
    targets_[b] = log.items[example.target];
    item_places_[size_ * (n + 1) + b] = ItemPlace(step, targets_[b]);
    events_[b] = example.target;

    int32_t& place = place_of_user_[example.user];
    if (place < 0) {
      place = static_cast<int32_t>(users_.size());
      users_.push_back(example.user);
      // A new user has no features either.
      hidden_users_.push_back(
          Draw(options_.user_dropout,
               Mix64(options_.seed ^ kUserSalt, Mix64(step, example.user))));
    }
    user_places_[b] = place;
  }
  for (int64_t row : users_) place_of_user_[row] = -1;
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
