#include "trainer/publish/fused_rows.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/schema/numeric_scale.h"

namespace segue {
namespace {

v1::FeatureColumn::Kind KindOf(const FeatureTable& table) {
  switch (table.kind) {
    case v1::CATEGORICAL:
      return v1::FeatureColumn::CATEGORICAL;
    case v1::MULTI_CATEGORICAL:
      return v1::FeatureColumn::MULTI_CATEGORICAL;
    case v1::NUMERIC:
      return v1::FeatureColumn::NUMERIC;
    case v1::VECTOR:
      return v1::FeatureColumn::VECTOR;
  }
  return v1::FeatureColumn::KIND_UNSPECIFIED;
}

bool HasEmbeddings(const FeatureTable& table) {
  return table.kind == v1::CATEGORICAL || table.kind == v1::MULTI_CATEGORICAL;
}

}  // namespace

absl::StatusOr<FusedRows> FusedRows::Create(const WarmStartBundle& bundle,
                                            const Dataset& data) {
  const v1::FeatureSchema& schema = bundle.schema;
  const auto differ = [](const auto&... what) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the items are not those of the bundle's model: ", what...));
  };
  if (static_cast<int>(data.item_features.size()) !=
      schema.item_features_size()) {
    return differ(data.item_features.size(), " features, the bundle has ",
                  schema.item_features_size());
  }
  for (int i = 0; i < schema.item_features_size(); ++i) {
    const FeatureTable& table = data.item_features[i];
    const v1::FeatureColumn& column = schema.item_features(i);
    if (table.name != column.name() || KindOf(table) != column.kind()) {
      return differ("feature ", i, " is \"", table.name, "\", ",
                    v1::FeatureKind_Name(table.kind), ", the bundle has \"",
                    column.name(), "\", ",
                    v1::FeatureColumn::Kind_Name(column.kind()));
    }
    if (table.kind == v1::VECTOR && table.vector_width != column.width()) {
      return differ("the vectors of \"", table.name, "\" have ",
                    table.vector_width, " numbers, those of the bundle ",
                    column.width());
    }
  }
  return FusedRows(bundle, data);
}

FusedRows::FusedRows(const WarmStartBundle& bundle, const Dataset& data)
    : bundle_(&bundle),
      data_(&data),
      width_(bundle.bundle.content().item_row_width()),
      kept_(data.item_features.size()) {}

void FusedRows::Compose(int32_t item, const float* given,
                        absl::Span<float> out) const {
  const v1::FeatureSchema& schema = bundle_->schema;
  const float* own = bundle_->items.Of(data_->items.id(item));
  std::copy_n(own, schema.item_embedding_width(), out.begin());
  for (int i = 0; i < schema.item_features_size(); ++i) {
    const v1::FeatureColumn& column = schema.item_features(i);
    const FeatureTable& table = data_->item_features[i];
    float* to = out.data() + column.offset();
    if (kept_[i] && given != nullptr) {
      std::copy_n(given + column.offset(), column.width(), to);
    } else if (HasEmbeddings(table)) {
      ComposeValues(i, item, to);
    } else if (table.kind == v1::NUMERIC) {
      *to = ApplyScale(column.scale(), table.numbers[item]);
    } else {
      std::copy_n(table.vectors.begin() + int64_t{item} * column.width(),
                  column.width(), to);
    }
  }
}

void FusedRows::ComposeValues(int32_t feature, int32_t item, float* out) const {
  const int32_t width = bundle_->schema.item_features(feature).width();
  const LearntRows& learnt = bundle_->item_features[feature];
  const FeatureTable& table = data_->item_features[feature];
  const absl::Span<const int32_t> values = table.Values(item);
  if (values.empty()) {
    std::copy_n(learnt.Row(learnt.ids().unknown_row()), width, out);
    return;
  }
  std::fill_n(out, width, 0.0f);
  for (const int32_t value : values) {
    const float* embedding = learnt.Of(table.values.id(value));
    for (int32_t j = 0; j < width; ++j) out[j] += embedding[j];
  }
  for (int32_t j = 0; j < width; ++j) {
    out[j] /= static_cast<float>(values.size());
  }
}

bool FusedRows::KnowsAnyValue(int32_t item) const {
  for (size_t i = 0; i < data_->item_features.size(); ++i) {
    const FeatureTable& table = data_->item_features[i];
    if (HasEmbeddings(table)) {
      for (const int32_t value : table.Values(item)) {
        if (bundle_->item_features[i].ids().Find(table.values.id(value))) {
          return true;
        }
      }
    } else if (table.kind == v1::NUMERIC) {
      if (!std::isnan(table.numbers[item])) return true;
    } else {
      const auto begin =
          table.vectors.begin() + int64_t{item} * table.vector_width;
      if (std::any_of(begin, begin + table.vector_width,
                      [](float x) { return x != 0; })) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace segue
