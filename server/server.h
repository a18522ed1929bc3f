// The server put together: what exists, in which order it starts and stops.
#ifndef SEGUE_SERVER_SERVER_H_
#define SEGUE_SERVER_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "segue/v1/config.pb.h"
#include "server/admin/admin_service.h"
#include "server/lifecycle/bundle_commands.h"
#include "server/lifecycle/bundle_manager.h"
#include "server/lifecycle/snapshot_holder.h"
#include "server/metrics/metrics.h"
#include "server/net/grpc_listener.h"
#include "server/net/http_endpoint.h"
#include "server/net/tls_credentials.h"
#include "server/quality/live_hits.h"
#include "server/quality/shadow_traffic.h"
#include "server/queue/worker_pool.h"
#include "server/requests/query_executor.h"
#include "server/requests/request_log.h"
#include "server/requests/retrieval_service.h"

namespace segue {

// Starts in Create(): HTTP first (so that /healthz tells of the loading), then
// workers, gRPC as NOT_SERVING, and the manager, which loads the first bundle
// in the background and then says SERVING.
//
// Drain(), from one thread, stops in this order:
//   1. health: NOT_SERVING and 503, so that nobody sends new clients;
//   2. drain_delay_ms: requests are still taken, load balancers notice;
//   3. gRPC: no new requests; those in flight have drain_timeout_ms, then they
//      are cancelled. Workers still run, so that each is answered;
//   4. the manager, which may end a load first;
//   5. the workers, whose queue is empty by now, and the exact searches and
//      the shadow's answers in the background;
//   6. in the destructor: AdminService, whose commands end with the manager,
//      HTTP, which shows the counters up to here, and the snapshots.
class Server {
 public:
  struct Options {
    // Off in tests, which call manager().Step() themselves.
    bool poll = true;
    // Asks the process to drain and end, for AdminService.Drain.
    std::function<void()> stop = [] {};
  };

  // InvalidArgument for a bad configuration, Unavailable for an address that
  // cannot be bound. Logs both addresses.
  static absl::StatusOr<std::unique_ptr<Server>> Create(
      const v1::ServerConfig& config, Options options);
  static absl::StatusOr<std::unique_ptr<Server>> Create(
      const v1::ServerConfig& config) {
    return Create(config, Options());
  }
  // Drains, if that was not done.
  ~Server();

  // Idempotent.
  void Drain() ABSL_LOCKS_EXCLUDED(mu_);

  // host:port with the ports that were bound; admin, HTTP: empty if it is off.
  std::string grpc_address() const;
  std::string admin_address() const;
  std::string http_address() const;
  BundleManager& manager() { return *manager_; }
  // Empty: nothing serves.
  std::string live_version() const;
  Metrics& metrics() { return metrics_; }

 private:
  explicit Server(const v1::ServerConfig& config);
  absl::Status StartHttp();
  absl::Status StartGrpc();
  absl::Status StartAdmin(std::function<void()> stop);
  struct ListenerConfig;
  // Starts what is built.
  absl::StatusOr<std::unique_ptr<GrpcListener>> Listen(
      grpc::ServerBuilder& builder, const ListenerConfig& config);
  std::string MetricsText() ABSL_LOCKS_EXCLUDED(mu_);
  // Tells gRPC's health service; draining wins.
  void UpdateHealth() ABSL_LOCKS_EXCLUDED(mu_);
  // OK while requests are answered, else why not.
  absl::Status Health() const ABSL_LOCKS_EXCLUDED(mu_);

  const v1::ServerConfig config_;
  Metrics metrics_;
  SnapshotHolder snapshots_;
  LiveOverlap live_overlap_;
  LiveHits live_hits_;
  ShadowTraffic shadow_traffic_;
  QueryExecutor executor_;
  WorkerPool pool_;
  RequestLog request_log_;
  RetrievalService service_;
  std::unique_ptr<BundleManager> manager_;
  std::unique_ptr<BundleCommands> commands_;
  std::unique_ptr<HttpEndpoint> http_;
  std::unique_ptr<GrpcListener> grpc_;
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<GrpcListener> admin_;

  mutable Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::shared_ptr<TlsCredentials>> tls_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_SERVER_H_
