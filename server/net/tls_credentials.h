// TLS for a gRPC listener, by files that may be replaced while it runs.
#ifndef SEGUE_SERVER_NET_TLS_CREDENTIALS_H_
#define SEGUE_SERVER_NET_TLS_CREDENTIALS_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "server/net/tls_files.h"

namespace segue {

// Each new connection looks whether a file has changed, and is the first with
// what is there now; open connections stay as they are. Files that do not fit
// each other, as between the writing of a key and that of its certificate, are
// logged, and what was read before goes on being used. (gRPC's own
// FileWatcherCertificateProvider hands such files out, and connections fail.)
//
// With client_ca_file a client is believed that shows a certificate which one
// of these authorities signed, any other is hung up on. `on_loaded` is called
// with what is used from then on, by one thread at a time. InvalidArgument:
// what ReadTlsFiles() says of the files now.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeTlsCredentials(
    const v1::TlsConfig& config,
    std::function<void(const TlsFiles&)> on_loaded);

}  // namespace segue

#endif  // SEGUE_SERVER_NET_TLS_CREDENTIALS_H_
