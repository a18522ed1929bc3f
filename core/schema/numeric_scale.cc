#include "core/schema/numeric_scale.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace segue {
namespace {

constexpr int kQuantiles = 1000;
constexpr double kTail = 1e-7;  // probability that is clipped at either end
// That a z-score is from the mean at most: towers multiply and square it in
// floats, and a vector that is not finite is no answer.
constexpr double kMostDeviations = 1e6;

// Inverse of the normal distribution function, by Acklam's rational
// approximation (relative error below 1.2e-9) and one Halley step.
double NormalDeviate(double p) {
  static constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                                 -2.759285104469687e+02, 1.383577518672690e+02,
                                 -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                                 -1.556989798598866e+02, 6.680131188771972e+01,
                                 -1.328068155288572e+01};
  static constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                                 -2.400758277161838e+00, -2.549732539343734e+00,
                                 4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01,
                                 2.445134137142996e+00, 3.754408661907416e+00};
  const auto tail = [&](double q) {
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q +
            c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  };
  constexpr double kLow = 0.02425;
  double x;
  if (p < kLow) {
    x = tail(std::sqrt(-2 * std::log(p)));
  } else if (p > 1 - kLow) {
    x = -tail(std::sqrt(-2 * std::log(1 - p)));
  } else {
    const double q = p - 0.5;
    const double r = q * q;
    x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) *
        q / (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
  }
  const double e = 0.5 * std::erfc(-x / std::sqrt(2.0)) - p;
  const double u = e * std::sqrt(2 * M_PI) * std::exp(x * x / 2);
  return x - u / (1 + x * u / 2);
}

// Rank of `value` among the reference quantiles, in [0, 1].
double Rank(const google::protobuf::RepeatedField<double>& quantiles,
            double value) {
  const auto begin = quantiles.begin();
  const auto end = quantiles.end();
  const double last = quantiles.size() - 1;
  const auto low = std::lower_bound(begin, end, value);
  const auto high = std::upper_bound(low, end, value);
  if (low != high) {  // ties: the middle of the run
    return ((low - begin) + (high - 1 - begin)) / 2.0 / last;
  }
  if (low == begin) return 0;
  if (low == end) return 1;
  const double step = (value - *(low - 1)) / (*low - *(low - 1));
  return ((low - 1 - begin) + step) / last;
}

void FitQuantiles(std::vector<double>& values, v1::NumericScale& scale) {
  std::sort(values.begin(), values.end());
  const int count = std::min<int>(kQuantiles, static_cast<int>(values.size()));
  for (int i = 0; i < count; ++i) {
    const double at =
        count == 1 ? 0 : double(i) * (values.size() - 1) / (count - 1);
    const size_t low = static_cast<size_t>(at);
    const size_t high = std::min(low + 1, values.size() - 1);
    scale.add_quantiles(values[low] +
                        (at - low) * (values[high] - values[low]));
  }
}

}  // namespace

float ApplyScale(const v1::NumericScale& scale, double value) {
  if (std::isnan(value)) return 0;
  if (scale.quantiles_size() == 1) return 0;
  if (scale.quantiles_size() > 1) {
    const double rank = Rank(scale.quantiles(), value);
    return static_cast<float>(
        NormalDeviate(std::clamp(rank, kTail, 1 - kTail)));
  }
  if (scale.log1p()) value = std::log1p(value);
  if (!std::isfinite(value)) return 0;
  const double deviation = scale.standard_deviation();
  return static_cast<float>(
      std::clamp((value - scale.mean()) / (deviation > 0 ? deviation : 1),
                 -kMostDeviations, kMostDeviations));
}

absl::StatusOr<v1::NumericScale> FitScale(v1::NumericTransform transform,
                                          absl::Span<const double> values) {
  std::vector<double> known;
  known.reserve(values.size());
  for (double value : values) {
    if (!std::isnan(value)) known.push_back(value);
  }
  v1::NumericScale scale;
  scale.set_standard_deviation(1);
  if (known.empty()) return scale;
  if (transform == v1::QUANTILE_NORMAL) {
    FitQuantiles(known, scale);
    return scale;
  }
  if (transform == v1::LOG1P_Z_SCORE) {
    scale.set_log1p(true);
    for (double& value : known) {
      if (value < 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("LOG1P_Z_SCORE of a negative number: ", value));
      }
      value = std::log1p(value);
    }
  }
  double sum = 0, squares = 0;
  for (double value : known) sum += value;
  const double mean = sum / known.size();
  for (double value : known) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / known.size());
  scale.set_mean(mean);
  scale.set_standard_deviation(deviation > 0 ? deviation : 1);
  return scale;
}

}  // namespace segue
