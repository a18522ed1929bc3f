#include "server/admin/admin_service.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/names.h"
#include "server/base/log.h"
#include "server/lifecycle/version_choice.h"

namespace segue {
namespace {

constexpr double kDefaultShadowShare = 0.05;

// Operators are told why: these codes and texts go out as they are.
// But for a bundle that nobody who is trusted has signed: it is not the
// operator who is not known.
grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(absl::IsUnauthenticated(status)
                          ? grpc::FAILED_PRECONDITION
                          : static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()));
}

}  // namespace

void AdminService::Fill(v1::ServerStatus& status) const {
  status.set_live_version(VersionOf(snapshots_.Get()));
  status.set_held_version(VersionOf(snapshots_.previous()));
  *status.mutable_state() = manager_.state().Get();
  status.set_state_persists(manager_.state().persists());
  if (auto shadow = shadow_traffic_.status()) {
    *status.mutable_shadow() = *std::move(shadow);
  }
  status.set_last_error(std::string(manager_.last_error().message()));
  status.set_log_level(
      static_cast<v1::LogLevel>(static_cast<int>(LeastLogLevel()) + 1));
}

grpc::Status AdminService::Done(absl::string_view command,
                                const absl::Status& done,
                                v1::ServerStatus& status) const {
  if (!done.ok()) {
    LogWarning(absl::StrCat("admin: ", command, ": ", done.message()));
    return ToGrpc(done);
  }
  LogInfo(absl::StrCat("admin: ", command));
  Fill(status);
  return grpc::Status::OK;
}

grpc::Status AdminService::GetStatus(grpc::ServerContext*,
                                     const v1::GetStatusRequest*,
                                     v1::ServerStatus* status) {
  Fill(*status);
  return grpc::Status::OK;
}

grpc::Status AdminService::ListBundles(grpc::ServerContext*,
                                       const v1::ListBundlesRequest*,
                                       v1::ListBundlesResponse* response) {
  std::vector<std::string> versions = ListVersions(manager_.bundle_root());
  std::reverse(versions.begin(), versions.end());
  const std::string current =
      ReadCurrentVersion(manager_.bundle_root()).value_or("");
  const v1::ServerState state = manager_.state().Get();
  const std::string live = VersionOf(snapshots_.Get());
  const std::string held = VersionOf(snapshots_.previous());
  const std::string shadow = VersionOf(snapshots_.shadow());
  for (const std::string& version : versions) {
    v1::BundleEntry& entry = *response->add_bundles();
    entry.set_version(version);
    entry.set_current(version == current);
    entry.set_live(version == live);
    entry.set_held(version == held);
    entry.set_shadow(version == shadow);
    entry.set_pinned(version == state.pinned_version());
    entry.set_denied(IsDenied(state, version));
  }
  return grpc::Status::OK;
}

grpc::Status AdminService::PinVersion(grpc::ServerContext*,
                                      const v1::PinVersionRequest* request,
                                      v1::ServerStatus* status) {
  const absl::Status done = commands_.Pin(request->version());
  return Done(absl::StrCat("pin ", request->version().substr(0, 64)), done,
              *status);
}

grpc::Status AdminService::UnpinVersion(grpc::ServerContext*,
                                        const v1::UnpinVersionRequest*,
                                        v1::ServerStatus* status) {
  return Done("unpin", commands_.Unpin(), *status);
}

grpc::Status AdminService::DenyVersion(grpc::ServerContext*,
                                       const v1::DenyVersionRequest* request,
                                       v1::ServerStatus* status) {
  const absl::Status done = commands_.Deny(request->version());
  return Done(absl::StrCat("deny ", request->version().substr(0, 64)), done,
              *status);
}

grpc::Status AdminService::AllowVersion(grpc::ServerContext*,
                                        const v1::AllowVersionRequest* request,
                                        v1::ServerStatus* status) {
  const absl::Status done = commands_.Allow(request->version());
  return Done(absl::StrCat("allow ", request->version().substr(0, 64)), done,
              *status);
}

grpc::Status AdminService::Rollback(grpc::ServerContext*,
                                    const v1::RollbackRequest*,
                                    v1::ServerStatus* status) {
  return Done("roll back", commands_.Rollback(), *status);
}

grpc::Status AdminService::ShadowVersion(
    grpc::ServerContext*, const v1::ShadowVersionRequest* request,
    v1::ServerStatus* status) {
  const double share =
      request->has_share() ? request->share() : kDefaultShadowShare;
  const absl::Status done = commands_.Shadow(request->version(), share);
  return Done(
      absl::StrCat("shadow ", request->version().substr(0, 64), " ", share),
      done, *status);
}

grpc::Status AdminService::PromoteShadow(grpc::ServerContext*,
                                         const v1::PromoteShadowRequest*,
                                         v1::ServerStatus* status) {
  return Done("promote", commands_.Promote(), *status);
}

grpc::Status AdminService::DiscardShadow(grpc::ServerContext*,
                                         const v1::DiscardShadowRequest*,
                                         v1::ServerStatus* status) {
  return Done("discard", commands_.Discard(), *status);
}

grpc::Status AdminService::Drain(grpc::ServerContext*, const v1::DrainRequest*,
                                 v1::ServerStatus* status) {
  grpc::Status done = Done("drain", absl::OkStatus(), *status);
  stop_();
  return done;
}

grpc::Status AdminService::SetLogLevel(grpc::ServerContext*,
                                       const v1::SetLogLevelRequest* request,
                                       v1::ServerStatus* status) {
  if (request->level() == v1::LOG_LEVEL_UNSPECIFIED ||
      !v1::LogLevel_IsValid(request->level())) {
    return grpc::Status(grpc::INVALID_ARGUMENT,
                        "level: must be INFO, WARNING or ERROR");
  }
  SetLeastLogLevel(static_cast<LogLevel>(request->level() - 1));
  return Done(absl::StrCat("log level ", v1::LogLevel_Name(request->level())),
              absl::OkStatus(), *status);
}

}  // namespace segue
