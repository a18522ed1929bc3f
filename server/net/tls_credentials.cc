#include "server/net/tls_credentials.h"

#include <grpc/grpc.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "server/base/log.h"

namespace segue {

absl::StatusOr<std::shared_ptr<TlsCredentials>> TlsCredentials::Create(
    const v1::TlsConfig& config, OnRead on_read) {
  // Not make_shared: only this function makes one.
  std::shared_ptr<TlsCredentials> made =
      absl::WrapUnique(new TlsCredentials(config, std::move(on_read)));
  MutexLock lock(made->mu_);
  RETURN_IF_ERROR(made->Read());
  return made;
}

TlsCredentials::TlsCredentials(v1::TlsConfig config, OnRead on_read)
    : config_(std::move(config)), on_read_(std::move(on_read)) {
  credentials_ = grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          config_.client_ca_file().empty()
              ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
              : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
          [](void* self, grpc_ssl_server_certificate_config** next) {
            return static_cast<TlsCredentials*>(self)->Fetch(next);
          },
          this));
}

TlsCredentials::~TlsCredentials() {
  grpc_server_credentials_release(credentials_);
}

int TlsCredentials::AddPortToServer(const std::string& address,
                                    grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

absl::Status TlsCredentials::Read() {
  // Before they are read: what changes meanwhile is seen the next time.
  stamp_ = StampOfTlsFiles(config_);
  ASSIGN_OR_RETURN(next_, ReadTlsFiles(config_));
  LogInfo("TLS has new files",
          {{"certificate_file", config_.certificate_file()},
           {"expires", absl::FormatTime(absl::FromChrono(next_->expires),
                                        absl::UTCTimeZone())}});
  on_read_(*next_);
  return absl::OkStatus();
}

void TlsCredentials::Refresh() {
  MutexLock lock(mu_);
  const auto now = std::chrono::steady_clock::now();
  // What was refused may be good by now, and no stamp tells: its time has come,
  // or there are descriptors again.
  const bool again = !refused_.ok() && now >= next_try_;
  if (StampOfTlsFiles(config_) == stamp_ && !again) return;
  const absl::Status read = Read();
  if (!read.ok() && read != refused_) {
    LogWarning(
        absl::StrCat("TLS goes on with the files it had: ", read.message()));
  }
  refused_ = read;
  next_try_ = now + std::chrono::seconds(1);
}

grpc_ssl_certificate_config_reload_status TlsCredentials::Fetch(
    grpc_ssl_server_certificate_config** next) {
  Refresh();
  MutexLock lock(mu_);
  if (!next_.has_value()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const TlsFiles files = *std::exchange(next_, std::nullopt);
  const grpc_ssl_pem_key_cert_pair own = {files.key.c_str(),
                                          files.certificates.c_str()};
  // gRPC demands authorities even where no client is asked for anything.
  *next = grpc_ssl_server_certificate_config_create(
      files.client_authorities.empty() ? files.certificates.c_str()
                                       : files.client_authorities.c_str(),
      &own, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace segue
