#include "trainer/model/two_tower_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/history/window.h"
#include "core/towers/torchscript_towers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/model/tiny_run.h"
#include "trainer/model/candidates.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::ItemRow;
using segue::testing::ItemVectors;
using segue::testing::kTinyItems;
using segue::testing::kTinyNewItem;
using segue::testing::QueryVectors;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using segue::testing::TinyConfig;
using segue::testing::TinyRun;
using segue::testing::UserRow;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::Pointwise;

void TrainEpochs(const TinyRun& run, TwoTowerModel& model, int epochs) {
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (int batch = 0; batch < 3; ++batch) {
      ASSERT_TRUE(std::isfinite(model.TrainStep(run.Batch(epoch, batch))));
    }
  }
}

TEST(TwoTowerModelTest, FullSoftmaxOverTooManyItemsIsRefused) {
  TinyRun run;
  run.config.mutable_training()->mutable_loss()->set_negatives(
      v1::LossConfig::FULL);
  run.split.item_in_training.assign(kMostCandidates + 1, true);
  EXPECT_THAT(TwoTowerModel::Create(run.data, run.split, run.config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("training has 262145 items"),
                             HasSubstr("use MIXED or UNIFORM"))));
}

TEST(TwoTowerModelTest, ShapeComesFromConfigAndFeatures) {
  const TinyRun run;
  const auto model = run.NewModel();
  EXPECT_EQ(model->shape().item_width, 4 + 3 + 1);  // own, genre, length
  EXPECT_EQ(model->shape().user_width, 2 + 2 + 2);  // own, plan, device
  EXPECT_EQ(model->shape().history_length, 3);
  EXPECT_EQ(model->shape().dimension, 8);
  EXPECT_EQ(model->step(), 0);
}

TEST(TwoTowerModelTest, DefaultWidthIsLog2RoundedUpAndAtLeast2) {
  EXPECT_EQ(DefaultEmbeddingWidth(0), 2);
  EXPECT_EQ(DefaultEmbeddingWidth(4), 2);
  EXPECT_EQ(DefaultEmbeddingWidth(5), 3);
  EXPECT_EQ(DefaultEmbeddingWidth(1024), 10);
  EXPECT_EQ(DefaultEmbeddingWidth(1025), 11);
  EXPECT_EQ(DefaultEmbeddingWidth(877168), 20);
}

TEST(TwoTowerModelTest, NumbersThatDoNotSuitTheirTransformAreRefused) {
  TinyRun run;
  run.config.mutable_items()->mutable_features(1)->set_transform(
      v1::LOG1P_Z_SCORE);
  run.data.item_features[1].numbers[2] = -5;
  EXPECT_THAT(TwoTowerModel::Create(run.data, run.split, run.config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("length"), HasSubstr("-5"))));
}

// Every user goes round the items in order: nothing is left to chance.
TEST(TwoTowerModelTest, LearnsWhatFollowsWhat) {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_model()->set_example_age(false);
  const TinyRun run(config);
  const auto model = run.NewModel();
  const double before = model->TrainStep(run.Batch(0, 0));
  TrainEpochs(run, *model, 60);
  EXPECT_EQ(model->step(), 1 + 60 * 3);
  EXPECT_LT(model->TrainStep(run.Batch(0, 0)), 0.2 * before);

  // The item that came next is the nearest to the query, of those that training
  // compared with anything: not of the one that only the test has.
  std::vector<EvaluationQuery> queries;
  for (int place = 0; place < run.sampler.examples(); ++place) {
    queries.push_back(run.sampler.Example(0, place));
  }
  const std::vector<float> items = ItemVectors(*model);
  const std::vector<float> vectors = QueryVectors(*model, queries);
  for (size_t q = 0; q < queries.size(); ++q) {
    const auto score = [&](int item) {
      return std::inner_product(&vectors[q * 8], &vectors[q * 8] + 8,
                                &items[item * 8], 0.0f);
    };
    int best = 0;
    for (int item = 1; item < kTinyNewItem; ++item) {
      if (score(item) > score(best)) best = item;
    }
    EXPECT_EQ(best, run.data.log.items[queries[q].target]) << q;
  }
}

TEST(TwoTowerModelTest, SameSeedGivesTheSameWeightsAndAnotherDoesNot) {
  const TinyRun run;
  v1::TrainerConfig config = TinyConfig();
  config.set_seed(8);
  const TinyRun other_run(config);
  const auto model = run.NewModel(), same = run.NewModel();
  const auto other = other_run.NewModel();
  EXPECT_NE(run.Served(*model), run.Served(*other));
  TrainEpochs(run, *model, 2);
  TrainEpochs(run, *same, 2);
  EXPECT_EQ(run.Served(*model), run.Served(*same));
}

TEST(TwoTowerModelTest, TrainingReachesBothTowers) {
  const TinyRun run;
  const auto model = run.NewModel();
  const TempFolder folder;
  const auto save = [&](const std::string& name) {
    EXPECT_THAT(model->SaveTowers(folder / (name + ".query"),
                                  folder / (name + ".item")),
                IsOk());
  };
  save("before");
  TrainEpochs(run, *model, 1);
  save("after");
  // The same inputs to the towers of before and after.
  const TowerShape& shape = model->shape();
  const std::vector<float> row(shape.item_width, 0.5f);
  const std::vector<float> history(3 * shape.item_width, 0.5f);
  const std::vector<float> user(shape.user_width, 0.5f);
  const std::vector<float> mask(3, 1), age(1, 0);
  std::vector<std::vector<float>> items, queries;
  for (const std::string name : {"before", "after"}) {
    const auto item_bytes = ReadFile(folder / (name + ".item"), 1 << 20);
    const auto query_bytes = ReadFile(folder / (name + ".query"), 1 << 20);
    const auto item_tower = LoadItemTower(item_bytes.value(), shape);
    const auto query_tower = LoadQueryTower(query_bytes.value(), shape);
    ASSERT_THAT(item_tower, IsOk());
    ASSERT_THAT(query_tower, IsOk());
    std::vector<float> vector(8);
    EXPECT_THAT((*item_tower)->Embed(1, row, absl::MakeSpan(vector)), IsOk());
    items.push_back(vector);
    EXPECT_THAT((*query_tower)
                    ->Embed({.batch = 1,
                             .user = user,
                             .history = history,
                             .mask = mask,
                             .seed = row,
                             .age = age},
                            absl::MakeSpan(vector)),
                IsOk());
    queries.push_back(vector);
  }
  EXPECT_NE(items[0], items[1]);
  EXPECT_NE(queries[0], queries[1]);
}

TEST(TwoTowerModelTest, RowsOutsideOfTheBatchOnlyDecay) {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_training()->set_embedding_weight_decay(0.01);
  config.mutable_model()->set_item_id_dropout(0);
  config.mutable_model()->set_user_id_dropout(0);
  const TinyRun run(config);
  const auto model = run.NewModel();
  std::vector<std::vector<float>> before;
  for (int item = 0; item < kTinyItems; ++item) {
    before.push_back(ItemRow(*model, item));
  }
  const std::vector<float> user1 = UserRow(*model, 1);
  // User 1's items 3, 4, 5 and then 6; user 0's 0 and then 1.
  model->TrainStep(std::vector<EvaluationQuery>{{.user = 1, .target = 12 + 3},
                                                {.user = 0, .target = 1}});
  const double decay = 1 - 0.01 * 0.01;
  for (int item = 0; item < kTinyItems; ++item) {
    const std::vector<float> after = ItemRow(*model, item);
    const bool in_batch = item <= 1 || (item >= 3 && item <= 6);
    for (int i = 0; i < 4; ++i) {
      const double moved = std::abs(after[i] - decay * before[item][i]);
      EXPECT_THAT(moved, in_batch ? ::testing::Matcher<double>(Gt(1e-3))
                                  : ::testing::Matcher<double>(Lt(1e-7)))
          << "item " << item;
    }
  }
  EXPECT_GT(std::abs(UserRow(*model, 1)[0] - decay * user1[0]), 1e-3);
}

TEST(TwoTowerModelTest, UnknownRowsAreTrainedByIdDropout) {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_training()->set_embedding_weight_decay(0.01);
  config.mutable_model()->set_item_id_dropout(0);
  config.mutable_model()->set_user_id_dropout(0);
  const TinyRun without(config);
  config.mutable_model()->set_item_id_dropout(0.3);
  config.mutable_model()->set_user_id_dropout(0.3);
  const TinyRun with(config);
  const int64_t item = with.data.items.unknown_row();
  const int64_t user = with.data.users.unknown_row();
  // The furthest that a value of [begin, end) moved, but for decay.
  const auto furthest = [](const std::vector<float>& before,
                           const std::vector<float>& after, int begin,
                           int end) {
    const double decay = std::pow(1 - 0.01 * 0.01, 12);
    double moved = 0;
    for (int i = begin; i < end; ++i) {
      moved = std::max(moved, std::abs(after[i] - decay * before[i]));
    }
    return moved;
  };
  for (const TinyRun* run : {&without, &with}) {
    const auto model = run->NewModel();
    const std::vector<float> item_before = ItemRow(*model, item);
    const std::vector<float> user_before = UserRow(*model, user);
    TrainEpochs(*run, *model, 4);
    const std::vector<float> item_after = ItemRow(*model, item);
    const std::vector<float> user_after = UserRow(*model, user);
    const double item_moved = furthest(item_before, item_after, 0, 4);
    const double user_moved = furthest(user_before, user_after, 0, 2);
    // The unknown genre and the unknown plan.
    const double genre_moved = furthest(item_before, item_after, 4, 7);
    const double plan_moved = furthest(user_before, user_after, 2, 4);
    if (run == &with) {
      EXPECT_GT(item_moved, 0.01);
      EXPECT_GT(user_moved, 0.01);
      EXPECT_GT(genre_moved, 0.001);
      EXPECT_GT(plan_moved, 0.001);
    } else {
      EXPECT_LT(item_moved, 1e-6);
      EXPECT_LT(user_moved, 1e-6);
      EXPECT_LT(genre_moved, 1e-6);
    }
  }
}

TEST(TwoTowerModelTest, AnItemThatTrainingDidNotSeeHasTheUnknownId) {
  const TinyRun run;
  const auto model = run.NewModel();
  TrainEpochs(run, *model, 2);
  std::vector<float> row = ItemRow(*model, kTinyNewItem);
  const std::vector<float> unknown = ItemRow(*model, kTinyItems);
  EXPECT_NE(row.back(), 0);  // its length is known
  row.back() = 0;
  EXPECT_EQ(row, unknown);  // it has no genre either
}

TEST(TwoTowerModelTest, EmbeddingsHaveLengthOneAndDoNotTrain) {
  const TinyRun run;
  const auto model = run.NewModel(), untouched = run.NewModel();
  for (int step = 0; step < 3; ++step) {
    // Batches of other sizes come in between.
    const std::vector<float> queries = QueryVectors(*model, run.split.test);
    const std::vector<float> items = ItemVectors(*model);
    for (const std::vector<float>* vectors : {&queries, &items}) {
      for (size_t v = 0; v < vectors->size(); v += 8) {
        EXPECT_NEAR(std::inner_product(&(*vectors)[v], &(*vectors)[v] + 8,
                                       &(*vectors)[v], 0.0f),
                    1, 1e-5);
      }
    }
    model->TrainStep(run.Batch(0, step));
    untouched->TrainStep(run.Batch(0, step));
  }
  EXPECT_EQ(run.Served(*model), run.Served(*untouched));
}

TEST(TwoTowerModelTest, EmbeddingIsTheSameAloneAndAmongOthers) {
  const TinyRun run;
  const auto model = run.NewModel();
  TrainEpochs(run, *model, 1);
  const std::vector<float> all = QueryVectors(*model, run.split.test);
  for (size_t q = 0; q < run.split.test.size(); ++q) {
    EXPECT_THAT(
        QueryVectors(*model, {run.split.test[q]}),
        Pointwise(FloatNear(1e-5), absl::MakeConstSpan(all).subspan(q * 8, 8)));
  }
}

TEST(TwoTowerModelTest, NoQueriesAreNoVectors) {
  const TinyRun run;
  EXPECT_THAT(run.NewModel()->EmbedQueries({}, {}), IsOk());
}

TEST(TwoTowerModelTest, AnInfiniteLossIsReturnedAndNotLearnt) {
  TinyRun run;
  const auto model = run.NewModel();
  model->TrainStep(run.Batch(0, 0));
  const std::vector<float> before = run.Served(*model);
  for (float& weight : run.data.log.weights) {
    weight = std::numeric_limits<float>::quiet_NaN();
  }
  EXPECT_TRUE(std::isnan(model->TrainStep(run.Batch(0, 1))));
  EXPECT_EQ(model->step(), 1);
  EXPECT_EQ(run.Served(*model), before);
}

TEST(TwoTowerModelTest, SchemaTellsWhatTheRowsHold) {
  const TinyRun run;
  const auto model = run.NewModel();
  TrainEpochs(run, *model, 1);
  const v1::FeatureSchema schema = model->Schema();
  EXPECT_EQ(schema.item_embedding_width(), 4);
  EXPECT_EQ(schema.user_embedding_width(), 2);
  ASSERT_EQ(schema.item_features_size(), 2);
  EXPECT_EQ(schema.item_features(0).offset(), 4);
  EXPECT_EQ(schema.item_features(1).offset(), 7);
  // The server needs no embeddings of items' features: rows are fused.
  EXPECT_EQ(schema.item_features(0).embeddings_size(), 0);
  ASSERT_EQ(schema.user_features_size(), 1);
  EXPECT_EQ(schema.user_features(0).offset(), 2);
  EXPECT_THAT(schema.user_features(0).values(), ElementsAre("free", "paid"));
  ASSERT_EQ(schema.request_features_size(), 1);
  EXPECT_EQ(schema.request_features(0).offset(), 4);
  EXPECT_THAT(schema.request_features(0).values(), ElementsAre("phone", "tv"));
  EXPECT_LT(schema.serving_age(), 0);  // younger than the mean

  // User 1 pays; what a request sends is unknown yet.
  const std::vector<float> user = UserRow(*model, 1);
  const auto& plans = schema.user_features(0).embeddings();
  const auto& devices = schema.request_features(0).embeddings();
  EXPECT_THAT(absl::MakeConstSpan(user).subspan(2, 4),
              ElementsAre(plans[2], plans[3], devices[4], devices[5]));
}

TEST(TwoTowerModelTest, TrainsOnVectorsAndOnFeaturesThatSayNothing) {
  TinyRun run;
  v1::ItemFeature& audio = *run.config.mutable_items()->add_features();
  audio.set_name("audio");
  audio.set_kind(v1::VECTOR);
  FeatureTable vectors{.name = "audio", .kind = v1::VECTOR};
  vectors.vector_width = 5;
  vectors.vectors.assign(kTinyItems * 5, 0.5f);
  run.data.item_features.push_back(vectors);
  // A constant, a column of nulls, and no category at all.
  std::vector<double>& lengths = run.data.item_features[1].numbers;
  std::fill(lengths.begin(), lengths.end(), 180.0f);
  FeatureTable& plans = run.data.user_features[0];
  plans.values = Vocabulary(1);
  plans.value_rows.clear();
  std::fill(plans.begins.begin(), plans.begins.end(), 0);

  const auto model = run.NewModel();
  EXPECT_EQ(model->shape().item_width, 4 + 3 + 1 + 5);
  for (int64_t batch = 0; batch < 3; ++batch) {
    EXPECT_TRUE(std::isfinite(model->TrainStep(run.Batch(0, batch))));
  }
  EXPECT_EQ(ItemRow(*model, 2).back(), 0.5f);
  // Unknown items have none.
  EXPECT_EQ(ItemRow(*model, kTinyItems).back(), 0);
}

class ExportedTowersTest
    : public ::testing::TestWithParam<v1::EncoderConfig::Kind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, ExportedTowersTest,
                         ::testing::Values(v1::EncoderConfig::MEAN,
                                           v1::EncoderConfig::TRANSFORMER,
                                           v1::EncoderConfig::HSTU),
                         [](const auto& info) {
                           return v1::EncoderConfig::Kind_Name(info.param);
                         });

// What the server does: fused rows, values of the schema, exported tower.
TEST_P(ExportedTowersTest, GiveTheModelsOwnVectors) {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_model()->mutable_encoder()->set_kind(GetParam());
  config.mutable_model()->mutable_encoder()->set_width(8);
  TinyRun run(config);
  // From seconds to a day apart.
  for (int64_t e = 1; e < run.data.log.size(); ++e) {
    run.data.log.times[e] = run.data.log.times[e - 1] + (e * e * e) % 86400;
  }
  const auto model = run.NewModel();
  TrainEpochs(run, *model, 3);
  const TempFolder folder;
  ASSERT_THAT(model->SaveTowers(folder / "query.pt", folder / "item.pt"),
              IsOk());
  const TowerShape& shape = model->shape();
  const auto query_tower =
      LoadQueryTower(ReadFile(folder / "query.pt", 1 << 20).value(), shape);
  const auto item_tower =
      LoadItemTower(ReadFile(folder / "item.pt", 1 << 20).value(), shape);
  ASSERT_THAT(query_tower, IsOk());
  ASSERT_THAT(item_tower, IsOk());
  const v1::FeatureSchema schema = model->Schema();

  const std::vector<float> own_items = ItemVectors(*model);
  std::vector<float> vector(8);
  for (int item = 0; item < kTinyItems; ++item) {
    ASSERT_THAT(
        (*item_tower)->Embed(1, ItemRow(*model, item), absl::MakeSpan(vector)),
        IsOk());
    EXPECT_THAT(vector,
                Pointwise(FloatNear(1e-5),
                          absl::MakeConstSpan(own_items).subspan(item * 8, 8)));
  }

  // A short history, so that there is padding, and long ones; the test of user
  // 0 has the new item neither in its history nor as its seed.
  std::vector<EvaluationQuery> queries = run.split.test;
  queries.push_back({.user = 2, .target = 2 * 12 + 1});
  const std::vector<float> own_queries = QueryVectors(*model, queries);
  const EventLog& log = run.data.log;
  for (size_t q = 0; q < queries.size(); ++q) {
    const int64_t begin = log.user_begins[queries[q].user];
    std::vector<int32_t> window(3);
    std::vector<float> mask(3), history;
    std::vector<int64_t> times(3), now = {log.times[queries[q].target]};
    FillWindowTimes(absl::MakeConstSpan(log.times).subspan(
                        begin, queries[q].target - begin),
                    now[0], absl::MakeSpan(times));
    const int32_t seed =
        FillWindow(absl::MakeConstSpan(log.items).subspan(
                       begin, queries[q].target - begin),
                   run.data.items.unknown_row(), absl::MakeSpan(window),
                   absl::MakeSpan(mask));
    for (const int32_t row : window) {
      const std::vector<float> item =
          row < 0 ? std::vector<float>(shape.item_width) : ItemRow(*model, row);
      history.insert(history.end(), item.begin(), item.end());
    }
    std::vector<float> user = UserRow(*model, queries[q].user);
    const v1::FeatureColumn& device = schema.request_features(0);
    const int value = log.request_features[0].Values(queries[q].target)[0];
    for (int i = 0; i < device.width(); ++i) {
      user[device.offset() + i] = device.embeddings(value * 2 + i);
    }
    const std::vector<float> seed_row = ItemRow(*model, seed);
    const std::vector<float> age = {schema.serving_age()};
    ASSERT_THAT((*query_tower)
                    ->Embed({.batch = 1,
                             .user = user,
                             .history = history,
                             .mask = mask,
                             .seed = seed_row,
                             .age = age,
                             .times = times,
                             .now = now},
                            absl::MakeSpan(vector)),
                IsOk());
    // Its weights are halves.
    EXPECT_THAT(vector,
                Pointwise(FloatNear(5e-4),
                          absl::MakeConstSpan(own_queries).subspan(q * 8, 8)));
  }
}

}  // namespace
}  // namespace segue
