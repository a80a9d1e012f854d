// Who may speak with whom, and what it says when they may not.
#include "parley/net/tls.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "parley/net/testing/tls_authority.h"
#include "parley/net/testing/tls_pair.h"
#include "parley/rt/context.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::memory_streams;
using testing::shake_hands;
using testing::TestAuthority;
using testing::TestLeaf;
using testing::TlsPair;

// What most tests start from: a CA, a server "shop.example" and a client that trusts the CA.
struct World {
  TestAuthority authority{"Tea CA"};
  TestAuthority strangers{"Coffee CA"};
  TlsServerOptions server;
  TlsClientOptions client;

  World() {
    server.identities = {authority.issue({.name = "shop", .dns_names = {"shop.example"}})};
    client.server_name = "shop.example";
    client.ca_pem = authority.pem();
  }

  [[nodiscard]] TlsPair shake() const {
    const auto made_server = TlsServer::create(server);
    const auto made_client = TlsClient::create(client);
    EXPECT_TRUE(made_server) << made_server.error();
    EXPECT_TRUE(made_client) << made_client.error();
    return shake_hands(**made_server, **made_client);
  }
};

bool says(const Status& status, std::string_view part) {
  return status.message().find(part) != std::string::npos;
}

// One byte each way shows that both ends have the same keys, and lets TLS 1.3's late news arrive.
void expect_works(const TlsPair& pair) {
  ASSERT_TRUE(pair.client_status.is_ok()) << pair.client_status;
  ASSERT_TRUE(pair.server_status.is_ok()) << pair.server_status;
  std::array<char, 8> buffer{};
  EXPECT_TRUE(pair.client->write("?").is_ok());
  EXPECT_EQ(pair.server->read(buffer).value(), 1u);
  EXPECT_TRUE(pair.server->write("!").is_ok());
  EXPECT_EQ(pair.client->read(buffer).value(), 1u);
}

PARLEY_FIBER_TEST(Tls, both_sides_know_how_the_connection_came_about) {
  World world;
  world.server.alpn = {"parley"};
  world.client.alpn = {"parley"};
  const TlsPair pair = world.shake();
  expect_works(pair);
  for (const TlsStream* side : {pair.client.get(), pair.server.get()}) {
    EXPECT_EQ(side->info().version, TlsVersion::tls1_3);
    EXPECT_EQ(side->info().cipher.substr(0, 4), "TLS_");
    EXPECT_EQ(side->info().alpn, "parley");
    EXPECT_EQ(side->info().server_name, "shop.example");
    EXPECT_FALSE(side->info().resumed);
  }
  EXPECT_FALSE(pair.server->info().peer);
  const TlsCertificate& peer = pair.client->info().peer.value();
  EXPECT_EQ(peer.subject, "CN=shop");
  EXPECT_EQ(peer.issuer, "CN=Tea CA");
  EXPECT_EQ(peer.dns_names, std::vector<std::string>{"shop.example"});
  EXPECT_EQ(peer.fingerprint.size(), 64u);
  EXPECT_EQ(peer.spki_sha256.size(), 64u);
  EXPECT_LT(peer.not_before, peer.not_after);
}

PARLEY_FIBER_TEST(Tls, each_combination_of_versions_agrees_on_the_highest_or_says_why_not) {
  constexpr auto v2 = TlsVersion::tls1_2;
  constexpr auto v3 = TlsVersion::tls1_3;
  struct Case {
    TlsVersion server_min, server_max, client_min, client_max;
    std::optional<TlsVersion> agreed;
  };
  for (const Case& c :
       {Case{v2, v3, v2, v3, v3}, Case{v2, v2, v2, v3, v2}, Case{v2, v3, v2, v2, v2},
        Case{v3, v3, v2, v3, v3}, Case{v3, v3, v2, v2, {}}, Case{v2, v2, v3, v3, {}}}) {
    World world;
    world.server.min_version = c.server_min;
    world.server.max_version = c.server_max;
    world.client.min_version = c.client_min;
    world.client.max_version = c.client_max;
    const TlsPair pair = world.shake();
    if (c.agreed) {
      expect_works(pair);
      EXPECT_EQ(pair.client->info().version, *c.agreed);
      EXPECT_EQ(pair.server->info().version, *c.agreed);
    } else {
      EXPECT_EQ(pair.server_status.code(), Code::failed_precondition) << pair.server_status;
      EXPECT_TRUE(says(pair.server_status, "no TLS version of ours")) << pair.server_status;
      EXPECT_EQ(pair.client_status.code(), Code::failed_precondition) << pair.client_status;
      EXPECT_TRUE(says(pair.client_status, "compare min_version")) << pair.client_status;
    }
  }
}

PARLEY_FIBER_TEST(Tls, the_server_chooses_the_protocol_and_refuses_what_it_does_not_speak) {
  struct Case {
    std::vector<std::string> server, client;
    std::optional<std::string> agreed;
  };
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    for (const Case& c : {Case{{"parley", "h2"}, {"h2", "parley"}, "parley"},
                          Case{{"h2", "parley"}, {"parley", "h2"}, "h2"},
                          Case{{"parley", "h2"}, {"h2"}, "h2"}, Case{{"parley"}, {}, ""},
                          Case{{}, {"parley"}, ""}, Case{{"parley", "h2"}, {"smtp", "ftp"}, {}}}) {
      World world;
      world.server.max_version = version;
      world.server.alpn = c.server;
      world.client.alpn = c.client;
      const TlsPair pair = world.shake();
      if (c.agreed) {
        expect_works(pair);
        EXPECT_EQ(pair.client->info().alpn, *c.agreed);
        EXPECT_EQ(pair.server->info().alpn, *c.agreed);
      } else {
        EXPECT_TRUE(
            says(pair.server_status, "the client offers smtp, ftp; this server speaks parley, h2"))
            << pair.server_status;
        EXPECT_EQ(pair.client_status.code(), Code::failed_precondition);
        EXPECT_TRUE(says(pair.client_status,
                         "none of the protocols (ALPN) that were offered: "
                         "smtp, ftp"))
            << pair.client_status;
      }
    }
  }
}

PARLEY_FIBER_TEST(Tls, one_connection_may_offer_other_protocols_than_its_client) {
  World world;
  world.server.alpn = {"parley", "tea"};
  world.client.alpn = {"parley"};
  const auto server = std::move(*TlsServer::create(world.server));
  const auto client = std::move(*TlsClient::create(world.client));
  const auto agreed = [&](const std::vector<std::string>& alpn) {
    auto streams = memory_streams();
    rt::Scope scope;
    scope.go("server", [&] { (void)server->accept(std::move(streams.second)); });
    const auto made = client->connect_to("shop.example", std::move(streams.first), {}, alpn);
    scope.join();
    return made ? (*made)->info().alpn : made.error().message();
  };
  EXPECT_EQ(agreed({}), "parley");
  EXPECT_EQ(agreed({"tea", "coffee"}), "tea");
  EXPECT_NE(agreed({"coffee"}).find("coffee"), std::string::npos) << "it says what it offered";
  EXPECT_NE(agreed({""}).find("alpn"), std::string::npos);
}

PARLEY_FIBER_TEST(Tls, the_name_a_client_asks_for_chooses_the_certificate) {
  World world;
  const auto& authority = world.authority;
  world.server.identities = {
      authority.issue({.name = "default", .dns_names = {"default.example"}}),
      authority.issue({.name = "wild", .dns_names = {"*.shop.example"}}),
      authority.issue({.name = "exact", .dns_names = {"tea.shop.example", "Tea.Example"}})};
  world.client.insecure_skip_verify = true;  // so that it takes whatever is shown
  const auto client = TlsClient::create(world.client);
  for (const bool refuse : {false, true}) {
    world.server.refuse_unknown_names = refuse;
    const auto server = TlsServer::create(world.server);
    for (const auto& [name, subject] : std::vector<std::pair<std::string, std::string>>{
             {"default.example", "CN=default"},
             {"TEA.shop.example", "CN=exact"},
             {"tea.example.", "CN=exact"},
             {"mug.shop.example", "CN=wild"},
             {"127.0.0.1", "CN=default"},
             {"shop.example", refuse ? "" : "CN=default"},
             {"a.b.shop.example", refuse ? "" : "CN=default"},
             {".shop.example", refuse ? "" : "CN=default"}}) {
      const TlsPair pair = shake_hands(**server, **client, memory_streams(), name);
      if (!subject.empty()) {
        ASSERT_TRUE(pair.client_status.is_ok()) << name << ": " << pair.client_status;
        EXPECT_EQ(pair.client->info().peer->subject, subject) << name;
      } else {
        EXPECT_TRUE(says(pair.server_status, "\"" + name + "\", and no certificate has that name"))
            << pair.server_status;
        EXPECT_TRUE(says(pair.client_status, "check server_name")) << pair.client_status;
      }
    }
  }
}

PARLEY_FIBER_TEST(Tls, client_certificates_are_asked_for_as_the_server_wants) {
  enum class Shown { none, good, foreign, expired };
  struct Case {
    ClientCertificates wanted;
    Shown shown;
    bool taken;
    const char* subject;
  };
  using enum ClientCertificates;
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    for (const Case& c :
         {Case{none, Shown::none, true, ""}, Case{none, Shown::good, true, ""},
          Case{optional, Shown::none, true, ""}, Case{optional, Shown::good, true, "CN=guest"},
          Case{optional, Shown::foreign, false, ""}, Case{required, Shown::none, false, ""},
          Case{required, Shown::good, true, "CN=guest"},
          Case{required, Shown::foreign, false, ""}}) {
      World world;
      world.server.max_version = version;
      world.server.client_certificates = c.wanted;
      if (c.wanted != none) world.server.client_ca_pem = world.authority.pem();
      const TestAuthority& by = c.shown == Shown::good ? world.authority : world.strangers;
      if (c.shown != Shown::none) {
        world.client.identity = by.issue({.name = "guest", .uris = {"spiffe://tea/guest"}});
      }
      const TlsPair pair = world.shake();
      if (c.taken) {
        expect_works(pair);
        const auto& peer = pair.server->info().peer;
        ASSERT_EQ(peer.has_value(), c.subject[0] != '\0');
        if (!peer) continue;
        EXPECT_EQ(peer->subject, c.subject);
        EXPECT_EQ(peer->uris, std::vector<std::string>{"spiffe://tea/guest"});
        continue;
      }
      EXPECT_EQ(pair.server_status.code(), Code::unauthenticated) << pair.server_status;
      EXPECT_TRUE(says(pair.server_status, c.shown == Shown::none
                                               ? "the client showed no certificate"
                                               : "was issued by \"CN=Coffee CA\""))
          << pair.server_status;
      // A client of TLS 1.3 hears of it when it first reads.
      std::array<char, 8> buffer{};
      const Status heard =
          pair.client == nullptr ? pair.client_status : pair.client->read(buffer).error();
      EXPECT_EQ(pair.client == nullptr, version == TlsVersion::tls1_2);
      EXPECT_TRUE(says(heard, "the other side refused (alert")) << heard;
      if (c.shown == Shown::foreign) {
        EXPECT_EQ(heard.code(), Code::unauthenticated);
        EXPECT_TRUE(says(heard, "does not trust the issuer of our certificate")) << heard;
      } else if (version == TlsVersion::tls1_3) {
        EXPECT_TRUE(says(heard, "set TlsClientOptions::identity")) << heard;
      }
    }
  }
}

PARLEY_FIBER_TEST(Tls, a_client_says_what_is_wrong_with_the_servers_certificate) {
  World world;
  const auto refusal = [&] {
    world.server.accept_expired_identities = true;
    const TlsPair pair = world.shake();
    EXPECT_EQ(pair.client_status.code(), Code::unauthenticated) << pair.client_status;
    EXPECT_TRUE(says(pair.client_status, "TLS handshake with tcp://192.0.2.1:1: "));
    EXPECT_FALSE(pair.server_status.is_ok());
    return pair.client_status;
  };
  world.client.server_name = "mug.example";
  EXPECT_TRUE(says(refusal(), "is for shop.example, not for mug.example")) << refusal();
  world.client.server_name = "192.0.2.7";
  EXPECT_TRUE(says(refusal(), "is for shop.example, not for 192.0.2.7")) << refusal();
  world.client.server_name = "shop.example";

  world.server.identities = {world.strangers.issue({.dns_names = {"shop.example"}})};
  EXPECT_TRUE(says(refusal(), "was issued by \"CN=Coffee CA\", which is not trusted")) << refusal();
  world.server.identities = {
      world.authority.issue({.dns_names = {"shop.example"}, .valid_until = -60s})};
  EXPECT_TRUE(says(refusal(), " expired on 20")) << refusal();
  world.server.identities = {
      world.authority.issue({.dns_names = {"shop.example"}, .valid_from = 1h})};
  EXPECT_TRUE(says(refusal(), "is valid only from 20")) << refusal();
  // Neither the subject nor a wildcard for part of a label stands in for a name.
  world.server.identities = {world.authority.issue({.name = "shop.example"})};
  EXPECT_TRUE(says(refusal(), "is for no host, not for shop.example")) << refusal();
  world.server.identities = {world.authority.issue({.dns_names = {"sh*.example"}})};
  EXPECT_TRUE(says(refusal(), "not for shop.example")) << refusal();
}

PARLEY_FIBER_TEST(Tls, addresses_wildcards_and_intermediate_cas_are_verified) {
  World world;
  const TestAuthority middle("Middle CA", &world.authority);
  world.server.identities = {
      middle.issue({.dns_names = {"*.tea.example"}, .ip_addresses = {"192.0.2.7", "2001:db8::1"}})};
  const auto server = TlsServer::create(world.server);
  const auto client = TlsClient::create(world.client);
  for (const char* name : {"192.0.2.7", "2001:db8::1", "any.tea.example"}) {
    const TlsPair pair = shake_hands(**server, **client, memory_streams(), name);
    expect_works(pair);
    ASSERT_TRUE(pair.client);
    EXPECT_EQ(pair.client->info().peer->ip_addresses,
              (std::vector<std::string>{"192.0.2.7", "2001:db8::1"}));
  }
  const TlsPair deeper = shake_hands(**server, **client, memory_streams(), "a.b.tea.example");
  EXPECT_EQ(deeper.client_status.code(), Code::unauthenticated);
}

PARLEY_FIBER_TEST(Tls, pins_hold_for_any_certificate_of_a_verified_chain) {
  World world;
  const std::string leaf_pin = world.shake().client->info().peer->spki_sha256;
  const std::string other_pin(64, 'a');
  std::string upper = leaf_pin;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  world.client.pinned_spki_sha256 = {other_pin, upper};
  expect_works(world.shake());
  world.client.pinned_spki_sha256 = {other_pin};
  const TlsPair refused = world.shake();
  EXPECT_EQ(refused.client_status.code(), Code::unauthenticated);
  EXPECT_TRUE(says(refused.client_status, "its own key is " + leaf_pin)) << refused.client_status;

  // The CA's own key, seen where the CA itself is a server's certificate.
  TlsServerOptions of_ca = world.server;
  world.client.pinned_spki_sha256 = {};
  world.client.insecure_skip_verify = true;
  world.client.pinned_spki_sha256 = {other_pin};
  EXPECT_EQ(world.shake().client_status.code(), Code::unauthenticated);
  world.client.pinned_spki_sha256 = {leaf_pin};
  expect_works(world.shake());
}

PARLEY_FIBER_TEST(Tls, only_insecure_skip_verify_takes_anybody) {
  World world;
  world.server.identities = {world.strangers.issue({.dns_names = {"who.example"}})};
  EXPECT_EQ(world.shake().client_status.code(), Code::unauthenticated);
  world.client.insecure_skip_verify = true;
  expect_works(world.shake());
  world.client.server_name = "";
  expect_works(world.shake());
}

// A file below the test's own folder, which goes with the object.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-tls-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

PARLEY_FIBER_TEST(Tls, without_a_ca_bundle_the_roots_of_the_system_are_trusted) {
  World world;
  const Folder folder;
  const std::string file = folder.write("roots.pem", world.authority.pem());
  world.client.ca_pem = "";
  EXPECT_EQ(world.shake().client_status.code(), Code::unauthenticated);
  ::setenv("SSL_CERT_FILE", file.c_str(), 1);
  expect_works(world.shake());
  ::unsetenv("SSL_CERT_FILE");
  world.client.ca_file = file;
  expect_works(world.shake());
}

PARLEY_FIBER_TEST(Tls, options_that_cannot_work_are_refused_by_name) {
  const World world;
  const auto server_refuses = [&](std::string_view part, auto change) {
    TlsServerOptions options = world.server;
    change(options);
    const Status status = TlsServer::create(std::move(options)).error();
    EXPECT_TRUE(says(status, part)) << status;
  };
  server_refuses("identities: none given", [](auto& o) { o.identities.clear(); });
  server_refuses("min_version (TLS 1.3) is above max_version (TLS 1.2)", [](auto& o) {
    o.min_version = TlsVersion::tls1_3;
    o.max_version = TlsVersion::tls1_2;
  });
  server_refuses("alpn: \"\" is not", [](auto& o) { o.alpn = {""}; });
  server_refuses("client_certificates needs client_ca_pem",
                 [](auto& o) { o.client_certificates = ClientCertificates::optional; });
  server_refuses("client_ca is given, but", [&](auto& o) { o.client_ca_pem = "x"; });
  server_refuses("client_ca: no certificate in it", [&](auto& o) {
    o.client_certificates = ClientCertificates::optional;
    o.client_ca_pem = "nonsense";
  });
  server_refuses("session_lifetime", [](auto& o) { o.session_lifetime = 10ms; });
  server_refuses("max_ticket_keys", [](auto& o) { o.max_ticket_keys = 0; });
  server_refuses("max_handshakes", [](auto& o) { o.max_handshakes = 0; });

  const auto client_refuses = [&](std::string_view part, auto change) {
    TlsClientOptions options = world.client;
    change(options);
    const Status status = TlsClient::create(std::move(options)).error();
    EXPECT_TRUE(says(status, part)) << status;
  };
  client_refuses("server_name \"a b\"", [](auto& o) { o.server_name = "a b"; });
  client_refuses("pinned_spki_sha256: \"12\"", [](auto& o) { o.pinned_spki_sha256 = {"12"}; });
  client_refuses("alpn", [](auto& o) { o.alpn = {std::string(256, 'x')}; });
  client_refuses("ca: no certificate", [](auto& o) { o.ca_pem = "nonsense"; });
  client_refuses("ca: given both as text", [](auto& o) { o.ca_file = "/x"; });
  client_refuses("read /nowhere.pem", [](auto& o) { o.ca_pem = "", o.ca_file = "/nowhere.pem"; });
  client_refuses("identity: certificate: none given", [](auto& o) { o.identity.emplace(); });
  TlsClientOptions nameless = world.client;
  nameless.server_name = "";
  auto client = TlsClient::create(nameless);
  EXPECT_TRUE(says((*client)->connect(memory_streams().first).error(), "server_name is empty"));
}

PARLEY_FIBER_TEST(Tls, broken_certificates_and_keys_are_refused_with_the_reason) {
  const World world;
  const TlsIdentity good = world.server.identities.front();
  const TlsIdentity other = world.authority.issue({});
  const auto refuses = [&](std::string_view part, const TlsIdentity& identity) {
    const Status status = TlsServer::create({.identities = {good, identity}}).error();
    EXPECT_TRUE(says(status, "TLS server: identities[1]: ")) << status;
    EXPECT_TRUE(says(status, part)) << status;
  };
  refuses("not the key of certificate (CN=shop)",
          {.chain_pem = good.chain_pem, .key_pem = other.key_pem});
  refuses("no private key in it", {.chain_pem = good.chain_pem});
  refuses("no private key in it", {.chain_pem = good.chain_pem, .key_pem = "nonsense"});
  refuses("no certificate in it", {.chain_pem = good.key_pem, .key_pem = good.key_pem});
  refuses("certificate 2 cannot be read",
          {.chain_pem =
               good.chain_pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
           .key_pem = good.key_pem});
  refuses("certificate 1 cannot be read",
          {.chain_pem = good.chain_pem.substr(0, 200), .key_pem = good.key_pem});
  refuses("the private key is encrypted; decrypt it first",
          {.chain_pem = good.chain_pem, .key_pem = testing::encrypted_key(good)});
  refuses("No such file", {.chain_file = "/nowhere/shop.pem"});
  refuses("not a file", {.chain_file = "/"});
  refuses("more than max_pem_bytes", {.chain_pem = std::string(max_pem_bytes + 1, 'x')});
  const TlsIdentity expired = world.authority.issue({.valid_until = -60s});
  refuses("expired on 20", expired);
  EXPECT_TRUE(TlsServer::create({.identities = {expired}, .accept_expired_identities = true}));
  // The key may stand in the same text.
  EXPECT_TRUE(TlsServer::create({.identities = {{.chain_pem = good.key_pem + good.chain_pem}}}));
}

// --- Limits

PARLEY_FIBER_TEST(Tls, a_client_that_says_nothing_is_cut_at_the_deadline) {
  World world;
  world.server.limits.handshake_timeout = 1h;
  const auto patient = TlsServer::create(world.server);
  world.server.limits.handshake_timeout = 20ms;
  const auto quick = TlsServer::create(world.server);

  auto streams = memory_streams();
  const Status own = (*quick)->accept(std::move(streams.second)).error();
  EXPECT_EQ(own.code(), Code::deadline_exceeded);
  EXPECT_TRUE(says(own, "did not end within handshake_timeout (20 ms)")) << own;
  std::array<char, 8> buffer{};
  EXPECT_EQ(streams.first->read(buffer).value(), 0u);

  streams = memory_streams();
  const Status given =
      (*patient)->accept(std::move(streams.second), rt::Deadline::after(20ms)).error();
  EXPECT_EQ(given.code(), Code::deadline_exceeded);
  EXPECT_FALSE(says(given, "handshake_timeout")) << given;

  streams = memory_streams();
  const auto client = TlsClient::create(world.client);
  EXPECT_EQ((*client)->connect(std::move(streams.first), rt::Deadline::after(20ms)).error().code(),
            Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Tls, a_drip_of_bytes_does_not_stretch_the_handshake) {
  World world;
  world.server.limits.handshake_timeout = 50ms;
  const auto server = TlsServer::create(world.server);
  auto [drip, accepted] = memory_streams({.max_pieces = 1});
  rt::Scope scope;
  scope.go("drip", [&drip = drip] {
    // The header of a long record, then zeros for as long as somebody takes them.
    Status sent = drip->write(std::string("\x16\x03\x01\x40\x00", 5));
    while (sent.is_ok()) {
      sent = drip->write(std::string(1, '\0'));
      (void)rt::sleep(1ms);
    }
  });
  EXPECT_EQ((*server)->accept(std::move(accepted)).error().code(), Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Tls, a_cancelled_context_ends_a_handshake) {
  const World world;
  const auto server = TlsServer::create(world.server);
  auto streams = memory_streams();
  rt::Scope scope;
  scope.go("server", [&] {
    EXPECT_EQ((*server)->accept(std::move(streams.second)).error().code(), Code::cancelled);
  });
  while ((*server)->handshakes_running() == 0) rt::yield();
  scope.cancel();
}

PARLEY_FIBER_TEST(Tls, max_handshake_bytes_bounds_what_the_other_side_may_send) {
  World world;
  world.server.client_certificates = ClientCertificates::required;
  world.server.client_ca_pem = world.authority.pem();
  TestLeaf wordy{.name = "wordy"};
  for (int i = 0; i < 400; ++i) wordy.dns_names.push_back("n" + std::to_string(i) + ".example");
  world.client.identity = world.authority.issue(wordy);
  expect_works(world.shake());
  world.server.limits.max_handshake_bytes = 3000;
  const Status status = world.shake().server_status;
  EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
  EXPECT_TRUE(says(status, "max_handshake_bytes")) << status;
}

PARLEY_FIBER_TEST(Tls, max_handshakes_bounds_those_under_way) {
  World world;
  for (const std::size_t limit : {1, 2}) {
    world.server.max_handshakes = limit;
    const auto server = TlsServer::create(world.server);
    const auto client = TlsClient::create(world.client);
    auto silent = memory_streams();
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("slow", [&] { (void)(*server)->accept(std::move(silent.second)); });
    while ((*server)->handshakes_running() == 0) rt::yield();
    const TlsPair pair = shake_hands(**server, **client);
    if (limit == 2) {
      expect_works(pair);
    } else {
      EXPECT_EQ(pair.server_status.code(), Code::resource_exhausted);
      EXPECT_TRUE(says(pair.server_status, "max_handshakes (1)")) << pair.server_status;
    }
    scope.cancel();
    scope.join();
    EXPECT_EQ((*server)->handshakes_running(), 0u);
  }
}

// --- Who does not speak TLS

PARLEY_FIBER_TEST(Tls, plain_http_and_other_protocols_are_recognised) {
  const World world;
  const auto server = TlsServer::create(world.server);
  const auto client = TlsClient::create(world.client);
  const auto server_hears = [&](std::string_view bytes) {
    auto streams = memory_streams();
    EXPECT_TRUE(streams.first->write(bytes).is_ok());
    EXPECT_TRUE(streams.first->close_write().is_ok());
    return (*server)->accept(std::move(streams.second)).error();
  };
  for (const char* request : {"GET / HTTP/1.1\r\nHost: shop\r\n\r\n", "POST /x HTTP/1.1\r\n\r\n",
                              "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "DELETE / HTTP/1.1\r\n\r\n"}) {
    const Status status = server_hears(request);
    EXPECT_EQ(status.code(), Code::failed_precondition);
    EXPECT_TRUE(says(status, "the client speaks plain HTTP where TLS is expected")) << status;
  }
  const Status ssh = server_hears("SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_TRUE(says(ssh, "its first bytes are \"SSH-2.0-")) << ssh;
  const Status silent = server_hears("");
  EXPECT_EQ(silent.code(), Code::unavailable);
  EXPECT_TRUE(says(silent, "without a word")) << silent;
  const Status cut = server_hears(std::string_view("\x16\x03\x01\x00\x80\x01", 6));
  EXPECT_EQ(cut.code(), Code::unavailable);
  EXPECT_TRUE(says(cut, "in the middle")) << cut;
  EXPECT_FALSE(server_hears(std::string(5000, '\0')).is_ok());

  auto streams = memory_streams();
  EXPECT_TRUE(streams.second->write("HTTP/1.1 400 Bad Request\r\n\r\n").is_ok());
  const Status plain = (*client)->connect(std::move(streams.first)).error();
  EXPECT_TRUE(says(plain, "the server speaks plain HTTP, not TLS")) << plain;
}

}  // namespace
}  // namespace parley::net
