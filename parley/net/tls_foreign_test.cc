// TLS with somebody else's program at the other end: openssl s_client and s_server.
#include <filesystem>
#include <fstream>

#include "parley/net/network.h"
#include "parley/net/testing/openssl_program.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_server.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::net {
namespace {

using testing::OpensslProgram;
using testing::TestAuthority;

constexpr std::array versions{TlsVersion::tls1_2, TlsVersion::tls1_3};

std::string flag_of(TlsVersion version) {
  return version == TlsVersion::tls1_2 ? "-tls1_2" : "-tls1_3";
}

// A CA, a server's and a guest's certificate, also as files for the other program.
struct World {
  TestAuthority authority{"Tea CA"};
  TlsIdentity shop = authority.issue({.name = "shop", .dns_names = {"shop.example"}});
  TlsIdentity guest = authority.issue({.name = "guest"});
  std::string folder =
      (std::filesystem::temp_directory_path() / "parley-tls-foreign-XXXXXX").string();

  World() {
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    std::ofstream(path("ca")) << authority.pem();
    std::ofstream(path("shop")) << shop.chain_pem << shop.key_pem;
    std::ofstream(path("guest")) << guest.chain_pem << guest.key_pem;
  }
  ~World() { std::filesystem::remove_all(folder); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder + "/" + name; }
};

using Arguments = std::vector<std::string>;

Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// --- Their client, our server

struct OurServer {
  explicit OurServer(TlsServerOptions options)
      : tls(TlsServer::create(std::move(options)).value()),
        listener(TcpNetwork().listen(*Address::parse("tcp://127.0.0.1:0")).value()) {}

  [[nodiscard]] Arguments client_arguments(const World& world) const {
    return {"s_client",
            "-connect",
            "127.0.0.1:" + std::to_string(listener->address().port),
            "-CAfile",
            world.path("ca"),
            "-servername",
            "shop.example",
            "-verify_hostname",
            "shop.example",
            "-verify_return_error"};
  }
  Result<std::unique_ptr<TlsStream>> accept() const {
    auto tcp = listener->accept();
    EXPECT_TRUE(tcp) << tcp.error();
    return tls->accept(*std::move(tcp));
  }

  std::unique_ptr<TlsServer> tls;
  std::unique_ptr<Listener> listener;
};

// Takes one line and answers it. The status of the first thing that went wrong.
Status answer_line(Stream& stream) {
  std::array<char, 200> buffer{};
  std::string line;
  while (!line.ends_with('\n')) {
    const auto size = stream.read(buffer);
    if (!size) return size.error();
    if (*size == 0) return {Code::out_of_range, "it ended"};
    line.append(buffer.data(), *size);
  }
  return stream.write("you said " + line);
}

PARLEY_FIBER_TEST(TlsForeign, openssl_s_client_speaks_with_our_server) {
  const World world;
  for (const TlsVersion version : versions) {
    const OurServer server({.identities = {world.shop}, .alpn = {"parley"}});
    OpensslProgram client(server.client_arguments(world) +
                          Arguments{"-alpn", "h2,parley", flag_of(version)});
    const auto stream = server.accept();
    ASSERT_TRUE(stream) << stream.error() << client.read_to_end();
    EXPECT_EQ((*stream)->info().version, version);
    EXPECT_EQ((*stream)->info().alpn, "parley");
    EXPECT_EQ((*stream)->info().server_name, "shop.example");
    client.write("tea please\n");
    EXPECT_TRUE(answer_line(**stream).is_ok());
    const std::string said = client.read_until("you said tea please");
    EXPECT_NE(said.find("you said tea please"), std::string::npos) << said;
    EXPECT_NE(said.find("ALPN protocol: parley"), std::string::npos) << said;
    client.write("Q\n");  // which ends it in order
    std::array<char, 10> buffer{};
    const auto end = (*stream)->read(buffer);
    ASSERT_TRUE(end) << end.error();
    EXPECT_EQ(*end, 0u);
  }
}

PARLEY_FIBER_TEST(TlsForeign, openssl_s_client_is_told_why_it_is_refused) {
  const World world;
  struct Case {
    Arguments arguments;
    const char* ours;
    const char* theirs;
  };
  for (const Case& c : {Case{{"-alpn", "h2"},
                             "the client offers h2; this server speaks parley",
                             "no application protocol"},
                        Case{{"-tls1_2"}, "no TLS version of ours (TLS 1.3)", "protocol version"},
                        Case{{"-servername", "who.example"},
                             "\"who.example\", and no certificate has that name",
                             "unrecognized name"}}) {
    const OurServer server({.identities = {world.shop},
                            .refuse_unknown_names = true,
                            .alpn = {"parley"},
                            .min_version = TlsVersion::tls1_3});
    OpensslProgram client(server.client_arguments(world) + c.arguments);
    const Status status = server.accept().error();
    EXPECT_NE(status.message().find(c.ours), std::string::npos) << status;
    const std::string said = client.read_to_end();
    EXPECT_NE(said.find(c.theirs), std::string::npos) << said;
  }
}

PARLEY_FIBER_TEST(TlsForeign, openssl_s_client_shows_its_certificate) {
  const World world;
  for (const TlsVersion version : versions) {
    for (const bool shows : {true, false}) {
      const OurServer server({.identities = {world.shop},
                              .client_certificates = ClientCertificates::required,
                              .client_ca_file = world.path("ca")});
      OpensslProgram client(server.client_arguments(world) + Arguments{flag_of(version)} +
                            (shows ? Arguments{"-cert", world.path("guest")} : Arguments{}));
      const auto stream = server.accept();
      if (shows) {
        ASSERT_TRUE(stream) << stream.error();
        EXPECT_EQ((*stream)->info().peer.value().subject, "CN=guest");
      } else {
        EXPECT_EQ(stream.error().code(), Code::unauthenticated) << stream.error();
        const std::string said = client.read_to_end();
        EXPECT_NE(said.find("alert"), std::string::npos) << said;
      }
    }
  }
}

PARLEY_FIBER_TEST(TlsForeign, openssl_s_client_resumes_its_session) {
  const World world;
  for (const TlsVersion version : versions) {
    const OurServer server({.identities = {world.shop}});
    const Arguments arguments = server.client_arguments(world) + Arguments{flag_of(version)};
    const std::string session = world.path("session");
    for (const bool second : {false, true}) {
      OpensslProgram client(arguments + Arguments{second ? "-sess_in" : "-sess_out", session});
      const auto stream = server.accept();
      ASSERT_TRUE(stream) << stream.error();
      client.write("hello\n");
      EXPECT_TRUE(answer_line(**stream).is_ok());
      const std::string said = client.read_until("you said");
      EXPECT_EQ(said.find("Reused, TLSv1.") != std::string::npos, second) << said;
      EXPECT_EQ((*stream)->info().resumed, second);
    }
  }
}

PARLEY_FIBER_TEST(TlsForeign, openssl_s_client_is_told_how_long_its_session_lives) {
  const World world;
  for (const int seconds : {77, 7200}) {
    const OurServer server(
        {.identities = {world.shop}, .session_lifetime = std::chrono::seconds(seconds)});
    OpensslProgram client(server.client_arguments(world) + Arguments{"-tls1_3"});
    const auto stream = server.accept();
    ASSERT_TRUE(stream) << stream.error();
    const std::string hint = "lifetime hint: " + std::to_string(seconds) + " (seconds)";
    client.write("hello\n");
    EXPECT_TRUE(answer_line(**stream).is_ok());
    (void)client.read_until("you said");
    client.write("Q\n");  // it shows what it kept for the end
    const std::string said = client.read_to_end();
    EXPECT_NE(said.find(hint), std::string::npos) << said;
  }
}

PARLEY_FIBER_TEST(TlsForeign, openssl_s_client_changes_keys_in_tls_1_3) {
  const World world;
  const OurServer server({.identities = {world.shop}});
  OpensslProgram client(server.client_arguments(world) + Arguments{"-tls1_3"});
  const auto stream = server.accept();
  ASSERT_TRUE(stream) << stream.error();
  for (const char* command : {"k\n", "K\n", "k\n"}) {  // K also asks us to change ours
    client.forget();
    client.write(command);
    (void)client.read_until("KEYUPDATE");
    client.write(std::string("after ") + command);
    const Status answered = answer_line(**stream);
    ASSERT_TRUE(answered.is_ok()) << answered;
    const std::string said = client.read_until(std::string("you said after ") + command);
    EXPECT_NE(said.find(std::string("you said after ") + command), std::string::npos) << said;
  }
}

PARLEY_FIBER_TEST(TlsForeign, openssl_s_client_may_not_renegotiate) {
  const World world;
  const OurServer server({.identities = {world.shop}});
  OpensslProgram client(server.client_arguments(world) + Arguments{"-tls1_2"});
  const auto stream = server.accept();
  ASSERT_TRUE(stream) << stream.error();
  client.write("R\n");
  std::array<char, 10> buffer{};
  const auto end = (*stream)->read(buffer);
  EXPECT_TRUE(!end || *end == 0);
  const std::string said = client.read_to_end();
  EXPECT_NE(said.find("RENEGOTIATING"), std::string::npos) << said;
  EXPECT_NE(said.find("no renegotiation"), std::string::npos) << said;
}

// --- Our client, their server

struct TheirServer {
  TheirServer(const World& world, const Arguments& more)
      : program(Arguments{"s_server", "-accept", "127.0.0.1:0", "-cert", world.path("shop"), "-key",
                          world.path("shop")} +
                more) {
    const std::string said = program.read_until("ACCEPT 127.0.0.1:");
    const std::size_t at = said.find("ACCEPT ");
    EXPECT_NE(at, std::string::npos) << said;
    if (at == std::string::npos) return;
    address = "tcp://" + said.substr(at + 7, said.find('\n', at) - at - 7);
  }

  Result<std::unique_ptr<TlsStream>> connect(TlsClient& client) const {
    auto tcp = TcpNetwork().dial(*Address::parse(address));
    if (!tcp) return tcp.error();
    return client.connect(*std::move(tcp));
  }

  OpensslProgram program;
  std::string address;
};

// s_server -rev turns each line around.
void expect_reversal(Stream& stream) {
  EXPECT_TRUE(stream.write("parley\n").is_ok());
  std::array<char, 20> buffer{};
  std::string line;
  while (!line.ends_with('\n')) {
    const auto size = stream.read(buffer);
    ASSERT_TRUE(size) << size.error();
    ASSERT_GT(*size, 0u);
    line.append(buffer.data(), *size);
  }
  EXPECT_EQ(line, "yelrap\n");
}

PARLEY_FIBER_TEST(TlsForeign, our_client_speaks_with_openssl_s_server) {
  const World world;
  for (const TlsVersion version : versions) {
    const TheirServer server(world, {"-rev", "-alpn", "parley", flag_of(version)});
    const auto client = TlsClient::create(
        {.server_name = "shop.example", .ca_file = world.path("ca"), .alpn = {"h2", "parley"}});
    for (const bool second : {false, true}) {
      const auto stream = server.connect(**client);
      ASSERT_TRUE(stream) << stream.error();
      EXPECT_EQ((*stream)->info().version, version);
      EXPECT_EQ((*stream)->info().alpn, "parley");
      EXPECT_EQ((*stream)->info().peer->subject, "CN=shop");
      EXPECT_EQ((*stream)->info().resumed, second);
      expect_reversal(**stream);
      EXPECT_TRUE((*stream)->close_write().is_ok());
    }
  }
}

PARLEY_FIBER_TEST(TlsForeign, our_client_shows_its_certificate_to_openssl_s_server) {
  const World world;
  for (const TlsVersion version : versions) {
    TheirServer server(world, {"-rev", flag_of(version), "-Verify", "2", "-CAfile",
                               world.path("ca"), "-verify_return_error"});
    TlsClientOptions options{.server_name = "shop.example", .ca_pem = world.authority.pem()};
    options.identity = world.guest;
    const auto with = TlsClient::create(options);
    const auto stream = server.connect(**with);
    ASSERT_TRUE(stream) << stream.error();
    expect_reversal(**stream);
    const std::string said = server.program.read_until("CN = guest");
    EXPECT_NE(said.find("CN = guest"), std::string::npos) << said;
  }
}

PARLEY_FIBER_TEST(TlsForeign, our_client_understands_why_openssl_s_server_refuses) {
  const World world;
  const TheirServer server(world, {"-rev", "-tls1_2", "-alpn", "parley"});
  TlsClientOptions options{.server_name = "shop.example", .ca_pem = world.authority.pem()};
  const auto refusal = [&] {
    const auto client = TlsClient::create(options);
    return server.connect(**client).error();
  };
  options.min_version = TlsVersion::tls1_3;
  Status status = refusal();
  EXPECT_EQ(status.code(), Code::failed_precondition);
  EXPECT_NE(status.message().find("no TLS version suits both"), std::string::npos) << status;
  options.min_version = TlsVersion::tls1_2;
  options.alpn = {"smtp"};
  status = refusal();
  EXPECT_EQ(status.code(), Code::failed_precondition);
  EXPECT_NE(status.message().find("none of the protocols (ALPN) that were offered: smtp"),
            std::string::npos)
      << status;
  options.server_name = "mug.example";
  options.alpn = {};
  status = refusal();
  EXPECT_NE(status.message().find("is for shop.example, not for mug.example"), std::string::npos)
      << status;
}

}  // namespace
}  // namespace parley::net
