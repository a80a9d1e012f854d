// Two fibers at one exchange of a client's connection, at the worst moment.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/http1_connection.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

Request request_of(Method method) {
  Request request{.method = method, .target = "/tea"};
  EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  return request;
}

// Takes what is written, and before the write returns the connection breaks for who reads.
class BreaksMeanwhile final : public net::Stream {
 public:
  BreaksMeanwhile(rt::Event& left, rt::Event& go_on) : left_(left), go_on_(go_on) {}
  Result<std::size_t> read(std::span<char>, rt::Deadline) override {
    if (Status s = left_.wait(); !s.is_ok()) return s;
    return Status(Code::unavailable, "Connection reset by peer");
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline) override {
    left_.set();
    if (Status s = go_on_.wait(); !s.is_ok()) return s;
    return from.size();
  }
  Status close_write() override { return {}; }
  void close() override {}
  [[nodiscard]] const net::Address& local_address() const override { return address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return address_; }

 private:
  rt::Event& left_;
  rt::Event& go_on_;
  net::Address address_{};
};

PARLEY_FIBER_TEST(Http1ConnectionRaces, what_is_in_a_write_now_is_never_told_to_be_not_sent) {
  rt::Event left;
  rt::Event go_on;
  const auto connection = Http1Connection::create(std::make_unique<BreaksMeanwhile>(left, go_on));
  ASSERT_TRUE(connection->reserve());
  const auto exchange = connection->begin(request_of(Method::post), BodySize::of(20'000), {});
  ASSERT_TRUE(exchange);
  rt::Scope scope;
  scope.go("writer", [&] { (void)(*exchange)->write(std::string(20'000, 'x')); });
  EXPECT_EQ((*exchange)->response().error().code(), Code::unavailable);
  go_on.set();
  scope.join();
}

// Ends for who reads at once; what is written is counted.
class EndsAtOnce final : public net::Stream {
 public:
  explicit EndsAtOnce(int& writes) : writes_(writes) {}
  Result<std::size_t> read(std::span<char>, rt::Deadline) override { return std::size_t{0}; }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline) override {
    ++writes_;
    return from.size();
  }
  Status close_write() override { return {}; }
  void close() override {}
  [[nodiscard]] const net::Address& local_address() const override { return address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return address_; }

 private:
  int& writes_;
  net::Address address_{};
};

PARLEY_FIBER_TEST(Http1ConnectionRaces, what_was_told_to_be_not_sent_never_leaves_later) {
  int writes = 0;
  const auto connection = Http1Connection::create(std::make_unique<EndsAtOnce>(writes));
  ASSERT_TRUE(connection->reserve());
  const auto exchange = connection->begin(request_of(Method::post), BodySize::of(20'000), {});
  ASSERT_TRUE(exchange);
  EXPECT_EQ((*exchange)->response().error().code(), Code::not_sent);
  EXPECT_EQ((*exchange)->write(std::string(20'000, 'x')).code(), Code::not_sent);
  EXPECT_EQ(writes, 0);
}

void answer_requests(net::Stream& stream) {
  std::array<char, 1024> buffer{};
  std::string seen;
  for (;;) {
    const auto size = stream.read(buffer);
    if (!size || *size == 0) return;
    seen.append(buffer.data(), *size);
    if (!seen.ends_with("\r\n\r\n")) continue;
    seen.clear();
    if (!stream.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngreen").is_ok()) return;
  }
}

// An exchange that is cancelled while it ends; then another one, if the connection is free.
void cancel_at_the_end(int& second_ones) {
  auto [here, there] = net::testing::memory_streams();
  const auto connection = Http1Connection::create(std::move(here));
  rt::Scope server(rt::OnExit::cancel);
  server.go("server", [&there] { answer_requests(*there); });
  ASSERT_TRUE(connection->reserve());
  const auto first = connection->begin(request_of(Method::get), BodySize::none(), {});
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)->response());
  std::atomic<bool> go = false;
  rt::Scope scope;
  scope.go("cancels", [&] {
    while (!go) rt::yield();
    (*first)->cancel();
  });
  go = true;
  (void)(*first)->read_all();
  if (connection->reserve()) {
    const auto second = connection->begin(request_of(Method::get), BodySize::none(), {});
    ASSERT_TRUE(second) << second.error();
    const auto body = (*second)->read_all();
    ASSERT_TRUE(body) << body.error();
    EXPECT_EQ(*body, "green");
    ++second_ones;
  }
  scope.join();
}

TEST(Http1ConnectionRaces, cancel_ends_no_exchange_but_its_own_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        int second_ones = 0;
        for (int round = 0; round < 1000; ++round) cancel_at_the_end(second_ones);
        EXPECT_GT(second_ones, 0);
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::http
