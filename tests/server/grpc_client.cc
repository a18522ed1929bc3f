#include "tests/server/grpc_client.h"

#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

namespace segue::testing {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

RawCall::RawCall(const std::shared_ptr<grpc::Channel>& channel,
                 const std::string& method) {
  context_.set_deadline(std::chrono::system_clock::now() +
                        std::chrono::minutes(1));
  call_ = grpc::GenericStub(channel).PrepareCall(&context_, method, &queue_);
  call_->StartCall(this);
  Wait();
}

RawCall::~RawCall() {
  context_.TryCancel();
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool RawCall::Write(const std::string& bytes, bool last) {
  grpc::WriteOptions options;
  if (last) options.set_last_message();
  call_->Write(ToBuffer(bytes), options, this);
  return Wait();
}

bool RawCall::ReadHeaders() {
  call_->ReadInitialMetadata(this);
  return Wait();
}

std::optional<std::string> RawCall::Read() {
  grpc::ByteBuffer buffer;
  call_->Read(&buffer, this);
  if (!Wait()) return std::nullopt;
  return ToString(buffer);
}

grpc::Status RawCall::Finish() {
  grpc::Status status;
  call_->Finish(&status, this);
  Wait();
  return status;
}

std::string RawCall::Trailing(const std::string& name) const {
  const auto& metadata = context_.GetServerTrailingMetadata();
  const auto at = metadata.find(name);
  return at == metadata.end()
             ? ""
             : std::string(at->second.data(), at->second.size());
}

std::string RawCall::Peer() const {
  const auto peer = context_.auth_context();
  if (peer == nullptr) return "";
  const auto names = peer->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  return names.empty() ? "" : std::string(names[0].data(), names[0].size());
}

bool RawCall::Wait() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

RawAnswer CallWithBytes(const std::shared_ptr<grpc::Channel>& channel,
                        const std::string& method, const std::string& bytes) {
  RawCall call(channel, method);
  call.Write(bytes, /*last=*/true);
  RawAnswer answer;
  answer.bytes = call.Read().value_or("");
  answer.status = call.Finish();
  answer.peer = call.Peer();
  return answer;
}

std::string HealthRequest(const std::string& service) {
  if (service.empty()) return "";
  return absl::StrCat("\x0a", std::string(1, static_cast<char>(service.size())),
                      service);
}

std::string CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                        const std::string& service) {
  const RawAnswer answer = CallWithBytes(
      channel, "/grpc.health.v1.Health/Check", HealthRequest(service));
  return answer.status.ok() ? answer.bytes : "";
}

}  // namespace segue::testing
