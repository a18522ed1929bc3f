#include "trainer/data/training_steps.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"

namespace segue {

absl::StatusOr<TrainingSteps> TrainingSteps::Create(
    const EventLog& log, const Split& split, const v1::TrainerConfig& config) {
  ASSIGN_OR_RETURN(
      WindowSampler windows,
      WindowSampler::Create(log, split, config.window(), config.seed()));
  TrainingSteps steps(std::move(windows));
  const int32_t batch = config.training().batch_size();
  steps.batch_ = std::min<int64_t>(batch, steps.windows_.examples());
  if (config.model().encoder().kind() != v1::EncoderConfig::MEAN) {
    ASSIGN_OR_RETURN(steps.sequences_,
                     SequenceSampler::Create(log, split, config.window(), batch,
                                             config.seed()));
  }
  return steps;
}

int64_t TrainingSteps::Steps(int64_t epoch) {
  if (sequences_) return sequences_->Steps(epoch);
  return windows_.examples() / batch_;
}

TrainingExamples TrainingSteps::Examples(int64_t epoch, int64_t step) {
  if (sequences_) return sequences_->Step(epoch, step);
  std::vector<EvaluationQuery> examples(batch_);
  for (int64_t b = 0; b < batch_; ++b) {
    examples[b] = windows_.Example(epoch, step * batch_ + b);
  }
  return examples;
}

int64_t TrainingSteps::examples_per_epoch() const {
  if (sequences_) return sequences_->targets();
  return windows_.examples() / batch_ * batch_;
}

int64_t TrainingSteps::CountTargets(const TrainingExamples& examples) const {
  if (const auto* windows =
          std::get_if<std::vector<EvaluationQuery>>(&examples)) {
    return static_cast<int64_t>(windows->size());
  }
  int64_t targets = 0;
  for (const TrainingSequence& sequence :
       std::get<std::vector<TrainingSequence>>(examples)) {
    targets += sequences_->Targets(sequence);
  }
  return targets;
}

}  // namespace segue
