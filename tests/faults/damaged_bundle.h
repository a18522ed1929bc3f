// A server with a live version, and a newer one that a test damages.
#ifndef SEGUE_TESTS_FAULTS_DAMAGED_BUNDLE_H_
#define SEGUE_TESTS_FAULTS_DAMAGED_BUNDLE_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/server/running_server.h"
#include "tests/testing/tiny_bundle.h"

namespace segue::testing {

struct Refusal {
  std::string why;
  std::chrono::duration<double, std::milli> took{0};
};
// Lets the server step. A failed test unless that is refused, counted once, as
// `outcome`, and a call is answered by the version `live`.
Refusal StepRefused(RunningServer& server, const std::string& outcome,
                    const std::string& live);

// One thread.
class DamagedBundle {
 public:
  explicit DamagedBundle(const TinyBundleOptions& damaged);

  // The names of all served files.
  const std::vector<std::string>& served() const { return served_; }
  // A file as it was published.
  std::string Read(const std::string& file) const;

  // StepRefused() of the newer version where `file` has these bytes instead:
  // what the server says. The file then is as it was.
  std::string WhyRefused(const std::string& file, const std::string& bytes,
                         const std::string& outcome = "corrupt");
  // The newer version as it was published: whether it serves.
  bool ServesUndamaged();

 private:
  void PointTo(const std::string& version) const;

  RunningServer server_;
  const std::string root_;
  const std::string live_;
  const std::string damaged_;
  const std::string folder_;  // of damaged_
  std::vector<std::string> served_;
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_DAMAGED_BUNDLE_H_
