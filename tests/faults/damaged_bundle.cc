#include "tests/faults/damaged_bundle.h"

#include <cstdint>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "tests/faults/pending_call.h"
#include "tests/server/metric_values.h"
#include "tests/testing/status_matchers.h"

namespace segue::testing {
namespace {

using StepResult = BundleManager::StepResult;

constexpr uint64_t kMaxBytes = 16 << 20;

// Neither synced nor replaced as a whole: it is done thousands of times, and
// nobody reads meanwhile.
void Write(const std::string& path, absl::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// What the server's counter says: all of them, and those of one outcome.
struct Reloads {
  double all = 0;
  double of_outcome = 0;
};

Reloads CountReloads(RunningServer& server, const std::string& outcome) {
  Reloads reloads;
  for (const auto& [series, value] :
       MetricValues(server.server().metrics().Text())) {
    if (!absl::StartsWith(series, "segue_bundle_reloads_total{")) continue;
    reloads.all += value;
    if (absl::StrContains(series, absl::StrCat("\"", outcome, "\""))) {
      reloads.of_outcome += value;
    }
  }
  return reloads;
}

}  // namespace

Refusal StepRefused(RunningServer& server, const std::string& outcome,
                    const std::string& live) {
  BundleManager& manager = server.server().manager();
  const Reloads before = CountReloads(server, outcome);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(manager.Step(), StepResult::kFailed);
  const auto end = std::chrono::steady_clock::now();
  std::string why(manager.last_error().message());
  const Reloads after = CountReloads(server, outcome);
  EXPECT_EQ(after.of_outcome, before.of_outcome + 1) << why;
  EXPECT_EQ(after.all, before.all + 1) << why;
  EXPECT_EQ(AnsweringVersion(server), live);
  return {.why = std::move(why), .took = end - begin};
}

DamagedBundle::DamagedBundle(const TinyBundleOptions& damaged)
    : root_(server_.server().manager().bundle_root()),
      live_(server_.Serve({.prefix = "live"})),
      damaged_(server_.Publish(damaged)),
      folder_(absl::StrCat(root_, "/", damaged_)) {
  const auto bundle = OpenBundle(folder_, VerifyScope::kServed);
  EXPECT_THAT(bundle, IsOk());
  if (!bundle.ok()) return;
  for (const v1::File& file : bundle->content().files()) {
    if (file.served()) served_.push_back(file.name());
  }
}

std::string DamagedBundle::Read(const std::string& file) const {
  auto bytes = ReadFile(absl::StrCat(folder_, "/", file), kMaxBytes);
  EXPECT_THAT(bytes, IsOk());
  return std::move(bytes).value_or("");
}

void DamagedBundle::PointTo(const std::string& version) const {
  Write(absl::StrCat(root_, "/", layout::kCurrent), version + "\n");
}

std::string DamagedBundle::WhyRefused(const std::string& file,
                                      const std::string& bytes,
                                      const std::string& outcome) {
  const std::string path = absl::StrCat(folder_, "/", file);
  const std::string good = Read(file);
  Write(path, bytes);
  PointTo(damaged_);
  Refusal refusal = StepRefused(server_, outcome, live_);

  Write(path, good);
  // What is bad is read ever more rarely; back at the live version that is
  // forgotten.
  PointTo(live_);
  EXPECT_EQ(server_.server().manager().Step(), StepResult::kUnchanged);
  return std::move(refusal.why);
}

bool DamagedBundle::ServesUndamaged() {
  PointTo(damaged_);
  return server_.server().manager().Step() == StepResult::kPublished &&
         AnsweringVersion(server_) == damaged_;
}

}  // namespace segue::testing
