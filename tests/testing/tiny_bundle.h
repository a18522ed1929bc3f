// A real bundle, small enough to build in each test: TorchScript towers, a flat
// index, every served file.
#ifndef SEGUE_TESTS_TESTING_TINY_BUNDLE_H_
#define SEGUE_TESTS_TESTING_TINY_BUNDLE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "segue/v1/bundle.pb.h"

namespace segue::testing {

// The bundle has user features "plan" (free, paid) and "age" (a number), the
// request feature "device" (phone, tv), display columns "title" and "artist",
// item attributes "parity" (even, odd) and "year" (item n: 2000 + n), histories
// of 3 and vectors of 4.
struct TinyBundleOptions {
  int items = 12;
  int users = 3;  // "u0", "u1", ...
  // Items are called <prefix>0, <prefix>1, ...: answers tell their version.
  std::string prefix = "i";
  // Of the weights and rows.
  uint64_t seed = 1;
  // Its query tower is HSTU with biases of times, where it else is a mean.
  bool history_times = false;
  // Whether it has item attributes.
  bool attributes = true;
  // Changes files in the folder before they are hashed: what comes out is a
  // bundle whose hashes are right and whose contents are not.
  std::function<void(const std::string& folder)> before_seal;
  // One more served file, which before_seal writes; empty: none.
  std::string extra_file;
  // PEM; empty: the bundle is not signed.
  std::string signing_key_file;
  // Changes what the manifest says, likewise.
  std::function<void(v1::Content&)> edit_content;
};

// Publishes one into `root` and returns its version. Versions before stay.
absl::StatusOr<std::string> PublishTinyBundle(const std::string& root,
                                              const TinyBundleOptions& options);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TESTING_TINY_BUNDLE_H_
