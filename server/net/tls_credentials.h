// TLS for a gRPC listener, by files that may be replaced while it runs.
#ifndef SEGUE_SERVER_NET_TLS_CREDENTIALS_H_
#define SEGUE_SERVER_NET_TLS_CREDENTIALS_H_

#include <grpc/grpc_security.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "segue/v1/config.pb.h"
#include "server/net/tls_files.h"

namespace segue {

// Each new connection looks whether a file has changed, and is the first with
// what is there now; open connections stay as they are. Files that do not fit
// each other, as between the writing of a key and that of its certificate, are
// logged, looked at again, at most once a second, and what was read before goes
// on being used. (gRPC's own FileWatcherCertificateProvider hands such files
// out, and connections fail.)
//
// With client_ca_file a client is believed that shows a certificate which one
// of these authorities signed, any other is hung up on.
class TlsCredentials : public grpc::ServerCredentials {
 public:
  // Called with what is used from then on, by one thread at a time.
  using OnRead = std::function<void(const TlsFiles&)>;

  // InvalidArgument: what ReadTlsFiles() says of the files now.
  static absl::StatusOr<std::shared_ptr<TlsCredentials>> Create(
      const v1::TlsConfig& config, OnRead on_read);
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;
  ~TlsCredentials() override;

  // Looks as a connection would: the next one gets what was read. Any thread.
  void Refresh() ABSL_LOCKS_EXCLUDED(mu_);

  // Not in use: there is nothing to look for in a call's metadata.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  TlsCredentials(v1::TlsConfig config, OnRead on_read);
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // gRPC owns what `next` is set to.
  grpc_ssl_certificate_config_reload_status Fetch(
      grpc_ssl_server_certificate_config** next) ABSL_LOCKS_EXCLUDED(mu_);

  const v1::TlsConfig config_;
  const OnRead on_read_;
  grpc_server_credentials* credentials_;
  Mutex mu_;
  std::string stamp_ ABSL_GUARDED_BY(mu_);  // of what was read last
  // Read, and gRPC has not fetched it yet.
  std::optional<TlsFiles> next_ ABSL_GUARDED_BY(mu_);
  // Of what could not be used; OK: all could.
  absl::Status refused_ ABSL_GUARDED_BY(mu_);
  std::chrono::steady_clock::time_point next_try_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_NET_TLS_CREDENTIALS_H_
