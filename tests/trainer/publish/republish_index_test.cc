// `segue-trainer index`: the same towers and tables under another index.
#include "trainer/publish/republish_index.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/bundle_writer.h"
#include "core/bundle/layout.h"
#include "core/config/text_proto.h"
#include "core/index/faiss_index.h"
#include "core/retrieval/retriever.h"
#include "core/retrieval/serving_snapshot.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "segue/v1/report.pb.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"
#include "trainer/publish/bundle_files.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::PublishTinyBundle;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

constexpr char kReportText[] = R"({
  "training": {"epochs": 7},
  "evaluation": {"test": {
    "exact": {"recall": {"10": 0.25}}, "ann": {"recall": {"10": 0.125}},
    "ann_recall_ratio": {"10": 0.5},
    "ann_recall_ratio_interval": {"10": {"low": 0.4, "high": 0.6}}}},
  "index": {"description": "Flat", "bytes": 5}})";
// As protobuf prints it.
constexpr char kConfigText[] = R"(seed: 3
index {
  kind: FACTORY
  factory: "Flat"
}
)";

class RepublishIndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto tiny = PublishTinyBundle(root_.path(), {.items = 12});
    ASSERT_THAT(tiny, IsOk());
    AddTrainersFiles(*tiny);
  }

  // Publishes the tiny bundle again, with the files of a training run.
  void AddTrainersFiles(const std::string& tiny) {
    const auto bundle = OpenBundle(root_ / tiny, VerifyScope::kAll);
    ASSERT_THAT(bundle, IsOk());
    auto writer = BundleWriter::Create(root_.path());
    ASSERT_THAT(writer, IsOk());
    for (const v1::File& file : bundle->content().files()) {
      std::filesystem::copy_file(
          bundle->Path(file.name()),
          (*writer)->Add(file.name(), FileRole::kServed));
    }
    ASSERT_THAT(
        WriteFileAtomically(
            (*writer)->Add(layout::kReport, FileRole::kMeasured), kReportText),
        IsOk());
    ASSERT_THAT(WriteFileAtomically((*writer)->Add(layout::kTrainerConfig,
                                                   FileRole::kAuxiliary),
                                    kConfigText),
                IsOk());
    v1::Content content = bundle->content();
    (*content.mutable_library_versions())["faiss"] = FaissVersion();
    ASSERT_THAT((*writer)->Seal(content), IsOk());
    ASSERT_THAT((*writer)->Publish(/*keep_versions=*/0), IsOk());
    trained_ = (*writer)->published_version();
  }

  absl::StatusOr<std::string> Republish(const std::string& factory,
                                        const std::string& into) {
    v1::TrainerConfig config;
    config.set_bundle_root(into);
    config.mutable_index()->set_kind(v1::IndexConfig::FACTORY);
    config.mutable_index()->set_factory(factory);
    Progress progress("");
    return RepublishIndex(root_ / trained_, {}, config, /*threads=*/2,
                          progress);
  }
  absl::StatusOr<std::string> Republish(const std::string& factory) {
    return Republish(factory, root_.path());
  }

  Bundle Open(const std::string& version) {
    auto bundle = OpenBundle(root_ / version, VerifyScope::kAll);
    EXPECT_THAT(bundle, IsOk());
    return bundle.value_or(Bundle());
  }

  static std::map<std::string, std::string> Hashes(const Bundle& bundle) {
    std::map<std::string, std::string> hashes;
    for (const v1::File& file : bundle.content().files()) {
      hashes[file.name()] = file.sha256();
    }
    return hashes;
  }

  const TempFolder root_;
  std::string trained_;  // version
};

TEST_F(RepublishIndexTest, OnlyTheIndexAndItsConfigurationAreOthers) {
  const auto version = Republish("IVF3,Flat");
  ASSERT_THAT(version, IsOk());
  EXPECT_NE(*version, trained_);
  const Bundle before = Open(trained_), after = Open(*version);
  auto hashes = Hashes(after);
  // Cells have to be searched harder for more; the flat index had not.
  EXPECT_EQ(hashes.erase(layout::kEfforts), 1u);
  EXPECT_EQ(hashes.size(), Hashes(before).size());
  for (const auto& [name, hash] : Hashes(before)) {
    if (name == layout::kIndex || name == layout::kTrainerConfig) {
      EXPECT_NE(hashes[name], hash) << name;
    } else {
      EXPECT_EQ(hashes[name], hash) << name;
    }
  }
  EXPECT_EQ(after.content().tower_hash(), before.content().tower_hash());
  EXPECT_EQ(after.content().index().description(), "IVF3,Flat");
  EXPECT_GT(after.content().index().nprobe(), 0);
  EXPECT_EQ(*ReadCurrentVersion(root_.path()), *version);
}

TEST_F(RepublishIndexTest, TheConfigurationNamesTheNewIndex) {
  const auto version = Republish("IVF3,Flat");
  ASSERT_THAT(version, IsOk());
  const Bundle after = Open(*version);
  v1::TrainerConfig config;
  ASSERT_THAT(LoadTextProto(after.Path(layout::kTrainerConfig), config),
              IsOk());
  EXPECT_EQ(config.seed(), 3);
  EXPECT_EQ(config.index().factory(), "IVF3,Flat");
  for (const v1::File& file : after.content().files()) {
    EXPECT_EQ(file.served(), file.name() != layout::kTrainerConfig)
        << file.name();
  }
}

TEST_F(RepublishIndexTest, TheReportIsOfTheNewIndex) {
  const auto version = Republish("IVF3,Flat");
  ASSERT_THAT(version, IsOk());
  const Bundle after = Open(*version);
  ASSERT_EQ(after.manifest().measured_files_size(), 1);
  const auto json = ReadFile(after.Path(layout::kReport), 1 << 20);
  ASSERT_THAT(json, IsOk());
  v1::Report report;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(*json, &report).ok());
  EXPECT_EQ(report.bundle_version(), *version);
  EXPECT_EQ(report.training().epochs(), 7);
  EXPECT_EQ(report.evaluation().test().exact().recall().at("10"), 0.25);
  EXPECT_FALSE(report.evaluation().test().has_ann());
  EXPECT_EQ(report.evaluation().test().ann_recall_ratio_size(), 0);
  EXPECT_EQ(report.evaluation().test().ann_recall_ratio_interval_size(), 0);
  EXPECT_EQ(report.index().description(), "IVF3,Flat");
  EXPECT_GT(report.index().bytes(), 5);
  EXPECT_GT(report.library_versions().count("faiss"), 0u);
}

TEST_F(RepublishIndexTest, NewIndexAnswersAsTheOldOne) {
  const auto version = Republish("IVF3,Flat");
  ASSERT_THAT(version, IsOk());
  v1::RetrieveRequest request;
  request.add_history("i3");
  request.set_top_k(12);
  v1::RetrieveResponse answers[2];
  const std::string versions[] = {trained_, *version};
  for (int i = 0; i < 2; ++i) {
    const auto snapshot = LoadServingSnapshot(Open(versions[i]));
    ASSERT_THAT(snapshot, IsOk());
    const auto query = ResolveQuery(**snapshot, request);
    ASSERT_THAT(query, IsOk());
    std::vector<float> vector;
    ASSERT_THAT(EmbedQueries(**snapshot, {&*query}, vector), IsOk());
    ASSERT_THAT(SearchAndFill(**snapshot, vector, *query, answers[i]), IsOk());
  }
  EXPECT_EQ(answers[1].bundle_version(), *version);
  // All twelve are asked for, so that every cell is searched.
  EXPECT_THAT(answers[1].item_ids(), ElementsAreArray(answers[0].item_ids()));
}

TEST_F(RepublishIndexTest, EqualIndexIsNotPublishedTwice) {
  const auto version = Republish("Flat");
  ASSERT_THAT(version, IsOk());
  EXPECT_EQ(*version, trained_);
  EXPECT_EQ(*ReadCurrentVersion(root_.path()), trained_);
}

TEST_F(RepublishIndexTest, AnotherRootMayBeNamed) {
  const TempFolder elsewhere;
  const auto version = Republish("IVF3,Flat", elsewhere / "bundles");
  ASSERT_THAT(version, IsOk());
  EXPECT_THAT(OpenBundle(elsewhere / "bundles/" + *version, VerifyScope::kAll),
              IsOk());
  EXPECT_EQ(*ReadCurrentVersion(root_.path()), trained_);
}

TEST_F(RepublishIndexTest, RefusedIndexLeavesTheRootAsItWas) {
  EXPECT_THAT(
      Republish("no such index"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no such index")));
  EXPECT_EQ(*ReadCurrentVersion(root_.path()), trained_);
  int folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root_.path())) {
    folders += entry.is_directory() ? 1 : 0;
  }
  EXPECT_EQ(folders, 2);  // the tiny one and the trained one
}

// The server does not look at the report; whoever copies it must.
TEST_F(RepublishIndexTest, ChangedFileOfTheTrainerIsDataLoss) {
  std::ofstream(root_ / trained_ + "/" + layout::kReport) << "{}";
  EXPECT_THAT(Republish("IVF3,Flat"), StatusIs(absl::StatusCode::kDataLoss,
                                               HasSubstr(layout::kReport)));
}

// What is copied becomes signed: it has to be what was verified, and not what
// lies there now, or where a link leads.
TEST_F(RepublishIndexTest, AFileChangedSinceTheBundleWasOpenedIsNotCopied) {
  const Bundle bundle = Open(trained_);
  const std::string secret = root_ / "secret";
  std::ofstream(secret) << "a key";
  const std::string tower = bundle.Path(layout::kQueryTower);
  std::filesystem::remove(tower);
  std::filesystem::create_symlink(secret, tower);
  const TempFolder elsewhere;
  const auto writer = BundleWriter::Create(elsewhere / "bundles");
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT(
      CopyBundleFiles(bundle, /*others=*/{}, **writer),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr(layout::kQueryTower)));
}

TEST_F(RepublishIndexTest, MissingBundleIsNotFound) {
  trained_ = "20200101T000000Z-0123456789ab";
  EXPECT_THAT(Republish("Flat"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(trained_)));
}

}  // namespace
}  // namespace segue
