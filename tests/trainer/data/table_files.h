// Tiny files for the tests to read.
#ifndef SEGUE_TESTS_TRAINER_DATA_TABLE_FILES_H_
#define SEGUE_TESTS_TRAINER_DATA_TABLE_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace segue::testing {

using Integers = std::vector<std::optional<int64_t>>;
using Reals = std::vector<std::optional<double>>;
using Texts = std::vector<std::optional<std::string>>;
using IntegerLists = std::vector<std::vector<int64_t>>;
using RealLists = std::vector<std::optional<Reals>>;

// Columns of Parquet. `type` is Arrow's name of the stored type; default:
// int64, double, string, list of int64, list of double. "dictionary": of
// strings; "null": no values, of no type.
struct ParquetColumn {
  std::string name;
  std::variant<Integers, Reals, Texts, IntegerLists, RealLists> values;
  std::string type = "";
};

void WriteText(const std::string& path, absl::string_view text);
void WriteGzip(const std::string& path, absl::string_view text);
void WriteParquet(const std::string& path,
                  const std::vector<ParquetColumn>& columns);
std::string ReadBytes(const std::string& path);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_DATA_TABLE_FILES_H_
