#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/faiss_index.h"
#include "core/towers/torchscript_towers.h"
#include "server/base/log.h"
#include "server/base/processors.h"
#include "server/config_validation.h"
#include "server/net/address.h"

namespace segue {
namespace {

// Commands are small and few.
constexpr int kMaxAdminBytes = 64 << 10;
constexpr int kMaxAdminThreads = 8;

// What a bundle, requests for metrics, commands and logs are opened with when
// clients have all other descriptors; commands are still taken then.
constexpr uint64_t kSpareDescriptors = 64;
constexpr uint64_t kAdminSpareDescriptors = 32;

WorkerPool::Options PoolOptions(const v1::ServerConfig& config) {
  const int processors = UsableProcessors();
  const WorkerPool::Options options = {
      .threads =
          config.worker_threads() > 0 ? config.worker_threads() : processors,
      .max_queued = config.max_queued_requests(),
      .max_batch = config.max_batch()};
  LogInfo(absl::StrCat(processors, " processors, ", options.threads,
                       " workers that take up to ", options.max_batch,
                       " queries at once; FAISS ", FaissVersion(), ", ",
                       BlasText()));
  return options;
}

BundleManager::Options ManagerOptions(const v1::ServerConfig& config) {
  return {.bundle_root = config.bundle_root(),
          .trusted_keys_file = config.trusted_keys_file(),
          .poll_interval = std::chrono::milliseconds(config.poll_interval_ms()),
          .max_bundle_bytes = static_cast<uint64_t>(config.max_bundle_bytes()),
          .max_memory_bytes = static_cast<uint64_t>(config.max_memory_bytes()),
          .unload_first = config.unload_first(),
          .hold_previous = config.hold_previous(),
          .max_batch = config.max_batch(),
          .state_file = config.state_file()};
}

LiveHits::Options LiveHitsOptions(const v1::ServerConfig& config) {
  std::random_device random;
  return {.share = config.live_hit_user_share(),
          .ttl = std::chrono::seconds(config.live_hit_ttl_s()),
          .bytes = config.live_hit_bytes(),
          .salt = (uint64_t{random()} << 32) | random()};
}

}  // namespace

struct Server::ListenerConfig {
  std::string name;  // as metrics call it
  const char* address_field;
  const std::string& address;
  const char* tls_field;
  const v1::TlsConfig* tls;  // null: plain text
  uint64_t spare_descriptors;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Create(
    const v1::ServerConfig& config, Options options) {
  RETURN_IF_ERROR(ValidateServerConfig(config));
  auto server = absl::WrapUnique(new Server(config));
  ASSIGN_OR_RETURN(
      server->manager_,
      BundleManager::Create(
          ManagerOptions(config), server->snapshots_, server->metrics_,
          [server = server.get()](const ServingSnapshot* live) {
            if (live != nullptr) {
              server->live_overlap_.Begin(*live);
              server->live_hits_.SetVersions(
                  {live->version, VersionOf(server->snapshots_.previous())},
                  LiveHits::Clock::now());
            } else {
              server->live_overlap_.End();
            }
            server->shadow_traffic_.SetLive(live == nullptr ? ""
                                                            : live->version);
            server->UpdateHealth();
          },
          [server = server.get()](const SnapshotPtr& shadow, double share) {
            server->shadow_traffic_.SetShadow(shadow, share);
          }));
  server->commands_ =
      std::make_unique<BundleCommands>(*server->manager_, server->snapshots_);
  RETURN_IF_ERROR(server->StartHttp());
  RETURN_IF_ERROR(server->StartGrpc());
  RETURN_IF_ERROR(server->StartAdmin(std::move(options.stop)));
  if (options.poll) server->manager_->Start();
  return server;
}

Server::Server(const v1::ServerConfig& config)
    : config_(config),
      live_overlap_({.share = config.live_overlap_share(),
                     .processor = config.live_overlap_processor(),
                     .min_overlap = config.min_live_overlap()},
                    metrics_),
      live_hits_(LiveHitsOptions(config), metrics_),
      shadow_traffic_(config.shadow_processor(), metrics_),
      executor_(snapshots_, metrics_,
                {live_overlap_, live_hits_, shadow_traffic_},
                {.max_batch = config.max_batch(),
                 .pressed_overlap = config.pressed_overlap()}),
      pool_(
          PoolOptions(config),
          [this](absl::Span<Job* const> jobs, bool pressed) {
            executor_.Execute(jobs, pressed);
          },
          [this](int queries) { metrics_.SetQueueLength(queries); }),
      request_log_(config.log_request_share()),
      service_(config, pool_, metrics_, request_log_) {}

Server::~Server() {
  Drain();
  // Each command is answered.
  if (admin_ != nullptr) {
    admin_->Shutdown(std::chrono::system_clock::time_point::max());
  }
  // Its handlers look at this object's members.
  http_.reset();
}

std::string Server::live_version() const { return VersionOf(snapshots_.Get()); }

std::string Server::grpc_address() const {
  return grpc_ == nullptr ? "" : grpc_->address();
}

std::string Server::admin_address() const {
  return admin_ == nullptr ? "" : admin_->address();
}

std::string Server::http_address() const {
  return http_ == nullptr ? "" : FormatAddress(http_->address());
}

absl::Status Server::StartHttp() {
  if (config_.http_address().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Address address, ParseAddress(config_.http_address()));
  ASSIGN_OR_RETURN(
      http_, HttpEndpoint::Create(address,
                                  {.metrics = [this] { return MetricsText(); },
                                   .health = [this] { return Health(); }}));
  LogInfo("serving HTTP", {{"address", http_address()}});
  return absl::OkStatus();
}

absl::Status Server::StartGrpc() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.RegisterService(&service_);
  builder.SetMaxReceiveMessageSize(config_.max_message_bytes());
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             config_.max_concurrent_streams());
  ASSIGN_OR_RETURN(
      grpc_,
      Listen(builder, {.name = "grpc",
                       .address_field = "listen_address",
                       .address = config_.listen_address(),
                       .tls_field = "tls",
                       .tls = config_.has_tls() ? &config_.tls() : nullptr,
                       .spare_descriptors = kSpareDescriptors}));
  UpdateHealth();
  LogInfo("serving gRPC", {{"address", grpc_address()}});
  return absl::OkStatus();
}

absl::Status Server::StartAdmin(std::function<void()> stop) {
  if (config_.admin_address().empty()) return absl::OkStatus();
  admin_service_ = std::make_unique<AdminService>(
      *manager_, *commands_, snapshots_, shadow_traffic_, std::move(stop));
  grpc::ServerBuilder builder;
  builder.RegisterService(admin_service_.get());
  builder.SetMaxReceiveMessageSize(kMaxAdminBytes);
  builder.SetResourceQuota(
      grpc::ResourceQuota("admin").SetMaxThreads(kMaxAdminThreads));
  ASSIGN_OR_RETURN(
      admin_,
      Listen(builder,
             {.name = "admin",
              .address_field = "admin_address",
              .address = config_.admin_address(),
              .tls_field = "admin_tls",
              .tls = config_.has_admin_tls() ? &config_.admin_tls() : nullptr,
              .spare_descriptors = kAdminSpareDescriptors}));
  LogInfo("serving AdminService", {{"address", admin_address()}});
  return absl::OkStatus();
}

std::string Server::MetricsText() {
  std::vector<std::shared_ptr<TlsCredentials>> tls;
  {
    MutexLock lock(mu_);
    tls = tls_;
  }
  // Nobody may have connected since a certificate was replaced.
  for (const auto& one : tls) one->Refresh();
  return metrics_.Text();
}

absl::StatusOr<std::unique_ptr<GrpcListener>> Server::Listen(
    grpc::ServerBuilder& builder, const ListenerConfig& config) {
  ASSIGN_OR_RETURN(const Address address, ParseAddress(config.address));
  GrpcListener::Options options = {
      .spare_descriptors = config.spare_descriptors,
      .on_refused = [this] { metrics_.CountConnectionRefused(); }};
  if (config.tls != nullptr) {
    auto credentials = TlsCredentials::Create(
        *config.tls, [this, name = config.name](const TlsFiles& files) {
          metrics_.SetCertificateExpiry(name, files.expires);
        });
    if (!credentials.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(config.tls_field, ".", credentials.status().message()));
    }
    options.credentials = *credentials;
    MutexLock lock(mu_);
    tls_.push_back(*std::move(credentials));
  }
  if (!IsLoopback(address) &&
      (config.tls == nullptr || config.tls->client_ca_file().empty())) {
    LogWarning(absl::StrCat("anybody who reaches this address is answered: ",
                            config.tls_field, ".client_ca_file names nobody"),
               {{"address", config.address}});
  }
  auto listener = GrpcListener::Start(builder, address, std::move(options));
  if (listener.ok()) return listener;
  return absl::UnavailableError(
      absl::StrCat("cannot listen for gRPC on ", config.address, ": ",
                   listener.status().message(), "; ", config.address_field,
                   " in the configuration names it"));
}

absl::Status Server::Health() const {
  {
    MutexLock lock(mu_);
    if (draining_) return absl::UnavailableError("draining");
  }
  if (snapshots_.Get() != nullptr) return absl::OkStatus();
  const absl::Status why = manager_->last_error();
  return absl::UnavailableError(absl::StrCat("no bundle is loaded yet",
                                             why.ok() ? "" : ": ",
                                             absl::string_view(why.message())));
}

void Server::UpdateHealth() {
  if (grpc_ == nullptr) return;
  grpc::HealthCheckServiceInterface* health =
      grpc_->server().GetHealthCheckService();
  MutexLock lock(mu_);
  const bool serving = !draining_ && snapshots_.Get() != nullptr;
  health->SetServingStatus("", serving);
  health->SetServingStatus(RetrievalService::kName, serving);
}

void Server::Drain() {
  bool first;
  {
    MutexLock lock(mu_);
    first = !std::exchange(draining_, true);
  }
  if (!first) return;
  if (grpc_ != nullptr) {
    UpdateHealth();
    LogInfo("draining: health is NOT_SERVING");
    std::this_thread::sleep_for(
        std::chrono::milliseconds(config_.drain_delay_ms()));
    grpc_->Shutdown(std::chrono::system_clock::now() +
                    std::chrono::milliseconds(config_.drain_timeout_ms()));
  }
  if (manager_ != nullptr) manager_->Stop();
  pool_.Stop();
  live_overlap_.Stop();
  shadow_traffic_.Stop();
  if (grpc_ != nullptr) LogInfo("drained");
}

}  // namespace segue
