#include "trainer/config/run_fingerprint.h"

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/trainer/model/tiny_dataset.h"

namespace segue {
namespace {

using segue::testing::TinyConfig;
using segue::testing::TinyDataset;

std::string Print(const v1::TrainerConfig& config,
                  const Dataset& data = TinyDataset()) {
  return RunFingerprint(config, data, /*warm_start_hash=*/"");
}

struct ConfigChange {
  const char* what;
  std::function<void(v1::TrainerConfig&)> apply;
};

TEST(RunFingerprintTest, IsAHashOfConfigurationAndData) {
  EXPECT_EQ(Print(TinyConfig()).size(), 64u);
  EXPECT_EQ(Print(TinyConfig()), Print(TinyConfig()));
}

TEST(RunFingerprintTest, WhatDecidesAStepCounts) {
  const ConfigChange changes[] = {
      {"seed", [](auto& c) { c.set_seed(8); }},
      {"layers", [](auto& c) { c.mutable_model()->set_layers(0, 17); }},
      {"rate", [](auto& c) { c.mutable_training()->set_learning_rate(0.02); }},
      {"clip", [](auto& c) { c.mutable_training()->set_gradient_clip(1); }},
      {"split", [](auto& c) { c.mutable_split()->set_test_days(3); }},
      {"early stopping",
       [](auto& c) { c.mutable_training()->set_early_stopping_epochs(2); }},
  };
  for (const ConfigChange& change : changes) {
    v1::TrainerConfig config = TinyConfig();
    change.apply(config);
    EXPECT_NE(Print(config), Print(TinyConfig())) << change.what;
  }
}

TEST(RunFingerprintTest, WhatMayChangeWhenARunGoesOnDoesNot) {
  const ConfigChange changes[] = {
      {"run_dir", [](auto& c) { c.set_run_dir("elsewhere"); }},
      {"bundle_root", [](auto& c) { c.set_bundle_root("elsewhere"); }},
      {"index", [](auto& c) { c.mutable_index()->set_nlist(3); }},
      {"publish", [](auto& c) { c.mutable_publish()->set_gate_k(10); }},
      {"what requests can filter by",
       [](auto& c) { c.mutable_items()->add_attributes()->set_name("genre"); }},
      {"epochs", [](auto& c) { c.mutable_training()->set_epochs(9); }},
      {"max_steps", [](auto& c) { c.mutable_training()->set_max_steps(9); }},
      {"keep_checkpoints",
       [](auto& c) { c.mutable_training()->set_keep_checkpoints(9); }},
      {"checkpoint_minutes",
       [](auto& c) { c.mutable_training()->set_checkpoint_minutes(9); }},
      {"the bundle's place",
       [](auto& c) { c.mutable_training()->set_warm_start_bundle("there"); }},
      {"validation without early stopping",
       [](auto& c) { c.mutable_training()->set_validation_k(9); }},
      {"evaluation without early stopping",
       [](auto& c) { c.mutable_evaluation()->set_max_queries(9); }},
  };
  for (const ConfigChange& change : changes) {
    v1::TrainerConfig config = TinyConfig();
    change.apply(config);
    EXPECT_EQ(Print(config), Print(TinyConfig())) << change.what;
  }
}

TEST(RunFingerprintTest, AScheduleThatFallsEndsWithTheLastEpoch) {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_training()->set_schedule(v1::TrainingConfig::COSINE);
  const std::string before = Print(config);
  config.mutable_training()->set_epochs(9);
  EXPECT_NE(Print(config), before);
}

TEST(RunFingerprintTest, EarlyStoppingListensToWhatValidationAsks) {
  v1::TrainerConfig early = TinyConfig();
  early.mutable_training()->set_early_stopping_epochs(2);
  const ConfigChange deciding[] = {
      {"k", [](auto& c) { c.mutable_training()->set_validation_k(9); }},
      {"queries", [](auto& c) { c.mutable_evaluation()->set_max_queries(9); }},
      {"filter",
       [](auto& c) { c.mutable_evaluation()->set_filter_seen(true); }},
      {"protocol",
       [](auto& c) {
         c.mutable_evaluation()->set_protocol(v1::EvaluationConfig::USER_SPLIT);
       }},
  };
  for (const ConfigChange& change : deciding) {
    v1::TrainerConfig config = early;
    change.apply(config);
    EXPECT_NE(Print(config), Print(early)) << change.what;
  }
  const ConfigChange others[] = {
      {"patience",
       [](auto& c) { c.mutable_training()->set_early_stopping_epochs(5); }},
      {"intervals",
       [](auto& c) { c.mutable_evaluation()->set_bootstrap_samples(9); }},
      {"baselines",
       [](auto& c) { c.mutable_evaluation()->set_item_knn_history(9); }},
  };
  for (const ConfigChange& change : others) {
    v1::TrainerConfig config = early;
    change.apply(config);
    EXPECT_EQ(Print(config), Print(early)) << change.what;
  }
}

TEST(RunFingerprintTest, EveryPartOfTheDataCounts) {
  struct Change {
    const char* what;
    std::function<void(Dataset&)> apply;
  };
  const Change changes[] = {
      {"a user's name",
       [](Dataset& d) {
         Vocabulary users(1);
         for (int32_t u = 0; u < d.users.size(); ++u) {
           users.Add(u == 2 ? "another" : d.users.id(u));
         }
         d.users = users;
       }},
      {"one item more", [](Dataset& d) { d.items.Add("more"); }},
      {"items", [](Dataset& d) { std::swap(d.log.items[1], d.log.items[2]); }},
      {"times", [](Dataset& d) { ++d.log.times[5]; }},
      {"weights", [](Dataset& d) { d.log.weights[5] = 0.25f; }},
      {"no weights", [](Dataset& d) { d.log.weights.clear(); }},
      {"targets",
       [](Dataset& d) {
         d.log.targets.assign(d.log.items.size(), true);
         d.log.targets[3] = false;
       }},
      {"dislikes",
       [](Dataset& d) {
         d.log.dislikes.user_begins = {0, 1, 1, 1, 1, 1, 1};
         d.log.dislikes.items = {4};
         d.log.dislikes.times = {1000};
       }},
      {"a request's value",
       [](Dataset& d) { d.log.request_features[0].value_rows[0] = 1; }},
      {"an item's value",
       [](Dataset& d) { d.item_features[0].value_rows[3] = 1; }},
      {"an item's number",
       [](Dataset& d) { d.item_features[1].numbers[0] = 7; }},
      {"a user's value",
       [](Dataset& d) { d.user_features[0].value_rows[0] = 1; }},
  };
  std::vector<std::string> prints = {Print(TinyConfig())};
  for (const Change& change : changes) {
    Dataset data = TinyDataset();
    change.apply(data);
    const std::string print = Print(TinyConfig(), data);
    for (const std::string& before : prints) {
      EXPECT_NE(print, before) << change.what;
    }
    prints.push_back(print);
  }
}

TEST(RunFingerprintTest, TheBundleThatTrainingBeginsFromCounts) {
  EXPECT_NE(RunFingerprint(TinyConfig(), TinyDataset(), "abc"),
            Print(TinyConfig()));
}

}  // namespace
}  // namespace segue
