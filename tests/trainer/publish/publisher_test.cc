#include "trainer/publish/publisher.h"

#include <filesystem>
#include <string>

#include "core/base/file.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/layout.h"
#include "core/retrieval/golden.h"
#include "core/retrieval/serving_snapshot.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::google::protobuf::util::JsonStringToMessage;
using ::google::protobuf::util::MessageDifferencer;
using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::segue::testing::ToyDataset;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Text(const std::string& path) {
  const auto text = ReadFile(path, 1 << 20);
  EXPECT_THAT(text, IsOk());
  return text.value_or("");
}

v1::Report ParseReport(const std::string& json) {
  v1::Report report;
  EXPECT_TRUE(JsonStringToMessage(json, &report).ok()) << json;
  return report;
}

// Publishes models that were never trained: what is looked at is what becomes
// of the files.
class PublishModelTest : public ::testing::Test {
 protected:
  PublishModelTest()
      : data_(ToyDataset({{"a", "b", "c", "d"},
                          {"b", "c", "a", "e", "d"},
                          {"a", "f", "c", "b"}})) {
    config_.set_run_dir(folder_ / "run");
    config_.set_bundle_root(folder_ / "bundles");
    config_.mutable_split()->set_kind(v1::SplitConfig::LEAVE_ONE_OUT);
    config_.mutable_window()->set_history_length(2);
    config_.mutable_model()->add_layers(8);
    config_.mutable_model()->add_layers(4);
    config_.mutable_evaluation()->set_bootstrap_samples(10);
    config_.mutable_publish()->set_beat_popularity(false);
  }

  absl::StatusOr<std::string> Publish(v1::Report& report) {
    EXPECT_THAT(CreateFolders(config_.run_dir()), IsOk());
    auto split = SplitEvents(data_.log, data_.items.size(), config_);
    EXPECT_THAT(split, IsOk());
    auto sampler = WindowSampler::Create(data_.log, *split, config_.window(),
                                         config_.seed());
    EXPECT_THAT(sampler, IsOk());
    auto model = TwoTowerModel::Create(data_, *split, config_);
    EXPECT_THAT(model, IsOk());
    Progress progress("");
    return PublishModel(**model, data_, *split, *sampler, config_,
                        /*threads=*/2, report, progress);
  }

  const TempFolder folder_;
  const Dataset data_;
  v1::TrainerConfig config_;
};

TEST_F(PublishModelTest, BundleVerifiesAndServes) {
  v1::Report report;
  const auto version = Publish(report);
  ASSERT_THAT(version, IsOk());
  const auto bundle =
      OpenBundle(folder_ / "bundles/" + *version, VerifyScope::kAll);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->content().items(), 6);
  EXPECT_EQ(bundle->content().users(), 3);
  EXPECT_EQ(bundle->content().history_length(), 2);
  const auto snapshot = LoadServingSnapshot(*bundle);
  ASSERT_THAT(snapshot, IsOk());
  // As many as there are training examples: 1 + 2 + 1.
  EXPECT_EQ((*snapshot)->golden_requests.requests_size(), 4);
  EXPECT_EQ((*snapshot)->golden_answers.responses_size(), 4);
  EXPECT_THAT(CheckGolden(**snapshot), IsOk());
  EXPECT_EQ(*ReadCurrentVersion(folder_ / "bundles"), *version);
}

TEST_F(PublishModelTest, ReportIsInTheBundleAndInTheRunDir) {
  v1::Report report;
  report.mutable_training()->set_epochs(3);
  const auto version = Publish(report);
  ASSERT_THAT(version, IsOk());
  EXPECT_EQ(report.training().epochs(), 3);
  EXPECT_EQ(report.evaluation().test().queries(), 3);
  EXPECT_EQ(report.evaluation().test().exact().recall().at("10"), 1);
  EXPECT_EQ(report.evaluation().examples_size(), 3);
  EXPECT_EQ(report.index().description(), "Flat");
  EXPECT_THAT(report.config(), HasSubstr("history_length: 2"));
  EXPECT_EQ(report.seed(), 1);
  EXPECT_EQ(report.dataset().split(), "leave one out");
  EXPECT_THAT(report.training().loss_kind(),
              HasSubstr("softmax over the batch"));
  EXPECT_NEAR(report.training().temperature(), 0.01, 1e-8);
  EXPECT_GT(report.index().bytes(), 0);
  EXPECT_GT(report.library_versions().count("faiss"), 0u);
  for (const std::string& path :
       {folder_ / "bundles/" + *version + "/" + layout::kReport,
        folder_ / "run/report.json"}) {
    EXPECT_TRUE(MessageDifferencer::Equals(ParseReport(Text(path)), report))
        << path;
  }
}

TEST_F(PublishModelTest, SameModelIsTheSameBundle) {
  v1::Report report;
  const auto first = Publish(report);
  ASSERT_THAT(first, IsOk());
  const auto again = Publish(report);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(*again, *first);
}

TEST_F(PublishModelTest, SampleRequestsAreThoseOfTheTestUsers) {
  v1::Report report;
  ASSERT_THAT(Publish(report), IsOk());
  v1::BatchRetrieveRequest requests;
  const std::string json = Text(folder_ / "run/sample_requests.json");
  ASSERT_TRUE(
      JsonStringToMessage("{\"requests\":" + json + "}", &requests).ok())
      << json;
  ASSERT_EQ(requests.requests_size(), 3);
  EXPECT_EQ(requests.requests(1).user_id(), "u1");
  EXPECT_THAT(requests.requests(1).history(), ElementsAre("a", "e"));
}

// So that what they ask does not change with the clock.
TEST_F(PublishModelTest, RequestsOfATimedModelNameTheirTimes) {
  config_.mutable_model()->mutable_encoder()->set_kind(v1::EncoderConfig::HSTU);
  config_.mutable_model()->mutable_encoder()->set_width(4);
  v1::Report report;
  const auto version = Publish(report);
  ASSERT_THAT(version, IsOk());
  const auto again = Publish(report);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(*again, *version);
  const auto bundle =
      OpenBundle(folder_ / "bundles/" + *version, VerifyScope::kAll);
  ASSERT_THAT(bundle, IsOk());
  const auto snapshot = LoadServingSnapshot(*bundle);
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_TRUE((*snapshot)->shape.history_times);
  v1::BatchRetrieveRequest sample;
  ASSERT_TRUE(
      JsonStringToMessage(
          "{\"requests\":" + Text(folder_ / "run/sample_requests.json") + "}",
          &sample)
          .ok());
  for (const v1::BatchRetrieveRequest& requests :
       {sample, (*snapshot)->golden_requests}) {
    EXPECT_GT(requests.requests_size(), 0);
    for (const v1::RetrieveRequest& request : requests.requests()) {
      EXPECT_EQ(request.history_times_size(), request.history_size());
      EXPECT_GT(request.request_time(), 0);
    }
  }
}

TEST_F(PublishModelTest, RefusedBundleLeavesAReportAndNothingElse) {
  config_.mutable_publish()->set_gate_k(5);
  config_.mutable_publish()->set_min_recall(1.5);
  v1::Report report;
  EXPECT_THAT(Publish(report),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("publish.min_recall 1.5000")));
  EXPECT_EQ(ParseReport(Text(folder_ / "run/report.json"))
                .evaluation()
                .test()
                .queries(),
            3);
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_ / "bundles")) {
    EXPECT_EQ(entry.path().filename(), layout::kLock);
  }
}

}  // namespace
}  // namespace segue
