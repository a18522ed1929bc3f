// Reads a Dataset as a TrainerConfig says, through Arrow.
#ifndef SEGUE_TRAINER_DATA_DATASET_READER_H_
#define SEGUE_TRAINER_DATA_DATASET_READER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"

namespace segue {

// Reads events, then items, mappings and users; only the columns that the
// config names. The same files give the same Dataset, whatever the number of
// threads; the order of rows within the files does not matter where times
// differ. Users' and items' rows come in the order of their first event read.
//
// Dislikes (events.negative_filters) neither keep a user or an item nor make
// one: those of others are dropped and counted.
//
// Null user, item or time: the row is left out and counted. A null weight is 1
// and counted: what is not known is not discounted. An empty text and a NaN are
// nulls too, in every column. The same event twice: both are kept (a track can
// be played twice in one second's step) and counted. An item twice in
// items.path: the first row counts. Values of a MULTI_CATEGORICAL keep the
// source's order, each once; values that only other items have are left out.
//
// `progress` gets a line of text now and then; may be empty.
//
// Errors name file, column, row and what was expected: NotFound (file, column),
// InvalidArgument (type, a negative time or one past 2^32 - 1, a negative
// weight, no event or no target left, an id over 65,535 bytes or that is not
// UTF-8, vectors of several lengths or not finite), DataLoss (truncated gzip or
// Parquet).
absl::StatusOr<Dataset> ReadDataset(
    const v1::TrainerConfig& config,
    const std::function<void(absl::string_view)>& progress);

// Items alone.
struct Catalogue {
  // items, item_features, item_attributes, display and their counts.
  Dataset data;
  std::vector<bool> listed;  // by item: items.path has a row of it
};

// Reads items.path and mappings, whatever config.catalogue says, for the items
// that are `known`, in their order, and for those that items.path has besides,
// behind them. Features of EVENTS have no values. Errors as ReadDataset();
// InvalidArgument too if an item has two rows.
absl::StatusOr<Catalogue> ReadCatalogue(
    const v1::ItemsConfig& config, Vocabulary known,
    const std::function<void(absl::string_view)>& progress);

// "26.0.1" and the like.
std::string ArrowVersion();

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_DATASET_READER_H_
