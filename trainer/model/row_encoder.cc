#include "trainer/model/row_encoder.h"

#include <algorithm>
#include <utility>

#include "trainer/base/random.h"

namespace segue {

void RowEncoder::Slot::AddValue(int64_t row) {
  int32_t& slot = slot_of_row[row];
  if (slot < 0) {
    slot = static_cast<int32_t>(touched.size());
    touched.push_back(row);
  }
  slots.push_back(slot);
}

RowEncoder::RowEncoder(Options options) : options_(std::move(options)) {
  const auto add_table = [this](int64_t rows, int32_t width, int32_t feature) {
    Slot slot;
    slot.table = std::make_unique<EmbeddingTable>(
        rows, width, options_.adamw,
        Mix64(options_.seed, static_cast<uint64_t>(feature) + 1));
    slot.slot_of_row.assign(rows, -1);
    slot.offset = width_;
    slot.feature = feature;
    tables_.push_back(std::move(slot));
    width_ += width;
  };
  if (options_.ids != nullptr && options_.id_width > 0) {
    add_table(options_.ids->rows(), options_.id_width, -1);
  }
  for (size_t i = 0; i < options_.features.size(); ++i) {
    const EncodedFeature& feature = options_.features[i];
    offsets_.push_back(width_);
    if (feature.table->kind == v1::NUMERIC) {
      std::vector<float> scaled;
      scaled.reserve(feature.table->numbers.size());
      for (double number : feature.table->numbers) {
        scaled.push_back(ApplyScale(feature.scale, number));
      }
      numeric_.push_back(static_cast<int32_t>(i));
      scaled_.push_back(std::move(scaled));
      width_ += 1;
    } else if (feature.table->kind == v1::VECTOR) {
      vectors_.push_back(static_cast<int32_t>(i));
      width_ += feature.width;
    } else {
      add_table(feature.table->values.rows(), feature.width,
                static_cast<int32_t>(i));
    }
  }
}

int64_t RowEncoder::rows() const {
  return options_.ids != nullptr ? options_.ids->rows() : options_.entities;
}

int64_t RowEncoder::IdRow(int64_t row, Hidden hidden) const {
  const Vocabulary& ids = *options_.ids;
  if (row >= ids.size()) return row;
  const bool trained = options_.trained.empty() || options_.trained[row];
  if (hidden == Hidden::kNothing && trained) return row;
  return ids.UnknownRowOf(ids.id(static_cast<int32_t>(row)));
}

template <typename Visit>
void RowEncoder::ForEachValue(const Slot& slot, int64_t row, Hidden hidden,
                              const Visit& visit) const {
  if (slot.feature < 0) {
    visit(IdRow(row, hidden));
    return;
  }
  const FeatureTable& table = *options_.features[slot.feature].table;
  const bool known = hidden != Hidden::kEverything && row < options_.entities;
  const absl::Span<const int32_t> values =
      known ? table.Values(row) : absl::Span<const int32_t>();
  for (int32_t value : values) visit(value);
  if (values.empty()) visit(table.values.unknown_row());
}

float RowEncoder::Number(int32_t index, int64_t row, Hidden hidden) const {
  if (hidden == Hidden::kEverything || row >= options_.entities) return 0;
  return scaled_[index][row];
}

// What is given rather than learnt: numbers and vectors of the fused row `out`.
void RowEncoder::WriteGiven(int64_t row, Hidden hidden, float* out) const {
  for (size_t i = 0; i < numeric_.size(); ++i) {
    out[offsets_[numeric_[i]]] = Number(static_cast<int32_t>(i), row, hidden);
  }
  const bool known = hidden != Hidden::kEverything && row < options_.entities;
  for (const int32_t feature : vectors_) {
    const int32_t width = options_.features[feature].width;
    float* to = out + offsets_[feature];
    if (known) {
      const float* from =
          options_.features[feature].table->vectors.data() + row * width;
      std::copy(from, from + width, to);
    } else {
      std::fill(to, to + width, 0.0f);
    }
  }
}

void RowEncoder::Begin(absl::Span<const int64_t> rows,
                       absl::Span<const Hidden> hidden) {
  rows_in_step_.assign(rows.begin(), rows.end());
  hidden_in_step_.assign(hidden.begin(), hidden.end());
  const int tables = static_cast<int>(tables_.size());
#pragma omp parallel for schedule(dynamic)
  for (int t = 0; t < tables; ++t) {
    Slot& slot = tables_[t];
    slot.touched.clear();
    slot.slots.clear();
    slot.begins.assign(1, 0);
    for (size_t r = 0; r < rows.size(); ++r) {
      ForEachValue(slot, rows[r], hidden[r],
                   [&slot](int64_t value) { slot.AddValue(value); });
      slot.begins.push_back(static_cast<int32_t>(slot.slots.size()));
    }
  }
  for (Slot& slot : tables_) {
    const int64_t touched = static_cast<int64_t>(slot.touched.size());
#pragma omp parallel for
    for (int64_t i = 0; i < touched; ++i) slot.table->Touch(slot.touched[i]);
  }
}

void RowEncoder::Compose(absl::Span<float> out) const {
  const int64_t count = static_cast<int64_t>(rows_in_step_.size());
#pragma omp parallel for
  for (int64_t r = 0; r < count; ++r) {
    float* row = out.data() + r * width_;
    for (const Slot& slot : tables_) {
      const int32_t width = slot.table->width();
      float* to = row + slot.offset;
      std::fill(to, to + width, 0.0f);
      const int32_t begin = slot.begins[r], end = slot.begins[r + 1];
      const float share = 1.0f / static_cast<float>(end - begin);
      for (int32_t i = begin; i < end; ++i) {
        const float* from = slot.table->Row(slot.touched[slot.slots[i]]);
        for (int32_t j = 0; j < width; ++j) to[j] += share * from[j];
      }
    }
    WriteGiven(rows_in_step_[r], hidden_in_step_[r], row);
  }
}

void RowEncoder::SumTable(Slot& slot, absl::Span<const float> gradients) const {
  const int32_t width = slot.table->width();
  slot.gradients.assign(slot.touched.size() * width, 0.0f);
  for (size_t r = 0; r < rows_in_step_.size(); ++r) {
    const float* from = gradients.data() + r * width_ + slot.offset;
    const int32_t begin = slot.begins[r], end = slot.begins[r + 1];
    const float share = 1.0f / static_cast<float>(end - begin);
    for (int32_t i = begin; i < end; ++i) {
      float* to = &slot.gradients[int64_t{slot.slots[i]} * width];
      for (int32_t j = 0; j < width; ++j) to[j] += share * from[j];
    }
  }
}

void RowEncoder::SumGradients(absl::Span<const float> gradients) {
  const int tables = static_cast<int>(tables_.size());
#pragma omp parallel for schedule(dynamic)
  for (int t = 0; t < tables; ++t) SumTable(tables_[t], gradients);
}

double RowEncoder::SquaredGradientNorm() const {
  double squares = 0;
  for (const Slot& slot : tables_) {
    for (const float g : slot.gradients) squares += double{g} * g;
  }
  return squares;
}

void RowEncoder::ApplyGradients(float scale) {
  for (Slot& slot : tables_) {
    const int64_t touched = static_cast<int64_t>(slot.touched.size());
    const int32_t width = slot.table->width();
#pragma omp parallel for
    for (int64_t i = 0; i < touched; ++i) {
      slot.table->Update(slot.touched[i], &slot.gradients[i * width], scale);
      slot.slot_of_row[slot.touched[i]] = -1;
    }
    slot.table->AdvanceStep();
  }
}

void RowEncoder::Read(int64_t row, Hidden hidden, absl::Span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0f);
  std::vector<float> value(width_);
  for (const Slot& slot : tables_) {
    const int32_t width = slot.table->width();
    int32_t count = 0;
    float* to = &out[slot.offset];
    ForEachValue(slot, row, hidden, [&](int64_t table_row) {
      slot.table->Read(table_row, absl::MakeSpan(value).first(width));
      for (int32_t j = 0; j < width; ++j) to[j] += value[j];
      ++count;
    });
    for (int32_t j = 0; j < width; ++j) to[j] /= static_cast<float>(count);
  }
  WriteGiven(row, hidden, out.data());
}

std::vector<v1::FeatureColumn> RowEncoder::Describe(
    int32_t base, bool with_embeddings) const {
  std::vector<v1::FeatureColumn> columns;
  for (size_t i = 0; i < options_.features.size(); ++i) {
    const EncodedFeature& feature = options_.features[i];
    v1::FeatureColumn& column = columns.emplace_back();
    column.set_name(feature.table->name);
    column.set_offset(base + offsets_[i]);
    column.set_width(feature.table->kind == v1::NUMERIC ? 1 : feature.width);
    if (feature.table->kind == v1::NUMERIC) {
      column.set_kind(v1::FeatureColumn::NUMERIC);
      *column.mutable_scale() = feature.scale;
    } else if (feature.table->kind == v1::VECTOR) {
      column.set_kind(v1::FeatureColumn::VECTOR);
      *column.mutable_vector_scale() = feature.table->vector_scale;
    } else {
      column.set_kind(feature.table->kind == v1::CATEGORICAL
                          ? v1::FeatureColumn::CATEGORICAL
                          : v1::FeatureColumn::MULTI_CATEGORICAL);
    }
  }
  if (!with_embeddings) return columns;
  for (const Slot& slot : tables_) {
    if (slot.feature < 0) continue;
    v1::FeatureColumn& column = columns[slot.feature];
    const Vocabulary& values = options_.features[slot.feature].table->values;
    for (int32_t row = 0; row < values.size(); ++row) {
      column.add_values(std::string(values.id(row)));
    }
    std::vector<float> value(column.width());
    for (int32_t row = 0; row < values.rows(); ++row) {
      slot.table->Read(row, absl::MakeSpan(value));
      column.mutable_embeddings()->Add(value.begin(), value.end());
    }
  }
  return columns;
}

std::vector<EmbeddingTable*> RowEncoder::tables() {
  std::vector<EmbeddingTable*> tables;
  for (Slot& slot : tables_) tables.push_back(slot.table.get());
  return tables;
}

EmbeddingTable* RowEncoder::table(int32_t feature) const {
  for (const Slot& slot : tables_) {
    if (slot.feature == feature) return slot.table.get();
  }
  return nullptr;
}

void RowEncoder::SetTrained(int64_t row) {
  if (!options_.trained.empty()) options_.trained[row] = true;
}

}  // namespace segue
