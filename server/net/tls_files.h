// The PEM files by which a listener speaks TLS: read, bounded, and found to fit
// each other before anybody uses them.
#ifndef SEGUE_SERVER_NET_TLS_FILES_H_
#define SEGUE_SERVER_NET_TLS_FILES_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"

namespace segue {

struct TlsFiles {
  std::string certificates;  // the server's own first, then who signed it
  std::string key;
  std::string client_authorities;    // empty: clients need no certificate
  std::chrono::sys_seconds expires;  // the server's own certificate
};

// InvalidArgument, with the field and the file, for one that cannot be read, is
// no PEM or larger than 1 MiB; for a key that needs a passphrase or is another
// certificate's; for a certificate that is not valid now, or that OpenSSL does
// not use (RSA of 1,024 bits).
absl::StatusOr<TlsFiles> ReadTlsFiles(const v1::TlsConfig& config);

// Another one after any of the files was replaced, written to, or given to
// another user. Reads none.
std::string StampOfTlsFiles(const v1::TlsConfig& config);

}  // namespace segue

#endif  // SEGUE_SERVER_NET_TLS_FILES_H_
