// The way of a new user: data, training, a look at the bundle, a server, and
// answers over gRPC, all through the two binaries.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/signature.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "segue/v1/report.pb.h"
#include "tests/integration/segue_binaries.h"
#include "tests/testing/signing_keys.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

// The report from the JSON that a program printed or wrote.
v1::Report ParseReport(const std::string& json) {
  v1::Report report;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &report).ok())
      << json.substr(0, 200);
  return report;
}

template <typename Map>
std::set<std::string> Keys(const Map& map) {
  std::set<std::string> keys;
  for (const auto& [key, value] : map) keys.insert(key);
  return keys;
}

class TrainToServeTest : public ::testing::Test {
 protected:
  // Trained once; the tests only read.
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    const Finished made = MakeData(folder_->path());
    ASSERT_EQ(made.code, 0) << made.errors;
    const Finished trained =
        RunTrainer(TrainArguments(folder_->path(), "run"), folder_->path());
    ASSERT_EQ(trained.code, 0) << trained.errors;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::string Root() { return *folder_ / "bundles"; }
  static std::string Current() { return ReadAll(Root() + "/CURRENT"); }

  static std::unique_ptr<TempFolder> folder_;
};
std::unique_ptr<TempFolder> TrainToServeTest::folder_;

TEST_F(TrainToServeTest, ReportHasTheFieldsThatScriptsRead) {
  const v1::Report report = ParseReport(ReadAll(*folder_ / "run/report.json"));
  EXPECT_EQ(report.dataset().users(), 300);
  EXPECT_GT(report.dataset().items(), 1000);
  EXPECT_EQ(report.dataset().events(), 30000);
  EXPECT_GT(report.training().examples_per_second(), 0);
  EXPECT_EQ(report.training().epochs(), 2);
  ASSERT_EQ(report.training().loss_size(), 2);
  EXPECT_LT(report.training().loss(1), report.training().loss(0));
  const auto depths =
      IsSupersetOf({"5", "10", "30", "50", "100", "300", "500", "1000"});
  const v1::SplitReport& test = report.evaluation().test();
  EXPECT_EQ(test.queries(), 200);
  EXPECT_THAT(Keys(test.exact().recall()), depths);
  EXPECT_THAT(Keys(test.exact().ndcg()), depths);
  EXPECT_THAT(Keys(test.ann().recall()), depths);
  EXPECT_THAT(Keys(test.ann().overlap()), depths);
  const v1::Baselines& baselines = test.baselines();
  EXPECT_THAT(Keys(baselines.popularity().recall()), depths);
  EXPECT_THAT(Keys(baselines.recent_popularity().recall()), depths);
  EXPECT_THAT(Keys(baselines.item_knn().recall()), depths);
  EXPECT_THAT(Keys(baselines.transitions().recall()), depths);
  EXPECT_GT(test.slices_size(), 3);
  EXPECT_EQ(report.evaluation().examples_size(), 6);
  EXPECT_EQ(report.training().epoch_seconds_size(), 2);
  EXPECT_GT(report.index().trials_size(), 0);
  EXPECT_THAT(report.config(), HasSubstr("events {"));
  EXPECT_THAT(report.index().description(), HasSubstr("IVF16_HNSW"));
  EXPECT_GT(report.index().bytes(), 0);
  EXPECT_GT(report.index().build_seconds(), 0);
}

TEST_F(TrainToServeTest, CompareShowsARunBesideItsBundle) {
  const std::string page = *folder_ / "compare.html";
  const Finished compared = RunTrainer(
      {"compare", *folder_ / "run", Root(), "--html", page}, folder_->path());
  EXPECT_EQ(compared.code, 0) << compared.errors;
  EXPECT_THAT(compared.output,
              AllOf(HasSubstr(Root()), HasSubstr("recall@10")));
  EXPECT_THAT(ReadAll(page), HasSubstr("Runs side by side"));
}

TEST_F(TrainToServeTest, TheIndexFindsWhatExactSearchFinds) {
  const v1::Report report = ParseReport(ReadAll(*folder_ / "run/report.json"));
  EXPECT_GE(report.evaluation().test().ann().overlap().at("100"), 0.95);
}

TEST_F(TrainToServeTest, InspectVerifiesEveryFile) {
  const Finished inspected =
      RunTrainer({"inspect", "--bundle", Root()}, folder_->path());
  EXPECT_EQ(inspected.code, 0) << inspected.errors;
  EXPECT_THAT(inspected.output,
              AllOf(HasSubstr("query_tower.pt"), HasSubstr("index.faiss"),
                    HasSubstr("\"tower_hash\"")));
}

TEST_F(TrainToServeTest, EvaluateRepeatsTheFiguresOfTheReport) {
  const Finished evaluated =
      RunTrainer({"evaluate", "--bundle", Root()}, folder_->path());
  ASSERT_EQ(evaluated.code, 0) << evaluated.errors;
  const v1::Report again = ParseReport(evaluated.output);
  const v1::Report report = ParseReport(ReadAll(*folder_ / "run/report.json"));
  for (const std::string k : {"10", "100"}) {
    EXPECT_DOUBLE_EQ(again.evaluation().test().exact().recall().at(k),
                     report.evaluation().test().exact().recall().at(k));
    EXPECT_DOUBLE_EQ(again.evaluation().test().ann().overlap().at(k),
                     report.evaluation().test().ann().overlap().at(k));
  }
}

TEST_F(TrainToServeTest, TheSameSeedGivesTheSameContentHash) {
  std::vector<std::string> arguments = TrainArguments(folder_->path(), "again");
  arguments.insert(arguments.end(),
                   {"--set", "bundle_root=" + (*folder_ / "again_bundles")});
  const Finished trained = RunTrainer(arguments, folder_->path());
  ASSERT_EQ(trained.code, 0) << trained.errors;
  const std::string hash =
      ContentHash(*folder_ / "again_bundles", folder_->path());
  EXPECT_EQ(hash.size(), 64);
  EXPECT_EQ(hash, ContentHash(Root(), folder_->path()));
}

TEST_F(TrainToServeTest, AGateThatRefusesLeavesCurrentAlone) {
  const std::string before = Current();
  std::vector<std::string> arguments = TrainArguments(folder_->path(), "gate");
  arguments.insert(arguments.end(), {"--set", "publish.min_recall=0.999",
                                     "--set", "training.seed_is_no_field=1"});
  Finished refused = RunTrainer(arguments, folder_->path());
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("seed_is_no_field"));

  arguments.resize(arguments.size() - 2);
  refused = RunTrainer(arguments, folder_->path());
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, AllOf(HasSubstr("not published"),
                                    HasSubstr("publish.min_recall")));
  EXPECT_EQ(Current(), before);
  EXPECT_THAT(ReadAll(*folder_ / "gate/report.html"), HasSubstr("<html"));
}

TEST_F(TrainToServeTest, ServesWhatWasTrained) {
  auto server = RunningServer::Start(Root(), folder_->path());
  ASSERT_NE(server, nullptr);
  const std::vector<v1::RetrieveRequest> samples =
      SampleRequests(*folder_ / "run");
  ASSERT_GT(samples.size(), 50);
  for (int i = 0; i < 50; ++i) {
    v1::RetrieveRequest request = samples[i];
    request.set_top_k(100);
    request.set_exclude_history(true);
    v1::RetrieveResponse response;
    const grpc::Status status = server->Retrieve(request, response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.item_ids_size(), 100);
    EXPECT_EQ(response.scores_size(), 100);
    EXPECT_TRUE(
        std::is_sorted(response.scores().rbegin(), response.scores().rend()));
    EXPECT_EQ(response.bundle_version() + "\n", Current());
    EXPECT_EQ(response.unknown_history(), 0);
    const std::set<std::string> ids(response.item_ids().begin(),
                                    response.item_ids().end());
    EXPECT_EQ(ids.size(), 100);
    for (const std::string& seen : request.history()) {
      EXPECT_THAT(ids, Not(::testing::Contains(seen)));
    }
  }
  EXPECT_THAT(
      server->Get("/metrics"),
      AllOf(HasSubstr("segue_requests_total{code=\"OK\",method=\"Retrieve\"} "
                      "50"),
            HasSubstr("segue_bundle_reloads_total{outcome=\"success\"} 1")));
  EXPECT_EQ(server->Stop(), 0) << server->Log();
  EXPECT_THAT(server->Log(), HasSubstr("drained"));
}

TEST_F(TrainToServeTest, AFilterKeepsToWhatTheDataSays) {
  auto server = RunningServer::Start(Root(), folder_->path());
  ASSERT_NE(server, nullptr);
  const auto ask = [&](const std::string& range, v1::RetrieveResponse& answer) {
    v1::RetrieveRequest request = SampleRequests(*folder_ / "run")[0];
    request.set_top_k(50);
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        absl::StrCat("range { attribute: 'track_length_seconds' ", range, "}"),
        request.mutable_filter()));
    const grpc::Status status = server->Retrieve(request, answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
  };
  v1::RetrieveResponse all, brief, lengthy;
  ask("", all);
  ask("at_most: 179", brief);
  ask("at_least: 180", lengthy);
  // Every track has a length, in whole seconds.
  EXPECT_EQ(
      all.allowed_items(),
      ParseReport(ReadAll(*folder_ / "run/report.json")).dataset().items());
  EXPECT_EQ(brief.allowed_items() + lengthy.allowed_items(),
            all.allowed_items());
  EXPECT_EQ(brief.item_ids_size(), 50);
  EXPECT_EQ(lengthy.item_ids_size(), 50);
  std::set<std::string> ids(brief.item_ids().begin(), brief.item_ids().end());
  ids.insert(lengthy.item_ids().begin(), lengthy.item_ids().end());
  EXPECT_EQ(ids.size(), 100);

  v1::RetrieveRequest request;
  request.mutable_filter()->mutable_one_of()->set_attribute("mood");
  const grpc::Status status = server->Retrieve(request, all);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(),
              HasSubstr("no attribute \"mood\"; it has artist_id, album_id, "
                        "track_length_seconds"));
}

TEST_F(TrainToServeTest, ARequestSaysHowHardToSearchAndHowVaried) {
  auto server = RunningServer::Start(Root(), folder_->path());
  ASSERT_NE(server, nullptr);
  const auto ask = [&](const std::string& text) {
    v1::RetrieveRequest request = SampleRequests(*folder_ / "run")[0];
    request.set_top_k(50);
    EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(text, &request));
    v1::RetrieveResponse response;
    const grpc::Status status = server->Retrieve(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.item_ids_size(), 50);
    return response;
  };
  const v1::RetrieveResponse usual = ask("");
  EXPECT_GE(usual.effort().nprobe(), 1);
  EXPECT_GT(usual.expected_overlap(), 0.9);
  const v1::RetrieveResponse little = ask("target_overlap: 0.1");
  EXPECT_LE(little.effort().nprobe(), usual.effort().nprobe());
  EXPECT_LT(little.expected_overlap(), usual.expected_overlap());
  const v1::RetrieveResponse own = ask("effort { nprobe: 3 k_factor: 7 }");
  EXPECT_EQ(own.effort().nprobe(), 3);
  EXPECT_EQ(own.effort().k_factor(), 7);
  EXPECT_EQ(own.expected_overlap(), 0);
  // One album at most: not the answer of before.
  const auto ids = [](const v1::RetrieveResponse& response) {
    return std::set<std::string>(response.item_ids().begin(),
                                 response.item_ids().end());
  };
  EXPECT_NE(
      ids(ask("diversity { caps { attribute: 'artist_id' at_most: 1 } }")),
      ids(usual));
  EXPECT_EQ(
      ids(ask("diversity { caps { attribute: 'artist_id' at_most: 50 } }")),
      ids(usual));
  EXPECT_EQ(ids(ask("diversity { mmr: 0.5 }")).size(), 50);
}

TEST_F(TrainToServeTest, ARefreshedCatalogueIsServed) {
  const std::string root = *folder_ / "refreshed";
  const Finished refreshed = RunTrainer(
      {"refresh", "--bundle", Root(), "--items",
       *folder_ / "data/items.parquet", "--set", "bundle_root=" + root},
      folder_->path());
  ASSERT_EQ(refreshed.code, 0) << refreshed.errors;
  v1::RefreshReport report;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(refreshed.output, &report)
          .ok());
  EXPECT_EQ(report.items(), 2000);
  EXPECT_GT(report.added(), 100);
  EXPECT_EQ(report.changed(), 0);
  EXPECT_EQ(report.removed(), 0);
  EXPECT_GE(report.new_overlap(), 0.9);
  auto server = RunningServer::Start(root, folder_->path());
  ASSERT_NE(server, nullptr);
  v1::RetrieveRequest request = SampleRequests(*folder_ / "run")[0];
  request.set_top_k(1000);
  v1::RetrieveResponse response;
  const grpc::Status status = server->Retrieve(request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.allowed_items(), 2000);
  EXPECT_EQ(response.item_ids_size(), 1000);
}

// Neither where somebody is trusted, nor where what comes of it is signed.
TEST_F(TrainToServeTest, WhatIsNotSignedIsNotBegunFrom) {
  const KeyFiles keys;
  const std::string sign = "publish.signing_key_file=" + keys.first;
  std::vector<std::string> train = TrainArguments(folder_->path(), "unsigned");
  train.insert(train.end(), {"--warm-start", Root()});
  const std::vector<std::string> refresh = {"refresh", "--bundle", Root(),
                                            "--items",
                                            *folder_ / "data/items.parquet"};
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"index", "--bundle", Root()},
        {"evaluate", "--bundle", Root()},
        {"inspect", "--bundle", Root()},
        refresh,
        train}) {
    for (const std::vector<std::string>& wants :
         {std::vector<std::string>{"--trusted-keys", keys.trusted},
          {"--set", sign}}) {
      // These make nothing.
      if (wants[0] == "--set" &&
          (verb[0] == "evaluate" || verb[0] == "inspect"))
        continue;
      std::vector<std::string> arguments = verb;
      arguments.insert(arguments.end(), wants.begin(), wants.end());
      const Finished refused = RunTrainer(arguments, folder_->path());
      EXPECT_EQ(refused.code, 1) << verb[0] << wants[0];
      EXPECT_THAT(refused.errors, HasSubstr("is not signed"))
          << verb[0] << wants[0];
    }
  }
}

TEST_F(TrainToServeTest, ASignedBundleIsServedWhereItsKeyIsTrusted) {
  const KeyFiles keys;
  const std::string root = *folder_ / "signed";
  const std::string version = Current().substr(0, Current().find('\n'));
  std::filesystem::create_directory(root);
  std::filesystem::copy(Root() + "/" + version, root + "/" + version);
  std::filesystem::copy_file(Root() + "/CURRENT", root + "/CURRENT");
  // By hand, as somebody does who has looked at it.
  const std::string folder = root + "/" + version;
  KeyFiles::Write(folder + "/MANIFEST.sig",
                  SigningKey::Read(keys.first)
                      ->Sign(ReadAll(folder + "/MANIFEST.json"))
                      .value());
  const Finished indexed =
      RunTrainer({"index", "--bundle", root, "--set", "index.nlist=8", "--set",
                  "publish.signing_key_file=" + keys.first},
                 folder_->path());
  ASSERT_EQ(indexed.code, 0) << indexed.errors;
  EXPECT_NE(ReadAll(root + "/CURRENT"), Current());
  const Finished inspected =
      RunTrainer({"inspect", "--bundle", root, "--trusted-keys", keys.trusted},
                 folder_->path());
  EXPECT_EQ(inspected.code, 0) << inspected.errors;
  EXPECT_THAT(inspected.errors, HasSubstr(", signed by key "));
  EXPECT_THAT(ReadAll(root + "/" +
                      ReadAll(root + "/CURRENT").substr(0, version.size()) +
                      "/trainer_config.textproto"),
              Not(HasSubstr(keys.first)));
  const auto server =
      RunningServer::Start(root, folder_->path(),
                           {.settings = {"trusted_keys_file=" + keys.trusted}});
  ASSERT_NE(server, nullptr);
  v1::RetrieveResponse response;
  EXPECT_TRUE(
      server->Retrieve(SampleRequests(*folder_ / "run")[0], response).ok());
  EXPECT_EQ(server->Stop(), 0) << server->Log();
  // Without a key what comes next is not signed, and that is said.
  const Finished plain = RunTrainer(
      {"index", "--bundle", root, "--set", "index.nlist=12"}, folder_->path());
  EXPECT_EQ(plain.code, 0) << plain.errors;
  EXPECT_THAT(plain.errors + plain.output,
              HasSubstr("without publish.signing_key_file"));
}

// It is a file like any other: nothing of it is read before it is verified.
TEST_F(TrainToServeTest, AChangedConfigurationIsNotParsed) {
  const std::string root = *folder_ / "hostile";
  const std::string version = Current().substr(0, Current().find('\n'));
  std::filesystem::create_directory(root);
  std::filesystem::copy(Root() + "/" + version, root + "/" + version);
  std::ofstream(root + "/" + version + "/trainer_config.textproto",
                std::ios::app)
      << "not even a field";
  const Finished refused =
      RunTrainer({"index", "--bundle", root + "/" + version}, folder_->path());
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("trainer_config.textproto has "));
}

TEST_F(TrainToServeTest, TheWholeCatalogueCanBeAskedForInThousands) {
  auto server = RunningServer::Start(Root(), folder_->path());
  ASSERT_NE(server, nullptr);
  v1::RetrieveRequest request;
  request.set_user_id("nobody");
  request.add_history("no such track");
  request.set_top_k(1000);
  v1::RetrieveResponse response;
  const grpc::Status status = server->Retrieve(request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const std::set<std::string> ids(response.item_ids().begin(),
                                  response.item_ids().end());
  EXPECT_EQ(ids.size(), 1000);
  EXPECT_EQ(response.unknown_history(), 1);
}

}  // namespace
}  // namespace segue::testing
