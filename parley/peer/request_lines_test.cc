// How much the other side of a session can make a peer log.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/peer.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;

// A shop that keeps the lines of its log, and who pushes to it.
struct Shop {
  explicit Shop(PeerOptions options = {})
      : server(at("shop", std::move(options))), client(at("till", {})) {
    server.handle("/one", [] { return 1; });
    server.handle("/throw", [](int) { throw std::runtime_error("the stock file is gone"); });
    EXPECT_TRUE(server.listen("tcp://0.0.0.0:80"));
    session.emplace(client.dial("tcp://shop:80").value());
  }
  PeerOptions at(std::string_view node, PeerOptions options) {
    options.network = &world.node(node);
    if (node == "shop") options.log = [this](std::string_view line) { lines.emplace_back(line); };
    return options;
  }
  void push(int times, const std::string& method = "/none") {
    for (int i = 0; i < times; ++i) EXPECT_TRUE(session->push(method).is_ok());
    EXPECT_EQ(session->call<int>("/one").value(), 1) << "all of them were looked at";
  }
  [[nodiscard]] std::size_t count(std::string_view part) const {
    std::size_t count = 0;
    for (const std::string& line : lines) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }

  net::SimWorld world;
  std::vector<std::string> lines;
  Peer server;
  Peer client;
  std::optional<Session> session;
};

void in_virtual_time(const std::function<void()>& body) { rt::testing::in_virtual_time(body, 1ms); }

constexpr std::string_view failed = "PUSH /none failed: not_found: no method \"/none\" here";

TEST(RequestLines, so_many_pushes_that_fail_are_logged_in_a_period_and_the_others_counted) {
  in_virtual_time([] {
    Shop shop;
    shop.push(100);
    EXPECT_EQ(shop.count(failed), 10U);
    EXPECT_EQ(shop.lines.size(), 10U);
    EXPECT_TRUE(rt::sleep(1s).is_ok());
    shop.push(1);
    ASSERT_EQ(shop.lines.size(), 12U);
    EXPECT_NE(shop.lines[10].find("max_request_lines: 90 more lines about requests were left out"),
              std::string::npos);
    EXPECT_NE(shop.lines[11].find(failed), std::string::npos);
    shop.push(3);
    EXPECT_EQ(shop.lines.size(), 15U);
    EXPECT_EQ(shop.count("left out"), 1U);
  });
}

TEST(RequestLines, their_number_and_the_period_are_options) {
  in_virtual_time([] {
    Shop shop(PeerOptions{.max_request_lines = 3, .request_lines_period = 10s});
    shop.push(5);
    EXPECT_EQ(shop.count(failed), 3U);
    EXPECT_TRUE(rt::sleep(5s).is_ok());
    shop.push(5);
    EXPECT_EQ(shop.count(failed), 3U);
    EXPECT_TRUE(rt::sleep(5s).is_ok());
    shop.push(5);
    EXPECT_EQ(shop.count(failed), 6U);
    EXPECT_EQ(shop.count("max_request_lines: 7 more lines"), 1U);
  });
}

TEST(RequestLines, what_was_left_out_is_told_at_the_end_of_the_session) {
  in_virtual_time([] {
    Shop shop;
    shop.push(11);
    shop.session->close();
    while (shop.count("max_request_lines: 1 more lines about requests were left out") == 0) {
      EXPECT_TRUE(rt::sleep(1ms).is_ok());
    }
    EXPECT_EQ(shop.count(failed), 10U);
  });
}

TEST(RequestLines, what_handlers_throw_is_counted_with_them_and_each_session_for_itself) {
  in_virtual_time([] {
    Shop shop;
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(shop.session->call("/throw", 1));
    EXPECT_EQ(shop.count("/throw: the handler threw an exception"), 10U);
    shop.push(1);
    EXPECT_EQ(shop.count(failed), 0U);
    shop.session.emplace(shop.client.dial("tcp://shop:80").value());
    shop.push(1);
    EXPECT_EQ(shop.count(failed), 1U);
  });
}

TEST(RequestLines, of_a_long_name_the_beginning_is_shown) {
  in_virtual_time([] {
    Shop shop;
    shop.push(1, "/" + std::string(254, '\x01'));
    ASSERT_EQ(shop.lines.size(), 1U);
    const std::string shown = "/" + std::string(99, '?');
    EXPECT_NE(shop.lines[0].find("PUSH " + shown + " failed: not_found: no method \"" + shown +
                                 "\" here"),
              std::string::npos)
        << shop.lines[0];
  });
}

}  // namespace
}  // namespace parley
