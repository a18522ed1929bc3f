#include "server/config_validation.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/config/text_proto.h"
#include "server/net/address.h"

namespace segue {
namespace {

class Checks {
 public:
  void Range(const char* field, int64_t value, int64_t least, int64_t most) {
    if (value >= least && value <= most) return;
    Add(absl::StrCat(field, " is ", value, "; it must be ", least, " to ",
                     most));
  }
  void Fraction(const char* field, double value) {
    // Not a comparison that NaN passes.
    if (value >= 0 && value <= 1) return;
    Add(absl::StrCat(field, " is ", value, "; it must be in [0, 1]"));
  }
  void Address(const char* field, const std::string& value) {
    const auto address = ParseAddress(value);
    if (!address.ok()) {
      Add(absl::StrCat(field, ": ", address.status().message()));
    }
  }
  void Add(std::string violation) { found_.push_back(std::move(violation)); }
  const std::vector<std::string>& found() const { return found_; }

 private:
  std::vector<std::string> found_;
};

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr int64_t kMillion = 1000 * 1000;

void CheckAddresses(const v1::ServerConfig& config, Checks& checks) {
  checks.Address("listen_address", config.listen_address());
  struct Listener {
    const char* field;
    const std::string& address;
  };
  std::vector<Listener> taken = {{"listen_address", config.listen_address()}};
  for (const Listener& other :
       {Listener{"http_address", config.http_address()},
        Listener{"admin_address", config.admin_address()}}) {
    if (other.address.empty()) continue;
    checks.Address(other.field, other.address);
    const auto address = ParseAddress(other.address);
    for (const Listener& one : taken) {
      const auto before = ParseAddress(one.address);
      if (before.ok() && address.ok() && address->port != 0 &&
          address->port == before->port && address->host == before->host) {
        checks.Add(absl::StrCat(other.field, " is ", other.address, ", as ",
                                one.field, "; give it another port"));
      }
    }
    taken.push_back(other);
  }
}

void CheckTls(const char* field, const v1::TlsConfig& tls, Checks& checks) {
  if (tls.certificate_file().empty() || tls.key_file().empty()) {
    checks.Add(absl::StrCat(field, " needs a certificate_file and a key_file"));
  }
  if (tls.has_client_ca_file() && tls.client_ca_file().empty()) {
    checks.Add(absl::StrCat(
        field, ".client_ca_file is empty; leave it out to answer anybody"));
  }
}

}  // namespace

absl::Status ValidateServerConfig(const v1::ServerConfig& config) {
  Checks checks;
  if (config.bundle_root().empty()) {
    checks.Add(
        "bundle_root is empty; name the folder that the trainer publishes "
        "into");
  }
  if (config.has_trusted_keys_file() && config.trusted_keys_file().empty()) {
    checks.Add(
        "trusted_keys_file is empty; leave it out to serve bundles that nobody "
        "has signed");
  }
  CheckAddresses(config, checks);
  if (config.has_tls()) CheckTls("tls", config.tls(), checks);
  if (config.has_admin_tls()) CheckTls("admin_tls", config.admin_tls(), checks);
  checks.Range("poll_interval_ms", config.poll_interval_ms(), 10, kDayMs);
  checks.Range("worker_threads", config.worker_threads(), 0, 1024);
  checks.Range("max_queued_requests", config.max_queued_requests(), 1,
               kMillion);
  checks.Range("max_batch", config.max_batch(), 1, 1024);
  checks.Range("max_top_k", config.max_top_k(), 1, kMillion);
  checks.Range("max_history", config.max_history(), 1, kMillion);
  checks.Range("max_excluded", config.max_excluded(), 0, kMillion);
  checks.Range("max_id_bytes", config.max_id_bytes(), 1, 65535);
  checks.Range("max_batch_requests", config.max_batch_requests(), 1, kMillion);
  checks.Range("max_features", config.max_features(), 0, kMillion);
  checks.Range("max_nprobe", config.max_nprobe(), 1, kMillion);
  checks.Range("max_k_factor", config.max_k_factor(), 1, 10000);
  checks.Fraction("live_overlap_share", config.live_overlap_share());
  checks.Fraction("live_overlap_processor", config.live_overlap_processor());
  checks.Fraction("min_live_overlap", config.min_live_overlap());
  checks.Fraction("pressed_overlap", config.pressed_overlap());
  checks.Fraction("log_request_share", config.log_request_share());
  if (config.live_overlap_share() > 0 && config.live_overlap_processor() == 0) {
    checks.Add(
        "live_overlap_processor is 0; live_overlap_share = 0 turns the exact "
        "searches off");
  }
  if (config.min_live_overlap() > 0 && config.live_overlap_share() == 0) {
    checks.Add(
        "min_live_overlap is set, and live_overlap_share is 0: nothing would "
        "measure it");
  }
  checks.Fraction("live_hit_user_share", config.live_hit_user_share());
  checks.Range("live_hit_ttl_s", config.live_hit_ttl_s(), 1, kDayMs / 1000);
  checks.Range("live_hit_bytes", config.live_hit_bytes(), 1 << 10,
               int64_t{1} << 34);
  checks.Fraction("shadow_processor", config.shadow_processor());
  if (config.shadow_processor() == 0) {
    checks.Add("shadow_processor is 0; a shadow of share 0 gets no copies");
  }
  checks.Range("max_message_bytes", config.max_message_bytes(), 1024,
               int64_t{1} << 30);
  checks.Range("max_concurrent_streams", config.max_concurrent_streams(), 1,
               kMillion);
  checks.Range("drain_timeout_ms", config.drain_timeout_ms(), 0, kDayMs);
  checks.Range("drain_delay_ms", config.drain_delay_ms(), 0, kDayMs);
  if (config.max_bundle_bytes() < 0) {
    checks.Add(absl::StrCat("max_bundle_bytes is ", config.max_bundle_bytes(),
                            "; it must be 0 (no limit) or more"));
  }
  if (config.max_memory_bytes() < 0) {
    checks.Add(absl::StrCat("max_memory_bytes is ", config.max_memory_bytes(),
                            "; it must be 0 (no limit) or more"));
  }
  if (config.unload_first() && config.max_memory_bytes() == 0) {
    checks.Add(
        "unload_first is set, and max_memory_bytes is 0: there is no limit "
        "that it would make room under");
  }
  return ViolationsToStatus(checks.found());
}

}  // namespace segue
