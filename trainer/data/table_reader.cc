#include "trainer/data/table_reader.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "arrow/compute/initialize.h"
#include "core/base/status_macros.h"
#include "trainer/data/arrow_columns.h"
#include "trainer/data/arrow_file.h"
#include "trainer/data/flatten.h"
#include "trainer/data/input_files.h"

namespace segue {
namespace {

absl::Status InitializeArrow() {
  static const arrow::Status status = arrow::compute::Initialize();
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot initialise Arrow: ", status.ToString()));
}

}  // namespace

struct TableReader::State {
  std::vector<ColumnRequest> requests;
  std::vector<std::string> names;  // of the requests, each once
  std::vector<InputFile> files;
  size_t next_file = 0;
  std::unique_ptr<ArrowFile> open;
  int64_t rows_before = 0;  // rows of the open file in earlier batches
  int64_t batch_begin = 0;  // of the newest batch, within its file
  FlatBatch flat;           // the newest one
  std::string path;         // its file

  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> NextOfFiles();
  absl::Status Convert(RowBatch& batch);
  std::string CellName(int request, int64_t row) const;
};

absl::StatusOr<std::shared_ptr<arrow::RecordBatch>>
TableReader::State::NextOfFiles() {
  while (true) {
    if (open == nullptr) {
      if (next_file == files.size()) return nullptr;
      ASSIGN_OR_RETURN(open, ArrowFile::Open(files[next_file], names));
      path = files[next_file].path;
      ++next_file;
      rows_before = 0;
    }
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> batch, open->Next());
    if (batch != nullptr) {
      batch_begin = open->first_row() + rows_before;
      rows_before += batch->num_rows();
      return batch;
    }
    open.reset();
  }
}

std::string TableReader::State::CellName(int request, int64_t row) const {
  const std::string column =
      absl::StrCat(path, ": column '", requests[request].name, "', row ");
  if (flat.parents.empty()) return absl::StrCat(column, batch_begin + row);
  const int64_t parent = flat.parents[row];
  const auto first =
      std::lower_bound(flat.parents.begin(), flat.parents.end(), parent);
  return absl::StrCat(column, batch_begin + parent, ", place ",
                      row - (first - flat.parents.begin()) + 1, " of its list");
}

absl::Status TableReader::State::Convert(RowBatch& batch) {
  auto owners =
      std::make_shared<std::vector<std::shared_ptr<const arrow::Array>>>();
  batch.rows = flat.batch->num_rows();
  batch.columns.clear();
  for (size_t i = 0; i < requests.size(); ++i) {
    ASSIGN_OR_RETURN(
        ConvertedColumn converted,
        ConvertColumn(flat.batch->GetColumnByName(requests[i].name),
                      requests[i].type,
                      [&](int64_t row) { return CellName(i, row); }));
    batch.columns.push_back(std::move(converted.column));
    owners->push_back(std::move(converted.owner));
  }
  batch.owner = std::move(owners);
  return absl::OkStatus();
}

TableReader::TableReader(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
TableReader::~TableReader() = default;

absl::StatusOr<std::unique_ptr<TableReader>> TableReader::Open(
    const std::string& path, std::vector<ColumnRequest> requests) {
  RETURN_IF_ERROR(InitializeArrow());
  auto state = std::make_unique<State>();
  ASSIGN_OR_RETURN(state->files, ListInputFiles(path));
  for (const ColumnRequest& request : requests) {
    if (std::find(state->names.begin(), state->names.end(), request.name) ==
        state->names.end()) {
      state->names.push_back(request.name);
    }
  }
  state->requests = std::move(requests);
  return std::unique_ptr<TableReader>(new TableReader(std::move(state)));
}

absl::StatusOr<bool> TableReader::Next(RowBatch& batch) try {
  do {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows,
                     state_->NextOfFiles());
    if (rows == nullptr) return false;
    ASSIGN_OR_RETURN(state_->flat, Flatten(std::move(rows), state_->requests,
                                           state_->path, state_->batch_begin));
  } while (state_->flat.batch->num_rows() == 0);
  RETURN_IF_ERROR(state_->Convert(batch));
  return true;
} catch (const std::exception& e) {
  return absl::DataLossError(absl::StrCat(state_->path, ": ", e.what()));
}

std::string TableReader::CellName(int request, int64_t row) const {
  return state_->CellName(request, row);
}

}  // namespace segue
