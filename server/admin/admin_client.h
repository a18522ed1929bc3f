// `segue-server admin`: one command to a running server.
#ifndef SEGUE_SERVER_ADMIN_ADMIN_CLIENT_H_
#define SEGUE_SERVER_ADMIN_ADMIN_CLIENT_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace segue {

// What `segue-server admin` takes as its command.
inline constexpr char kAdminCommands[] =
    "status, list, pin, unpin, deny, allow, rollback, shadow, promote, "
    "discard, drain, log-level";

struct AdminConnection {
  std::string address;  // host:port of admin_address
  // PEM files. Any of them: the server speaks TLS.
  std::string ca_file;           // who signed its certificate
  std::string certificate_file;  // of this client, where it asks for one
  std::string key_file;          // of that
};

// Sends `command` (one of kAdminCommands) with its arguments (a version, for a
// shadow a share of the queries behind it, or a level; none where it takes
// none), and gives the answer as JSON. InvalidArgument for another command,
// wrong arguments or files; Unavailable where nobody listens, or not with such
// TLS; else the server's error.
absl::StatusOr<std::string> SendAdminCommand(
    const AdminConnection& to, const std::string& command,
    absl::Span<const std::string> arguments, std::chrono::seconds timeout);

}  // namespace segue

#endif  // SEGUE_SERVER_ADMIN_ADMIN_CLIENT_H_
