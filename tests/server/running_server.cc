#include "tests/server/running_server.h"

#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "server/net/address.h"
#include "tests/testing/status_matchers.h"

namespace segue::testing {

v1::ServerConfig LoopbackConfig(const std::string& bundle_root) {
  auto config = FromText<v1::ServerConfig>(
      "listen_address: '127.0.0.1:0' http_address: '127.0.0.1:0' "
      "admin_address: '127.0.0.1:0' "
      "worker_threads: 2");
  config.set_bundle_root(bundle_root);
  return config;
}

httplib::Client Http(const Server& server) {
  const auto address = ParseAddress(server.http_address());
  EXPECT_THAT(address, IsOk());
  return httplib::Client(address->host, address->port);
}

RunningServer::RunningServer(const std::string& config) {
  v1::ServerConfig full = LoopbackConfig(root_.path());
  full.MergeFrom(FromText<v1::ServerConfig>(config));
  auto server = Server::Create(full, {.poll = false});
  EXPECT_THAT(server, IsOk());
  if (!server.ok()) return;
  server_ = *std::move(server);
  channel_ = Connect(server_->grpc_address());
  stub_ = v1::RetrievalService::NewStub(channel_);
}

std::string RunningServer::Publish(const TinyBundleOptions& options) const {
  auto version = PublishTinyBundle(root_.path(), options);
  EXPECT_THAT(version, IsOk());
  return std::move(version).value_or("");
}

void RunningServer::GoLive() {
  auto result = server_->manager().Step();
  while (result == BundleManager::StepResult::kBusy) {
    std::this_thread::yield();
    result = server_->manager().Step();
  }
  EXPECT_EQ(result, BundleManager::StepResult::kPublished);
}

std::string RunningServer::Serve(const TinyBundleOptions& options) {
  std::string version = Publish(options);
  GoLive();
  return version;
}

}  // namespace segue::testing
