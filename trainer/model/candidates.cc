#include "trainer/model/candidates.h"

#include <cmath>
#include <limits>
#include <utility>

#include "trainer/base/random.h"

namespace segue {
namespace {

constexpr uint64_t kSalt = 0x64726177;

}  // namespace

Candidates::Candidates(const Options& options, std::vector<int32_t> catalogue,
                       int64_t items)
    : options_(options),
      catalogue_(std::move(catalogue)),
      in_catalogue_(items, false),
      place_of_item_(items, -1) {
  for (const int32_t item : catalogue_) in_catalogue_[item] = true;
  if (options_.negatives != v1::LossConfig::FULL) return;
  for (const int32_t item : catalogue_) Add(item, 0);
  negatives_ = static_cast<int64_t>(items_.size());
}

void Candidates::Add(int32_t item, int32_t times) {
  int32_t& place = place_of_item_[item];
  if (place < 0) {
    place = static_cast<int32_t>(items_.size());
    items_.push_back(item);
    times_.push_back(0);
  }
  times_[place] += times;
}

void Candidates::Draw(int64_t step, absl::Span<const int32_t> targets,
                      const FrequencyEstimator& frequency) {
  targets_.clear();
  if (options_.negatives == v1::LossConfig::FULL) {
    for (const int32_t item : targets) targets_.push_back(Of(item));
    return;
  }
  for (const int32_t item : items_) place_of_item_[item] = -1;
  items_.clear();
  times_.clear();
  if (TargetsAreDrawn()) {
    for (const int32_t item : targets) Add(item, 1);
  }
  if (options_.negatives != v1::LossConfig::IN_BATCH) {
    Random random(Mix64(options_.seed ^ kSalt, static_cast<uint64_t>(step)));
    for (int32_t i = 0; i < options_.uniform_negatives; ++i) {
      Add(catalogue_[random.Below(catalogue_.size())], 1);
    }
  }
  negatives_ = static_cast<int64_t>(items_.size());
  for (const int32_t item : targets) {
    Add(item, 0);
    targets_.push_back(Of(item));
  }
  Correct(static_cast<int64_t>(targets.size()), frequency);
}

void Candidates::AddForPairs(int32_t item) {
  if (!in_catalogue_[item]) return;
  if (Of(item) < 0) {
    if (static_cast<int64_t>(items_.size()) >= kMostCandidates) return;
    Add(item, 0);
    negative_offsets_.push_back(-std::numeric_limits<float>::infinity());
    target_offsets_.push_back(0);
  }
  negatives_ = static_cast<int64_t>(items_.size());
}

void Candidates::Correct(int64_t queries, const FrequencyEstimator& frequency) {
  const double evenly =
      options_.negatives == v1::LossConfig::IN_BATCH
          ? 0
          : options_.uniform_negatives / static_cast<double>(catalogue_.size());
  negative_offsets_.resize(items_.size());
  target_offsets_.assign(items_.size(), 0);
  for (size_t c = 0; c < items_.size(); ++c) {
    double expected = 1;
    if (!TargetsAreDrawn()) {
      expected = evenly;
    } else if (options_.logq_correction) {
      expected =
          static_cast<double>(queries) * frequency.Probability(items_[c]) +
          evenly;
    }
    if (TargetsAreDrawn()) {
      target_offsets_[c] = static_cast<float>(-std::log(expected));
    }
    negative_offsets_[c] =
        times_[c] == 0 ? -std::numeric_limits<float>::infinity()
                       : static_cast<float>(std::log(times_[c] / expected));
  }
}

}  // namespace segue
