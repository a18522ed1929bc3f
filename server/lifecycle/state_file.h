// The small file in which a server remembers pins and denials.
#ifndef SEGUE_SERVER_LIFECYCLE_STATE_FILE_H_
#define SEGUE_SERVER_LIFECYCLE_STATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "segue/v1/server_state.pb.h"

namespace segue {

// One thread.
class StateFile {
 public:
  // Reads what is there; no file is an empty state. An empty path: nothing is
  // kept. DataLoss, with what to do, if the file holds anything else: a server
  // that forgot a denial would serve what was taken away from it.
  static absl::StatusOr<StateFile> Open(const std::string& path);

  const v1::ServerState& state() const { return state_; }
  // Whether it survives a restart.
  bool persistent() const { return !path_.empty(); }
  // Writes it atomically; where that fails, the state stays what it was.
  absl::Status Set(const v1::ServerState& state);

 private:
  explicit StateFile(std::string path) : path_(std::move(path)) {}

  std::string path_;
  v1::ServerState state_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_STATE_FILE_H_
