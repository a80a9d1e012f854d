// What the errors of a Client say: what was asked, what it waited for, and which time was over. The
// same over every version of HTTP.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/client.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using testing::ServerWorld;

// Waits for an hour: before it answers, within its answer, or before it reads.
Status slow(ServerExchange& exchange) {
  if (exchange.request().target == "/cut") {
    if (Status s = exchange.begin(BodySize::of(5)); !s.is_ok()) return s;
    if (Status s = exchange.write("te"); !s.is_ok()) return s;
    if (Status s = exchange.flush(); !s.is_ok()) return s;
  }
  return rt::sleep(1h);
}

bool has(const Status& status, std::string_view text) {
  return status.message().find(text) != std::string::npos;
}

template <typename Check>
void with_each_version(ClientOptions options, Check check) {
  for (const Versions versions : {Versions::http_1, Versions::http_2}) {
    rt::testing::in_virtual_time(
        [&] {
          ServerWorld world(slow);
          options.versions = versions;
          options.address_of = [&](const Url&) { return world.address(); };
          Client client(world.network(), options);
          check(client);
        },
        20ms);
  }
}

TEST(ClientErrors, say_what_was_asked_and_which_option_ended_the_wait) {
  with_each_version({.answer_timeout = 10s, .body_timeout = 1500ms}, [](Client& client) {
    const Status late = client.get("http://shop/tea").error();
    EXPECT_EQ(late.code(), Code::deadline_exceeded);
    EXPECT_TRUE(late.message().starts_with(
        "GET http://shop/tea: the server did not answer within 10 s (answer_timeout)"))
        << late;
    const Status cut = client.get("http://shop/cut").error();
    EXPECT_TRUE(has(cut,
                    "GET http://shop/cut: the server sent no more of its answer within 1.5 s "
                    "(body_timeout)"))
        << cut;
    const std::string large(1'000'000, 'x');
    const auto exchange =
        client.begin({.method = Method::post, .url = "http://shop/"}, BodySize::of(large.size()));
    ASSERT_TRUE(exchange) << exchange.error();
    const Status stuck = (*exchange)->write(large);
    EXPECT_TRUE(has(stuck, "took no more of the request within 1.5 s (body_timeout)")) << stuck;
  });
}

TEST(ClientErrors, say_what_was_waited_for_when_the_callers_deadline_passed) {
  with_each_version({}, [](Client& client) {
    const Status late = client.get("http://shop/tea", rt::Deadline::after(3s)).error();
    EXPECT_EQ(late.code(), Code::deadline_exceeded);
    EXPECT_EQ(late.message(),
              "GET http://shop/tea: the server did not answer before the caller's deadline passed");
    const Status cut = client.get("http://shop/cut", rt::Deadline::after(3s)).error();
    EXPECT_TRUE(has(cut, "http://shop/cut: the server sent no more of its answer before")) << cut;
  });
}

TEST(ClientErrors, say_that_a_connection_was_waited_for) {
  rt::testing::in_virtual_time(
      [] {
        ServerWorld world(slow);
        Client client(world.network(), {.versions = Versions::http_1,
                                        .address_of = [&](const Url&) { return world.address(); },
                                        .max_connections_per_origin = 1});
        const auto first = client.begin({.url = "http://shop/"}, BodySize::none());
        ASSERT_TRUE(first) << first.error();
        const Status late = client.get("http://shop/tea", rt::Deadline::after(3s)).error();
        EXPECT_EQ(late.code(), Code::deadline_exceeded);
        EXPECT_TRUE(has(late, "GET http://shop/tea: waiting for a connection")) << late;
      },
      20ms);
}

}  // namespace
}  // namespace parley::http
