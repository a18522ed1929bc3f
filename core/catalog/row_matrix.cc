#include "core/catalog/row_matrix.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

// 32 bytes, so that rows begin on a cache line's half.
struct Header {
  char magic[8];
  int64_t rows;
  int32_t width;
  int32_t zero[3];
};
static_assert(sizeof(Header) == 32);
constexpr char kMagic[8] = {'S', 'G', 'R', 'O', 'W', 'S', '0', '1'};

}  // namespace

absl::StatusOr<RowMatrix> RowMatrix::Open(const std::string& path) {
  RowMatrix matrix;
  ASSIGN_OR_RETURN(matrix.file_, MappedFile::Open(path));
  const absl::string_view bytes = matrix.file_.bytes();
  Header header;
  if (bytes.size() < sizeof(header)) {
    return absl::DataLossError(absl::StrCat(path, " ends within its header"));
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  const uint64_t floats = (bytes.size() - sizeof(header)) / sizeof(float);
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0 ||
      header.rows < 0 || header.width <= 0 ||
      static_cast<uint64_t>(header.rows) > floats ||
      header.rows * header.width * sizeof(float) + sizeof(header) !=
          bytes.size()) {
    return absl::DataLossError(
        absl::StrCat(path, " is not a matrix of rows, or is cut short"));
  }
  matrix.data_ = reinterpret_cast<const float*>(bytes.data() + sizeof(header));
  matrix.rows_ = header.rows;
  matrix.width_ = header.width;
  return matrix;
}

absl::StatusOr<std::unique_ptr<RowMatrixWriter>> RowMatrixWriter::Create(
    const std::string& path, int64_t rows, int32_t width) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  }
  auto writer = absl::WrapUnique(new RowMatrixWriter(file, path, rows, width));
  Header header = {.rows = rows, .width = width, .zero = {}};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  if (std::fwrite(&header, sizeof(header), 1, file) != 1) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  }
  return writer;
}

RowMatrixWriter::~RowMatrixWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

absl::Status RowMatrixWriter::Append(absl::Span<const float> values) {
  if (values.empty()) return absl::OkStatus();  // may lie nowhere
  left_ -= static_cast<int64_t>(values.size()) / width_;
  if (std::fwrite(values.data(), sizeof(float), values.size(), file_) !=
      values.size()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  }
  return absl::OkStatus();
}

absl::Status RowMatrixWriter::Finish() {
  if (left_ != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": ", left_, " rows are missing"));
  }
  if (std::fclose(std::exchange(file_, nullptr)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot close ", path_));
  }
  return SyncFile(path_);
}

}  // namespace segue
