// What a TrainerConfig may not say of its data: events, items, users, split.
#include "tests/trainer/config/config_cases.h"

namespace segue {
namespace {

using ::segue::testing::ExpectRefused;
using ::segue::testing::Refused;

class InvalidDataConfigTest : public ::testing::TestWithParam<Refused> {};

TEST_P(InvalidDataConfigTest, IsRefusedWithFieldAndReason) {
  ExpectRefused(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Paths, InvalidDataConfigTest,
    ::testing::Values(
        Refused{"NoEvents", {"events.path="}, "events.path: is required"},
        Refused{"NoRunDir", {"run_dir="}, "run_dir: must not be empty"},
        Refused{"NoBundleRoot", {"bundle_root="}, "bundle_root: must not be"},
        Refused{
            "Threads", {"threads=-1"}, "threads: is -1, must be at least 0"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Events, InvalidDataConfigTest,
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
    Items, InvalidDataConfigTest,
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
        Refused{
            "AttributeTwice",
            {"items.path=i.csv", "items.attributes=[{name:'a'},{name:'a'}]"},
            "items.attributes[1].name: \"a\" is there twice"},
        Refused{"AttributeWithoutFile",
                {"items.attributes[+].name=a"},
                "items.attributes[0].source: ITEMS needs items.path"},
        Refused{"AttributeOfVectors",
                {"items.features=[{name:'a' source:MAPPING mapping_path:'m' "
                 "kind:VECTOR}]",
                 "items.attributes[+].name=a"},
                "items.attributes[0].kind: requests cannot filter"},
        Refused{"AttributeWithWidth",
                {"items.path=i.csv",
                 "items.attributes=[{name:'a' embedding_width:8}]"},
                "items.attributes[0]: embedding_width and transform"},
        Refused{"AttributeUnlikeItsFeature",
                {"items.path=i.csv", "items.features[+].name=a",
                 "items.attributes=[{name:'a' kind:NUMERIC}]"},
                "items.attributes[0]: is the feature \"a\""},
        Refused{"DisplayWithoutFile",
                {"items.display_columns=title"},
                "items.display_columns: need items.path"},
        Refused{"CatalogueWithoutFile",
                {"items.catalogue=ALL"},
                "items.catalogue: ALL needs items.path"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Users, InvalidDataConfigTest,
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
    Split, InvalidDataConfigTest,
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
                {"window.history_length=16383", "training.batch_size=131072"},
                "too many for batches of 131072"},
        Refused{"MinHistory",
                {"window.min_history=0"},
                "window.min_history: is 0, must be at least 1"},
        Refused{"MaxWindows",
                {"window.max_windows_per_user=0"},
                "window.max_windows_per_user: is 0"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace segue
