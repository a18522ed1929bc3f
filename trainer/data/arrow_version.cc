#include "arrow/config.h"
#include "trainer/data/dataset_reader.h"

namespace segue {

std::string ArrowVersion() {
  const arrow::BuildInfo& info = arrow::GetBuildInfo();
  return info.version_string;
}

}  // namespace segue
