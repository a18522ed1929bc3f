// segue.v1.AdminService: operators' commands.
#ifndef SEGUE_SERVER_ADMIN_ADMIN_SERVICE_H_
#define SEGUE_SERVER_ADMIN_ADMIN_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <functional>

#include "segue/v1/admin.grpc.pb.h"
#include "server/lifecycle/bundle_commands.h"
#include "server/lifecycle/bundle_manager.h"
#include "server/quality/shadow_traffic.h"

namespace segue {

// Synchronous: commands are few, and wait for bundles to load. Borrows what it
// is given. Thread-safe.
class AdminService : public v1::AdminService::Service {
 public:
  // `stop` asks the process to drain and end, and returns at once.
  AdminService(BundleManager& manager, BundleCommands& commands,
               const SnapshotHolder& snapshots,
               const ShadowTraffic& shadow_traffic, std::function<void()> stop)
      : manager_(manager),
        commands_(commands),
        snapshots_(snapshots),
        shadow_traffic_(shadow_traffic),
        stop_(std::move(stop)) {}

  grpc::Status GetStatus(grpc::ServerContext* context,
                         const v1::GetStatusRequest* request,
                         v1::ServerStatus* status) override;
  grpc::Status ListBundles(grpc::ServerContext* context,
                           const v1::ListBundlesRequest* request,
                           v1::ListBundlesResponse* response) override;
  grpc::Status PinVersion(grpc::ServerContext* context,
                          const v1::PinVersionRequest* request,
                          v1::ServerStatus* status) override;
  grpc::Status UnpinVersion(grpc::ServerContext* context,
                            const v1::UnpinVersionRequest* request,
                            v1::ServerStatus* status) override;
  grpc::Status DenyVersion(grpc::ServerContext* context,
                           const v1::DenyVersionRequest* request,
                           v1::ServerStatus* status) override;
  grpc::Status AllowVersion(grpc::ServerContext* context,
                            const v1::AllowVersionRequest* request,
                            v1::ServerStatus* status) override;
  grpc::Status Rollback(grpc::ServerContext* context,
                        const v1::RollbackRequest* request,
                        v1::ServerStatus* status) override;
  grpc::Status ShadowVersion(grpc::ServerContext* context,
                             const v1::ShadowVersionRequest* request,
                             v1::ServerStatus* status) override;
  grpc::Status PromoteShadow(grpc::ServerContext* context,
                             const v1::PromoteShadowRequest* request,
                             v1::ServerStatus* status) override;
  grpc::Status DiscardShadow(grpc::ServerContext* context,
                             const v1::DiscardShadowRequest* request,
                             v1::ServerStatus* status) override;
  grpc::Status Drain(grpc::ServerContext* context,
                     const v1::DrainRequest* request,
                     v1::ServerStatus* status) override;
  grpc::Status SetLogLevel(grpc::ServerContext* context,
                           const v1::SetLogLevelRequest* request,
                           v1::ServerStatus* status) override;

 private:
  // Logs the command, and what came of it.
  grpc::Status Done(absl::string_view command, const absl::Status& done,
                    v1::ServerStatus& status) const;
  void Fill(v1::ServerStatus& status) const;

  BundleManager& manager_;
  BundleCommands& commands_;
  const SnapshotHolder& snapshots_;
  const ShadowTraffic& shadow_traffic_;
  const std::function<void()> stop_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_ADMIN_ADMIN_SERVICE_H_
