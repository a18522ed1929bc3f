// A log small enough to train on in a test, with a feature of every kind.
#ifndef SEGUE_TESTS_TRAINER_MODEL_TINY_DATASET_H_
#define SEGUE_TESTS_TRAINER_MODEL_TINY_DATASET_H_

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "trainer/data/dataset.h"

namespace segue::testing {

inline constexpr int32_t kTinyUsers = 6;
inline constexpr int32_t kTinyEvents = 12;  // of each user
inline constexpr int32_t kTinyItems = 11;
// Only the test of user 0 has it.
inline constexpr int32_t kTinyNewItem = 10;

// One row of `rows` is the values of one row.
inline FeatureTable Categories(
    const std::string& name, v1::FeatureKind kind,
    const std::vector<std::vector<std::string>>& rows) {
  FeatureTable table{.name = name, .kind = kind};
  table.begins.push_back(0);
  for (const std::vector<std::string>& row : rows) {
    for (const std::string& value : row) {
      table.value_rows.push_back(table.values.Add(value));
    }
    table.begins.push_back(static_cast<int64_t>(table.value_rows.size()));
  }
  return table;
}

inline FeatureTable Numbers(const std::string& name,
                            std::vector<double> numbers) {
  FeatureTable table{.name = name, .kind = v1::NUMERIC};
  table.numbers = std::move(numbers);
  return table;
}

// Every user goes round the first ten items in order: the next item can be
// learnt from the newest. At the end user 0 meets a new one.
inline Dataset TinyDataset() {
  Dataset data;
  std::vector<std::vector<std::string>> genres, plans, devices;
  std::vector<double> lengths;
  for (int32_t i = 0; i < kTinyItems; ++i) {
    data.items.Add(absl::StrCat("i", i));
    genres.push_back({i % 2 == 0 ? "rock" : "jazz"});
    lengths.push_back(100 + 10 * i);
  }
  genres[0].emplace_back("jazz");
  genres[kTinyNewItem].clear();
  lengths[3] = NAN;
  data.log.user_begins.push_back(0);
  for (int32_t u = 0; u < kTinyUsers; ++u) {
    data.users.Add(absl::StrCat("u", u));
    plans.push_back({u % 2 == 0 ? "free" : "paid"});
    for (int32_t t = 0; t < kTinyEvents; ++t) {
      data.log.items.push_back((3 * u + t) % 10);
      data.log.times.push_back(1000 + 600 * t + 60 * u);
      data.log.weights.push_back(t % 3 == 0 ? 0.5f : 1.0f);
      devices.push_back({t % 2 == 0 ? "phone" : "tv"});
    }
    data.log.user_begins.push_back(data.log.size());
  }
  plans.back().clear();
  data.log.items[kTinyEvents - 1] = kTinyNewItem;
  data.item_features = {Categories("genre", v1::MULTI_CATEGORICAL, genres),
                        Numbers("length", lengths)};
  data.user_features = {Categories("plan", v1::CATEGORICAL, plans)};
  data.log.request_features = {Categories("device", v1::CATEGORICAL, devices)};
  return data;
}

inline v1::TrainerConfig TinyConfig() {
  v1::TrainerConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        seed: 7
        items {
          embedding_width: 4
          features { name: "genre" kind: MULTI_CATEGORICAL embedding_width: 3 }
          features { name: "length" kind: NUMERIC transform: Z_SCORE }
        }
        users {
          embedding_width: 2
          features { name: "plan" embedding_width: 2 }
        }
        request_features { name: "device" embedding_width: 2 }
        split { kind: LEAVE_ONE_OUT }
        window { history_length: 3 }
        model { layers: 16 layers: 8 temperature: 0.1 }
        training { batch_size: 16 epochs: 4 learning_rate: 0.01 }
      )pb",
      &config));
  return config;
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_MODEL_TINY_DATASET_H_
