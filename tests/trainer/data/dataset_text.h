// Datasets as text: what they hold, by id, whatever row an id has.
#ifndef SEGUE_TESTS_TRAINER_DATA_DATASET_TEXT_H_
#define SEGUE_TESTS_TRAINER_DATA_DATASET_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "trainer/data/dataset.h"

namespace segue::testing {

// The config `text` with events.path set. REQUIRES: `text` is a TrainerConfig.
inline v1::TrainerConfig Config(const std::string& events_path,
                                const std::string& text) {
  v1::TrainerConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config))
      << text;
  config.mutable_events()->set_path(events_path);
  return config;
}

inline std::string Id(const Vocabulary& vocabulary, int32_t row) {
  return std::string(vocabulary.id(row));
}

// "user: item@time item@time", one line a user in the order of rows.
inline std::vector<std::string> EventLines(const Dataset& dataset) {
  std::vector<std::string> lines;
  for (int32_t user = 0; user < dataset.log.users(); ++user) {
    std::string line = Id(dataset.users, user) + ":";
    for (int64_t e = dataset.log.user_begins[user];
         e < dataset.log.user_begins[user + 1]; ++e) {
      absl::StrAppend(&line, " ", Id(dataset.items, dataset.log.items[e]), "@",
                      dataset.log.times[e]);
    }
    lines.push_back(line);
  }
  return lines;
}

// "id=value,value" of each row that has a value.
inline std::vector<std::string> FeatureLines(const Vocabulary& owners,
                                             const FeatureTable& feature) {
  std::vector<std::string> lines;
  for (int32_t row = 0; row < owners.size(); ++row) {
    std::string line = Id(owners, row) + "=";
    if (feature.kind == v1::NUMERIC) {
      absl::StrAppend(&line, feature.numbers[row]);
    } else {
      std::vector<std::string> values;
      for (const int32_t value : feature.Values(row)) {
        values.push_back(Id(feature.values, value));
      }
      absl::StrAppend(&line, absl::StrJoin(values, ","));
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_DATA_DATASET_TEXT_H_
