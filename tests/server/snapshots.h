// Snapshots to serve from: a real one, and one whose parts a test directs.
#ifndef SEGUE_TESTS_SERVER_SNAPSHOTS_H_
#define SEGUE_TESTS_SERVER_SNAPSHOTS_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/retrieval/serving_snapshot.h"
#include "tests/testing/tiny_bundle.h"

namespace segue::testing {

// Of a tiny bundle; null, and a failed test, if it does not load.
std::shared_ptr<const ServingSnapshot> TinySnapshot(
    const TinyBundleOptions& options = {});

// What a FakeSnapshot does. Defaults: every query is embedded as {1}, and every
// item but the excluded is found, in the order of rows.
struct FakeParts {
  int items = 3;
  // Called with the seed rows of a forward pass; item i's row is {i}.
  std::function<absl::Status(absl::Span<const float> seeds)> on_embed;
  // Called after a search; may change what it found.
  std::function<absl::Status(std::vector<Neighbor>& found)> on_search;
  // Called instead after an exact one.
  std::function<void()> on_exact_search;
};

// Version "fake", items "i0", "i1", ..., no users, vectors and histories of 1.
std::shared_ptr<ServingSnapshot> FakeSnapshot(const FakeParts& parts);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_SNAPSHOTS_H_
