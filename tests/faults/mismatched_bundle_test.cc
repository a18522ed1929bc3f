// Tests 6 and 8: bundles whose hashes and signatures are right and whose
// contents are not, as a faulty publisher or a hostile one would write them.
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/signature.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/damaged_bundle.h"
#include "tests/faults/pending_call.h"
#include "tests/faults/tower_edits.h"
#include "tests/testing/scale.h"
#include "tests/testing/signing_keys.h"
#include "tests/testing/status_matchers.h"

namespace segue::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMaxBytes = 1 << 20;
// Of an index of vectors alone: type, dimension, count; behind the header the
// number of floats, and they.
constexpr size_t kCount = 8, kFloats = 37, kFirstFloat = kFloats + 8;

template <typename T>
std::function<void(const std::string&)> PutIntoIndex(size_t at, T value) {
  return [at, value](const std::string& folder) {
    const std::string path = folder + "/" + layout::kIndex;
    std::string bytes = ReadFile(path, kMaxBytes).value();
    std::memcpy(bytes.data() + at, &value, sizeof(value));
    ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  };
}

// A manifest that says of its index that it is of other towers, with hashes, a
// name and a signature that are right again. Returns that name, which CURRENT
// has.
std::string ForgeTowerHash(const std::string& root, const std::string& version,
                           const SigningKey& key) {
  const std::string path =
      absl::StrCat(root, "/", version, "/", layout::kManifest);
  v1::Manifest manifest =
      ParseManifest(ReadFile(path, kMaxBytes).value(), path).value();
  manifest.mutable_content()->mutable_index()->set_tower_hash(
      std::string(64, 'a'));
  manifest.set_content_hash(ContentHash(manifest.content()));
  std::string forged = absl::StrCat(version.substr(0, version.find('-') + 1),
                                    manifest.content_hash().substr(0, 12));
  manifest.set_version(forged);
  const std::string json = FormatManifest(manifest);
  EXPECT_THAT(WriteFileAtomically(path, json), IsOk());
  EXPECT_THAT(WriteFileAtomically(
                  absl::StrCat(root, "/", version, "/", layout::kSignature),
                  key.Sign(json).value()),
              IsOk());
  std::filesystem::rename(absl::StrCat(root, "/", version),
                          absl::StrCat(root, "/", forged));
  EXPECT_THAT(
      WriteFileAtomically(absl::StrCat(root, "/CURRENT"), forged + "\n"),
      IsOk());
  return forged;
}

struct Mismatch {
  const char* name;
  TinyBundleOptions options;
  const char* outcome;
  const char* said;
  bool forge_tower_hash = false;
};

TinyBundleOptions Files(std::function<void(const std::string&)> edit) {
  return {.prefix = "bad", .before_seal = std::move(edit)};
}
TinyBundleOptions Says(std::function<void(v1::Content&)> edit) {
  return {.prefix = "bad", .edit_content = std::move(edit)};
}

std::vector<Mismatch> Mismatches() {
  const auto nan_in = [](const char* tower) {
    return Files([tower](const std::string& folder) {
      PutNanIntoTower(folder + "/" + tower);
    });
  };
  return {
      {"dimension", Says([](auto& c) { c.set_dimension(5); }), "incompatible",
       "tower"},
      {"metric", Says([](auto& c) { c.set_metric("l2"); }), "incompatible",
       "l2"},
      {"items", Says([](auto& c) { c.set_items(11); }), "incompatible",
       "items is 12, the manifest says 11"},
      {"users", Says([](auto& c) { c.set_users(4); }), "incompatible",
       "users is 3, the manifest says 4"},
      {"towers of another run",
       {.prefix = "bad"},
       "corrupt",
       "content.index.tower_hash",
       /*forge_tower_hash=*/true},
      {"NaN in the query tower", nan_in(layout::kQueryTower), "incompatible",
       "query tower has weights that are not finite"},
      {"NaN in the item tower", nan_in(layout::kItemTower), "incompatible",
       "item tower has weights that are not finite"},
      {"NaN in the index",
       Files(
           PutIntoIndex(kFirstFloat, std::numeric_limits<float>::quiet_NaN())),
       "corrupt", "not finite"},
      {"answers of another bundle",
       {.prefix = "bad",
        .before_seal =
            [](const std::string& folder) {
              ASSERT_THAT(
                  WriteFileAtomically(
                      folder + "/" + layout::kGoldenAnswers,
                      R"({"responses": [{"item_ids": ["x"], "scores": [1]}]})"),
                  IsOk());
            },
        .extra_file = layout::kGoldenAnswers},
       "wrong_answers",
       "overlap"},
  };
}

// Sizes that a reader who believed them would ask memory for, or read behind
// the end of.
std::vector<Mismatch> HostileIndexes() {
  constexpr auto kHuge = int64_t{1} << 40;
  return {
      {"a trillion vectors", Files(PutIntoIndex(kCount, kHuge)), "corrupt",
       "1099511627776 vectors"},
      {"a thousand million vectors",
       Files(PutIntoIndex(kCount, int64_t{1} << 30)), "corrupt", "floats"},
      {"a trillion floats", Files(PutIntoIndex(kFloats, kHuge)), "corrupt",
       "bytes are left"},
      {"as many floats as fit no size",
       Files(PutIntoIndex(kFloats, std::numeric_limits<int64_t>::max())),
       "corrupt", "bytes are left"},
      {"more dimensions", Files(PutIntoIndex(4, 1 << 30)), "corrupt", ""},
      {"another type", Files(PutIntoIndex(0, 0x51507749)), "corrupt", ""},
  };
}

int64_t PeakMib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

struct Cost {
  double ms = 0;
  int64_t mib = 0;  // by which the process was never as large before
};

// A server that each of them is published to, one after the other.
class MismatchTest : public ::testing::Test {
 protected:
  MismatchTest()
      : live_(server_.Serve(
            {.prefix = "good", .signing_key_file = keys_.first})) {}

  // A failed test unless it is refused as it should be and a call is answered
  // by the live version. Returns what the step took.
  Cost Refuse(const Mismatch& mismatch) {
    SCOPED_TRACE(mismatch.name);
    TinyBundleOptions options = mismatch.options;
    options.signing_key_file = keys_.first;
    std::string version = server_.Publish(options);
    if (mismatch.forge_tower_hash) {
      version = ForgeTowerHash(server_.server().manager().bundle_root(),
                               version, SigningKey::Read(keys_.first).value());
    }
    const int64_t peak = PeakMib();
    const Refusal refusal = StepRefused(server_, mismatch.outcome, live_);
    EXPECT_THAT(refusal.why, HasSubstr(version));
    EXPECT_THAT(refusal.why, HasSubstr(mismatch.said));
    return {.ms = refusal.took.count(), .mib = PeakMib() - peak};
  }

  const KeyFiles keys_;
  RunningServer server_{"trusted_keys_file: '" + keys_.trusted + "'"};
  const std::string live_;
};

TEST_F(MismatchTest, WhatDoesNotFitIsRefusedAndTheOldOneServes) {
  for (const Mismatch& mismatch : Mismatches()) Refuse(mismatch);
}

TEST_F(MismatchTest, AHostileIndexThatIsSignedIsRefusedAtOnce) {
  Cost most;
  for (const Mismatch& hostile : HostileIndexes()) {
    const Cost cost = Refuse(hostile);
    most.ms = std::max(most.ms, cost.ms);
    most.mib += cost.mib;
  }
  EXPECT_LE(most.mib, 64);
  LeaveFigure(6, "hostile indexes: slowest refusal, memory",
              absl::StrFormat("%.0f ms, +%d MiB", most.ms, most.mib),
              "1 s, +64 MiB");
}

}  // namespace
}  // namespace segue::testing
