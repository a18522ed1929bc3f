#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/file_size_limit.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/model/tiny_run.h"
#include "trainer/model/two_tower_model.h"

namespace segue {
namespace {

using segue::testing::FileSizeLimit;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using segue::testing::TinyConfig;
using segue::testing::TinyRun;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TwoTowerCheckpointTest : public ::testing::Test {
 protected:
  // Steps [first, last) of a run; three an epoch.
  static std::vector<double> Steps(const TinyRun& run, TwoTowerModel& model,
                                   int first, int last) {
    std::vector<double> losses;
    for (int step = first; step < last; ++step) {
      losses.push_back(model.TrainStep(run.Batch(step / 3, step % 3)));
    }
    return losses;
  }

  // Saves after `steps` steps of one model.
  void Save(const TinyRun& run, int steps) const {
    const auto model = run.NewModel();
    Steps(run, *model, 0, steps);
    ASSERT_THAT(model->SaveCheckpoint(path_, {}), IsOk());
  }

  void WriteBytes(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
  }

  void ExpectDataLoss(const std::string& what) const {
    EXPECT_THAT(run_.NewModel()->LoadCheckpoint(path_, ""),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)))
        << what;
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "step.ckpt";
  const TinyRun run_;
};

TEST_F(TwoTowerCheckpointTest, LoadedModelGoesOnBitForBit) {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_model()->set_dropout(0.2);
  const TinyRun run(config);
  const auto whole = run.NewModel();
  Steps(run, *whole, 0, 5);
  ASSERT_THAT(whole->SaveCheckpoint(path_, {}), IsOk());
  const std::vector<float> at_saving = run.Served(*whole);
  const std::vector<double> losses = Steps(run, *whole, 5, 12);

  const auto loaded = run.NewModel();
  ASSERT_THAT(loaded->LoadCheckpoint(path_, ""), IsOk());
  EXPECT_EQ(loaded->step(), 5);
  EXPECT_EQ(run.Served(*loaded), at_saving);
  EXPECT_EQ(Steps(run, *loaded, 5, 12), losses);
  EXPECT_EQ(run.Served(*loaded), run.Served(*whole));
}

TEST_F(TwoTowerCheckpointTest, LoadingReplacesWhatAModelHadLearnt) {
  const auto whole = run_.NewModel();
  Steps(run_, *whole, 0, 4);
  ASSERT_THAT(whole->SaveCheckpoint(path_, {}), IsOk());
  const auto strayed = run_.NewModel();
  Steps(run_, *strayed, 0, 11);
  ASSERT_THAT(strayed->LoadCheckpoint(path_, ""), IsOk());
  EXPECT_EQ(Steps(run_, *strayed, 4, 9), Steps(run_, *whole, 4, 9));
  EXPECT_EQ(run_.Served(*strayed), run_.Served(*whole));
}

TEST_F(TwoTowerCheckpointTest, BeforeTheFirstStepIsACheckpointToo) {
  Save(run_, 0);
  const auto fresh = run_.NewModel(), loaded = run_.NewModel();
  ASSERT_THAT(loaded->LoadCheckpoint(path_, ""), IsOk());
  EXPECT_EQ(Steps(run_, *loaded, 0, 3), Steps(run_, *fresh, 0, 3));
}

TEST_F(TwoTowerCheckpointTest, ProgressComesBackAndTheFileIsReplacedWhole) {
  const auto model = run_.NewModel();
  v1::TrainingState progress;
  progress.set_epoch(3);
  progress.add_loss(1.25);
  progress.set_fingerprint("abc");
  ASSERT_THAT(model->SaveCheckpoint(path_, {}), IsOk());
  ASSERT_THAT(model->SaveCheckpoint(path_, progress), IsOk());
  const auto loaded = run_.NewModel()->LoadCheckpoint(path_, "abc");
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded->SerializeAsString(), progress.SerializeAsString());
  EXPECT_FALSE(std::filesystem::exists(path_ + ".tmp"));
}

TEST_F(TwoTowerCheckpointTest, AnotherShapeIsAPreconditionThatFailed) {
  Save(run_, 2);
  struct Change {
    const char* what;
    void (*apply)(v1::TrainerConfig& config);
  };
  const Change changes[] = {
      {"layers", [](auto& c) { c.mutable_model()->set_layers(0, 17); }},
      {"one layer more", [](auto& c) { c.mutable_model()->add_layers(8); }},
      {"item width",
       [](auto& c) { c.mutable_items()->set_embedding_width(5); }},
      {"feature width",
       [](auto& c) {
         c.mutable_items()->mutable_features(0)->set_embedding_width(4);
       }},
      {"no users", [](auto& c) { c.mutable_users()->set_use_id(false); }},
      {"slots", [](auto& c) { c.mutable_training()->set_logq_slots(3); }},
  };
  for (const Change& change : changes) {
    v1::TrainerConfig config = TinyConfig();
    change.apply(config);
    const TinyRun other(config);
    EXPECT_THAT(other.NewModel()->LoadCheckpoint(path_, ""),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("of another shape")))
        << change.what;
  }
}

TEST_F(TwoTowerCheckpointTest, AnotherCatalogueIsAPreconditionThatFailed) {
  Save(run_, 2);
  TinyRun grown;
  grown.data.items.Add("one more");
  grown.data.item_features[0].begins.push_back(
      grown.data.item_features[0].begins.back());
  grown.data.item_features[1].numbers.push_back(1);
  grown.split.item_in_training.push_back(false);
  EXPECT_THAT(
      grown.NewModel()->LoadCheckpoint(path_, ""),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("table0_0")));
}

TEST_F(TwoTowerCheckpointTest, AnotherFingerprintIsRefusedBeforeItIsLoaded) {
  const auto model = run_.NewModel();
  Steps(run_, *model, 0, 2);
  v1::TrainingState progress;
  progress.set_fingerprint("abc");
  ASSERT_THAT(model->SaveCheckpoint(path_, progress), IsOk());
  const auto other = run_.NewModel();
  const std::vector<float> before = run_.Served(*other);
  EXPECT_THAT(other->LoadCheckpoint(path_, "abd"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("another configuration")));
  EXPECT_EQ(run_.Served(*other), before);
  EXPECT_EQ(other->step(), 0);
}

TEST_F(TwoTowerCheckpointTest, AnotherTorchFileIsDataLoss) {
  ASSERT_THAT(run_.NewModel()->SaveTowers(path_, folder_ / "item.pt"), IsOk());
  ExpectDataLoss("a tower");
}

// torch's own reader would load the flipped bits as weights.
TEST_F(TwoTowerCheckpointTest, AFlippedBitAnywhereIsDataLoss) {
  Save(run_, 2);
  const std::string whole = ReadFile(path_, 1 << 24).value();
  for (size_t at = 0; at < whole.size(); at += whole.size() / 23) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    WriteBytes(flipped);
    ExpectDataLoss(absl::StrCat("byte ", at));
  }
}

TEST_F(TwoTowerCheckpointTest, TruncatedFilesAreDataLoss) {
  Save(run_, 2);
  const std::string whole = ReadFile(path_, 1 << 24).value();
  ASSERT_GT(whole.size(), 10000u);
  for (const size_t bytes :
       {size_t{0}, size_t{1}, size_t{100}, whole.size() / 4, whole.size() / 2,
        whole.size() - 1000, whole.size() - 1}) {
    WriteBytes(whole.substr(0, bytes));
    ExpectDataLoss(absl::StrCat("first ", bytes, " of ", whole.size()));
  }
}

TEST_F(TwoTowerCheckpointTest, WhatIsNoCheckpointIsDataLoss) {
  WriteBytes("epoch: 3\n");
  ExpectDataLoss("text");
  WriteBytes(std::string(4096, '\0'));
  ExpectDataLoss("zeros");
  WriteBytes("PK\x03\x04" + std::string(4096, 'x') + "PK\x05\x06");
  ExpectDataLoss("the magic of a zip file");
}

TEST_F(TwoTowerCheckpointTest, NoFileIsNotFound) {
  EXPECT_THAT(run_.NewModel()->LoadCheckpoint(path_, ""),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
}

TEST_F(TwoTowerCheckpointTest, AFullDiskLeavesTheOlderFileAndNothingElse) {
  const auto model = run_.NewModel();
  Steps(run_, *model, 0, 2);
  ASSERT_THAT(model->SaveCheckpoint(path_, {}), IsOk());
  const std::string whole = ReadFile(path_, 1 << 24).value();
  // The digest is what lacks room in the last one.
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{4096},
                             whole.size() / 2, whole.size() - 64}) {
    absl::Status saved;
    {
      const FileSizeLimit full(bytes);
      saved = model->SaveCheckpoint(path_, {});
    }
    EXPECT_THAT(std::string(saved.message()),
                AllOf(HasSubstr("cannot write"), HasSubstr(path_),
                      HasSubstr("File too large")))
        << bytes;
    EXPECT_FALSE(std::filesystem::exists(path_ + ".tmp"));
    EXPECT_TRUE(ReadFile(path_, 1 << 24).value() == whole);
  }
  EXPECT_THAT(model->SaveCheckpoint(path_, {}), IsOk());
}

TEST_F(TwoTowerCheckpointTest, WeightsThatAreNotFiniteAreNotSaved) {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_training()->set_learning_rate(3e37);
  const TinyRun run(config);
  const auto model = run.NewModel();
  Steps(run, *model, 0, 1);
  EXPECT_THAT(
      model->SaveCheckpoint(path_, {}),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not finite")));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(TwoTowerCheckpointTest, AFolderThatIsNotThereIsSaidSo) {
  const std::string path = folder_ / "nowhere/step.ckpt";
  const absl::Status saved = run_.NewModel()->SaveCheckpoint(path, {});
  EXPECT_FALSE(saved.ok());
  EXPECT_THAT(std::string(saved.message()), HasSubstr(path));
}

}  // namespace
}  // namespace segue
