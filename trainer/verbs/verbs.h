// The verbs of segue-trainer. Each prints what it does to stderr and its result
// to stdout.
#ifndef SEGUE_TRAINER_VERBS_VERBS_H_
#define SEGUE_TRAINER_VERBS_VERBS_H_

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/synthetic.h"
#include "trainer/publish/refresh.h"

namespace segue {

// In each configuration, what an empty path leaves without a source is left out
// (LeaveOutEmptyPaths()).

// A bundle that one begins from has to be signed by a key of
// `trusted_keys_file`, where that is not empty (SourceOptions()).

// Reads, splits, trains, evaluates, indexes, publishes. `stop` is set by a
// signal handler; Cancelled then.
absl::Status RunTrain(v1::TrainerConfig config,
                      const std::string& trusted_keys_file, bool resume,
                      const std::atomic<bool>& stop);

// The configuration that a bundle was trained with, but for where to write and
// what to sign with, which is not a bundle's to say.
absl::StatusOr<v1::TrainerConfig> ConfigOfBundle(
    const std::string& bundle_folder, const std::string& trusted_keys_file);

// Measures a published bundle on the data of `config` and prints the figures as
// JSON (the report's "evaluation").
absl::Status RunEvaluate(const std::string& bundle_folder,
                         const std::string& trusted_keys_file,
                         v1::TrainerConfig config);

// Publishes the bundle with an index built anew.
absl::Status RunIndex(const std::string& bundle_folder,
                      const std::string& trusted_keys_file,
                      v1::TrainerConfig config);

// Publishes the bundle with the catalogue that items.path lists now; prints
// what became of it as JSON.
absl::Status RunRefresh(const std::string& bundle_folder,
                        const std::string& trusted_keys_file,
                        v1::TrainerConfig config,
                        const RefreshOptions& options);

// Verifies every file of the bundle and prints its manifest.
absl::Status RunInspect(const std::string& bundle_folder,
                        const std::string& trusted_keys_file);

// Prints the reports of `runs` (LoadRunReport's paths) side by side; with
// `html_file`, writes a page that compares them there, too.
absl::Status RunCompare(const std::vector<std::string>& runs,
                        const std::string& html_file);

absl::Status RunSynth(const SyntheticOptions& options);

// The folder of a version: `bundle` itself, or, if it is a bundle root, the
// version that its CURRENT names.
absl::StatusOr<std::string> ResolveBundle(const std::string& bundle);

// One line a library.
std::string VersionText();

}  // namespace segue

#endif  // SEGUE_TRAINER_VERBS_VERBS_H_
