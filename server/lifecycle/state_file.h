// The small file in which a server remembers pins and denials.
#ifndef SEGUE_SERVER_LIFECYCLE_STATE_FILE_H_
#define SEGUE_SERVER_LIFECYCLE_STATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "segue/v1/server_state.pb.h"

namespace segue {

// What is there; no file, or an empty path, is an empty state. DataLoss, with
// what to do, if the file holds anything else: a server that forgot a denial
// would serve what was taken away from it.
absl::StatusOr<v1::ServerState> ReadStateFile(const std::string& path);

// Atomically. An empty path: nothing is kept.
absl::Status WriteStateFile(const std::string& path,
                            const v1::ServerState& state);

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_STATE_FILE_H_
