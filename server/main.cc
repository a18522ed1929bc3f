// segue-server: reads its configuration, serves until SIGTERM or SIGINT.
#include <google/protobuf/stubs/common.h>
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/config/text_proto.h"
#include "core/index/faiss_index.h"
#include "core/towers/torchscript_towers.h"
#include "segue/v1/config.pb.h"
#include "server/admin/admin_client.h"
#include "server/base/log.h"
#include "server/base/most_a_second.h"
#include "server/base/process.h"
#include "server/server.h"

namespace segue {
namespace {

// Longer than the server waits for a bundle.
constexpr std::chrono::seconds kAdminTimeout{300};

std::string VersionText() {
  return absl::StrCat(
      "segue-server ", SEGUE_VERSION, "\nLibTorch ", TorchVersion(), "\nFAISS ",
      FaissVersion(), "\ngRPC ", grpc::Version(), "\nProtobuf ",
      google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION));
}

// Signals are waited for by main alone; threads inherit the mask.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int RunAdmin(const AdminConnection& to, const std::string& command,
             const std::vector<std::string>& arguments) {
  const auto answer = SendAdminCommand(to, command, arguments, kAdminTimeout);
  if (!answer.ok()) {
    std::fprintf(stderr, "segue-server admin: %s\n",
                 std::string(answer.status().message()).c_str());
    if (absl::IsUnavailable(answer.status()) && to.ca_file.empty()) {
      std::fputs("a server with admin_tls wants --ca, --cert and --key\n",
                 stderr);
    }
    return absl::IsInvalidArgument(answer.status()) ? 2 : 1;
  }
  std::fputs(answer->c_str(), stdout);
  return 0;
}

// What gRPC has to say is a line of ours; each client that fails at TLS makes
// it say something.
void LogForGrpc(gpr_log_func_args* said) {
  static MostASecond<10> lines;
  static std::atomic<int64_t> left_out = 0;
  if (!lines.Takes(std::chrono::steady_clock::now())) {
    ++left_out;
    return;
  }
  const LogLevel level = said->severity == GPR_LOG_SEVERITY_ERROR
                             ? LogLevel::kError
                             : LogLevel::kInfo;
  const int64_t before = left_out.exchange(0);
  if (!TryLog(level, said->message,
              {{"file", said->file},
               {"line", int64_t{said->line}},
               {"left_out", before}})) {
    left_out += before + 1;
  }
}

LogFormat FormatOf(const v1::ServerConfig& config) {
  switch (config.log_format()) {
    case v1::ServerConfig::TEXT:
      return LogFormat::kText;
    case v1::ServerConfig::JSON:
      return LogFormat::kJson;
    case v1::ServerConfig::AUTO:
      break;
  }
  return DefaultLogFormat();
}

// A line for each violation of a configuration.
void LogLines(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) LogError(line);
}

int Run(const std::string& config_path, const std::vector<std::string>& set) {
  const sigset_t signals = BlockSignals();
  v1::ServerConfig config;
  const absl::Status loaded = LoadConfig(config_path, set, config);
  if (!loaded.ok()) {
    LogLines(loaded.message());
    return 2;
  }
  SetLogFormat(FormatOf(config));
  gpr_set_log_function(LogForGrpc);
  // Debian's Abseil is built to look for cycles whenever gRPC takes a lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  RaiseMaxDescriptors();
  auto server =
      Server::Create(config, {.stop = [] { ::kill(::getpid(), SIGTERM); }});
  if (!server.ok()) {
    LogLines(server.status().message());
    return server.status().code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  LogInfo("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  (*server)->Drain();
  return 0;
}

int Main(int argc, char** argv) {
  UseKernelThreads(1);  // parallelism is across requests

  CLI::App app("Serves bundles that segue-trainer publishes, over gRPC.");
  std::string config_path;
  std::vector<std::string> set;
  app.add_option("--config", config_path, "ServerConfig as a textproto file")
      ->type_name("FILE");
  app.add_option("--set", set, "Sets a field of the configuration; repeatable")
      ->type_name("path=value")
      ->allow_extra_args(false);
  app.set_version_flag("--version", VersionText);

  CLI::App* admin = app.add_subcommand(
      "admin", "Sends a command to a running server, prints its answer.");
  AdminConnection to = {.address = v1::ServerConfig().admin_address()};
  std::string command;
  std::vector<std::string> arguments;
  admin->add_option("--address", to.address, "Its admin_address")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  const auto pem_option = [&](const char* name, std::string& path,
                              const char* what) {
    admin->add_option(name, path, what)->type_name("FILE");
  };
  pem_option("--ca", to.ca_file,
             "TLS: who signed the server's certificate, PEM");
  pem_option("--cert", to.certificate_file,
             "TLS: this client's certificate, where the server asks for one");
  pem_option("--key", to.key_file, "TLS: the key of that certificate");
  admin->add_option("COMMAND", command, kAdminCommands)->required();
  admin->add_option(
      "ARGUMENTS", arguments,
      "Of pin, deny, allow: a version; of shadow: a version that "
      "is loaded beside the live one, and the share of the "
      "queries that is copied to it (0.05; 0: it is loaded only); "
      "of log-level: info, warning, error");
  CLI11_PARSE(app, argc, argv);
  if (*admin) return RunAdmin(to, command, arguments);
  return Run(config_path, set);
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) { return segue::Main(argc, argv); }
