#include "trainer/config/automatic_options.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace segue {
namespace {

double DropoutFor(double events_per_item) {
  constexpr double kSparse = 20, kDense = 200, kMost = 0.5, kLeast = 0.2;
  const double along =
      std::log(events_per_item / kSparse) / std::log(kDense / kSparse);
  const double dropout = kMost + (kLeast - kMost) * std::clamp(along, 0.0, 1.0);
  return std::round(dropout * 100) / 100;
}

}  // namespace

std::vector<std::string> FillAutomaticOptions(int64_t items, int64_t events,
                                              v1::TrainerConfig& config) {
  std::vector<std::string> lines;
  v1::LossConfig& loss = *config.mutable_training()->mutable_loss();
  if (loss.negatives() == v1::LossConfig::AUTO) {
    loss.set_negatives(items <= kFullSoftmaxItems ? v1::LossConfig::FULL
                                                  : v1::LossConfig::UNIFORM);
    lines.push_back(absl::StrFormat(
        "training.loss.negatives: %s, for %d items",
        v1::LossConfig::Negatives_Name(loss.negatives()), items));
  }
  v1::EncoderConfig& encoder = *config.mutable_model()->mutable_encoder();
  if (encoder.kind() != v1::EncoderConfig::MEAN && !encoder.has_dropout()) {
    const double density =
        static_cast<double>(events) / static_cast<double>(items);
    encoder.set_dropout(DropoutFor(density));
    lines.push_back(
        absl::StrFormat("model.encoder.dropout: %.2f, for %.1f events an item",
                        encoder.dropout(), density));
  }
  return lines;
}

}  // namespace segue
