// Which files a path of the config means.
#ifndef SEGUE_TRAINER_DATA_INPUT_FILES_H_
#define SEGUE_TRAINER_DATA_INPUT_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace segue {

enum class FileFormat { kParquet, kCsv, kCsvGzip };

struct InputFile {
  std::string path;
  FileFormat format = FileFormat::kParquet;
};

// The file itself, or every file in the folder and below it, sorted by path;
// names that begin with '.' or '_' are passed over, as every tool that writes
// folders of Parquet expects. The format is told by the name: .parquet, .csv,
// .csv.gz. NotFound if there is none, InvalidArgument for any other name.
absl::StatusOr<std::vector<InputFile>> ListInputFiles(const std::string& path);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_INPUT_FILES_H_
