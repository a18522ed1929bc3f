// `segue-trainer refresh`: another catalogue under the same model.
#include "trainer/publish/refresh.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "core/retrieval/retriever.h"
#include "core/retrieval/serving_snapshot.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/model/tiny_run.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/publish/publisher.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::kTinyItems;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using segue::testing::TinyConfig;
using segue::testing::TinyRun;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;
using ::testing::UnorderedElementsAre;

struct Row {
  std::string genres, length, title;
};

class RefreshTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config_ = TinyConfig();
    config_.set_run_dir(folder_ / "run");
    config_.set_bundle_root(folder_ / "bundles");
    config_.mutable_items()->add_display_columns("title");
    config_.mutable_items()->mutable_features(0)->set_separator("|");
    config_.mutable_items()->add_attributes()->set_name("genre");
    config_.mutable_items()->add_attributes()->set_name("length");
    config_.mutable_evaluation()->set_bootstrap_samples(10);
    config_.mutable_publish()->set_beat_popularity(false);
    Publish();
    // What the tiny data say of each item.
    for (int i = 0; i < kTinyItems; ++i) {
      rows_["i" + std::to_string(i)] = {i % 2 == 0 ? "rock" : "jazz",
                                        std::to_string(100 + 10 * i),
                                        "Track " + std::to_string(i)};
    }
    rows_["i0"].genres = "rock|jazz";
    rows_["i10"].genres = "";
    rows_["i3"].length = "";
  }

  void Publish() {
    run_ = std::make_unique<TinyRun>(config_);
    run_->data.display.emplace_back();
    for (int i = 0; i < kTinyItems; ++i) {
      run_->data.display[0].push_back("Track " + std::to_string(i));
    }
    const auto model = run_->NewModel();
    for (int step = 0; step < 6; ++step) {
      model->TrainStep(run_->Batch(step / 3, step % 3));
    }
    ASSERT_THAT(CreateFolders(config_.run_dir()), IsOk());
    v1::Report report;
    Progress progress("");
    const auto version =
        PublishModel(*model, run_->data, run_->split, run_->sampler, config_,
                     /*threads=*/1, report, progress);
    ASSERT_THAT(version, IsOk());
    version_ = *version;
  }

  absl::StatusOr<Refreshed> RefreshWith(const std::string& csv,
                                        const RefreshOptions& options = {}) {
    const std::string path = folder_ / "items.csv";
    EXPECT_THAT(WriteFileAtomically(path, csv), IsOk());
    v1::TrainerConfig config = config_;
    config.mutable_items()->set_path(path);
    Progress progress("");
    auto refreshed = RefreshBundle(config_.bundle_root() + "/" + version_, {},
                                   config, options, /*threads=*/2, progress);
    if (refreshed.ok()) version_ = refreshed->version;
    return refreshed;
  }
  // rows_ as a file.
  absl::StatusOr<Refreshed> RefreshToRows(const RefreshOptions& options = {}) {
    std::string csv = "item_id,genre,length,title\n";
    for (const auto& [id, row] : rows_) {
      csv += id + "," + row.genres + "," + row.length + "," + row.title + "\n";
    }
    return RefreshWith(csv, options);
  }

  std::shared_ptr<const ServingSnapshot> Load() const {
    const auto bundle =
        OpenBundle(config_.bundle_root() + "/" + version_, VerifyScope::kAll);
    EXPECT_THAT(bundle, IsOk());
    const auto snapshot = LoadServingSnapshot(*bundle);
    EXPECT_THAT(snapshot, IsOk());
    return *snapshot;
  }

  static std::vector<std::string> AllAnswers(const ServingSnapshot& snapshot,
                                             const std::string& text = "") {
    v1::RetrieveRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        "top_k: 100 user_id: 'u1' " + text, &request));
    const auto query = ResolveQuery(snapshot, request);
    EXPECT_THAT(query, IsOk());
    std::vector<float> vector;
    EXPECT_THAT(EmbedQueries(snapshot, {&*query}, vector), IsOk());
    v1::RetrieveResponse response;
    EXPECT_THAT(SearchAndFill(snapshot, vector, *query, response), IsOk());
    return {response.item_ids().begin(), response.item_ids().end()};
  }

  const TempFolder folder_;
  v1::TrainerConfig config_;
  std::unique_ptr<TinyRun> run_;
  std::map<std::string, Row> rows_;
  std::string version_;
};

TEST_F(RefreshTest, TheSameCatalogueIsTheSameBundle) {
  const std::string before = version_;
  const auto refreshed = RefreshToRows();
  ASSERT_THAT(refreshed, IsOk());
  EXPECT_EQ(refreshed->report.added(), 0);
  EXPECT_EQ(refreshed->report.changed(), 0);
  EXPECT_EQ(refreshed->report.removed(), 0);
  EXPECT_EQ(version_, before);
}

TEST_F(RefreshTest, NewItemsAreAnsweredAndHaveTheirFeatures) {
  rows_["n0"] = {"jazz", "130", "New"};
  rows_["n1"] = {"", "", "Nothing known"};
  const auto refreshed = RefreshToRows();
  ASSERT_THAT(refreshed, IsOk());
  EXPECT_EQ(refreshed->report.items(), kTinyItems + 2);
  EXPECT_EQ(refreshed->report.added(), 2);
  EXPECT_EQ(refreshed->report.unknown(), 1);
  EXPECT_FALSE(refreshed->report.rebuilt());
  const auto snapshot = Load();
  EXPECT_THAT(AllAnswers(*snapshot), AllOf(Contains("n0"), Contains("i10")));
  EXPECT_THAT(AllAnswers(*snapshot,
                         "filter { one_of { attribute: 'genre' values: 'jazz' "
                         "} }"),
              UnorderedElementsAre("n0", "i0", "i1", "i3", "i5", "i7", "i9"));
  EXPECT_THAT(
      AllAnswers(*snapshot,
                 "filter { range { attribute: 'length' at_least: 195 } }"),
      UnorderedElementsAre("i10"));
  // The own embedding of an unknown item; the genre of i1, the length of i3's
  // neighbour; and an item like that of before has the row of before.
  const int32_t row = *snapshot->items.Find("n0");
  const absl::Span<const float> fused = snapshot->item_rows.Row(row);
  EXPECT_EQ(fused.first(4),
            snapshot->item_rows.Row(snapshot->items.unknown_row()).first(4));
  EXPECT_EQ(fused.subspan(4, 3),
            snapshot->item_rows.Row(*snapshot->items.Find("i1")).subspan(4, 3));
  v1::DescribeItemsRequest describe;
  describe.add_item_ids("n0");
  EXPECT_EQ(DescribeItems(*snapshot, describe).items(0).columns().at("title"),
            "New");
}

TEST_F(RefreshTest, RemovedItemsAreNotAnsweredButHistoriesKnowThem) {
  rows_.erase("i4");
  const auto refreshed = RefreshToRows();
  ASSERT_THAT(refreshed, IsOk());
  EXPECT_EQ(refreshed->report.removed(), 1);
  EXPECT_NEAR(refreshed->report.dead_share(), 1.0 / kTinyItems, 1e-9);
  const auto snapshot = Load();
  EXPECT_THAT(AllAnswers(*snapshot), Not(Contains("i4")));
  EXPECT_EQ(AllAnswers(*snapshot).size(), kTinyItems - 1u);
  v1::RetrieveRequest request;
  request.add_history("i4");
  EXPECT_EQ(ResolveQuery(*snapshot, request)->unknown_history, 0);

  // And it may come back, without a new row.
  rows_["i4"] = {"rock", "140", "Track 4"};
  const auto back = RefreshToRows();
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(back->report.dead_share(), 0);
  EXPECT_EQ(AllAnswers(*Load()).size(), size_t{kTinyItems});
  EXPECT_EQ(Load()->items.size(), kTinyItems);
}

TEST_F(RefreshTest, AChangedItemIsFoundByItsNewVector) {
  rows_["i2"].genres = "jazz";
  rows_["i2"].title = "Another title";
  const auto refreshed = RefreshToRows({.max_dead = 0.5});
  ASSERT_THAT(refreshed, IsOk());
  EXPECT_EQ(refreshed->report.changed(), 1);
  EXPECT_EQ(refreshed->report.items(), kTinyItems);
  const auto snapshot = Load();
  EXPECT_EQ(snapshot->items.size(), kTinyItems + 1);
  EXPECT_EQ(*snapshot->items.Find("i2"), kTinyItems);
  EXPECT_EQ(AllAnswers(*snapshot).size(), size_t{kTinyItems});
  // The index has the vector that the tower gives.
  const auto vectors = EmbedCatalogue(*snapshot, 1);
  ASSERT_THAT(vectors, IsOk());
  const auto kept = snapshot->index->Vectors({kTinyItems});
  ASSERT_THAT(kept, IsOk());
  EXPECT_THAT(absl::MakeConstSpan(*vectors).last(kept->size()),
              Pointwise(FloatNear(1e-5f), *kept));
  // A second refresh knows that row as what it is.
  const auto again = RefreshToRows({.max_dead = 0.5});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->report.changed(), 0);
  EXPECT_EQ(again->report.items(), kTinyItems);
}

TEST_F(RefreshTest, TooManyDeadRowsAreBuiltAnew) {
  rows_.erase("i4");
  rows_.erase("i5");
  const auto refreshed = RefreshToRows({.max_dead = 0.1});
  ASSERT_THAT(refreshed, IsOk());
  EXPECT_TRUE(refreshed->report.rebuilt());
  const auto snapshot = Load();
  EXPECT_EQ(snapshot->items.size(), kTinyItems - 2);
  EXPECT_FALSE(snapshot->available.has_value());
  EXPECT_EQ(AllAnswers(*snapshot).size(), kTinyItems - 2u);
  EXPECT_THAT(AllAnswers(*snapshot,
                         "filter { one_of { attribute: 'genre' values: 'rock' "
                         "} }"),
              UnorderedElementsAre("i0", "i2", "i6", "i8"));
}

TEST_F(RefreshTest, AFileThatLacksMuchIsRefused) {
  const std::string before = version_;
  rows_.erase("i1");
  rows_.erase("i2");
  rows_.erase("i3");
  EXPECT_THAT(RefreshToRows(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("lacks 3 of the bundle's 11 items"),
                             HasSubstr("--max-removed"))));
  EXPECT_EQ(*ReadCurrentVersion(config_.bundle_root()), before);
  EXPECT_THAT(RefreshToRows({.max_removed = 1}), IsOk());
}

TEST_F(RefreshTest, AnItemTwiceIsNamed) {
  EXPECT_THAT(
      RefreshWith("item_id,genre,length,title\ni1,,,\ni2,,,\ni1,,,\n",
                  {.max_removed = 1}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("items.csv"), HasSubstr("'i1' has a row"))));
}

TEST_F(RefreshTest, OtherFeaturesThanTheModelsAreRefused) {
  config_.mutable_items()->mutable_features(0)->set_name("mood");
  config_.mutable_items()->mutable_features(0)->set_column("genre");
  config_.mutable_items()->mutable_attributes(0)->set_name("mood");
  EXPECT_THAT(RefreshToRows(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("feature 0 is \"mood\""),
                             HasSubstr("the bundle has \"genre\""))));
}

TEST_F(RefreshTest, WhatEventsSaidOfItemsStays) {
  config_.mutable_items()->mutable_features(0)->set_source(
      v1::ItemFeature::EVENTS);
  for (auto& [id, row] : rows_) row.genres = "folk";
  rows_["n0"] = {"jazz", "130", "New"};
  const auto refreshed = RefreshToRows();
  ASSERT_THAT(refreshed, IsOk());
  EXPECT_EQ(refreshed->report.changed(), 0);
  EXPECT_THAT(AllAnswers(*Load(),
                         "filter { one_of { attribute: 'genre' values: 'jazz' "
                         "} }"),
              UnorderedElementsAre("i0", "i1", "i3", "i5", "i7", "i9"));
}

TEST_F(RefreshTest, TitlesAreThoseOfTheBundlesColumns) {
  config_.mutable_items()->clear_display_columns();
  rows_["i1"].title = "Renamed";
  ASSERT_THAT(RefreshToRows(), IsOk());
  v1::DescribeItemsRequest describe;
  describe.add_item_ids("i1");
  EXPECT_EQ(DescribeItems(*Load(), describe).items(0).columns().at("title"),
            "Renamed");
}

TEST_F(RefreshTest, AFloorThatIsMissedPublishesNothing) {
  const std::string before = version_;
  rows_["n0"] = {"jazz", "130", "New"};
  EXPECT_THAT(RefreshToRows({.min_overlap = 1.5}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("--min-overlap")));
  EXPECT_EQ(*ReadCurrentVersion(config_.bundle_root()), before);
}

TEST_F(RefreshTest, TheReportTellsOfIt) {
  rows_["n0"] = {"jazz", "130", "New"};
  ASSERT_THAT(RefreshToRows(), IsOk());
  const auto report = ReadFile(
      config_.bundle_root() + "/" + version_ + "/" + layout::kReport, 1 << 20);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(*report, AllOf(HasSubstr("\"refreshes\""),
                             HasSubstr("\"added\": 1"), HasSubstr(version_)));
}

}  // namespace
}  // namespace segue
