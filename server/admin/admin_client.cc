#include "server/admin/admin_client.h"

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "segue/v1/admin.grpc.pb.h"

namespace segue {
namespace {

using Stub = v1::AdminService::Stub;

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options)
           .ok()) {
    return absl::InternalError("the answer does not become JSON");
  }
  return json;
}

class Client {
 public:
  Client(const std::string& address, std::chrono::seconds timeout)
      : stub_(v1::AdminService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {
    context_.set_deadline(std::chrono::system_clock::now() + timeout);
  }

  template <typename Request, typename Response>
  absl::StatusOr<std::string> Call(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    Response response;
    const grpc::Status status = (*stub_.*method)(&context_, request, &response);
    if (status.ok()) return ToJson(response);
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                        status.error_message());
  }

 private:
  const std::unique_ptr<Stub> stub_;
  grpc::ClientContext context_;
};

template <typename Request>
Request OfVersion(const std::string& version) {
  Request request;
  request.set_version(version);
  return request;
}

absl::StatusOr<v1::SetLogLevelRequest> OfLevel(const std::string& level) {
  v1::LogLevel value = v1::LOG_LEVEL_UNSPECIFIED;
  if (!v1::LogLevel_Parse(absl::AsciiStrToUpper(level), &value)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "log-level: \"", level, "\" is none: info, warning or error"));
  }
  v1::SetLogLevelRequest request;
  request.set_level(value);
  return request;
}

}  // namespace

absl::StatusOr<std::string> SendAdminCommand(const std::string& address,
                                             const std::string& command,
                                             const std::string& argument,
                                             std::chrono::seconds timeout) {
  const bool takes_one = command == "pin" || command == "deny" ||
                         command == "allow" || command == "log-level";
  if (takes_one == argument.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        command, takes_one ? " takes one argument" : " takes no argument"));
  }
  Client client(address, timeout);
  if (command == "status") {
    return client.Call(&Stub::GetStatus, v1::GetStatusRequest());
  }
  if (command == "list") {
    return client.Call(&Stub::ListBundles, v1::ListBundlesRequest());
  }
  if (command == "pin") {
    return client.Call(&Stub::PinVersion,
                       OfVersion<v1::PinVersionRequest>(argument));
  }
  if (command == "unpin") {
    return client.Call(&Stub::UnpinVersion, v1::UnpinVersionRequest());
  }
  if (command == "deny") {
    return client.Call(&Stub::DenyVersion,
                       OfVersion<v1::DenyVersionRequest>(argument));
  }
  if (command == "allow") {
    return client.Call(&Stub::AllowVersion,
                       OfVersion<v1::AllowVersionRequest>(argument));
  }
  if (command == "rollback") {
    return client.Call(&Stub::Rollback, v1::RollbackRequest());
  }
  if (command == "drain") {
    return client.Call(&Stub::Drain, v1::DrainRequest());
  }
  if (command == "log-level") {
    auto request = OfLevel(argument);
    if (!request.ok()) return request.status();
    return client.Call(&Stub::SetLogLevel, *request);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no command is called ", command, ": ", kAdminCommands));
}

}  // namespace segue
