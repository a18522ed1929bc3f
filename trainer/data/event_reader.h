// The events of a config, from their files into builders.
#ifndef SEGUE_TRAINER_DATA_EVENT_READER_H_
#define SEGUE_TRAINER_DATA_EVENT_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/column.h"
#include "trainer/data/dataset.h"
#include "trainer/data/event_log_builder.h"
#include "trainer/data/feature_builder.h"
#include "trainer/data/filter_set.h"
#include "trainer/data/id_encoder.h"
#include "trainer/data/table_reader.h"

namespace segue {

// Everything that the rows of events.path give. Rows of users and items come in
// the order of their first counted event.
struct EventsRead {
  EventsRead(bool has_weights, bool has_targets)
      : log(has_weights, has_targets) {}

  Vocabulary users{1};
  Vocabulary items{1};
  EventLogBuilder log;
  // Parallel to ItemColumns(); null where the source is not EVENTS.
  std::vector<std::unique_ptr<FeatureBuilder>> item_columns;
  ReadCounts counts;
};

// Reads one config's events, once. One thread.
class EventReader {
 public:
  EventReader(const v1::TrainerConfig& config,
              std::function<void(absl::string_view)> progress);

  // Errors as ReadDataset(); none for a file without a single event.
  absl::StatusOr<EventsRead> Read();

 private:
  absl::Status Prepare();
  absl::Status PrepareFilters();
  absl::Status AddBatch(const RowBatch& batch);
  absl::Status AddRow(const RowBatch& batch, int64_t row);
  absl::Status AddItemColumns(const RowBatch& batch, int64_t row, int32_t item);
  absl::StatusOr<uint32_t> Time(const RowBatch& batch, int64_t row) const;
  absl::StatusOr<float> Weight(const RowBatch& batch, int64_t row);
  int Request(const ColumnRequest& wanted);
  // Puts file, column and row before the message.
  absl::Status AtCell(int request, int64_t row,
                      const absl::Status& status) const;

  const v1::TrainerConfig& config_;
  std::function<void(absl::string_view)> progress_;
  std::vector<ColumnRequest> requests_;
  FilterSet filters_;
  FilterSet target_filters_;
  FilterSet negative_filters_;
  // Places in requests_; -1: not asked for.
  int user_ = -1;
  int item_ = -1;
  int time_ = -1;
  int weight_ = -1;
  std::vector<int> item_column_requests_;
  std::vector<int> request_feature_columns_;
  EventsRead read_;
  IdEncoder user_encoder_;
  IdEncoder item_encoder_;
  std::unique_ptr<TableReader> table_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_EVENT_READER_H_
