// Example age: how long before the end of training an example happened
// (Covington et al. 2016, section 3.3).
#ifndef SEGUE_TRAINER_MODEL_AGE_H_
#define SEGUE_TRAINER_MODEL_AGE_H_

#include <cstdint>
#include <optional>

#include "segue/v1/bundle.pb.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// age(t) = log1p(latest training time - t), z-scored over the training events
// that can be targets. Switched off it is 0 everywhere. A value.
class AgeScale {
 public:
  // `kept`, if not null, is the z-score of an earlier bundle: an age goes on
  // meaning what it meant to the weights.
  static AgeScale Fit(const EventLog& log, const Split& split,
                      const v1::TrainerConfig& config,
                      const v1::NumericScale* kept = nullptr);

  float Of(uint32_t time) const;
  // What requests are served at: a low quantile of the training ages, because
  // 0 would be the average age and "now" lies far outside of what was trained.
  float serving() const { return serving_; }
  // Nothing if it is switched off.
  std::optional<v1::NumericScale> scale() const;

 private:
  bool on_ = false;
  uint32_t latest_ = 0;
  double mean_ = 0;
  double deviation_ = 1;
  float serving_ = 0;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_AGE_H_
