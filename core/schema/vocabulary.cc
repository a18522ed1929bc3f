#include "core/schema/vocabulary.h"

#include <cstring>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"

namespace segue {
namespace {

constexpr absl::string_view kMagic = "SGVOCAB1";

template <typename T>
void AppendRaw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
bool TakeRaw(absl::string_view& in, T& value) {
  if (in.size() < sizeof(value)) return false;
  std::memcpy(&value, in.data(), sizeof(value));
  in.remove_prefix(sizeof(value));
  return true;
}

}  // namespace

absl::string_view Vocabulary::id(int32_t row) const {
  const uint64_t begin = row == 0 ? 0 : ends_[row - 1];
  return absl::string_view(ids_).substr(begin, ends_[row] - begin);
}

size_t Vocabulary::Slot(absl::string_view id) const {
  const size_t mask = table_.size() - 1;
  size_t slot = absl::HashOf(id) & mask;
  while (table_[slot] != 0 && this->id(table_[slot] - 1) != id) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void Vocabulary::Grow() {
  table_.assign(table_.empty() ? 16 : table_.size() * 2, 0);
  const size_t mask = table_.size() - 1;
  for (int32_t row = 0; row < size(); ++row) {
    size_t slot = absl::HashOf(id(row)) & mask;
    while (table_[slot] != 0) slot = (slot + 1) & mask;
    table_[slot] = row + 1;
  }
}

int32_t Vocabulary::Add(absl::string_view id) {
  if (ends_.size() * 2 >= table_.size()) Grow();
  int32_t& entry = table_[Slot(id)];
  if (entry == 0) {
    absl::StrAppend(&ids_, id);
    ends_.push_back(ids_.size());
    entry = size();
  }
  return entry - 1;
}

std::optional<int32_t> Vocabulary::Find(absl::string_view id) const {
  if (table_.empty()) return std::nullopt;
  const int32_t entry = table_[Slot(id)];
  if (entry == 0) return std::nullopt;
  return entry - 1;
}

int32_t Vocabulary::FindOrUnknown(absl::string_view id) const {
  const std::optional<int32_t> row = Find(id);
  return row.has_value() ? *row : UnknownRowOf(id);
}

int32_t Vocabulary::UnknownRowOf(absl::string_view id) const {
  if (unknown_buckets_ == 1) return unknown_row();
  return unknown_row() +
         static_cast<int32_t>(StableHash64(id) % unknown_buckets_);
}

std::string Vocabulary::Serialize() const {
  std::string out(kMagic);
  out.reserve(kMagic.size() + 16 + 2 * ends_.size() + ids_.size());
  AppendRaw<uint32_t>(out, size());
  AppendRaw<uint32_t>(out, unknown_buckets_);
  for (int32_t row = 0; row < size(); ++row) {
    AppendRaw<uint16_t>(out, id(row).size());
  }
  out.append(ids_);
  return out;
}

absl::StatusOr<Vocabulary> Vocabulary::Parse(absl::string_view bytes,
                                             absl::string_view name) {
  const auto broken = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat(name, ": ", why));
  };
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return broken("is not a vocabulary file");
  }
  bytes.remove_prefix(kMagic.size());
  uint32_t count, buckets;
  if (!TakeRaw(bytes, count) || !TakeRaw(bytes, buckets)) {
    return broken("ends within its header");
  }
  if (buckets < 1 || buckets > INT32_MAX - count || count > INT32_MAX) {
    return broken(absl::StrCat("impossible counts ", count, ", ", buckets));
  }
  if (bytes.size() / sizeof(uint16_t) < count) {
    return broken("ends within its lengths");
  }
  absl::string_view lengths = bytes.substr(0, count * sizeof(uint16_t));
  bytes.remove_prefix(lengths.size());

  Vocabulary vocabulary(static_cast<int32_t>(buckets));
  vocabulary.ids_.reserve(bytes.size());
  vocabulary.ends_.reserve(count);
  for (uint32_t row = 0; row < count; ++row) {
    uint16_t length = 0;
    TakeRaw(lengths, length);
    if (bytes.size() < length) return broken("ends within its ids");
    if (vocabulary.Add(bytes.substr(0, length)) != static_cast<int32_t>(row)) {
      return broken(absl::StrCat("id ", row, " is there twice"));
    }
    bytes.remove_prefix(length);
  }
  if (!bytes.empty()) return broken("has bytes after its end");
  return vocabulary;
}

}  // namespace segue
