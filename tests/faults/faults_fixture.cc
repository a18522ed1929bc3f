#include "tests/faults/faults_fixture.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "tests/server/metric_values.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tiny_bundle.h"

namespace segue::testing {
namespace {

namespace fs = std::filesystem;

// Of a model whose item tower gives no item, of however many, the zero vector.
constexpr uint64_t kSeed = 2;

int64_t Failed(const std::vector<Ended>& calls) {
  return std::count_if(calls.begin(), calls.end(),
                       [](const Ended& call) { return !call.fault.empty(); });
}

v1::RetrieveRequest RequestFor(int top_k, int64_t call) {
  v1::RetrieveRequest request;
  // One of the four is not in the bundle.
  request.set_user_id(absl::StrCat("u", call % 4));
  request.set_top_k(top_k);
  return request;
}

}  // namespace

std::string FailedOf(const std::vector<Ended>& calls) {
  return absl::StrCat(Failed(calls), " of ", calls.size());
}

std::string FaultsFixture::Prepare(const std::string& prefix, int items) {
  const auto version = PublishTinyBundle(
      Workshop(), {.items = items, .prefix = prefix + "-", .seed = kSeed});
  EXPECT_THAT(version, IsOk());
  return version.value_or("");
}

void FaultsFixture::Place(const std::string& version) {
  ASSERT_NE(version, "");
  const std::string staging =
      absl::StrCat(Root(), "/", layout::kStagingPrefix, "placed");
  ASSERT_THAT(CreateFolders(Root()), IsOk());
  std::error_code error;
  fs::copy(Workshop() + "/" + version, staging,
           fs::copy_options::recursive | fs::copy_options::create_hard_links,
           error);
  ASSERT_FALSE(error) << error.message();
  fs::rename(staging, Root() + "/" + version, error);
  ASSERT_FALSE(error) << error.message();
}

void FaultsFixture::PointAt(const std::string& version) {
  ASSERT_THAT(WriteFileAtomically(absl::StrCat(Root(), "/", layout::kCurrent),
                                  version + "\n"),
              IsOk());
}

void FaultsFixture::GoLive(const std::string& version) {
  Place(version);
  PointAt(version);
}

// In the place of the file, which the workshop shares.
void FaultsFixture::ReplaceIndex(const std::string& version,
                                 const std::string& bytes) {
  ASSERT_THAT(
      WriteFileAtomically(
          absl::StrCat(Root(), "/", version, "/", layout::kIndex), bytes),
      IsOk());
}

void FaultsFixture::Damage(const std::string& version) {
  std::string bytes =
      ReadAll(absl::StrCat(Workshop(), "/", version, "/", layout::kIndex));
  ASSERT_FALSE(bytes.empty());
  bytes[bytes.size() / 2] ^= 1;
  ReplaceIndex(version, bytes);
}

void FaultsFixture::Mend(const std::string& version) {
  ReplaceIndex(version, ReadAll(absl::StrCat(Workshop(), "/", version, "/",
                                             layout::kIndex)));
}

std::string FaultsFixture::Publish(const std::string& prefix, int items) {
  std::string version = Prepare(prefix, items);
  GoLive(version);
  return version;
}

bool FaultsFixture::StartServer(const ServerOptions& options) {
  load_.reset();
  server_.reset();
  ServerOptions roomy = options;
  // A busy machine stands still for longer than 256 calls take to come.
  roomy.settings.insert(roomy.settings.begin(), "max_queued_requests=20000");
  server_ = RunningServer::Start(Root(), folder_.path(), roomy);
  return server_ != nullptr;
}

void FaultsFixture::BeginLoad(double calls_per_second) {
  calls_per_second_ = kSanitized ? calls_per_second / 10 : calls_per_second;
  load_ = std::make_unique<OpenLoop>(OpenLoop::Options{
      .address = server_->address(),
      .calls_per_second = calls_per_second_,
      .connections = 4,
      .request = [](int64_t i) { return RequestFor(kTopK, i); },
      .check =
          [this](const v1::RetrieveResponse& answer) {
            return seen_.FaultOf(answer, kTopK);
          },
      .most_calls = 100 * 1000 * 1000});
}

void FaultsFixture::AwaitCalls(int64_t calls) {
  const int64_t enough = load_->ended() + calls;
  while (load_->ended() < enough) {
    const int64_t before = load_->ended();
    ASSERT_TRUE(process().WaitUntil([&] { return load_->ended() > before; }))
        << "no call ends any more: " << server_->Log();
  }
}

void FaultsFixture::AwaitSeconds(double seconds) {
  AwaitCalls(static_cast<int64_t>(seconds * calls_per_second_) + 1);
}

void FaultsFixture::AwaitAnswerOf(const std::string& version) {
  ASSERT_TRUE(process().WaitUntil([&] { return seen_.Has(version); }))
      << version << " does not answer: " << server_->Log();
}

std::string FaultsFixture::Answering() {
  v1::RetrieveResponse answer;
  const grpc::Status status = server_->Retrieve(RequestFor(kTopK, 0), answer);
  if (!status.ok()) return "";
  EXPECT_EQ(seen_.FaultOf(answer, kTopK), "");
  return answer.bundle_version();
}

std::vector<Ended> FaultsFixture::EndLoad() { return load_->Stop(); }

std::vector<Ended> FaultsFixture::EndGoodLoad() {
  std::vector<Ended> calls = EndLoad();
  EXPECT_FALSE(calls.empty());
  const auto bad =
      std::find_if(calls.begin(), calls.end(),
                   [](const Ended& call) { return !call.fault.empty(); });
  if (bad != calls.end()) {
    ADD_FAILURE() << FailedOf(calls) << " calls failed, the first one with "
                  << bad->fault;
  }
  return calls;
}

double FaultsFixture::Metric(const std::string& series) const {
  return MetricValue(server_->Get("/metrics"), series);
}

double FaultsFixture::Reloads(const std::string& outcome) const {
  return Metric(
      absl::StrCat("segue_bundle_reloads_total{outcome=\"", outcome, "\"}"));
}

double FaultsFixture::FailedReloads() const {
  double failed = 0;
  for (const auto& [series, value] : MetricValues(server_->Get("/metrics"))) {
    if (absl::StartsWith(series, "segue_bundle_reloads_total") &&
        !absl::StrContains(series, "success")) {
      failed += value;
    }
  }
  return failed;
}

void FaultsFixture::AwaitReloads(const std::string& outcome, int more) {
  const double enough = Reloads(outcome) + more;
  ASSERT_TRUE(process().WaitUntil([&] { return Reloads(outcome) >= enough; }))
      << server_->Log();
}

}  // namespace segue::testing
