#include "trainer/config_validation.h"

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

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// The smallest valid config with `assignments`, as of --set, on top.
v1::TrainerConfig Config(const std::vector<std::string>& assignments) {
  v1::TrainerConfig config;
  config.mutable_events()->set_path("events.csv");
  for (const std::string& assignment : assignments) {
    EXPECT_THAT(SetField(assignment, config), IsOk());
  }
  return config;
}

TEST(ConfigValidationTest, DefaultsWithAPathAreValid) {
  EXPECT_THAT(ValidateTrainerConfig(Config({})), IsOk());
}

struct Accepted {
  const char* name;
  std::vector<std::string> assignments;
};

void PrintTo(const Accepted& test, std::ostream* out) { *out << test.name; }

class ValidConfigTest : public ::testing::TestWithParam<Accepted> {};

// The neighbours of what is refused below.
TEST_P(ValidConfigTest, IsAccepted) {
  EXPECT_THAT(ValidateTrainerConfig(Config(GetParam().assignments)), IsOk());
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
             "index.tune_k=1", "index.tune_queries=1", "index.target_overlap=1",
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

struct Refused {
  const char* name;
  std::vector<std::string> assignments;
  const char* said;  // the field, and what is wrong with it
};

void PrintTo(const Refused& test, std::ostream* out) { *out << test.name; }

class InvalidConfigTest : public ::testing::TestWithParam<Refused> {};

TEST_P(InvalidConfigTest, IsRefusedWithFieldAndReason) {
  const absl::Status status =
      ValidateTrainerConfig(Config(GetParam().assignments));
  EXPECT_THAT(status, StatusIs(kInvalid, HasSubstr(GetParam().said)));
  // One mistake, one line.
  EXPECT_THAT(std::vector<std::string>(
                  absl::StrSplit(std::string(status.message()), '\n')),
              SizeIs(1))
      << status;
}

INSTANTIATE_TEST_SUITE_P(
    Paths, InvalidConfigTest,
    ::testing::Values(
        Refused{"NoEvents", {"events.path="}, "events.path: is required"},
        Refused{"NoRunDir", {"run_dir="}, "run_dir: must not be empty"},
        Refused{"NoBundleRoot", {"bundle_root="}, "bundle_root: must not be"},
        Refused{
            "Threads", {"threads=-1"}, "threads: is -1, must be at least 0"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Events, InvalidConfigTest,
    ::testing::Values(
        Refused{"MinEvents",
                {"events.min_events_per_user=0"},
                "events.min_events_per_user: is 0, must be at least 1"},
        Refused{"WeightScaleZero",
                {"events.weight_scale=0"},
                "events.weight_scale: is 0, must be above 0 and finite"},
        Refused{"WeightScaleNegative",
                {"events.weight_scale=-0.01"},
                "events.weight_scale: is -0.01"},
        Refused{"WeightScaleNan",
                {"events.weight_scale=nan"},
                "events.weight_scale: is nan"},
        Refused{"FilterWithoutColumn",
                {"events.filters[+].at_least=1"},
                "events.filters[0].column: is required"},
        Refused{"FilterWithoutCondition",
                {"events.filters[+].column=a"},
                "events.filters[0]: set exactly one"},
        Refused{"SecondFilterWithTwo",
                {"events.filters=[{column: 'a' at_most: 1}, {column: 'b' "
                 "at_least: 1 one_of: 'x'}]"},
                "events.filters[1]: set exactly one"},
        Refused{"TargetFilterWithoutCondition",
                {"events.target_filters[+].column=a"},
                "events.target_filters[0]: set exactly one"},
        Refused{"NegativeFilterWithoutColumn",
                {"events.negative_filters[+].at_least=1"},
                "events.negative_filters[0].column: is required"},
        Refused{"AnyOfWithoutCondition",
                {"events.filters=[{any_of {column: 'a'}}]"},
                "events.filters[0].any_of[0]: set exactly one"},
        Refused{"AnyOfBesideACondition",
                {"events.filters=[{column: 'a' at_least: 1 any_of {column: "
                 "'b' at_least: 1}}]"},
                "events.filters[0]: any_of stands alone"},
        Refused{"AnyOfInAnyOf",
                {"events.filters=[{any_of {any_of {column: 'b' at_least: "
                 "1}}}]"},
                "events.filters[0]: conditions of any_of have no any_of"},
        Refused{"MaskOfNothing",
                {"events.negatives=MASK"},
                "events.negatives: MASK and EXPLICIT need"},
        Refused{"FilterOfNan",
                {"events.filters=[{column: 'a' at_most: nan}]"},
                "events.filters[0]: nothing is"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Items, InvalidConfigTest,
    ::testing::Values(
        Refused{"Width",
                {"items.embedding_width=-3"},
                "items.embedding_width: is -3"},
        Refused{
            "Buckets", {"items.unknown_buckets=0"}, "items.unknown_buckets"},
        Refused{"FeatureWithoutName",
                {"items.path=i.csv", "items.features[+].kind=NUMERIC"},
                "items.features[0].name: is required"},
        Refused{"FeatureTwice",
                {"items.path=i.csv", "items.features=[{name:'a'},{name:'a'}]"},
                "items.features[1].name: \"a\" is there twice"},
        Refused{"FeatureWidth",
                {"items.path=i.csv",
                 "items.features=[{name:'a' embedding_width:-1}]"},
                "items.features[0].embedding_width: is -1"},
        Refused{"FeatureWithoutFile",
                {"items.features[+].name=a"},
                "items.features[0].source: ITEMS needs items.path"},
        Refused{"MappingWithoutPath",
                {"items.features=[{name:'a' source:MAPPING}]"},
                "items.features[0].mapping_path: is required"},
        Refused{"PathWithoutMapping",
                {"items.features=[{name:'a' source:EVENTS mapping_path:'m'}]"},
                "items.features[0].mapping_path: is for source MAPPING only"},
        Refused{"MappingOfNumbers",
                {"items.features=[{name:'a' source:MAPPING mapping_path:'m' "
                 "kind:NUMERIC}]"},
                "items.features[0].kind: a mapping holds categories"},
        Refused{"VectorOfEvents",
                {"items.features=[{name:'a' source:EVENTS kind:VECTOR}]"},
                "items.features[0].source: a VECTOR comes from"},
        Refused{"VectorWithWidth",
                {"items.features=[{name:'a' source:MAPPING mapping_path:'m' "
                 "kind:VECTOR embedding_width:8}]"},
                "items.features[0].embedding_width: is not for a VECTOR"},
        Refused{"VectorWithoutSeparator",
                {"items.features=[{name:'a' source:MAPPING mapping_path:'m' "
                 "kind:VECTOR separator:''}]"},
                "items.features[0].separator: must not be empty"},
        Refused{"DisplayWithoutFile",
                {"items.display_columns=title"},
                "items.display_columns: need items.path"},
        Refused{"CatalogueWithoutFile",
                {"items.catalogue=ALL"},
                "items.catalogue: ALL needs items.path"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Users, InvalidConfigTest,
    ::testing::Values(
        Refused{"Width",
                {"users.embedding_width=-1"},
                "users.embedding_width: is -1"},
        Refused{"Buckets",
                {"users.unknown_buckets=0"},
                "users.unknown_buckets: is 0"},
        Refused{"FeatureWithoutFile",
                {"users.features[+].name=age"},
                "users.features: need users.path"},
        Refused{"FeatureWithoutName",
                {"users.path=u", "users.features[+].kind=NUMERIC"},
                "users.features[0].name: is required"},
        Refused{"SeveralValues",
                {"request_features=[{name:'a' kind:MULTI_CATEGORICAL}]"},
                "request_features[0].kind: must be CATEGORICAL or NUMERIC"},
        Refused{"VectorOfRequests",
                {"request_features=[{name:'a' kind:VECTOR}]"},
                "request_features[0].kind: must be CATEGORICAL or NUMERIC"},
        Refused{"FeatureWidth",
                {"request_features=[{name:'a' embedding_width:-2}]"},
                "request_features[0].embedding_width: is -2"},
        Refused{"SameNameForUserAndRequest",
                {"users.path=u", "users.features[+].name=age",
                 "request_features[+].name=age"},
                "request_features[0].name: \"age\" is there twice"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Split, InvalidConfigTest,
    ::testing::Values(
        Refused{"OrderByDays",
                {"events.time_unit=ORDER"},
                "split.kind: LAST_DAYS needs events.time_unit SECONDS"},
        Refused{"NoTest", {"split.test_days=0"}, "split.test_days: must be"},
        Refused{"NegativeTest", {"split.test_days=-1"}, "split.test_days"},
        Refused{"NanTest", {"split.test_days=nan"}, "split.test_days"},
        Refused{"NegativeValidation",
                {"split.validation_days=-1"},
                "split.validation_days: must not be negative"},
        Refused{"NanValidation",
                {"split.validation_days=nan"},
                "split.validation_days"},
        Refused{"NegativeGap",
                {"split.gap_minutes=-1"},
                "split.gap_minutes: must not be negative"},
        Refused{"NanGap", {"split.gap_minutes=nan"}, "split.gap_minutes"},
        Refused{"GapOfLeaveOneOut",
                {"split.kind=LEAVE_ONE_OUT", "split.gap_minutes=30"},
                "split.gap_minutes: is for kind LAST_DAYS only"},
        Refused{"History",
                {"window.history_length=0"},
                "window.history_length: is 0, must be at least 1"},
        Refused{"HistoryBeyond32Bits",
                {"window.history_length=524286"},
                "window.history_length: is 524286, too many for batches of "
                "4096"},
        Refused{"LargestHistory",
                {"window.history_length=2147483647"},
                "window.history_length: is 2147483647, too many"},
        Refused{"HistoryOfLargeBatches",
                {"window.history_length=65535", "training.batch_size=32768"},
                "too many for batches of 32768"},
        Refused{"MinHistory",
                {"window.min_history=0"},
                "window.min_history: is 0, must be at least 1"},
        Refused{"MaxWindows",
                {"window.max_windows_per_user=0"},
                "window.max_windows_per_user: is 0"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Model, InvalidConfigTest,
    ::testing::Values(
        Refused{"Layer",
                {"model.layers=[64, 0, 32]"},
                "model.layers: is 0, must be at least 1"},
        Refused{"Temperature",
                {"model.temperature=0"},
                "model.temperature: is 0, must be above 0 and finite"},
        Refused{"TemperatureInfinite",
                {"model.temperature=inf"},
                "model.temperature: is inf"},
        Refused{"UserDropout",
                {"model.user_id_dropout=1"},
                "model.user_id_dropout: is 1, must be in [0, 1)"},
        Refused{"ItemDropout",
                {"model.item_id_dropout=-0.1"},
                "model.item_id_dropout: is -0.1"},
        Refused{"Dropout", {"model.dropout=nan"}, "model.dropout: is nan"},
        Refused{"EncoderWidth",
                {"model.encoder.width=0"},
                "model.encoder.width: is 0, must be at least 1"},
        Refused{"EncoderBlocks",
                {"model.encoder.blocks=0"},
                "model.encoder.blocks: is 0, must be at least 1"},
        Refused{"EncoderHeads",
                {"model.encoder.heads=3"},
                "model.encoder.heads: is 3, must divide model.encoder.width "
                "(64)"},
        Refused{"EncoderHeadsZero",
                {"model.encoder.heads=0"},
                "model.encoder.heads: is 0"},
        Refused{"EncoderDropout",
                {"model.encoder.dropout=1"},
                "model.encoder.dropout: is 1, must be in [0, 1)"},
        Refused{"AgeQuantile",
                {"model.serving_age_quantile=1.01"},
                "model.serving_age_quantile: is 1.01, must be in [0, 1]"},
        Refused{"AgeQuantileNan",
                {"model.serving_age_quantile=nan"},
                "model.serving_age_quantile: is nan"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Training, InvalidConfigTest,
    ::testing::Values(
        Refused{"Batch", {"training.batch_size=1"}, "training.batch_size"},
        Refused{"LargeBatch",
                {"training.batch_size=32769"},
                "training.batch_size: is 32769, must be in [2, 32768]"},
        Refused{"Epochs", {"training.epochs=0"}, "training.epochs: is 0"},
        Refused{"Rate",
                {"training.learning_rate=0"},
                "training.learning_rate: is 0, must be above 0"},
        Refused{"DecayNegative",
                {"training.weight_decay=-1"},
                "training.weight_decay: must not be negative"},
        Refused{"DecayEatsWeights",
                {"training.weight_decay=1000"},
                "nor eat a weight in one step"},
        Refused{"Beta1Negative", {"training.beta1=-0.1"}, "training.beta1"},
        Refused{"Beta2One", {"training.beta2=1"}, "training.beta2"},
        Refused{"Beta2BelowBeta1",
                {"training.beta2=0.81", "training.beta1=0.9"},
                "training.beta2: must be above beta1 squared"},
        Refused{"Epsilon", {"training.epsilon=0"}, "training.epsilon: is 0"},
        Refused{"EpsilonNegative",
                {"training.epsilon=-1e-8"},
                "training.epsilon: is -1e-08"},
        Refused{"EpsilonBelowFloat",
                {"training.epsilon=1e-60"},
                "training.epsilon: is 1e-60"},
        Refused{"Alpha", {"training.logq_alpha=0"}, "training.logq_alpha"},
        Refused{"AlphaAboveOne",
                {"training.logq_alpha=1.5"},
                "training.logq_alpha: must be in (0, 1]"},
        Refused{"Slots", {"training.logq_slots=-1"}, "training.logq_slots"},
        Refused{"Steps", {"training.max_steps=-1"}, "training.max_steps"},
        Refused{"CheckpointsBeforeTheStart",
                {"training.checkpoint_minutes=-1"},
                "training.checkpoint_minutes: must not be negative"},
        Refused{"Checkpoints",
                {"training.keep_checkpoints=0"},
                "training.keep_checkpoints"},
        Refused{"Patience",
                {"training.early_stopping_epochs=-1"},
                "training.early_stopping_epochs: is -1"},
        Refused{"ValidationK", {"training.validation_k=0"}, "validation_k"},
        Refused{"PatienceWithoutValidation",
                {"training.early_stopping_epochs=2", "split.validation_days=0"},
                "training.early_stopping_epochs: needs validation queries"},
        Refused{"MaxQueries",
                {"evaluation.max_queries=-1"},
                "evaluation.max_queries"},
        Refused{"Resamples",
                {"evaluation.bootstrap_samples=-1"},
                "evaluation.bootstrap_samples"},
        Refused{"HalfLife",
                {"evaluation.recent_half_life_days=0"},
                "evaluation.recent_half_life_days: is 0, must be above 0"},
        Refused{"ItemKnnHistory",
                {"evaluation.item_knn_history=0"},
                "evaluation.item_knn_history: is 0, must be at least 1"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Index, InvalidConfigTest,
    ::testing::Values(
        Refused{"FactoryMissing",
                {"index.kind=FACTORY"},
                "index.factory: is required for kind FACTORY"},
        Refused{"FactoryUnused",
                {"index.factory=Flat"},
                "index.factory: is for kind FACTORY only"},
        Refused{
            "FlatLimit", {"index.flat_limit=-1"}, "index.flat_limit: is -1"},
        Refused{"Cells", {"index.nlist=-1"}, "index.nlist: is -1"},
        Refused{"MoreCellsThanVectors",
                {"index.nlist=4096", "index.max_training_vectors=4000"},
                "index.nlist: is 4096, more cells than max_training_vectors"},
        Refused{"Subquantisers", {"index.pq_m=-1"}, "index.pq_m: is -1"},
        Refused{"SubquantisersOfTheDefaultLayers",
                {"index.pq_m=48"},
                "index.pq_m: 48 sub-quantisers do not divide the 128"},
        Refused{"SubquantisersOfOtherLayers",
                {"index.kind=HNSW_IVF_PQ", "model.layers=[128, 50]",
                 "index.pq_m=32"},
                "index.pq_m: 32 sub-quantisers do not divide the 50"},
        Refused{"Probes", {"index.nprobe=-1"}, "index.nprobe: is -1"},
        Refused{"Factor", {"index.k_factor=-1"}, "index.k_factor: is -1"},
        Refused{"TuneK", {"index.tune_k=0"}, "index.tune_k: is 0"},
        Refused{"TuneQueries",
                {"index.tune_queries=0"},
                "index.tune_queries: is 0"},
        Refused{"Target",
                {"index.target_overlap=1.01"},
                "index.target_overlap: is 1.01, must be in [0, 1]"},
        Refused{"TrainingVectors",
                {"index.max_training_vectors=15"},
                "index.max_training_vectors: is 15, must be at least 16"},
        Refused{"TrainingVectorsOfFlat",
                {"index.kind=FLAT", "index.max_training_vectors=0"},
                "index.max_training_vectors: is 0, must be at least 1"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Publish, InvalidConfigTest,
    ::testing::Values(
        Refused{"GateWithoutFigures",
                {"publish.gate_k=20"},
                "publish.gate_k: is 20, must be one of 5, 10, 30, 50, 100, "
                "300, 500, 1000"},
        Refused{"GateZero", {"publish.gate_k=0"}, "publish.gate_k: is 0"},
        Refused{"Recall", {"publish.min_recall=1.5"}, "publish.min_recall"},
        Refused{"RecallNan", {"publish.min_recall=nan"}, "publish.min_recall"},
        Refused{"Overlap", {"publish.min_overlap=-1"}, "publish.min_overlap"},
        Refused{"Versions",
                {"publish.keep_versions=-1"},
                "publish.keep_versions: is -1"}),
    [](const auto& info) { return info.param.name; });

TEST(ConfigValidationTest, ItemFeaturesAreAsManyAsABundleHasFilesFor) {
  v1::TrainerConfig config = Config({});
  config.mutable_items()->set_path("items.csv");
  const auto add = [&config] {
    v1::ItemFeature& feature = *config.mutable_items()->add_features();
    feature.set_name(std::to_string(config.items().features_size()));
  };
  for (int i = 0; i < 100; ++i) add();
  EXPECT_THAT(ValidateTrainerConfig(config), IsOk());
  add();
  EXPECT_THAT(ValidateTrainerConfig(config),
              StatusIs(kInvalid, HasSubstr("items.features: are 101")));
}

TEST(ConfigValidationTest, EveryMistakeIsNamedAtOnce) {
  v1::TrainerConfig config = Config(
      {"events.path=", "training.epochs=0", "model.temperature=-1",
       "index.tune_k=0", "publish.gate_k=7", "users.features[+].name=age"});
  const absl::Status status = ValidateTrainerConfig(config);
  EXPECT_THAT(status, StatusIs(kInvalid, HasSubstr("events.path")));
  EXPECT_THAT(std::vector<std::string>(
                  absl::StrSplit(std::string(status.message()), '\n')),
              UnorderedElementsAre(
                  HasSubstr("events.path"), HasSubstr("training.epochs"),
                  HasSubstr("model.temperature"), HasSubstr("index.tune_k"),
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
