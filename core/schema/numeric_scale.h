// How a number (track length, age) becomes an input of about unit scale.
#ifndef SEGUE_CORE_SCHEMA_NUMERIC_SCALE_H_
#define SEGUE_CORE_SCHEMA_NUMERIC_SCALE_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "segue/v1/bundle.pb.h"
#include "segue/v1/config.pb.h"

namespace segue {

// The transformed number. NaN, a missing value, becomes 0: the mean of a
// z-score, the median of a quantile transform. A z-score is clipped to +-1e6:
// what a client sends may be anything.
//
// Quantiles: the number's rank, interpolated between the reference quantiles
// (the mean of the leftmost and the rightmost rank where they tie), becomes the
// normal deviate of that probability, clipped to +-5.2; so does scikit-learn's
// QuantileTransformer.
float ApplyScale(const v1::NumericScale& scale, double value);

// Fits the transform to `values`; NaN ones are left out. A constant column gets
// a standard deviation of 1. InvalidArgument for LOG1P_Z_SCORE of a negative
// number; no values at all give the identity.
absl::StatusOr<v1::NumericScale> FitScale(v1::NumericTransform transform,
                                          absl::Span<const double> values);

}  // namespace segue

#endif  // SEGUE_CORE_SCHEMA_NUMERIC_SCALE_H_
