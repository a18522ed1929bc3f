// Who is answered by a server that speaks TLS, and by whose certificate.
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/admin/admin_client.h"
#include "tests/server/certificates.h"
#include "tests/server/running_server.h"
#include "tests/testing/scale.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::AtScale;
using segue::testing::Authority;
using segue::testing::CallWithBytes;
using segue::testing::CertificateAndKey;
using segue::testing::Connect;
using segue::testing::Http;
using segue::testing::IsOk;
using segue::testing::kRetrieveMethod;
using segue::testing::LeaveFigure;
using segue::testing::LoopbackConfig;
using segue::testing::MetricValue;
using segue::testing::RawAnswer;
using segue::testing::RunningServer;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using ::testing::HasSubstr;

constexpr char kStatusMethod[] = "/segue.v1.AdminService/GetStatus";

class ServerTlsTest : public ::testing::Test {
 protected:
  ServerTlsTest() {
    Write(servers_.Issue("server"));
    Write("clients.pem", clients_.certificate());
    Write("operators.pem", operators_.certificate());
    StartServer(absl::StrCat("tls {", Files("clients.pem"), "} admin_tls {",
                             Files("operators.pem"), "}"));
  }

  void StartServer(const std::string& config) {
    running_ = std::make_unique<RunningServer>(config);
    running_->Serve();
  }
  // `ca`: empty for none.
  std::string Files(const std::string& ca) const {
    return absl::StrCat(
        "certificate_file: '", folder_ / "server.pem", "' key_file: '",
        folder_ / "server.key", "' ",
        ca.empty() ? "" : absl::StrCat("client_ca_file: '", folder_ / ca, "'"));
  }
  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_THAT(WriteFileAtomically(folder_ / name, bytes), IsOk());
  }
  // The key first: for a moment they do not fit.
  void Write(const CertificateAndKey& pair) {
    Write("server.key", pair.key);
    Write("server.pem", pair.certificate);
  }

  std::shared_ptr<grpc::ChannelCredentials> Tls(
      const CertificateAndKey& own) const {
    return grpc::SslCredentials({.pem_root_certs = servers_.certificate(),
                                 .pem_private_key = own.key,
                                 .pem_cert_chain = own.certificate});
  }
  // One call on a connection of its own.
  static RawAnswer CallOnce(
      const std::string& address, const std::string& method,
      const std::shared_ptr<grpc::ChannelCredentials>& as) {
    return CallWithBytes(Connect(address, as), method, "");
  }
  RawAnswer Retrieve(
      const std::shared_ptr<grpc::ChannelCredentials>& as) const {
    return CallOnce(running_->server().grpc_address(), kRetrieveMethod, as);
  }
  static bool Refused(const RawAnswer& answer) {
    return answer.status.error_code() == grpc::StatusCode::UNAVAILABLE;
  }

  const TempFolder folder_;
  const Authority servers_{"servers"}, clients_{"clients"},
      operators_{"operators"}, strangers_{"clients"};
  std::unique_ptr<RunningServer> running_;
};

TEST_F(ServerTlsTest, WhoIsAnsweredWhere) {
  struct Who {
    const char* name;
    std::shared_ptr<grpc::ChannelCredentials> credentials;
    bool retrieves, administers;
  };
  const auto past = [](int hours) { return std::chrono::hours(-hours); };
  const std::vector<Who> all = {
      {"in plain text", grpc::InsecureChannelCredentials(), false, false},
      {"without a certificate", Tls({}), false, false},
      {"a client of an authority that only has the name of ours",
       Tls(strangers_.Issue("client")), false, false},
      {"a client whose time is over",
       Tls(clients_.Issue("client", past(2), past(1))), false, false},
      {"another server", Tls(servers_.Issue("server")), false, false},
      {"a client", Tls(clients_.Issue("client")), true, false},
      {"an operator", Tls(operators_.Issue("operator")), false, true}};
  using Code = grpc::StatusCode;
  struct Served {
    const char* method;
    Code code;  // of an empty request
  };
  const std::vector<Served> served = {
      {kRetrieveMethod, Code::OK},
      {"/segue.v1.RetrievalService/BatchRetrieve", Code::OK},
      {"/segue.v1.RetrievalService/SimilarItems", Code::INVALID_ARGUMENT},
      {"/segue.v1.RetrievalService/DescribeItems", Code::OK},
      {"/grpc.health.v1.Health/Check", Code::OK},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
       Code::OK}};
  int wrong = 0;
  const auto expect = [&](const Who& who, const std::string& address,
                          const Served& asked, bool answered) {
    const RawAnswer answer = CallOnce(address, asked.method, who.credentials);
    const Code expected = answered ? asked.code : Code::UNAVAILABLE;
    EXPECT_EQ(answer.status.error_code(), expected)
        << who.name << ", " << asked.method << ": "
        << answer.status.error_message();
    if (answer.status.error_code() != expected) ++wrong;
  };
  for (const Who& who : all) {
    for (const Served& one : served) {
      expect(who, running_->server().grpc_address(), one, who.retrieves);
    }
    expect(who, running_->server().admin_address(), {kStatusMethod, Code::OK},
           who.administers);
  }
  LeaveFigure(22, "answered or refused against the table",
              absl::StrCat(wrong, " of ", all.size() * (served.size() + 1)),
              "0");
}

TEST_F(ServerTlsTest, WithoutAnAuthorityAnyClientThatSpeaksTlsIsAnswered) {
  StartServer(absl::StrCat("tls {", Files(""), "}"));
  EXPECT_TRUE(Retrieve(Tls({})).status.ok());
  EXPECT_TRUE(Refused(Retrieve(grpc::InsecureChannelCredentials())));
}

TEST_F(ServerTlsTest, CertificatesRotateUnderLoad) {
  const auto as = Tls(clients_.Issue("client"));
  const int rotations = AtScale(20, 500);
  std::atomic<bool> stop = false;
  std::atomic<int> calls = 0, failed = 0;
  // Each call on a new connection, whatever the files are at that moment.
  std::vector<std::thread> load(2);
  for (std::thread& one : load) {
    one = std::thread([&] {
      while (!stop) {
        ++calls;
        if (!Retrieve(as).status.ok()) ++failed;
      }
    });
  }
  int late = 0;
  for (int i = 0; i < rotations; ++i) {
    const std::string name = absl::StrCat("server-", i);
    Write(servers_.Issue(name));
    const RawAnswer answer = Retrieve(as);
    ++calls;
    if (!answer.status.ok()) ++failed;
    if (answer.peer != name) ++late;
  }
  stop = true;
  for (std::thread& one : load) one.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(late, 0) << "the first connection after it had the one before";
  LeaveFigure(22, absl::StrCat(rotations, " certificates in turn: failed"),
              absl::StrCat(failed.load(), " of ", calls.load()), "0");
}

TEST_F(ServerTlsTest, OpenConnectionsStayAndBadFilesAreNotUsed) {
  const auto as = Tls(clients_.Issue("client"));
  const auto open = grpc::CreateChannel(running_->server().grpc_address(), as);
  EXPECT_TRUE(CallWithBytes(open, kRetrieveMethod, "").status.ok());
  Write("server.key", "no key");
  const RawAnswer with_bad_key = Retrieve(as);
  EXPECT_TRUE(with_bad_key.status.ok()) << with_bad_key.status.error_message();
  EXPECT_EQ(with_bad_key.peer, "server");
  Write(servers_.Issue("next"));
  EXPECT_EQ(Retrieve(as).peer, "next");
  EXPECT_TRUE(CallWithBytes(open, kRetrieveMethod, "").status.ok());
}

TEST_F(ServerTlsTest, WhatWasRefusedIsLookedAtAgain) {
  const auto as = Tls(clients_.Issue("client"));
  Write(servers_.Issue("soon", std::chrono::seconds(2)));
  EXPECT_EQ(Retrieve(as).peer, "server");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::string server;
  while (server != "soon" && std::chrono::steady_clock::now() < end) {
    const RawAnswer answer = Retrieve(as);
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    server = answer.peer;
  }
  EXPECT_EQ(server, "soon") << "no file has changed, but its time has come";
}

TEST_F(ServerTlsTest, TheAuthorityOfClientsRotatesToo) {
  const Authority next("next clients");
  const auto before = Tls(clients_.Issue("client"));
  const auto after = Tls(next.Issue("client"));
  EXPECT_TRUE(Refused(Retrieve(after)));
  Write("clients.pem",
        absl::StrCat(clients_.certificate(), next.certificate()));
  EXPECT_TRUE(Retrieve(before).status.ok());
  EXPECT_TRUE(Retrieve(after).status.ok());
  Write("clients.pem", next.certificate());
  EXPECT_TRUE(Retrieve(after).status.ok());
  EXPECT_TRUE(Refused(Retrieve(before)));
}

// Without that anybody connects meanwhile.
TEST_F(ServerTlsTest, MetricsTellWhenACertificateExpires) {
  const auto expiry = [&](const std::string& listener) {
    const auto answer = Http(running_->server()).Get("/metrics");
    EXPECT_TRUE(answer);
    return MetricValue(
        answer->body,
        absl::StrCat("segue_tls_certificate_expiry_timestamp_seconds{listener=",
                     "\"", listener, "\"}"));
  };
  const double before = expiry("grpc");
  EXPECT_GT(before, 1.7e9);
  Write(
      servers_.Issue("server", std::chrono::hours(-1), std::chrono::hours(24)));
  EXPECT_GT(expiry("grpc"), before + 22 * 3600);
  EXPECT_GT(expiry("admin"), before + 22 * 3600);
  EXPECT_TRUE(Retrieve(Tls(clients_.Issue("client"))).status.ok());
}

TEST_F(ServerTlsTest, AdminCommandsSpeakTls) {
  const CertificateAndKey operator_pair = operators_.Issue("operator");
  Write("ca.pem", servers_.certificate());
  Write("operator.pem", operator_pair.certificate);
  Write("operator.key", operator_pair.key);
  AdminConnection to = {.address = running_->server().admin_address(),
                        .ca_file = folder_ / "ca.pem",
                        .certificate_file = folder_ / "operator.pem",
                        .key_file = folder_ / "operator.key"};
  const auto status = [&] {
    return SendAdminCommand(to, "status", {}, std::chrono::seconds(60));
  };
  EXPECT_THAT(status(), IsOk());
  to.key_file = "";
  EXPECT_THAT(status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr("needs its key")));
  to.key_file = folder_ / "none";
  EXPECT_THAT(status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(folder_ / "none")));
  to.certificate_file = to.key_file = "";
  EXPECT_THAT(status(), StatusIs(absl::StatusCode::kUnavailable, ::testing::_));
}

TEST_F(ServerTlsTest, FilesThatDoNotFitAreAnErrorAtTheStart) {
  v1::ServerConfig config = LoopbackConfig(folder_ / "bundles");
  config.mutable_admin_tls()->set_certificate_file(folder_ / "server.pem");
  EXPECT_THAT(Server::Create(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("admin_tls needs a certificate_file and a "
                                 "key_file")));
  config.mutable_admin_tls()->set_key_file(folder_ / "none");
  EXPECT_THAT(Server::Create(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("admin_tls.key_file")));
  Write("server.key", servers_.Issue("server").key);
  config.mutable_admin_tls()->set_key_file(folder_ / "server.key");
  EXPECT_THAT(Server::Create(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is not the key of the first")));
  config.mutable_admin_tls()->set_client_ca_file("");
  EXPECT_THAT(Server::Create(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("admin_tls.client_ca_file is empty")));
}

}  // namespace
}  // namespace segue
