#include "core/retrieval/serving_snapshot.h"

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "core/catalog/row_matrix.h"
#include "core/rows/row_set.h"
#include "core/schema/vocabulary.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::PublishTinyBundle;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using segue::testing::TinyBundleOptions;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Publishes the bundle, whose hashes are right, and loads it.
absl::StatusOr<std::shared_ptr<const ServingSnapshot>> PublishAndLoad(
    const TinyBundleOptions& options,
    Deadline deadline = Deadline::Infinite()) {
  const TempFolder folder;
  auto version = PublishTinyBundle(folder.path(), options);
  if (!version.ok()) return version.status();
  auto bundle = OpenBundle(folder / *version, VerifyScope::kServed);
  if (!bundle.ok()) return bundle.status();
  return LoadServingSnapshot(*bundle, deadline);
}

TEST(ServingSnapshotTest, LoadsEveryPartOfABundle) {
  const auto snapshot = PublishAndLoad({.items = 5, .users = 2});
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ((*snapshot)->items.size(), 5);
  EXPECT_EQ((*snapshot)->users.size(), 2);
  EXPECT_EQ((*snapshot)->item_rows.rows(), 6);
  EXPECT_EQ((*snapshot)->index->size(), 5);
  EXPECT_EQ((*snapshot)->shape.history_length, 3);
  EXPECT_EQ((*snapshot)->golden_requests.requests_size(), 1);
  EXPECT_GT((*snapshot)->bytes, 1000u);
}

TEST(ServingSnapshotTest, LoadingGivesUpAtItsDeadline) {
  EXPECT_THAT(PublishAndLoad({}, Deadline::After({})),
              StatusIs(absl::StatusCode::kDeadlineExceeded, ::testing::_));
}

TEST(ServingSnapshotTest, ABundleNeedNotHaveAttributes) {
  EXPECT_EQ((*PublishAndLoad({}))->attributes.size(), 2);
  const auto without = PublishAndLoad({.attributes = false});
  ASSERT_THAT(without, IsOk());
  EXPECT_EQ((*without)->attributes.size(), 0);
}

TEST(ServingSnapshotTest, RemovedRowsMayNotBeAnswered) {
  const auto with_removed = [](const RowSet& removed) {
    return PublishAndLoad(
        {.items = 5,
         .before_seal =
             [&](const std::string& folder) {
               ASSERT_THAT(
                   WriteFileAtomically(folder + "/" + layout::kRemovedItems,
                                       removed.Serialize()),
                   IsOk());
             },
         .extra_file = layout::kRemovedItems});
  };
  const auto snapshot = with_removed(RowSet(std::vector<int32_t>{1, 3}));
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ((*snapshot)->available->ToRows(), (std::vector<int32_t>{0, 2, 4}));
  EXPECT_THAT(with_removed(RowSet(std::vector<int32_t>{5})),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("items.removed has row 5, of 5")));
  EXPECT_THAT(with_removed(RowSet(0, 5)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no item is left")));
}

TEST(ServingSnapshotTest, EffortsOfNoFrontAreRefused) {
  v1::Efforts efforts;
  efforts.add_points()->set_k(0);
  const auto snapshot = PublishAndLoad(
      {.before_seal =
           [&](const std::string& folder) {
             ASSERT_THAT(WriteFileAtomically(folder + "/" + layout::kEfforts,
                                             efforts.SerializeAsString()),
                         IsOk());
           },
       .extra_file = layout::kEfforts});
  EXPECT_THAT(snapshot, StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("no Pareto front")));
}

void Overwrite(const std::string& folder, const char* name,
               const std::string& bytes) {
  ASSERT_THAT(WriteFileAtomically(folder + "/" + name, bytes), IsOk());
}

void OverwriteSchema(const std::string& folder,
                     const std::function<void(v1::FeatureSchema&)>& edit) {
  auto bytes = ReadFile(folder + "/" + layout::kSchema, 1 << 20);
  ASSERT_THAT(bytes, IsOk());
  v1::FeatureSchema schema;
  ASSERT_TRUE(schema.ParseFromString(*bytes));
  edit(schema);
  Overwrite(folder, layout::kSchema, schema.SerializeAsString());
}

void OverwriteRows(const std::string& folder, const char* name, int rows,
                   int width) {
  auto writer = RowMatrixWriter::Create(folder + "/" + name, rows, width);
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->Append(std::vector<float>(rows * width, 1.0f)),
              IsOk());
  ASSERT_THAT((*writer)->Finish(), IsOk());
}

// A bundle whose parts do not fit each other, though each file is what the
// manifest says.
struct Mismatch {
  const char* name;
  std::function<void(const std::string&)> files;
  std::function<void(v1::Content&)> content;
  absl::StatusCode code;
  const char* said;
};

class SnapshotMismatchTest : public ::testing::TestWithParam<Mismatch> {};

TEST_P(SnapshotMismatchTest, IsRefusedWithFileAndValues) {
  const Mismatch& mismatch = GetParam();
  EXPECT_THAT(PublishAndLoad({.before_seal = mismatch.files,
                              .edit_content = mismatch.content}),
              StatusIs(mismatch.code, HasSubstr(mismatch.said)));
}

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;
constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

std::vector<Mismatch> Mismatches() {
  return {
      {"dimension",
       {},
       [](auto& c) { c.set_dimension(5); },
       kPrecondition,
       "tower"},
      {"metric", {}, [](auto& c) { c.set_metric("l2"); }, kPrecondition, "l2"},
      {"items",
       {},
       [](auto& c) { c.set_items(11); },
       kPrecondition,
       "items.vocab: items is 12, the manifest says 11"},
      {"no_items",
       {},
       [](auto& c) { c.set_items(0); },
       kPrecondition,
       "counts"},
      {"users",
       {},
       [](auto& c) { c.set_users(4); },
       kPrecondition,
       "users.vocab: users is 3, the manifest says 4"},
      {"history",
       {},
       [](auto& c) { c.set_history_length(-1); },
       kPrecondition,
       "counts"},
      {"item_width",
       {},
       [](auto& c) { c.set_item_row_width(5); },
       kPrecondition,
       "width of an item row is 4, the manifest says 5"},
      {"user_width",
       {},
       [](auto& c) { c.set_user_row_width(8); },
       kPrecondition,
       "width of a user row is 7, the manifest says 8"},
      {"attribute_bytes",
       [](auto& f) { Overwrite(f, layout::kItemAttributes, "\xff\xff"); },
       {},
       kDataLoss,
       "items.attributes does not parse"},
      {"attributes_of_other_items",
       [](auto& f) {
         v1::Attributes attributes;
         v1::AttributeColumn& year = *attributes.add_columns();
         year.set_name("year");
         year.set_kind(v1::AttributeColumn::NUMERIC);
         year.add_numbers(2000);
         Overwrite(f, layout::kItemAttributes, attributes.SerializeAsString());
       },
       {},
       kDataLoss,
       "\"year\": has 1 numbers for 12 items"},
      {"schema_bytes",
       [](auto& f) { Overwrite(f, layout::kSchema, "\xff\xff"); },
       {},
       kDataLoss,
       "schema.pb"},
      {"schema_gap",
       [](auto& f) {
         OverwriteSchema(
             f, [](auto& s) { s.mutable_user_features(1)->set_offset(6); });
       },
       {},
       kPrecondition,
       "age does not fit its row"},
      {"schema_embeddings",
       [](auto& f) {
         OverwriteSchema(f, [](auto& s) {
           s.mutable_user_features(0)->mutable_embeddings()->RemoveLast();
         });
       },
       {},
       kPrecondition,
       "plan does not fit its row"},
      {"schema_no_embeddings",
       [](auto& f) {
         OverwriteSchema(f, [](auto& s) {
           s.mutable_request_features(0)->clear_embeddings();
         });
       },
       {},
       kPrecondition,
       "device does not fit its row"},
      {"item_rows_count",
       [](auto& f) { OverwriteRows(f, layout::kItemRows, 12, 4); },
       {},
       kPrecondition,
       "items.rows: rows is 12, the manifest says 13"},
      {"item_rows_width",
       [](auto& f) { OverwriteRows(f, layout::kItemRows, 13, 3); },
       {},
       kPrecondition,
       "items.rows: width is 3, the manifest says 4"},
      {"user_rows_count",
       [](auto& f) { OverwriteRows(f, layout::kUserRows, 3, 7); },
       {},
       kPrecondition,
       "users.rows: rows is 3, the manifest says 4"},
      {"vocabulary_bytes",
       [](auto& f) { Overwrite(f, layout::kItemIds, "not one"); },
       {},
       kDataLoss,
       "items.vocab"},
      {"tower_bytes",
       [](auto& f) { Overwrite(f, layout::kQueryTower, "no TorchScript"); },
       {},
       kDataLoss,
       "query tower"},
      {"towers_swapped",
       [](auto& f) {
         std::filesystem::copy_file(
             f + "/" + layout::kItemTower, f + "/" + layout::kQueryTower,
             std::filesystem::copy_options::overwrite_existing);
       },
       {},
       kPrecondition,
       "query tower"},
      {"index_bytes",
       [](auto& f) { Overwrite(f, layout::kIndex, "IxFI"); },
       {},
       kDataLoss,
       "index.faiss"},
      {"golden_bytes",
       [](auto& f) { Overwrite(f, layout::kGoldenRequests, "{"); },
       {},
       kDataLoss,
       "golden_requests.json"},
      {"display_bytes",
       [](auto& f) { Overwrite(f, layout::kItemDisplay, ""); },
       {},
       kDataLoss,
       "items.text"},
  };
}

INSTANTIATE_TEST_SUITE_P(Table, SnapshotMismatchTest,
                         ::testing::ValuesIn(Mismatches()),
                         [](const auto& info) { return info.param.name; });

// What is not listed, or not as served, was not verified: it may be anything.
TEST(ServingSnapshotTest, NothingIsReadThatTheManifestDoesNotServe) {
  const TempFolder folder;
  auto version = PublishTinyBundle(folder.path(), {});
  ASSERT_THAT(version, IsOk());
  auto bundle = OpenBundle(folder / *version, VerifyScope::kServed);
  ASSERT_THAT(bundle, IsOk());
  const std::set<std::string> optional = {
      layout::kItemAttributes, layout::kEfforts, layout::kGoldenAnswers,
      layout::kRemovedItems};
  int needed = 0;
  for (int i = 0; i < bundle->content().files_size(); ++i) {
    const std::string name = bundle->content().files(i).name();
    if (optional.count(name) > 0) continue;
    ++needed;
    v1::Manifest unlisted = bundle->manifest();
    unlisted.mutable_content()->mutable_files()->DeleteSubrange(i, 1);
    v1::Manifest auxiliary = bundle->manifest();
    auxiliary.mutable_content()->mutable_files(i)->set_served(false);
    for (const v1::Manifest& manifest : {unlisted, auxiliary}) {
      EXPECT_THAT(LoadServingSnapshot(bundle->folder(), manifest),
                  StatusIs(kPrecondition,
                           HasSubstr("does not list " + name + " as served")));
    }
  }
  EXPECT_EQ(needed, 10);
}

// The sealing writer refuses it already, and so does a reader of a manifest
// that was written otherwise.
TEST(ServingSnapshotTest, IndexOfOtherTowersIsRefused) {
  const TempFolder folder;
  auto version = PublishTinyBundle(folder.path(), {});
  ASSERT_THAT(version, IsOk());
  auto bundle = OpenBundle(folder / *version, VerifyScope::kServed);
  ASSERT_THAT(bundle, IsOk());
  v1::Manifest manifest = bundle->manifest();
  manifest.mutable_content()->mutable_index()->set_tower_hash("other");
  EXPECT_THAT(LoadServingSnapshot(bundle->folder(), manifest),
              StatusIs(kPrecondition,
                       AllOf(HasSubstr("other"),
                             HasSubstr(manifest.content().tower_hash()))));
}

}  // namespace
}  // namespace segue
