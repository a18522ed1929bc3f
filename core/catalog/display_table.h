// What people call the items: a table of strings, one row an item, mapped.
#ifndef SEGUE_CORE_CATALOG_DISPLAY_TABLE_H_
#define SEGUE_CORE_CATALOG_DISPLAY_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"

namespace segue {

// Read-only columns of strings. Movable; const members from any thread.
class DisplayTable {
 public:
  // The file's bytes for `columns`, each with one value a row.
  static std::string Serialize(
      const std::vector<std::vector<std::string>>& columns);
  // DataLoss unless the file has exactly `columns` x `rows` strings.
  static absl::StatusOr<DisplayTable> Open(const std::string& path,
                                           int32_t columns, int64_t rows);

  // REQUIRES: within the table.
  absl::string_view Value(int32_t column, int64_t row) const;
  uint64_t bytes() const { return file_.bytes().size(); }

 private:
  uint64_t End(int64_t cell) const;

  MappedFile file_;
  int64_t rows_ = 0;
  // [columns * rows] end offset (uint64) of each string, column by column;
  // then the strings, back to back.
  const char* ends_ = nullptr;
  const char* text_ = nullptr;
};

}  // namespace segue

#endif  // SEGUE_CORE_CATALOG_DISPLAY_TABLE_H_
