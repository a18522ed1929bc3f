// A file or a folder as one table of the wanted columns.
#ifndef SEGUE_TRAINER_DATA_TABLE_READER_H_
#define SEGUE_TRAINER_DATA_TABLE_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/data/column.h"

namespace segue {

// Gives the rows of the files (input_files.h) one after another, each in its
// own order, so the same files give the same batches whatever the number of
// threads.
//
// Parquet with one row a user and list columns (Yambda's sequential form) comes
// flat: a row for each place of the lists, the other columns repeated. Lists of
// one row must have one length; a null list has none.
//
// One thread. A batch stays valid until it is destroyed.
class TableReader {
 public:
  // As ListInputFiles(). The files are opened as Next() comes to them.
  static absl::StatusOr<std::unique_ptr<TableReader>> Open(
      const std::string& path, std::vector<ColumnRequest> requests);
  ~TableReader();

  // False after the last batch. Errors as ArrowFile's and ConvertColumn's.
  absl::StatusOr<bool> Next(RowBatch& batch);

  // "events.csv: column 'uid', row 3" of a row of the batch that Next() gave
  // last, for errors. REQUIRES: a value of the batch.
  std::string CellName(int request, int64_t row) const;

 private:
  struct State;
  explicit TableReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_TABLE_READER_H_
