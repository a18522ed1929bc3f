#include "trainer/data/id_encoder.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"

namespace segue {

absl::Status CheckId(absl::string_view id) {
  if (id.size() > Vocabulary::kMaxIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected an id of at most ", Vocabulary::kMaxIdBytes,
                     " bytes, found one of ", id.size()));
  }
  if (!IsValidUtf8(id)) {
    return absl::InvalidArgumentError(
        "expected an id in UTF-8, found other bytes");
  }
  return absl::OkStatus();
}

absl::StatusOr<int32_t> IdEncoder::Add(const Column& column, int64_t i) {
  if (column.is_text) {
    const absl::string_view id = column.texts[i];
    if (std::optional<int32_t> row = vocabulary_->Find(id)) return *row;
    RETURN_IF_ERROR(CheckId(id));
    return vocabulary_->Add(id);
  }
  const int64_t id = column.integers[i];
  const auto [entry, is_new] = rows_of_integers_.try_emplace(id, 0);
  if (is_new) entry->second = vocabulary_->Add(absl::StrCat(id));
  return entry->second;
}

std::optional<int32_t> IdEncoder::Find(const Column& column, int64_t i) {
  if (column.is_text) return vocabulary_->Find(column.texts[i]);
  const int64_t id = column.integers[i];
  const auto entry = rows_of_integers_.find(id);
  if (entry != rows_of_integers_.end()) return entry->second;
  return vocabulary_->Find(absl::StrCat(id));
}

}  // namespace segue
