// Training that begins from a published bundle, through the binary.
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "segue/v1/report.pb.h"
#include "tests/integration/segue_binaries.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class WarmStartBinaryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    ASSERT_EQ(MakeData(folder_->path()).code, 0);
    const Finished trained = Train("cold", {});
    ASSERT_EQ(trained.code, 0) << trained.errors;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static Finished Train(const std::string& run,
                        const std::vector<std::string>& more) {
    std::vector<std::string> arguments = TrainArguments(folder_->path(), run);
    arguments.insert(arguments.end(), {"--set", "bundle_root=" + Root(run)});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTrainer(arguments, folder_->path());
  }
  static std::string Root(const std::string& run) {
    return *folder_ / run + "_bundles";
  }
  static v1::TrainingReport Report(const std::string& run) {
    v1::Report report;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(
                    ReadAll(*folder_ / run + "/report.json"), &report)
                    .ok());
    return report.training();
  }

  static std::unique_ptr<TempFolder> folder_;
};
std::unique_ptr<TempFolder> WarmStartBinaryTest::folder_;

TEST_F(WarmStartBinaryTest, GoesOnFromWhatTheBundleLearnt) {
  const Finished trained = Train("warm", {"--warm-start", Root("cold")});
  ASSERT_EQ(trained.code, 0) << trained.errors;
  EXPECT_THAT(trained.errors,
              AllOf(HasSubstr("beginning from"), HasSubstr("0 and 0 are new"),
                    Not(HasSubstr("warning"))));
  const v1::TrainingReport cold = Report("cold"), warm = Report("warm");
  ASSERT_EQ(cold.loss_size(), 2);
  EXPECT_LT(warm.loss(0), cold.loss(1));
  EXPECT_FALSE(cold.has_warm_start());
  EXPECT_EQ(warm.warm_start().content_hash(),
            ContentHash(Root("cold"), folder_->path()));
  EXPECT_FALSE(warm.warm_start().trained_past_cut());
  // Where the bundle lay is not part of what came out.
  std::string version = ReadAll(Root("warm") + "/CURRENT");
  version.pop_back();
  EXPECT_THAT(
      ReadAll(Root("warm") + "/" + version + "/trainer_config.textproto"),
      AllOf(HasSubstr("training {"), Not(HasSubstr("cold_bundles"))));
}

TEST_F(WarmStartBinaryTest, ALaterLogBringsNewItemsAndUsers) {
  const std::string data = *folder_ / "later";
  ASSERT_EQ(RunTrainer({"synth", "--out", data, "--users", "400", "--items",
                        "2500", "--events", "40000", "--seed", "1"},
                       folder_->path())
                .code,
            0);
  const Finished trained = Train(
      "later_run", {"--warm-start", Root("cold"), "--set", "training.epochs=1",
                    "--set", "events.path=" + data + "/listens.parquet",
                    "--set", "items.path=" + data + "/items.parquet", "--set",
                    "items.features[0].mapping_path=" + data +
                        "/artist_item_mapping.parquet",
                    "--set",
                    "items.features[1].mapping_path=" + data +
                        "/album_item_mapping.parquet"});
  ASSERT_EQ(trained.code, 0) << trained.errors;
  const v1::WarmStartReport report = Report("later_run").warm_start();
  EXPECT_GT(report.known_items(), 1000);
  EXPECT_GT(report.new_items(), 100);
  EXPECT_GT(report.known_users(), 250);
  EXPECT_GT(report.new_users(), 50);
  EXPECT_THAT(ReadAll(*folder_ / "later_run/report.html"),
              HasSubstr("begun from"));
}

TEST_F(WarmStartBinaryTest, ABundleThatSawLaterEventsIsWarnedOf) {
  const Finished trained = Train(
      "earlier_cut", {"--warm-start", Root("cold"), "--set",
                      "split.test_days=60", "--set", "training.epochs=1"});
  ASSERT_EQ(trained.code, 0) << trained.errors;
  EXPECT_THAT(trained.errors, HasSubstr("warning: it was trained on events"));
  EXPECT_TRUE(Report("earlier_cut").warm_start().trained_past_cut());
}

TEST_F(WarmStartBinaryTest, AnotherModelIsRefusedBeforeAnyStep) {
  const Finished refused = Train(
      "other", {"--warm-start", Root("cold"), "--set", "model.layers=[16,32]"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors,
              AllOf(HasSubstr("training cannot begin from this bundle"),
                    HasSubstr("layer0_weight"), HasSubstr("model.layers"),
                    Not(HasSubstr("epoch 1/"))));
}

TEST_F(WarmStartBinaryTest, NoBundleIsSaidSo) {
  const Finished refused = Train("none", {"--warm-start", *folder_ / "data"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("is neither a bundle"));
}

}  // namespace
}  // namespace segue::testing
