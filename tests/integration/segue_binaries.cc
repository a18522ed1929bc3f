#include "tests/integration/segue_binaries.h"

#include <grpcpp/grpcpp.h>
#include <httplib.h>
#include <signal.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace segue::testing {
namespace {

constexpr std::chrono::seconds kCallTimeout(60);

// What stands between `before` and `after`; empty if it is not there.
std::string Between(absl::string_view text, absl::string_view before,
                    absl::string_view after) {
  const size_t at = text.find(before);
  if (at == text.npos) return "";
  text.remove_prefix(at + before.size());
  return std::string(text.substr(0, text.find(after)));
}

Finished ToItsEnd(Process& process) {
  Finished finished;
  finished.code = process.Wait();
  finished.output = process.Output();
  finished.errors = process.Errors();
  return finished;
}

}  // namespace

Finished RunTrainer(const std::vector<std::string>& arguments,
                    const std::string& folder) {
  std::vector<std::string> argv = {SEGUE_TRAINER_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return ToItsEnd(*Process::Start(argv, folder, "trainer"));
}

Finished MakeData(const std::string& folder) {
  return RunTrainer({"synth", "--out", folder + "/data", "--users", "300",
                     "--items", "2000", "--events", "30000", "--seed", "1"},
                    folder);
}

std::vector<std::string> TrainArguments(const std::string& folder,
                                        const std::string& run) {
  std::vector<std::string> arguments = {"train", "--config",
                                        SEGUE_SYNTHETIC_CONFIG};
  const std::string data = folder + "/data/";
  for (const std::string& setting : {
           absl::StrCat("run_dir=", folder, "/", run),
           absl::StrCat("bundle_root=", folder, "/bundles"),
           absl::StrCat("events.path=", data, "listens.parquet"),
           absl::StrCat("items.path=", data, "items.parquet"),
           absl::StrCat("items.features[0].mapping_path=", data,
                        "artist_item_mapping.parquet"),
           absl::StrCat("items.features[1].mapping_path=", data,
                        "album_item_mapping.parquet"),
           std::string("model.layers=[64, 32]"),
           std::string("training.batch_size=512"),
           std::string("training.epochs=2"),
           std::string("evaluation.max_queries=200"),
           std::string("index.nlist=16"),
           std::string("threads=2"),
       }) {
    arguments.push_back("--set");
    arguments.push_back(setting);
  }
  return arguments;
}

std::string ContentHash(const std::string& bundle_root,
                        const std::string& folder) {
  const Finished inspected =
      RunTrainer({"inspect", "--bundle", bundle_root}, folder);
  EXPECT_EQ(inspected.code, 0) << inspected.errors;
  return Between(inspected.output, "\"content_hash\": \"", "\"");
}

std::unique_ptr<RunningServer> RunningServer::Start(
    const std::string& bundle_root, const std::string& folder,
    const ServerOptions& options) {
  std::unique_ptr<RunningServer> server(new RunningServer);
  server->folder_ = folder;
  std::vector<std::string> argv = options.launcher;
  argv.push_back(SEGUE_SERVER_BINARY);
  std::vector<std::string> settings = {
      "bundle_root=" + bundle_root, "listen_address=127.0.0.1:0",
      "http_address=127.0.0.1:0", "admin_address=127.0.0.1:0",
      "poll_interval_ms=10"};
  settings.insert(settings.end(), options.settings.begin(),
                  options.settings.end());
  for (const std::string& setting : settings) {
    argv.insert(argv.end(), {"--set", setting});
  }
  server->process_ = Process::Start(argv, folder, options.name);
  const bool up = server->process_->WaitUntil([&] {
    server->address_ = server->AddressOf("gRPC");
    server->http_address_ = server->AddressOf("HTTP");
    server->admin_address_ = server->AddressOf("AdminService");
    return !server->address_.empty() && !server->http_address_.empty() &&
           !server->admin_address_.empty();
  });
  if (!up) {
    ADD_FAILURE() << "no server: " << server->process_->Errors();
    return nullptr;
  }
  server->stub_ = v1::RetrievalService::NewStub(grpc::CreateChannel(
      server->address_, grpc::InsecureChannelCredentials()));
  const bool serves = server->process_->WaitUntil(
      [&] { return server->Get("/healthz") == "ok\n"; });
  EXPECT_TRUE(serves) << server->process_->Errors();
  return server;
}

std::string RunningServer::AddressOf(const std::string& what) const {
  return Between(process_->Errors(),
                 absl::StrCat("\"serving ", what, "\",\"address\":\""), "\"");
}

grpc::Status RunningServer::Retrieve(const v1::RetrieveRequest& request,
                                     v1::RetrieveResponse& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  return stub_->Retrieve(&context, request, &response);
}

Finished RunningServer::Admin(const std::vector<std::string>& command) const {
  std::vector<std::string> argv = {SEGUE_SERVER_BINARY, "admin", "--address",
                                   admin_address_};
  argv.insert(argv.end(), command.begin(), command.end());
  return ToItsEnd(*Process::Start(argv, folder_, "admin"));
}

int RunningServer::Stop() {
  stub_.reset();
  process_->Signal(SIGTERM);
  return process_->Wait();
}

std::string RunningServer::Get(const std::string& path) const {
  httplib::Client client("http://" + http_address_);
  const auto result = client.Get(path.c_str());
  return result && result->status == 200 ? result->body : "";
}

std::vector<v1::RetrieveRequest> SampleRequests(const std::string& run_dir) {
  v1::BatchRetrieveRequest batch;
  const std::string json = absl::StrCat(
      "{\"requests\":", ReadAll(run_dir + "/sample_requests.json"), "}");
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &batch).ok());
  return {batch.requests().begin(), batch.requests().end()};
}

}  // namespace segue::testing
