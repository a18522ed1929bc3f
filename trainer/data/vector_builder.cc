#include "trainer/data/vector_builder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"

namespace segue {
namespace {

// Enough of a text to recognise it in an error.
constexpr size_t kShownBytes = 20;

}  // namespace

bool VectorBuilder::HasVector(int32_t owner) const {
  return owner < static_cast<int32_t>(has_vector_.size()) && has_vector_[owner];
}

absl::Status VectorBuilder::Parse(absl::string_view text) {
  for (absl::string_view piece : absl::StrSplit(text, separator_)) {
    piece = absl::StripAsciiWhitespace(piece);
    const char* end = piece.data() + piece.size();
    const auto parsed =
        std::from_chars(piece.data(), end, numbers_.emplace_back());
    if (parsed.ec == std::errc() && parsed.ptr == end) continue;
    const std::string shown(piece.substr(0, kShownBytes));
    return absl::InvalidArgumentError(absl::StrCat(
        "expected finite numbers split by '", separator_, "', found ",
        IsValidUtf8(shown) ? absl::StrCat("'", shown, "'") : "other bytes"));
  }
  return absl::OkStatus();
}

absl::Status VectorBuilder::CheckNumbers() const {
  for (size_t i = 0; i < numbers_.size(); ++i) {
    // A NaN is not at most anything.
    if (std::abs(numbers_[i]) <= std::numeric_limits<float>::max()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("expected finite numbers, found ", numbers_[i],
                     " at place ", i + 1, " of the vector"));
  }
  if (width_ == 0 || static_cast<int32_t>(numbers_.size()) == width_) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a vector of ", width_,
      " numbers, as those before it are, found one of ", numbers_.size()));
}

absl::Status VectorBuilder::Add(int32_t owner, const Column& column,
                                int64_t i) {
  numbers_.clear();
  if (column.IsList()) {
    for (int64_t v = column.begins[i]; v < column.begins[i + 1]; ++v) {
      numbers_.push_back(column.IsNull(v)
                             ? std::numeric_limits<double>::quiet_NaN()
                             : column.numbers[v]);
    }
  } else if (!column.IsNull(i)) {
    RETURN_IF_ERROR(Parse(column.texts[i]));
  }
  if (numbers_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckNumbers());
  if (width_ == 0) {
    width_ = static_cast<int32_t>(numbers_.size());
    vectors_.reserve(int64_t{reserved_owners_} * width_);
  }
  if (owner >= static_cast<int32_t>(has_vector_.size())) {
    has_vector_.resize(owner + 1);
    vectors_.resize((owner + int64_t{1}) * width_);
  }
  has_vector_[owner] = true;
  ++count_;
  std::transform(numbers_.begin(), numbers_.end(),
                 vectors_.begin() + int64_t{owner} * width_,
                 [](double x) { return static_cast<float>(x); });
  return absl::OkStatus();
}

v1::VectorScale VectorBuilder::Standardise() {
  const auto for_each_vector = [this](const auto& visit) {
    for (size_t owner = 0; owner < has_vector_.size(); ++owner) {
      if (has_vector_[owner]) visit(vectors_.data() + owner * width_);
    }
  };
  std::vector<double> mean(width_);
  for_each_vector([&](const float* vector) {
    for (int32_t j = 0; j < width_; ++j) mean[j] += vector[j];
  });
  for (double& x : mean) x /= static_cast<double>(count_);
  double squares = 0;
  for_each_vector([&](const float* vector) {
    for (int32_t j = 0; j < width_; ++j) {
      squares += (vector[j] - mean[j]) * (vector[j] - mean[j]);
    }
  });
  const double length = std::sqrt(squares / static_cast<double>(count_));
  const double scale = length > 0 ? 1 / length : 1;
  for_each_vector([&](float* vector) {
    for (int32_t j = 0; j < width_; ++j) {
      vector[j] = static_cast<float>((vector[j] - mean[j]) * scale);
    }
  });
  v1::VectorScale used;
  used.mutable_mean()->Add(mean.begin(), mean.end());
  used.set_factor(static_cast<float>(scale));
  return used;
}

void VectorBuilder::Finish(int64_t rows, FeatureTable& table) {
  if (count_ > 0) table.vector_scale = Standardise();
  vectors_.resize(rows * width_);
  table.vectors = std::move(vectors_);
  table.vector_width = width_;
  *this = VectorBuilder(separator_);
}

void RescaleVectors(const v1::VectorScale& scale, FeatureTable& table) {
  const v1::VectorScale before = table.vector_scale;
  const int32_t width = table.vector_width;
  if (std::equal(before.mean().begin(), before.mean().end(),
                 scale.mean().begin(), scale.mean().end()) &&
      before.factor() == scale.factor()) {
    return;
  }
  for (auto vector = table.vectors.begin(); vector != table.vectors.end();
       vector += width) {
    if (std::all_of(vector, vector + width, [](float x) { return x == 0; })) {
      continue;
    }
    for (int32_t j = 0; j < width; ++j) {
      const float number = vector[j] / before.factor() + before.mean(j);
      vector[j] = (number - scale.mean(j)) * scale.factor();
    }
  }
  table.vector_scale = scale;
}

}  // namespace segue
