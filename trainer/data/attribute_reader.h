// What files say about items and users: one row each, or mappings.
#ifndef SEGUE_TRAINER_DATA_ATTRIBUTE_READER_H_
#define SEGUE_TRAINER_DATA_ATTRIBUTE_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/schema/vocabulary.h"
#include "trainer/data/feature_builder.h"

namespace segue {

// A file with one row an owner (an item or a user).
struct AttributeTable {
  std::string path;
  std::string id_column;
  // What rows are of, for errors: "item" or "user".
  std::string owner;
  struct Feature {
    std::string column;
    FeatureBuilder* builder;  // borrowed
  };
  std::vector<Feature> features;
  std::vector<std::string> display_columns;
  // Ids that `owners` lacks are added to it.
  bool add_owners = false;
};

struct AttributeCounts {
  int64_t rows = 0;
  int64_t unused = 0;           // of no owner, or without an id
  int64_t duplicates = 0;       // an id a second time: the first row counts
  std::string first_duplicate;  // its cell and id
  int64_t without_row = 0;
  std::vector<bool> has_row;  // by row of owners
  // [column][row of owners], parallel to display_columns; "" where none.
  std::vector<std::vector<std::string>> display;
};

// Errors as ReadDataset(); InvalidArgument too if the file has rows but none of
// an owner: then one of the two files is the wrong one.
absl::StatusOr<AttributeCounts> ReadAttributes(const AttributeTable& table,
                                               Vocabulary& owners);

// A many-to-many file: one row a pair of owner and value. Of a CATEGORICAL or a
// VECTOR an owner's first value counts. Rows of other owners are passed over.
// Errors as ReadAttributes().
absl::Status ReadMapping(const std::string& path,
                         const std::string& owner_column,
                         const std::string& value_column, Vocabulary& owners,
                         FeatureBuilder& feature);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_ATTRIBUTE_READER_H_
