// The order of plugins is data: it is printed, compared with docs/plugins.md, and with what a whole
// conversation does.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/early_session.h"
#include "parley/peer/plugin.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/testing/pair.h"

namespace parley {
namespace {

std::string table() {
  std::string text = "| phase | hook | side | when | an error |\n|---|---|---|---|---|\n";
  for (const PluginHook& row : plugin_order()) {
    text += "| " + std::string(row.phase) + " | `" + std::string(row.name) + "` | " +
            std::string(row.side) + " | " + std::string(row.when) + " | " +
            std::string(row.failure) + " |\n";
  }
  return text;
}

TEST(PluginOrder, is_printed_and_is_what_the_page_says) {
  std::printf("%s", table().c_str());
  std::ifstream file(std::string(PARLEY_SOURCE_DIR) + "/docs/plugins.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_NE(page.str().find("\n\n" + table() + "\n"), std::string::npos)
      << "docs/plugins.md has another table than plugin_order()";
}

// What was called, in its order: "serve group".
class Calls {
 public:
  void add(const std::string& hook, const std::string& side) {
    const std::lock_guard lock(lock_);
    const std::string call = hook + " " + side;
    if (std::ranges::find(all_, call) == all_.end()) all_.push_back(call);
  }
  // Until it was called.
  void wait_for(const std::string& call) const {
    const auto is_there = [&] {
      const std::lock_guard lock(lock_);
      return std::ranges::find(all_, call) != all_.end();
    };
    while (!is_there()) rt::yield();
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(lock_);
    return std::exchange(all_, {});
  }

 private:
  mutable rt::Mutex lock_;
  std::vector<std::string> all_;
};

// With every hook there is. `place`: peer or group.
Plugin with_all(Calls& calls, const std::string& name, const std::string& place) {
  const std::string callee = place == "peer" ? "callee" : "group";
  const auto hook = [&calls](const std::string& called, const std::string& side) {
    return [&calls, called, side](auto&...) {
      calls.add(called, side);
      return Status();
    };
  };
  const auto around = [&calls](const std::string& called, const std::string& side) {
    return [&calls, called, side](auto&, Next& next) {
      calls.add(called, side);
      return next();
    };
  };
  return {
      .name = name,
      .before_new_peer = hook("before_new_peer", "peer"),
      .after_new_peer = hook("after_new_peer", "peer"),
      .on_register = hook("on_register", "peer"),
      .after_listen = hook("after_listen", "peer"),
      .before_dial = hook("before_dial", "dialled"),
      .after_dial = hook("after_dial", "dialled"),
      .after_accept = hook("after_accept", "accepted"),
      .on_session = hook("on_session", "session"),
      .call = around("call", "caller"),
      .open = around("open", "caller"),
      .serve = around("serve", callee),
      .serve_stream = around("serve_stream", callee),
      .on_disconnect = [&calls](const ClosedSession&) { calls.add("on_disconnect", "session"); }};
}

// The rows of those sides.
std::vector<std::string> rows_of(const std::vector<std::string>& sides) {
  std::vector<std::string> rows;
  for (const PluginHook& row : plugin_order()) {
    if (std::ranges::find(sides, row.side) == sides.end()) continue;
    rows.push_back(std::string(row.name) + " " + std::string(row.side));
  }
  return rows;
}

PARLEY_PEER_TEST(PluginOrder, is_that_of_a_whole_conversation) {
  Calls at_server;
  Calls at_client;
  {
    Peer server({.plugins = {with_all(at_server, "all", "peer")}});
    Group group = server.group("", {with_all(at_server, "inner", "group")});
    group.handle("/add", [](int a, int b) { return a + b; });
    group.handle_stream("/echo", [](Stream<int, int>& stream) -> Status {
      const auto n = stream.receive();
      return n && *n ? stream.send(**n) : Status();
    });
    const auto address = server.listen("tcp://127.0.0.1:0");
    ASSERT_TRUE(address) << address.error();
    Peer client({.plugins = {with_all(at_client, "all", "peer")}});
    client.handle("/unused", [] {});
    const auto session = client.dial(address->to_string());
    ASSERT_TRUE(session) << session.error();
    at_server.wait_for("on_session session");  // calls may be served meanwhile
    EXPECT_EQ(session->call<int>("/add", 1, 2).value(), 3);
    auto stream = session->open<int, int>("/echo");
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_TRUE(stream->send(7).is_ok());
    EXPECT_EQ(stream->receive().value(), 7);
    EXPECT_EQ(stream->receive().value(), std::nullopt);
  }
  auto client_rows = rows_of({"peer", "dialled", "session", "caller"});
  std::erase(client_rows, "after_listen peer");
  EXPECT_EQ(at_client.take(), client_rows);
  EXPECT_EQ(at_server.take(), rows_of({"peer", "accepted", "session", "callee", "group"}));
}

}  // namespace
}  // namespace parley
