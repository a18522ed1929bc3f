#include "server/admin/admin_client.h"

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
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

// Empty for no file.
absl::StatusOr<std::string> ReadPem(const std::string& path) {
  if (path.empty()) return "";
  return ReadPemFile(path);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const AdminConnection& to) {
  if (to.certificate_file.empty() != to.key_file.empty()) {
    return absl::InvalidArgumentError(
        "a certificate needs its key, and a key its certificate");
  }
  grpc::SslCredentialsOptions options;
  ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem(to.ca_file));
  ASSIGN_OR_RETURN(options.pem_cert_chain, ReadPem(to.certificate_file));
  ASSIGN_OR_RETURN(options.pem_private_key, ReadPem(to.key_file));
  if (to.ca_file.empty() && to.key_file.empty()) {
    return grpc::InsecureChannelCredentials();
  }
  return grpc::SslCredentials(options);
}

class Client {
 public:
  Client(const std::string& address,
         const std::shared_ptr<grpc::ChannelCredentials>& credentials,
         std::chrono::seconds timeout)
      : stub_(v1::AdminService::NewStub(
            grpc::CreateChannel(address, credentials))) {
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

absl::Status CheckArguments(const std::string& command, size_t arguments) {
  const bool takes_one = command == "pin" || command == "deny" ||
                         command == "allow" || command == "log-level" ||
                         command == "shadow";
  const size_t least = takes_one ? 1 : 0;
  const size_t most = command == "shadow" ? 2 : least;
  if (arguments >= least && arguments <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(command, most == 2 ? " takes a version, and may take a share"
                            : most == 1 ? " takes one argument"
                                        : " takes no argument"));
}

absl::StatusOr<v1::ShadowVersionRequest> OfShadow(
    absl::Span<const std::string> arguments) {
  v1::ShadowVersionRequest request;
  request.set_version(arguments[0]);
  if (arguments.size() == 1) return request;
  double share = 0;
  if (!absl::SimpleAtod(arguments[1], &share)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shadow: \"", arguments[1], "\" is no share of the queries"));
  }
  request.set_share(share);
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

absl::StatusOr<std::string> SendAdminCommand(
    const AdminConnection& to, const std::string& command,
    absl::Span<const std::string> arguments, std::chrono::seconds timeout) {
  RETURN_IF_ERROR(CheckArguments(command, arguments.size()));
  ASSIGN_OR_RETURN(const auto credentials, Credentials(to));
  Client client(to.address, credentials, timeout);
  if (command == "status") {
    return client.Call(&Stub::GetStatus, v1::GetStatusRequest());
  }
  if (command == "list") {
    return client.Call(&Stub::ListBundles, v1::ListBundlesRequest());
  }
  if (command == "pin") {
    return client.Call(&Stub::PinVersion,
                       OfVersion<v1::PinVersionRequest>(arguments[0]));
  }
  if (command == "unpin") {
    return client.Call(&Stub::UnpinVersion, v1::UnpinVersionRequest());
  }
  if (command == "deny") {
    return client.Call(&Stub::DenyVersion,
                       OfVersion<v1::DenyVersionRequest>(arguments[0]));
  }
  if (command == "allow") {
    return client.Call(&Stub::AllowVersion,
                       OfVersion<v1::AllowVersionRequest>(arguments[0]));
  }
  if (command == "rollback") {
    return client.Call(&Stub::Rollback, v1::RollbackRequest());
  }
  if (command == "shadow") {
    ASSIGN_OR_RETURN(const auto request, OfShadow(arguments));
    return client.Call(&Stub::ShadowVersion, request);
  }
  if (command == "promote") {
    return client.Call(&Stub::PromoteShadow, v1::PromoteShadowRequest());
  }
  if (command == "discard") {
    return client.Call(&Stub::DiscardShadow, v1::DiscardShadowRequest());
  }
  if (command == "drain") {
    return client.Call(&Stub::Drain, v1::DrainRequest());
  }
  if (command == "log-level") {
    ASSIGN_OR_RETURN(const auto request, OfLevel(arguments[0]));
    return client.Call(&Stub::SetLogLevel, request);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no command is called ", command, ": ", kAdminCommands));
}

}  // namespace segue
