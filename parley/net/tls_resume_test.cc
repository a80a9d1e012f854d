// Sessions that are resumed, and certificates that change while the server runs.
#include <filesystem>
#include <fstream>

#include "parley/net/network.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/testing/tls_pair.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::memory_streams;
using testing::shake_hands;
using testing::TestAuthority;
using testing::TlsPair;

constexpr std::array versions{TlsVersion::tls1_2, TlsVersion::tls1_3};

struct World {
  TestAuthority authority{"Tea CA"};
  TlsServerOptions server_options;
  TlsClientOptions client_options;
  std::unique_ptr<TlsServer> server;
  std::unique_ptr<TlsClient> client;

  World() {
    server_options.identities = {
        authority.issue({.name = "shop", .dns_names = {"shop.example", "mug.example"}})};
    client_options.server_name = "shop.example";
    client_options.ca_pem = authority.pem();
  }
  void open() {
    server = TlsServer::create(server_options).value();
    client = TlsClient::create(client_options).value();
  }
  // One connection, used so that the client has seen its tickets. True: it was resumed.
  bool resumes(const std::string& name = {}) const {
    const TlsPair pair = shake_hands(*server, *client, memory_streams(), name);
    EXPECT_TRUE(pair.client_status.is_ok()) << pair.client_status;
    EXPECT_TRUE(pair.server_status.is_ok()) << pair.server_status;
    if (!pair.client || !pair.server) return false;
    EXPECT_TRUE(pair.server->write("x").is_ok());
    std::array<char, 4> buffer{};
    EXPECT_EQ(pair.client->read(buffer).value(), 1u);
    EXPECT_EQ(pair.client->info().resumed, pair.server->info().resumed);
    EXPECT_EQ(pair.client->info().peer->subject, "CN=shop");
    return pair.client->info().resumed;
  }
};

PARLEY_FIBER_TEST(TlsResumption, the_second_connection_is_resumed_by_ticket_or_by_cache) {
  for (const TlsVersion version : versions) {
    for (const bool tickets : {true, false}) {
      for (const std::size_t cache : {0, 10}) {
        World world;
        world.server_options.max_version = version;
        world.server_options.session_tickets = tickets;
        world.server_options.max_cached_sessions = cache;
        world.open();
        EXPECT_FALSE(world.resumes());
        EXPECT_EQ(world.resumes(), tickets || cache > 0)
            << name_of(version) << " tickets " << tickets << " cache " << cache;
      }
    }
  }
}

PARLEY_FIBER_TEST(TlsResumption, a_resumed_connection_knows_the_certificate_of_the_first) {
  for (const TlsVersion version : versions) {
    World world;
    world.server_options.max_version = version;
    world.server_options.client_certificates = ClientCertificates::required;
    world.server_options.client_ca_pem = world.authority.pem();
    world.client_options.identity = world.authority.issue({.name = "guest"});
    world.open();
    EXPECT_FALSE(world.resumes());
    const TlsPair pair = shake_hands(*world.server, *world.client);
    ASSERT_TRUE(pair.server) << pair.server_status;
    EXPECT_TRUE(pair.server->info().resumed);
    EXPECT_EQ(pair.server->info().peer.value().subject, "CN=guest");
  }
}

PARLEY_FIBER_TEST(TlsResumption, a_ticket_opens_until_its_key_is_rotated_out) {
  for (const TlsVersion version : versions) {
    for (const std::size_t keys : {1, 2}) {
      World world;
      world.server_options.max_version = version;
      world.server_options.max_ticket_keys = keys;
      world.server_options.max_cached_sessions = 0;
      world.open();
      EXPECT_FALSE(world.resumes());
      world.server->rotate_ticket_keys();
      EXPECT_EQ(world.resumes(), keys == 2);
      // Whoever came with the old key was given a ticket of the new one.
      EXPECT_TRUE(world.resumes());
      for (std::size_t i = 0; i < keys; ++i) world.server->rotate_ticket_keys();
      EXPECT_FALSE(world.resumes());
    }
  }
}

PARLEY_FIBER_TEST(TlsResumption, ticket_keys_change_by_themselves) {
  for (const Duration lifetime : {Duration(1h), Duration::zero()}) {
    World world;
    world.server_options.max_ticket_keys = 1;
    world.server_options.max_cached_sessions = 0;
    world.server_options.ticket_key_lifetime = lifetime;
    world.open();
    EXPECT_FALSE(world.resumes());
    EXPECT_EQ(world.resumes(), lifetime == 1h);
  }
}

PARLEY_FIBER_TEST(TlsResumption, sessions_are_kept_per_server_name_up_to_a_limit) {
  for (const TlsVersion version : versions) {
    World world;
    world.server_options.max_version = version;
    world.client_options.max_cached_sessions = 100;
    world.open();
    EXPECT_FALSE(world.resumes());
    EXPECT_FALSE(world.resumes("mug.example"));
    EXPECT_TRUE(world.resumes("mug.example"));
    EXPECT_TRUE(world.resumes());
    EXPECT_LE(world.client->cached_sessions(), 8u);

    world.client_options.max_cached_sessions = 1;
    world.open();
    EXPECT_FALSE(world.resumes());
    EXPECT_FALSE(world.resumes("mug.example"));
    EXPECT_FALSE(world.resumes());  // mug.example took the one place
    EXPECT_EQ(world.client->cached_sessions(), 1u);

    world.client_options.max_cached_sessions = 0;
    world.open();
    EXPECT_FALSE(world.resumes());
    EXPECT_FALSE(world.resumes());
    EXPECT_EQ(world.client->cached_sessions(), 0u);
  }
}

PARLEY_FIBER_TEST(TlsResumption, another_server_does_not_take_the_ticket) {
  World world;
  world.open();
  EXPECT_FALSE(world.resumes());
  world.server = TlsServer::create(world.server_options).value();
  EXPECT_FALSE(world.resumes());
}

// --- Certificates that change

std::string shown_by(TlsServer& server, TlsClient& client) {
  const TlsPair pair = shake_hands(server, client);
  EXPECT_TRUE(pair.client_status.is_ok()) << pair.client_status;
  return pair.client ? pair.client->info().peer->subject : "";
}

PARLEY_FIBER_TEST(TlsReload, new_handshakes_show_the_new_certificate_and_old_connections_go_on) {
  World world;
  world.client_options.max_cached_sessions = 0;
  world.open();
  const TlsPair old = shake_hands(*world.server, *world.client);
  ASSERT_TRUE(old.server);
  EXPECT_TRUE(
      world.server->reload({world.authority.issue({.name = "new", .dns_names = {"shop.example"}})})
          .is_ok());
  EXPECT_EQ(shown_by(*world.server, *world.client), "CN=new");
  std::array<char, 8> buffer{};
  EXPECT_TRUE(old.client->write("on").is_ok());
  EXPECT_EQ(old.server->read(buffer).value(), 2u);
}

PARLEY_FIBER_TEST(TlsReload, a_broken_certificate_is_refused_and_the_old_one_stays) {
  World world;
  world.client_options.max_cached_sessions = 0;
  world.open();
  const TlsIdentity good = world.authority.issue({.name = "new", .dns_names = {"shop.example"}});
  const TlsIdentity other = world.authority.issue({});
  const auto refuses = [&](std::string_view part, std::vector<TlsIdentity> identities) {
    const Status status = world.server->reload(std::move(identities));
    EXPECT_NE(status.message().find("the old certificates stay"), std::string::npos) << status;
    EXPECT_NE(status.message().find(part), std::string::npos) << status;
    EXPECT_EQ(shown_by(*world.server, *world.client), "CN=shop");
  };
  refuses("not the key of", {{.chain_pem = good.chain_pem, .key_pem = other.key_pem}});
  refuses("No such file", {{.chain_file = "/nowhere/shop.pem"}});
  refuses("expired on", {world.authority.issue({.valid_until = -60s})});
  refuses("none given", {});
  refuses("identities[1]", {good, {.chain_pem = "nonsense"}});
  const Status status = world.server->reload_from_files();
  EXPECT_EQ(status.code(), Code::failed_precondition);
  EXPECT_NE(status.message().find("given as text"), std::string::npos) << status;
}

PARLEY_FIBER_TEST(TlsReload, files_are_read_again) {
  std::string folder =
      (std::filesystem::temp_directory_path() / "parley-tls-reload-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string chain = folder + "/shop.pem";
  const std::string key = folder + "/shop.key";
  World world;
  const auto write = [&](const std::string& name) {
    const TlsIdentity identity =
        world.authority.issue({.name = name, .dns_names = {"shop.example"}});
    std::ofstream(chain) << identity.chain_pem;
    std::ofstream(key) << identity.key_pem;
  };
  write("first");
  world.server_options.identities = {{.chain_file = chain, .key_file = key}};
  world.client_options.max_cached_sessions = 0;
  world.open();
  EXPECT_EQ(shown_by(*world.server, *world.client), "CN=first");
  write("second");
  EXPECT_EQ(shown_by(*world.server, *world.client), "CN=first");
  EXPECT_TRUE(world.server->reload_from_files().is_ok());
  EXPECT_EQ(shown_by(*world.server, *world.client), "CN=second");
  std::ofstream(key) << "half a k";
  const Status status = world.server->reload_from_files();
  EXPECT_NE(status.message().find("private key " + key + ": no private key"), std::string::npos)
      << status;
  EXPECT_EQ(shown_by(*world.server, *world.client), "CN=second");
  std::filesystem::remove_all(folder);
}

// Clients connect and talk without a pause while the certificate changes again and again.
void reload_under_load() {
  constexpr int clients = 8;
  constexpr int connections = 25;
  World world;
  world.client_options.max_cached_sessions = 0;
  world.open();
  const TlsPair resident = shake_hands(*world.server, *world.client);
  std::atomic<int> done = 0;
  std::atomic<int> changed_seen = 0;
  rt::Scope load;
  for (int i = 0; i < clients; ++i) {
    load.go("client", [&] {
      for (int j = 0; j < connections; ++j) {
        const TlsPair pair = shake_hands(*world.server, *world.client);
        ASSERT_TRUE(pair.client_status.is_ok()) << pair.client_status;
        ASSERT_TRUE(pair.server_status.is_ok()) << pair.server_status;
        if (pair.client->info().peer->subject != "CN=shop") ++changed_seen;
        std::array<char, 8> buffer{};
        ASSERT_TRUE(pair.client->write("tea").is_ok());
        ASSERT_EQ(pair.server->read(buffer).value(), 3u);
        ++done;
      }
    });
  }
  int reloads = 0;
  while (done < clients * connections && !::testing::Test::HasFailure()) {
    const Status status = world.server->reload({world.authority.issue(
        {.name = "shop " + std::to_string(++reloads), .dns_names = {"shop.example"}})});
    ASSERT_TRUE(status.is_ok()) << status;
    rt::yield();
  }
  load.join();
  EXPECT_GT(reloads, 1);
  EXPECT_GT(changed_seen, 0);
  EXPECT_TRUE(resident.client->write("still").is_ok());
  std::array<char, 8> buffer{};
  EXPECT_EQ(resident.server->read(buffer).value(), 5u);
}

PARLEY_FIBER_TEST(TlsReload, under_load_no_handshake_fails) { reload_under_load(); }

TEST(TlsReload, under_load_on_many_workers_no_handshake_fails) {
  rt::testing::run_fiber_test(&reload_under_load, {.workers = 4});
}

}  // namespace
}  // namespace parley::net
