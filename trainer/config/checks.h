// What is wrong with a configuration, gathered field by field.
#ifndef SEGUE_TRAINER_CONFIG_CHECKS_H_
#define SEGUE_TRAINER_CONFIG_CHECKS_H_

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/config/text_proto.h"
#include "segue/v1/config.pb.h"

namespace segue {

// Gathers violations; each check names the field's path.
class Checks {
 public:
  void Require(bool holds, absl::string_view field, absl::string_view what) {
    if (!holds) violations_.push_back(absl::StrCat(field, ": ", what));
  }
  template <typename T>
  void AtLeast(T value, T least, absl::string_view field) {
    Require(value >= least, field,
            absl::StrCat("is ", value, ", must be at least ", least));
  }
  // [0, 1)
  void Share(double value, absl::string_view field) {
    Require(value >= 0 && value < 1, field,
            absl::StrCat("is ", value, ", must be in [0, 1)"));
  }
  // [0, 1]
  void Fraction(double value, absl::string_view field) {
    Require(value >= 0 && value <= 1, field,
            absl::StrCat("is ", value, ", must be in [0, 1]"));
  }
  // (0, infinity)
  void Positive(double value, absl::string_view field) {
    Require(value > 0 && std::isfinite(value), field,
            absl::StrCat("is ", value, ", must be above 0 and finite"));
  }
  absl::Status ToStatus() const { return ViolationsToStatus(violations_); }

 private:
  std::vector<std::string> violations_;
};

// The parts of ValidateTrainerConfig(). Some look at other parts of the
// configuration too.
//
// Events, items, users, split and windows. (data_checks.cc)
void CheckData(const v1::TrainerConfig& config, Checks& checks);
// Towers, loss, optimiser and schedule. (model_checks.cc)
void CheckModelAndTraining(const v1::TrainerConfig& config, Checks& checks);

// Of the vectors.
int32_t Dimension(const v1::ModelConfig& model);

}  // namespace segue

#endif  // SEGUE_TRAINER_CONFIG_CHECKS_H_
