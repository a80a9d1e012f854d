#include "parley/cluster/keys_api.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "parley/http/server.h"
#include "parley/http/testing/memory_exchange.h"
#include "parley/net/in_process_network.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::cluster {
namespace {

using http::Method;
using http::testing::MemoryExchange;
using namespace std::chrono_literals;

constexpr std::string_view form_type = "application/x-www-form-urlencoded";

struct Answer {
  int status = 0;
  std::string body;
  std::string index;
};

class Keys {
 public:
  explicit Keys(KeysApiOptions options = {}) : handler_(keys_api(store_, std::move(options))) {}

  Answer ask(Method method, const std::string& target, const std::string& form = "") {
    MemoryExchange exchange(method, target);
    if (!form.empty()) exchange.with("Content-Type", form_type).sends({form});
    EXPECT_TRUE(exchange.run(handler_).is_ok()) << target;
    return {exchange.answered().status, exchange.body(), exchange.field("X-Etcd-Index")};
  }
  Answer put(const std::string& path, const std::string& form) {
    return ask(Method::put, "/v2/keys" + path, form);
  }
  Answer get(const std::string& path) { return ask(Method::get, "/v2/keys" + path); }
  Answer remove(const std::string& path) { return ask(Method::remove, "/v2/keys" + path); }

  kv::Store& store() { return store_; }
  http::Handler& handler() { return handler_; }

 private:
  kv::Store store_;
  http::Handler handler_;
};

PARLEY_FIBER_TEST(KeysApi, what_was_made_is_201_and_what_was_changed_200) {
  Keys keys;
  const Answer made = keys.put("/a", "value=1");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body,
            R"({"action":"set","node":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}})"
            "\n");
  EXPECT_EQ(made.index, "1");
  EXPECT_EQ(keys.put("/a", "value=2").status, 200);
  EXPECT_EQ(keys.put("/b", "value=2&prevExist=false").status, 201);
  EXPECT_EQ(keys.put("/b", "value=3&prevExist=true").status, 200);
  EXPECT_EQ(keys.ask(Method::post, "/v2/keys/q", "value=1").status, 201);
  EXPECT_EQ(keys.remove("/a").status, 200);
  EXPECT_EQ(keys.get("/b").status, 200);
}

PARLEY_FIBER_TEST(KeysApi, errors_have_etcds_numbers_and_statuses) {
  Keys keys;
  (void)keys.put("/dir/a", "value=1");
  const Answer missing = keys.get("/nothing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body,
            R"({"errorCode":100,"message":"Key not found","cause":"/nothing","index":1})"
            "\n");
  EXPECT_EQ(missing.index, "1");
  EXPECT_EQ(keys.put("/dir/a", "value=2&prevValue=9").status, 412);
  EXPECT_EQ(keys.put("/dir/a", "prevExist=false").status, 412);
  EXPECT_EQ(keys.put("/dir", "value=2").status, 403);
  EXPECT_EQ(keys.remove("/dir?dir=true").status, 403);
  EXPECT_EQ(keys.put("/dir/a/b", "value=2").status, 400);
  EXPECT_EQ(keys.remove("/").status, 400);
  EXPECT_EQ(keys.put("/x", "ttl=x").status, 400);
}

PARLEY_FIBER_TEST(KeysApi, the_body_counts_before_the_query_and_only_as_a_form) {
  Keys keys;
  EXPECT_NE(keys.put("/a?value=query", "value=body").body.find(R"("value":"body")"),
            std::string::npos);
  EXPECT_NE(keys.put("/a?value=query", "").body.find(R"("value":"query")"), std::string::npos);
  MemoryExchange other(Method::put, "/v2/keys/b");
  other.with("Content-Type", "text/plain").sends({"value=body"});
  EXPECT_TRUE(other.run(keys.handler()).is_ok());
  EXPECT_NE(other.body().find(R"("value":"")"), std::string::npos) << other.body();
}

PARLEY_FIBER_TEST(KeysApi, a_form_has_a_limit) {
  Keys small({.max_form_bytes = 16});
  MemoryExchange exchange(Method::put, "/v2/keys/a");
  exchange.with("Content-Type", form_type).sends({"value=0123456789012345"});
  EXPECT_EQ(exchange.run(small.handler()).code(), Code::resource_exhausted);
  Keys large({.max_form_bytes = 1024});
  EXPECT_EQ(large.put("/a", "value=0123456789012345").status, 201);
}

PARLEY_FIBER_TEST(KeysApi, a_limit_of_the_store_is_named) {
  Keys keys;
  const Answer answer = keys.put("/" + std::string(5000, 'x'), "value=1");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("max_path_bytes"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find(R"("errorCode":209)"), std::string::npos) << answer.body;
}

PARLEY_FIBER_TEST(KeysApi, a_watch_brings_one_change_and_its_head_at_once) {
  Keys keys;
  (void)keys.put("/a", "value=1");
  MemoryExchange exchange(Method::get, "/v2/keys/a?wait=true");
  rt::Scope scope;
  scope.go("watch", [&] { EXPECT_TRUE(exchange.run(keys.handler()).is_ok()); });
  while (keys.store().statistics().watchers == 0) rt::yield();
  EXPECT_EQ(exchange.flushes(), 1U);
  EXPECT_EQ(exchange.field("X-Etcd-Index"), "1");
  (void)keys.put("/b", "value=1");
  (void)keys.put("/a", "value=2");
  scope.join();
  EXPECT_EQ(exchange.body(),
            R"({"action":"set","node":{"key":"/a","value":"2","modifiedIndex":3,"createdIndex":3},)"
            R"("prevNode":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}})"
            "\n");
}

PARLEY_FIBER_TEST(KeysApi, a_stream_brings_all_changes_until_it_is_ended) {
  Keys keys;
  MemoryExchange exchange(Method::get, "/v2/keys/?wait=true&stream=true&recursive=true");
  rt::Scope scope;
  scope.go("watch", [&] { (void)exchange.run(keys.handler()); });
  while (keys.store().statistics().watchers == 0) rt::yield();
  for (int i = 0; i < 3; ++i) (void)keys.put("/a" + std::to_string(i), "value=1");
  while (exchange.pieces_written().size() < 3) rt::yield();
  EXPECT_FALSE(exchange.has_ended());
  (void)keys.store().stop();
  scope.join();
  EXPECT_EQ(exchange.pieces_written().size(), 3U);
}

// How many empty lines a watch of five seconds sends, to a client that takes so many and is gone
// then.
std::size_t lines_in_five_seconds(Duration ping, std::size_t taken) {
  std::size_t lines = 0;
  rt::testing::in_virtual_time([&] {
    Keys keys({.watch_ping = ping});
    MemoryExchange exchange(Method::get, "/v2/keys/a?wait=true");
    exchange.on_write([&](std::string_view piece) {
      EXPECT_EQ(piece, "\n");
      return lines++ < taken ? Status() : Status(Code::unavailable, "the client is gone");
    });
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("watch", [&] { (void)exchange.run(keys.handler()); });
    (void)rt::sleep(5s + 100ms);
    EXPECT_EQ(keys.store().statistics().watchers, lines > taken ? 0U : 1U);
  });
  return lines;
}

TEST(KeysApi, a_watch_finds_out_that_its_client_is_gone) {
  EXPECT_EQ(lines_in_five_seconds(1s, 1'000), 5U);
  EXPECT_EQ(lines_in_five_seconds(2s, 1'000), 2U);
  EXPECT_EQ(lines_in_five_seconds(0s, 1'000), 0U);
  EXPECT_EQ(lines_in_five_seconds(1s, 2), 3U);
}

PARLEY_FIBER_TEST(KeysApi, watches_have_a_limit_so_that_others_get_in) {
  for (const std::size_t most : {1U, 2U}) {
    Keys keys({.max_watches = most});
    MemoryExchange first(Method::get, "/v2/keys/a?wait=true");
    rt::Scope scope;
    scope.go("watch", [&] { EXPECT_TRUE(first.run(keys.handler()).is_ok()); });
    while (keys.store().statistics().watchers == 0) rt::yield();
    (void)keys.put("/b", "value=1");
    // From the past, so that it is answered at once.
    const Answer second = keys.get("/b?wait=true&waitIndex=1");
    EXPECT_EQ(second.status, most == 1 ? 500 : 200);
    EXPECT_EQ(second.body.find("max_watches") != std::string::npos, most == 1) << second.body;
    (void)keys.put("/a", "value=1");
    scope.join();
    EXPECT_EQ(keys.get("/b?wait=true&waitIndex=1").status, 200);
  }
}

PARLEY_FIBER_TEST(KeysApi, a_watch_ends_in_order_when_its_server_drains) {
  Keys keys;
  net::InProcessNetwork network;
  const auto listener = network.listen(*net::Address::parse("inproc:keys"));
  ASSERT_TRUE(listener);
  http::Server server(**listener, keys.handler());
  rt::Scope scope;
  scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  const auto stream = network.dial((*listener)->address());
  ASSERT_TRUE(stream);
  ASSERT_TRUE((*stream)->write("GET /v2/keys/a?wait=true HTTP/1.1\r\nHost: a\r\n\r\n").is_ok());
  while (keys.store().statistics().watchers == 0) rt::yield();
  EXPECT_TRUE(server.shutdown().is_ok());
  std::string all;
  std::array<char, 1024> buffer{};
  for (;;) {
    const auto size = (*stream)->read(buffer);
    if (!size || *size == 0) break;
    all.append(buffer.data(), *size);
  }
  EXPECT_TRUE(all.ends_with("\r\n0\r\n\r\n")) << all;
  EXPECT_EQ(keys.store().statistics().watchers, 0U);
}

PARLEY_FIBER_TEST(KeysApi, clients_that_ask_who_belongs_to_the_cluster_are_told_where_they_are) {
  Keys keys;
  MemoryExchange machines(Method::get, "/v2/machines");
  EXPECT_TRUE(machines.run(keys.handler()).is_ok());
  EXPECT_EQ(machines.body(), "http://shop.example");
  MemoryExchange members(Method::get, "/v2/members");
  EXPECT_TRUE(members.run(keys.handler()).is_ok());
  EXPECT_EQ(members.body(), R"({"members":[{"id":"1","name":"parley","peerURLs":[],)"
                            R"("clientURLs":["http://shop.example"]}]})"
                            "\n");
}

// A log whose disk is slow: an append takes five seconds.
class SlowLog final : public kv::CommandLog {
 public:
  Status append(std::span<const kv::Command> /*batch*/, std::uint64_t /*index*/) override {
    return rt::sleep(5s);
  }
  [[nodiscard]] bool is_broken() const override { return false; }
  Status applied(const kv::Tree& /*tree*/) override { return {}; }
  Status close() override { return {}; }
};

TEST(KeysApi, a_write_waits_for_the_store_as_long_as_write_timeout_says) {
  for (const Duration timeout : {Duration(1s), Duration(8s)}) {
    rt::testing::in_virtual_time([&] {
      kv::Store store(kv::Tree(), {}, std::make_unique<SlowLog>());
      MemoryExchange exchange(Method::put, "/v2/keys/a?value=1");
      EXPECT_TRUE(exchange.run(keys_api(store, {.write_timeout = timeout})).is_ok());
      EXPECT_EQ(exchange.answered().status, timeout == Duration(8s) ? 201 : 500);
      EXPECT_EQ(exchange.body().find(R"("errorCode":300)") != std::string::npos,
                timeout == Duration(1s));
      EXPECT_TRUE(store.stop().is_ok());
    });
  }
}

PARLEY_FIBER_TEST(KeysApi, a_watch_from_the_past_that_is_forgotten_is_401) {
  Keys keys;
  for (int i = 0; i < 1'010; ++i) (void)keys.put("/a", "value=1");
  const Answer answer = keys.get("/a?wait=true&waitIndex=1");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find(R"("errorCode":401)"), std::string::npos) << answer.body;
}

PARLEY_FIBER_TEST(KeysApi, what_is_counted_and_how_the_store_is_can_be_asked) {
  Keys keys;
  (void)keys.put("/a", "value=1");
  (void)keys.get("/a");
  const Answer counted = keys.ask(Method::get, "/v2/stats/store");
  EXPECT_EQ(counted.status, 200);
  EXPECT_NE(counted.body.find(R"("getsSuccess":1)"), std::string::npos) << counted.body;
  EXPECT_NE(counted.body.find(R"("setsSuccess":1)"), std::string::npos) << counted.body;
  EXPECT_EQ(keys.ask(Method::get, "/health").body, R"({"health":"true"})");
  (void)keys.store().stop();
  EXPECT_EQ(keys.ask(Method::get, "/health").status, 503);
}

PARLEY_FIBER_TEST(KeysApi, a_store_that_takes_no_writes_is_500_with_error_300) {
  Keys keys;
  (void)keys.put("/a", "value=1");
  (void)keys.store().stop();
  const Answer answer = keys.put("/a", "value=2");
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find(R"("errorCode":300)"), std::string::npos) << answer.body;
  EXPECT_EQ(keys.get("/a").status, 200);
}

PARLEY_FIBER_TEST(KeysApi, other_paths_are_404_and_other_methods_405) {
  Keys keys;
  EXPECT_EQ(keys.ask(Method::get, "/v2/nothing").status, 404);
  EXPECT_EQ(keys.ask(Method::get, "/v2/keysmith").status, 404);
  MemoryExchange patch(Method::patch, "/v2/keys/a");
  EXPECT_TRUE(patch.run(keys.handler()).is_ok());
  EXPECT_EQ(patch.answered().status, 405);
  EXPECT_EQ(patch.field("Allow"), "HEAD,GET,PUT,POST,DELETE");
  EXPECT_EQ(keys.ask(Method::put, "/version").status, 405);
  EXPECT_EQ(keys.ask(Method::get, "/v2/keys/a%zz").status, 400);
}

PARLEY_FIBER_TEST(KeysApi, answers_name_the_cluster_that_they_come_from) {
  Keys keys({.cluster_id = "shop"});
  MemoryExchange named(Method::get, "/v2/keys/");
  EXPECT_TRUE(named.run(keys.handler()).is_ok());
  EXPECT_EQ(named.field("X-Etcd-Cluster-Id"), "shop");
  EXPECT_EQ(named.field("X-Raft-Index"), "0");
  EXPECT_EQ(named.field("X-Raft-Term"), "1");
  Keys nameless({.cluster_id = ""});
  MemoryExchange without(Method::get, "/v2/keys/");
  EXPECT_TRUE(without.run(nameless.handler()).is_ok());
  EXPECT_EQ(without.field("X-Etcd-Cluster-Id"), "");
}

PARLEY_FIBER_TEST(KeysApi, a_path_is_unescaped_and_cleaned) {
  Keys keys;
  EXPECT_EQ(keys.put("//b/../c%20d/", "value=1").status, 201);
  EXPECT_EQ(keys.get("/c%20d").status, 200);
}

}  // namespace
}  // namespace parley::cluster
