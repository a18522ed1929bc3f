#include "trainer/config/config_validation.h"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/config/text_proto.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/config/config_cases.h"

namespace segue {
namespace {

using ::segue::testing::ConfigWith;
using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST(ConfigValidationTest, DefaultsWithAPathAreValid) {
  EXPECT_THAT(ValidateTrainerConfig(ConfigWith({})), IsOk());
}

struct Accepted {
  const char* name;
  std::vector<std::string> assignments;
};

void PrintTo(const Accepted& test, std::ostream* out) { *out << test.name; }

class ValidConfigTest : public ::testing::TestWithParam<Accepted> {};

// The neighbours of what is refused.
TEST_P(ValidConfigTest, IsAccepted) {
  EXPECT_THAT(ValidateTrainerConfig(ConfigWith(GetParam().assignments)),
              IsOk());
}

INSTANTIATE_TEST_SUITE_P(
    Table, ValidConfigTest,
    ::testing::Values(
        Accepted{"Zeros",
                 {"threads=0",
                  "items.embedding_width=0",
                  "users.embedding_width=0",
                  "split.validation_days=0",
                  "model.user_id_dropout=0",
                  "model.item_id_dropout=0",
                  "model.dropout=0",
                  "model.encoder.dropout=0",
                  "model.serving_age_quantile=0",
                  "training.weight_decay=0",
                  "training.beta1=0",
                  "training.logq_slots=0",
                  "training.max_steps=0",
                  "training.early_stopping_epochs=0",
                  "training.checkpoint_minutes=0",
                  "evaluation.max_queries=0",
                  "evaluation.bootstrap_samples=0",
                  "index.flat_limit=0",
                  "index.nlist=0",
                  "index.pq_m=0",
                  "index.nprobe=0",
                  "index.k_factor=0",
                  "index.target_overlap=0",
                  "publish.min_recall=0",
                  "publish.min_overlap=0",
                  "publish.keep_versions=0"}},
        Accepted{
            "Ones",
            {"model.serving_age_quantile=1", "training.logq_alpha=1",
             "training.epochs=1", "training.batch_size=2",
             "training.keep_checkpoints=1", "window.history_length=1",
             "index.at_k=1", "index.tune_queries=1", "index.target_overlap=1",
             "publish.min_recall=1", "publish.min_overlap=1"}},
        Accepted{"OrderWithLeaveOneOut",
                 {"events.time_unit=ORDER", "split.kind=LEAVE_ONE_OUT"}},
        Accepted{"EarlyStoppingWithLeaveOneOut",
                 {"split.kind=LEAVE_ONE_OUT", "split.validation_days=0",
                  "training.early_stopping_epochs=2"}},
        Accepted{
            "Factory",
            {"index.kind=FACTORY", "index.factory=HNSW32", "index.pq_m=7"}},
        Accepted{"FlatTrainsNothing",
                 {"index.kind=FLAT", "index.max_training_vectors=1",
                  "index.pq_m=7"}},
        Accepted{"SubquantisersOfTheDefaultLayers", {"index.pq_m=32"}},
        Accepted{"SubquantisersOfOtherLayers",
                 {"model.layers=[64, 12]", "index.pq_m=6"}},
        Accepted{"GapAndUserSplit",
                 {"split.gap_minutes=30", "split.test_days=0.5",
                  "evaluation.protocol=USER_SPLIT",
                  "evaluation.recent_half_life_days=0.1",
                  "evaluation.item_knn_history=1"}},
        Accepted{"GateAtEveryDepth", {"publish.gate_k=1000"}},
        Accepted{"LongHistory",
                 {"window.history_length=524285", "training.batch_size=64"}},
        Accepted{"Mapping",
                 {"items.features[+].name=artist",
                  "items.features[0].source=MAPPING",
                  "items.features[0].mapping_path=map.csv"}},
        Accepted{"Signals",
                 {"events.target_filters=[{any_of {column: 'a' at_least: 1} "
                  "any_of {column: 'b' one_of: 'x'}}]",
                  "events.negative_filters=[{column: 'b' one_of: 'y'}]",
                  "events.negatives=MASK"}},
        Accepted{"VectorOfAFile",
                 {"items.features=[{name:'v' kind:VECTOR source:MAPPING "
                  "mapping_path:'m.parquet'}]"}},
        Accepted{"SameNameForItemAndUser",
                 {"items.path=i.csv", "users.path=u.csv",
                  "items.features[+].name=age", "users.features[+].name=age"}}),
    [](const auto& info) { return info.param.name; });

TEST(ConfigValidationTest, ItemFeaturesAreAsManyAsABundleHasFilesFor) {
  v1::TrainerConfig config = ConfigWith({});
  config.mutable_items()->set_path("items.csv");
  const auto add = [&config] {
    v1::ItemFeature& feature = *config.mutable_items()->add_features();
    feature.set_name(std::to_string(config.items().features_size()));
  };
  for (int i = 0; i < 100; ++i) add();
  EXPECT_THAT(ValidateTrainerConfig(config), IsOk());
  add();
  EXPECT_THAT(ValidateTrainerConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("items.features: are 101")));
}

TEST(ConfigValidationTest, EveryMistakeIsNamedAtOnce) {
  v1::TrainerConfig config = ConfigWith(
      {"events.path=", "training.epochs=0", "model.temperature=-1",
       "index.at_k=0", "publish.gate_k=7", "users.features[+].name=age"});
  const absl::Status status = ValidateTrainerConfig(config);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("events.path")));
  EXPECT_THAT(std::vector<std::string>(
                  absl::StrSplit(std::string(status.message()), '\n')),
              UnorderedElementsAre(
                  HasSubstr("events.path"), HasSubstr("training.epochs"),
                  HasSubstr("model.temperature"), HasSubstr("index.at_k"),
                  HasSubstr("publish.gate_k"), HasSubstr("users.features")));
}

std::vector<std::string> ShippedConfigs() {
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(SEGUE_CONFIG_FOLDER)) {
    if (entry.path().extension() == ".textproto") {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class ShippedConfigTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedConfigTest, ParsesAndIsValid) {
  const auto text = ReadFile(GetParam(), 1 << 20);
  ASSERT_THAT(text, IsOk());
  if (absl::StrContains(*text, "# proto-message: segue.v1.ServerConfig")) {
    v1::ServerConfig config;
    EXPECT_THAT(LoadTextProto(GetParam(), config), IsOk());
    return;
  }
  EXPECT_THAT(*text, HasSubstr("# proto-message: segue.v1.TrainerConfig"));
  v1::TrainerConfig config;
  ASSERT_THAT(LoadTextProto(GetParam(), config), IsOk());
  EXPECT_THAT(ValidateTrainerConfig(config), IsOk());
  // Two of them must not overwrite each other's runs.
  const std::string name = std::filesystem::path(GetParam()).stem();
  EXPECT_EQ(config.run_dir(), "runs/" + name);
  EXPECT_EQ(config.bundle_root(), "bundles/" + name);
}

INSTANTIATE_TEST_SUITE_P(
    Files, ShippedConfigTest, ::testing::ValuesIn(ShippedConfigs()),
    [](const auto& info) {
      return std::filesystem::path(info.param).stem().string();
    });

}  // namespace
}  // namespace segue
