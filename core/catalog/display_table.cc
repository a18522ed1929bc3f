#include "core/catalog/display_table.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

constexpr absl::string_view kMagic = "SGTEXT01";

void AppendU64(std::string& out, uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

uint64_t LoadU64(const char* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

}  // namespace

std::string DisplayTable::Serialize(
    const std::vector<std::vector<std::string>>& columns) {
  std::string out(kMagic);
  AppendU64(out, columns.size());
  AppendU64(out, columns.empty() ? 0 : columns[0].size());
  uint64_t end = 0;
  for (const auto& column : columns) {
    for (const std::string& value : column) AppendU64(out, end += value.size());
  }
  out.reserve(out.size() + end);
  for (const auto& column : columns) {
    for (const std::string& value : column) out += value;
  }
  return out;
}

absl::StatusOr<DisplayTable> DisplayTable::Open(const std::string& path,
                                                int32_t columns, int64_t rows) {
  const auto broken = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat(path, " ", why));
  };
  DisplayTable table;
  ASSIGN_OR_RETURN(table.file_, MappedFile::Open(path));
  const absl::string_view bytes = table.file_.bytes();
  const size_t header = kMagic.size() + 2 * sizeof(uint64_t);
  if (bytes.size() < header || bytes.substr(0, kMagic.size()) != kMagic) {
    return broken("is not a table of strings");
  }
  const char* at = bytes.data() + kMagic.size();
  if (columns > 0 &&
      (LoadU64(at) != static_cast<uint64_t>(columns) ||
       LoadU64(at + sizeof(uint64_t)) != static_cast<uint64_t>(rows))) {
    return broken(
        absl::StrCat("does not have ", columns, " columns of ", rows, " rows"));
  }
  const uint64_t cells = static_cast<uint64_t>(columns) * rows;
  if ((bytes.size() - header) / sizeof(uint64_t) < cells) {
    return broken("ends within its offsets");
  }
  table.rows_ = rows;
  table.ends_ = bytes.data() + header;
  table.text_ = table.ends_ + cells * sizeof(uint64_t);
  const uint64_t text = bytes.data() + bytes.size() - table.text_;
  uint64_t previous = 0;
  for (uint64_t cell = 0; cell < cells; ++cell) {
    const uint64_t end = table.End(cell);
    if (end < previous || end > text) return broken("has impossible offsets");
    previous = end;
  }
  return table;
}

uint64_t DisplayTable::End(int64_t cell) const {
  return LoadU64(ends_ + cell * sizeof(uint64_t));
}

absl::string_view DisplayTable::Value(int32_t column, int64_t row) const {
  const int64_t cell = column * rows_ + row;
  const uint64_t begin = cell == 0 ? 0 : End(cell - 1);
  return {text_ + begin, End(cell) - begin};
}

}  // namespace segue
