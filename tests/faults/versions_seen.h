// Which bundle gave each answer: what a client can see of a swap.
#ifndef SEGUE_TESTS_FAULTS_VERSIONS_SEEN_H_
#define SEGUE_TESTS_FAULTS_VERSIONS_SEEN_H_

#include <chrono>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"
#include "segue/v1/retrieval.pb.h"

namespace segue::testing {

// Judges answers of tiny bundles whose ids are <prefix>-<number>, each bundle
// with a prefix of its own: an answer is of one bundle if its ids have one
// prefix, and one version always has the same one. Any thread.
class VersionsSeen {
 public:
  struct Version {
    std::string prefix;
    std::chrono::steady_clock::time_point first;  // when its first answer came
    std::chrono::steady_clock::time_point last;
  };

  // What is wrong with an answer to a request for `top_k` items; empty:
  // nothing.
  std::string FaultOf(const v1::RetrieveResponse& answer, int top_k)
      ABSL_LOCKS_EXCLUDED(mu_);

  // All that answered, by their names.
  std::map<std::string, Version> versions() const ABSL_LOCKS_EXCLUDED(mu_);
  bool Has(const std::string& version) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  std::map<std::string, Version> versions_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::string> version_of_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_VERSIONS_SEEN_H_
