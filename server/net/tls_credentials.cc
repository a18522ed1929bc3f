#include "server/net/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "server/base/log.h"

namespace segue {
namespace {

class TlsCredentials : public grpc::ServerCredentials {
 public:
  TlsCredentials(v1::TlsConfig config,
                 std::function<void(const TlsFiles&)> on_loaded)
      : config_(std::move(config)), on_loaded_(std::move(on_loaded)) {
    grpc_ssl_server_credentials_options* options =
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            config_.client_ca_file().empty()
                ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
            &Fetch, this);
    credentials_ = grpc_ssl_server_credentials_create_with_options(options);
  }
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;
  ~TlsCredentials() override { grpc_server_credentials_release(credentials_); }

  // Not in use: there is nothing to look for in a call's metadata.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** next) {
    return static_cast<TlsCredentials*>(self)->Fetch(next);
  }
  // gRPC owns what `next` is set to. Unchanged, too, where files are bad.
  grpc_ssl_certificate_config_reload_status Fetch(
      grpc_ssl_server_certificate_config** next) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    // Before they are read: what changes meanwhile is seen the next time.
    std::string stamp = StampOfTlsFiles(config_);
    if (stamp == stamp_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    stamp_ = std::move(stamp);
    const auto files = ReadTlsFiles(config_);
    if (!files.ok()) {
      LogWarning(absl::StrCat("TLS goes on with the files it had: ",
                              files.status().message()));
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const grpc_ssl_pem_key_cert_pair own = {files->key.c_str(),
                                            files->certificates.c_str()};
    // gRPC demands authorities even where no client is asked for anything.
    *next = grpc_ssl_server_certificate_config_create(
        files->client_authorities.empty() ? files->certificates.c_str()
                                          : files->client_authorities.c_str(),
        &own, 1);
    LogInfo("TLS has new files",
            {{"certificate_file", config_.certificate_file()},
             {"expires", absl::FormatTime(absl::FromChrono(files->expires),
                                          absl::UTCTimeZone())}});
    on_loaded_(*files);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const v1::TlsConfig config_;
  const std::function<void(const TlsFiles&)> on_loaded_;
  grpc_server_credentials* credentials_;
  Mutex mu_;
  std::string stamp_ ABSL_GUARDED_BY(mu_);  // of what was read last
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeTlsCredentials(
    const v1::TlsConfig& config,
    std::function<void(const TlsFiles&)> on_loaded) {
  RETURN_IF_ERROR(ReadTlsFiles(config).status());
  return std::make_shared<TlsCredentials>(config, std::move(on_loaded));
}

}  // namespace segue
