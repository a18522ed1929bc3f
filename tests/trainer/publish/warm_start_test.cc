// What a run takes over from an earlier bundle, and which it refuses.
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/retrieval/serving_snapshot.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"
#include "tests/trainer/model/tiny_run.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/model/warm_start_bundle.h"
#include "trainer/publish/publisher.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::ItemRow;
using segue::testing::kTinyItems;
using segue::testing::kTinyNewItem;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using segue::testing::TinyConfig;
using segue::testing::TinyRun;
using segue::testing::UserRow;
using ::testing::AllOf;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

// The ids in their order, some under another name.
Vocabulary Renamed(const Vocabulary& ids,
                   const std::vector<std::pair<std::string, std::string>>& as) {
  Vocabulary renamed(ids.unknown_buckets());
  for (int32_t row = 0; row < ids.size(); ++row) {
    std::string id(ids.id(row));
    for (const auto& [from, to] : as) {
      if (ids.id(row) == from) id = to;
    }
    renamed.Add(id);
  }
  return renamed;
}

class WarmStartTest : public ::testing::Test {
 protected:
  WarmStartTest() : config_(TinyConfig()) {
    config_.set_run_dir(folder_ / "run");
    config_.set_bundle_root(folder_ / "bundles");
    v1::ItemFeature& audio = *config_.mutable_items()->add_features();
    audio.set_name("audio");
    audio.set_kind(v1::VECTOR);
    config_.mutable_model()->set_learn_temperature(true);
    config_.mutable_evaluation()->set_bootstrap_samples(10);
    config_.mutable_publish()->set_beat_popularity(false);
  }

  // With vectors (1, 2) for even items and (-3, 2) for odd ones, standardised.
  static std::unique_ptr<TinyRun> NewRun(const v1::TrainerConfig& config) {
    auto run = std::make_unique<TinyRun>(config);
    FeatureTable audio{.name = "audio", .kind = v1::VECTOR};
    audio.vector_width = 2;
    audio.vector_scale.add_mean(-1);
    audio.vector_scale.add_mean(2);
    audio.vector_scale.set_factor(0.5f);
    for (int32_t i = 0; i < kTinyItems; ++i) {
      audio.vectors.push_back(i % 2 == 0 ? 1 : -1);
      audio.vectors.push_back(0);
    }
    run->data.item_features.push_back(audio);
    run->data.display.clear();
    return run;
  }

  // Trains two epochs and publishes.
  void Publish() {
    run_ = NewRun(config_);
    model_ = run_->NewModel();
    for (int step = 0; step < 6; ++step) {
      last_loss_ = model_->TrainStep(run_->Batch(step / 3, step % 3));
    }
    ASSERT_THAT(CreateFolders(config_.run_dir()), IsOk());
    v1::Report report;
    Progress progress("");
    const auto version =
        PublishModel(*model_, run_->data, run_->split, run_->sampler, config_,
                     /*threads=*/1, report, progress);
    ASSERT_THAT(version, IsOk());
    path_ = config_.bundle_root() + "/" + *version;
  }

  // A new model over `run` that begins from the bundle.
  absl::StatusOr<std::unique_ptr<TwoTowerModel>> Begin(TinyRun& run) const {
    ASSIGN_OR_RETURN(const WarmStartBundle earlier, OpenWarmStartBundle(path_));
    KeepVectorScales(earlier.schema, run.data);
    ASSIGN_OR_RETURN(auto model,
                     TwoTowerModel::Create(run.data, run.split, run.config,
                                           /*steps=*/0, &earlier.schema));
    RETURN_IF_ERROR(model->WarmStart(earlier));
    return model;
  }

  const TempFolder folder_;
  v1::TrainerConfig config_;
  std::unique_ptr<TinyRun> run_;
  std::unique_ptr<TwoTowerModel> model_;  // that was published
  double last_loss_ = 0;
  std::string path_;
};

TEST_F(WarmStartTest, BeforeItsFirstStepItEmbedsAsTheBundleDoes) {
  Publish();
  const auto run = NewRun(config_);
  const auto model = Begin(*run);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ(run->Served(**model), run_->Served(*model_));
  EXPECT_NE(run->Served(**model), run->Served(*run->NewModel()));
  EXPECT_NE((*model)->temperature(), config_.model().temperature());
  EXPECT_NEAR((*model)->temperature(), model_->temperature(), 1e-6);
  EXPECT_EQ((*model)->step(), 0);

  const auto bundle = OpenBundle(path_, VerifyScope::kServed);
  ASSERT_THAT(bundle, IsOk());
  const auto snapshot = LoadServingSnapshot(*bundle);
  ASSERT_THAT(snapshot, IsOk());
  const auto served = EmbedCatalogue(**snapshot, /*threads=*/1);
  ASSERT_THAT(served, IsOk());
  std::vector<float> vectors(served->size());
  ASSERT_THAT((*model)->EmbedItems(absl::MakeSpan(vectors)), IsOk());
  EXPECT_THAT(vectors, Pointwise(FloatNear(1e-6f), *served));
}

TEST_F(WarmStartTest, TrainingGoesOnFromWhatWasLearnt) {
  Publish();
  const auto run = NewRun(config_);
  const auto model = Begin(*run);
  ASSERT_THAT(model, IsOk());
  const double cold = run->NewModel()->TrainStep(run->Batch(0, 0));
  const double warm = (*model)->TrainStep(run->Batch(0, 0));
  EXPECT_LT(warm, (cold + last_loss_) / 2);
  EXPECT_NE(run->Served(**model), run_->Served(*model_));
}

TEST_F(WarmStartTest, RowsFollowTheirIdsAndNewOnesBeginAsUnknown) {
  Publish();
  const auto run = NewRun(config_);
  Dataset& data = run->data;
  // Items 1 and 2 change places.
  data.items =
      Renamed(data.items, {{"i1", "i2"}, {"i2", "i1"}, {"i5", "new item"}});
  data.users = Renamed(data.users, {{"u3", "new user"}});
  FeatureTable& genres = data.item_features[0];
  genres.values = Renamed(genres.values, {{"jazz", "folk"}});
  const auto model = Begin(*run);
  ASSERT_THAT(model, IsOk());
  const auto own = [](std::vector<float> row, int width) {
    row.resize(width);
    return row;
  };
  EXPECT_EQ(own(ItemRow(**model, 1), 4), own(ItemRow(*model_, 2), 4));
  EXPECT_EQ(own(ItemRow(**model, 2), 4), own(ItemRow(*model_, 1), 4));
  EXPECT_EQ(own(ItemRow(**model, 5), 4), own(ItemRow(*model_, kTinyItems), 4));
  EXPECT_EQ(own(UserRow(**model, 3), 2),
            own(UserRow(*model_, data.users.unknown_row()), 2));
  // "rock" is known, "folk" is new.
  std::vector<float> value(3), expected(3);
  for (const auto& [now, then] : {std::pair{0, 0}, {1, 2}, {2, 2}}) {
    (*model)->ReadItemValue(0, now, absl::MakeSpan(value));
    model_->ReadItemValue(0, then, absl::MakeSpan(expected));
    EXPECT_EQ(value, expected) << now;
  }
  EXPECT_GT((*model)->TrainStep(run->Batch(0, 0)), 0);
}

TEST_F(WarmStartTest, WhatOnlyTheBundleWasTrainedOnKeepsItsEmbedding) {
  Publish();
  const auto run = NewRun(config_);
  run->split.item_in_training[4] = false;
  run->split.user_in_training[2] = false;
  const auto model = Begin(*run);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ(ItemRow(**model, 4), ItemRow(*model_, 4));
  EXPECT_EQ(UserRow(**model, 2), UserRow(*model_, 2));
  // The bundle was not trained on this one either: it stays unknown, and goes
  // where the unknown row goes.
  (*model)->TrainStep(run->Batch(0, 0));
  const std::vector<float> row = ItemRow(**model, kTinyNewItem);
  const std::vector<float> unknown = ItemRow(**model, kTinyItems);
  EXPECT_THAT(absl::MakeConstSpan(row).first(4),
              ElementsAreArray(absl::MakeConstSpan(unknown).first(4)));
}

TEST_F(WarmStartTest, ANumberGoesOnMeaningWhatItMeant) {
  Publish();
  const auto run = NewRun(config_);
  for (double& length : run->data.item_features[1].numbers) length *= 2;
  for (uint32_t& time : run->data.log.times) time = 2 * time;
  FeatureTable& audio = run->data.item_features[2];
  audio.vector_scale.set_mean(0, 3);
  audio.vector_scale.set_factor(0.25f);
  run->data.item_features[1].numbers[2] =
      run_->data.item_features[1].numbers[4];
  const auto model = Begin(*run);
  ASSERT_THAT(model, IsOk());
  const v1::FeatureSchema then = model_->Schema(), now = (*model)->Schema();
  EXPECT_EQ(now.item_features(1).scale().SerializeAsString(),
            then.item_features(1).scale().SerializeAsString());
  EXPECT_EQ(now.age_scale().SerializeAsString(),
            then.age_scale().SerializeAsString());
  EXPECT_EQ(now.item_features(2).vector_scale().SerializeAsString(),
            then.item_features(2).vector_scale().SerializeAsString());
  EXPECT_EQ(ItemRow(**model, 2)[7], ItemRow(*model_, 4)[7]);
  // 1 / 0.25 + 3 = 7 was 7; to the bundle that is (7 + 1) / 2.
  EXPECT_EQ(ItemRow(**model, 2)[8], 4);
}

TEST_F(WarmStartTest, WidthsThatAreLeftOpenAreTheBundles) {
  Publish();
  v1::TrainerConfig open = config_;
  open.mutable_items()->clear_embedding_width();
  open.mutable_items()->mutable_features(0)->clear_embedding_width();
  open.mutable_users()->clear_embedding_width();
  open.mutable_users()->mutable_features(0)->clear_embedding_width();
  open.mutable_request_features(0)->clear_embedding_width();
  const auto run = NewRun(open);
  const auto model = Begin(*run);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ(run->Served(**model), run_->Served(*model_));
}

TEST_F(WarmStartTest, AnotherModelIsRefusedByName) {
  Publish();
  struct Change {
    const char* part;
    std::function<void(v1::TrainerConfig&, Dataset&)> apply;
  };
  const Change changes[] = {
      {"layer0_weight of its query tower is [16, ",
       [](auto& c, auto&) { c.mutable_model()->set_layers(0, 17); }},
      {"query tower has no layer2_",
       [](auto& c, auto&) { c.mutable_model()->add_layers(8); }},
      {"query tower has layer1_",
       [](auto& c, auto&) {
         c.mutable_model()->mutable_layers()->RemoveLast();
       }},
      {"layer0_weight of its item tower is [16, ",
       [](auto& c, auto&) { c.mutable_model()->add_item_layers(8); }},
      {"the width of an item's embedding is 4 there and 5 here",
       [](auto& c, auto&) { c.mutable_items()->set_embedding_width(5); }},
      {"items.features[0] is \"genre\", MULTI_CATEGORICAL, width 3 at 4 there",
       [](auto& c, auto&) {
         c.mutable_items()->mutable_features(0)->set_embedding_width(2);
       }},
      {"\"label\", MULTI_CATEGORICAL",
       [](auto&, auto& d) { d.item_features[0].name = "label"; }},
      {"items.features[2] is \"audio\", VECTOR, width 2 at 8 there and missing",
       [](auto& c, auto& d) {
         c.mutable_items()->mutable_features()->RemoveLast();
         d.item_features.pop_back();
       }},
      {"items.unknown_buckets is 1 there and 2 here",
       [](auto&, auto& d) {
         Vocabulary items(2);
         for (int32_t i = 0; i < d.items.size(); ++i) items.Add(d.items.id(i));
         d.items = items;
       }},
      {"the width of a user's embedding is 2 there and 0 here",
       [](auto& c, auto&) { c.mutable_users()->set_use_id(false); }},
      {"users.features[0]",
       [](auto&, auto& d) { d.user_features[0].name = "tariff"; }},
      {"request_features[0]",
       [](auto&, auto& d) { d.log.request_features[0].name = "screen"; }},
      {"model.example_age is 1 there and 0 here",
       [](auto& c, auto&) { c.mutable_model()->set_example_age(false); }},
      {"model.encoder",
       [](auto& c, auto&) {
         c.mutable_model()->mutable_encoder()->set_kind(
             v1::EncoderConfig::TRANSFORMER);
       }},
  };
  for (const Change& change : changes) {
    v1::TrainerConfig config = config_;
    Dataset before = NewRun(config)->data;
    change.apply(config, before);
    const auto run = NewRun(config);
    run->data = before;
    EXPECT_THAT(Begin(*run).status(),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr("cannot begin from this bundle"),
                               HasSubstr(change.part))))
        << change.part;
  }
}

TEST_F(WarmStartTest, HeadsThatNoWeightShowsAreCompared) {
  v1::EncoderConfig& encoder = *config_.mutable_model()->mutable_encoder();
  encoder.set_kind(v1::EncoderConfig::TRANSFORMER);
  encoder.set_width(8);
  encoder.set_blocks(1);
  Publish();
  encoder.set_dropout(0.5);  // is not what a model is
  auto run = NewRun(config_);
  const auto model = Begin(*run);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ(run->Served(**model), run_->Served(*model_));
  encoder.set_heads(4);
  run = NewRun(config_);
  EXPECT_THAT(Begin(*run).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("model.encoder"), HasSubstr("heads: 4"),
                             HasSubstr("width: 8"))));
}

TEST_F(WarmStartTest, DamagedFilesAreDataLoss) {
  Publish();
  for (const std::string& name :
       {layout::ItemFeatureIds(0), layout::ItemFeatureRows(0),
        std::string(layout::kItemTower)}) {
    const std::string path = path_ + "/" + name;
    const std::string whole = ReadFile(path, 1 << 24).value();
    std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() - 1);
    EXPECT_THAT(OpenWarmStartBundle(path_).status(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(name)));
    std::ofstream(path, std::ios::binary) << whole;
  }
  EXPECT_THAT(OpenWarmStartBundle(path_), IsOk());
  EXPECT_THAT(OpenWarmStartBundle(folder_ / "nowhere").status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere")));
}

TEST_F(WarmStartTest, ABundleFromBeforeIsRefused) {
  const auto version =
      segue::testing::PublishTinyBundle(folder_ / "bundles", {});
  ASSERT_THAT(version, IsOk());
  EXPECT_THAT(OpenWarmStartBundle(folder_ / "bundles/" + *version).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("published before")));
}

}  // namespace
}  // namespace segue
