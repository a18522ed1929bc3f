// What a bundle answers is what was trained: its queries lie where the model's
// own do.
#include <memory>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/bundle/bundle_reader.h"
#include "core/retrieval/retriever.h"
#include "core/retrieval/serving_snapshot.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/evaluation/serving_requests.h"
#include "trainer/publish/publisher.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::TempFolder;
using ::segue::testing::ToyDataset;
using ::testing::FloatNear;
using ::testing::Not;
using ::testing::Pointwise;

class PublishedVectorsTest
    : public ::testing::TestWithParam<v1::EncoderConfig::Kind> {
 protected:
  PublishedVectorsTest()
      : data_(ToyDataset({{"a", "b", "c", "d"},
                          {"b", "c", "a", "e", "d"},
                          {"a", "f", "c", "b"}})) {
    // A minute and an hour apart, in turns.
    for (int64_t e = 1; e < data_.log.size(); ++e) {
      data_.log.times[e] = data_.log.times[e - 1] + (e % 2 == 1 ? 60 : 4000);
    }
    config_.set_run_dir(folder_ / "run");
    config_.set_bundle_root(folder_ / "bundles");
    config_.mutable_split()->set_kind(v1::SplitConfig::LEAVE_ONE_OUT);
    config_.mutable_window()->set_history_length(3);
    config_.mutable_model()->add_layers(4);
    config_.mutable_model()->mutable_encoder()->set_kind(GetParam());
    config_.mutable_model()->mutable_encoder()->set_width(8);
    config_.mutable_training()->set_learning_rate(0.1);
    config_.mutable_evaluation()->set_bootstrap_samples(10);
    config_.mutable_publish()->set_beat_popularity(false);
  }

  const TempFolder folder_;
  Dataset data_;
  v1::TrainerConfig config_;
};

TEST_P(PublishedVectorsTest, AreTheModelsOwn) {
  ASSERT_THAT(CreateFolders(config_.run_dir()), IsOk());
  const auto split = SplitEvents(data_.log, data_.items.size(), config_);
  ASSERT_THAT(split, IsOk());
  const auto sampler = WindowSampler::Create(data_.log, *split,
                                             config_.window(), config_.seed());
  ASSERT_THAT(sampler, IsOk());
  const auto model = TwoTowerModel::Create(data_, *split, config_);
  ASSERT_THAT(model, IsOk());
  const std::vector<EvaluationQuery> examples = {{.user = 0, .target = 1},
                                                 {.user = 1, .target = 6}};
  for (int step = 0; step < 5; ++step) (*model)->TrainStep(examples);
  std::vector<float> own(split->test.size() * 4);
  ASSERT_THAT((*model)->EmbedQueries(split->test, absl::MakeSpan(own)), IsOk());

  v1::Report report;
  Progress progress("");
  const auto version = PublishModel(**model, data_, *split, *sampler, config_,
                                    /*threads=*/1, report, progress);
  ASSERT_THAT(version, IsOk());
  const auto bundle =
      OpenBundle(folder_ / "bundles/" + *version, VerifyScope::kAll);
  ASSERT_THAT(bundle, IsOk());
  const auto snapshot = LoadServingSnapshot(*bundle);
  ASSERT_THAT(snapshot, IsOk());
  const auto serve = [&](bool with_times) {
    std::vector<float> vectors;
    for (const EvaluationQuery& query : split->test) {
      v1::RetrieveRequest request = ToRequest(data_, query, 3);
      if (!with_times) request.clear_history_times();
      const auto resolved = ResolveQuery(**snapshot, request);
      EXPECT_THAT(resolved, IsOk());
      std::vector<float> vector;
      EXPECT_THAT(EmbedQueries(**snapshot, {&*resolved}, vector), IsOk());
      vectors.insert(vectors.end(), vector.begin(), vector.end());
    }
    return vectors;
  };
  // The tower's weights are halves where it serves.
  EXPECT_THAT(serve(true), Pointwise(FloatNear(5e-4), own));
  // Training has made something of times, where the model takes them.
  const bool timed = GetParam() == v1::EncoderConfig::HSTU;
  EXPECT_EQ((*snapshot)->shape.history_times, timed);
  if (timed) {
    EXPECT_THAT(serve(false), Not(Pointwise(FloatNear(1e-3), own)));
  } else {
    EXPECT_EQ(serve(false), serve(true));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, PublishedVectorsTest,
                         ::testing::Values(v1::EncoderConfig::MEAN,
                                           v1::EncoderConfig::TRANSFORMER,
                                           v1::EncoderConfig::HSTU),
                         [](const auto& info) {
                           return v1::EncoderConfig::Kind_Name(info.param);
                         });

}  // namespace
}  // namespace segue
