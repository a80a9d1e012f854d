#include "parley/net/serve.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/net/testing/free_address.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/observe/registry.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/metrics.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using rt::testing::wait_until;

Result<Next> echo(Stream& stream) {
  std::array<char, 4096> buffer{};
  const auto size = stream.try_read(buffer);
  if (!size) return size.error();
  if (!*size) return Next::rest;
  if (**size == 0) return Next::end;
  if (Status s = stream.write({buffer.data(), **size}); !s.is_ok()) return s;
  return Next::rest;
}

// A server in a scope of its own, which ends with the test.
class Running {
 public:
  template <class Handler>
  explicit Running(Handler handler, ServeOptions options = {},
                   const Address& address = testing::any_port())
      : network_(),
        listener_(*network_.listen(address)),
        server_(*listener_, std::move(handler), std::move(options)) {
    scope_.go("serve", [this] { status_ = server_.serve(); });
  }
  ~Running() { (void)stop(); }

  Status stop() {
    scope_.cancel();
    scope_.join();
    return status_;
  }
  // Accepts no more, and waits for the connections to end.
  Status drain() {
    listener_->close();
    scope_.join();
    return status_;
  }
  std::unique_ptr<Stream> dial(const DialOptions& options = {}) {
    return *network_.dial(listener_->address(), {}, options);
  }
  void tell_drain() { server_.drain(); }
  ServeCounts counts() const { return server_.counts(); }
  void wait_until_at_rest() {
    wait_until([this] { return counts().handlers == 0; });
  }
  Listener& listener() { return *listener_; }

 private:
  SocketNetwork network_;
  std::unique_ptr<Listener> listener_;
  Server server_;
  Status status_;
  rt::Scope scope_;
};

void expect_answer(Stream& stream, const std::string& text) {
  std::string answer(text.size(), ' ');
  for (std::size_t have = 0; have < text.size();) {
    const auto size = stream.read(std::span(answer).subspan(have));
    ASSERT_TRUE(size && *size > 0) << size.error();
    have += *size;
  }
  EXPECT_EQ(answer, text);
}

void ask(Stream& stream, const std::string& text) {
  ASSERT_TRUE(stream.write(text).is_ok());
  expect_answer(stream, text);
}

void expect_end(Stream& stream) {
  std::array<char, 1> byte{};
  const auto size = stream.read(byte);
  EXPECT_TRUE(!size || *size == 0);
}

PARLEY_FIBER_TEST(Serve, a_connection_is_answered_and_rests_without_a_fiber) {
  for (const Address& address : {testing::any_port(), testing::free_unix_name()}) {
    Running server(echo, {}, address);
    const auto client = server.dial();
    for (const char* text : {"a", "second", "third"}) {
      ask(*client, text);
      server.wait_until_at_rest();
      EXPECT_EQ(server.counts().connections, 1u);
    }
    ask(*client, std::string(100'000, 'm'));
    ASSERT_TRUE(client->close_write().is_ok());
    expect_end(*client);
    wait_until([&] { return server.counts().connections == 0; });
    EXPECT_EQ(server.counts().errors, 0u);
  }
}

void expect_end_of(Running& server, std::size_t connections, Status& status) {
  EXPECT_EQ(server.counts().connections, connections);
  status = server.stop();
  EXPECT_EQ(server.counts().connections, 0u);
}

// A fiber each would be 10,000 of them, and there is room for a few only. Fewer connections where
// not so many descriptors are allowed.
TEST(Serve, ten_thousand_idle_connections_own_no_fiber) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  const std::size_t count = std::min<std::size_t>(10'000, (files.rlim_cur - 200) / 2);
  rt::testing::run_fiber_test(
      [count] {
        Running server(echo);
        std::vector<std::unique_ptr<Stream>> clients;
        for (std::size_t i = 0; i < count; ++i) {
          clients.push_back(server.dial());
          ask(*clients.back(), "hello");
        }
        server.wait_until_at_rest();
        ask(*clients.front(), "once more");
        server.wait_until_at_rest();
        Status status;
        expect_end_of(server, count, status);
        EXPECT_EQ(status.code(), Code::cancelled);
      },
      {.max_fibers = 16}, 60s);
}

// Whatever moment a byte comes at, it is answered: the client asks again at once, while the handler
// that answered is on its way to rest.
TEST(Serve, no_edge_is_lost_on_many_workers) {
  rt::testing::run_fiber_test(
      [] {
        Running server(echo);
        rt::Scope scope;
        for (int i = 0; i < 12; ++i) {
          scope.go("client", [&server] {
            const auto client = server.dial();
            for (int round = 0; round < 500; ++round) ask(*client, "q");
            // Two at a time: the second may come in the middle of the first.
            for (int round = 0; round < 200; ++round) {
              ASSERT_TRUE(client->write("one").is_ok());
              ASSERT_TRUE(client->write("two").is_ok());
              expect_answer(*client, "onetwo");
            }
          });
        }
      },
      {.workers = 4});
}

// Counts how many fibers are in one connection's handler.
class OneAtATime final : public Servant {
 public:
  explicit OneAtATime(std::atomic<int>& violations) : violations_(violations) {}
  Result<Next> on_readable(Stream& stream) override {
    if (inside_.fetch_add(1) != 0) ++violations_;
    auto next = echo(stream);
    rt::yield();
    inside_.fetch_sub(1);
    return next;
  }

 private:
  std::atomic<int>& violations_;
  std::atomic<int> inside_ = 0;
};

TEST(Serve, a_connection_has_one_handler_at_a_time) {
  rt::testing::run_fiber_test(
      [] {
        std::atomic<int> violations = 0;
        Running server(
            Server::MakeServant([&](Stream&) { return std::make_unique<OneAtATime>(violations); }));
        rt::Scope scope;
        for (int i = 0; i < 8; ++i) {
          scope.go("client", [&server] {
            const auto client = server.dial();
            rt::Scope both;
            both.go("write", [&] {
              for (int n = 0; n < 2000; ++n) ASSERT_TRUE(client->write("x").is_ok());
            });
            std::array<char, 64> buffer{};
            for (std::size_t have = 0; have < 2000;) have += client->read(buffer).value();
          });
        }
        scope.join();
        EXPECT_EQ(violations, 0);
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(Serve, a_handler_that_leaves_something_is_called_again) {
  std::string seen;
  Running server([&](Stream& stream) -> Result<Next> {
    std::array<char, 1> byte{};
    const auto size = stream.try_read(byte);
    if (!size) return size.error();
    if (*size && **size == 1) seen += byte[0];
    return Next::rest;
  });
  const auto client = server.dial();
  ASSERT_TRUE(client->write("one by one").is_ok());
  wait_until([&] { return seen == "one by one"; });
  server.wait_until_at_rest();
  // The end, which this handler does not heed, ends the connection all the same.
  ASSERT_TRUE(client->close_write().is_ok());
  wait_until([&] { return server.counts().connections == 0; });
}

// The bytes and the end of the connection come as one event.
PARLEY_FIBER_TEST(Serve, an_end_that_came_with_the_last_bytes_is_seen) {
  for (int round = 0; round < 50; ++round) {
    Running server(echo);
    const auto client = server.dial();
    ASSERT_TRUE(client->write("the last").is_ok());
    ASSERT_TRUE(client->close_write().is_ok());
    wait_until([&] { return server.counts().connections == 0 && server.counts().accepted == 1; });
    EXPECT_EQ(server.counts().errors, 0u);
  }
}

// Out-of-band data ends a read short of what is there.
PARLEY_FIBER_TEST(Serve, bytes_behind_urgent_data_are_not_forgotten) {
  Running server(echo);
  const auto client = server.dial();
  ask(*client, "before");
  ASSERT_EQ(::send(client->descriptor(), "12!", 3, MSG_OOB), 3);
  ASSERT_TRUE(client->write("345").is_ok());
  std::string got;
  std::array<char, 8> buffer{};
  while (got.size() < 5) got.append(buffer.data(), client->read(buffer).value());
  EXPECT_EQ(got, "12345");
}

struct Told {
  std::atomic<int> times = 0;
  Status why;
  std::string remote;
  ServeOptions options(ServeOptions with = {}) {
    with.on_error = [this](const Address& from, const Status& status) {
      remote = from.to_string();
      why = status;
      ++times;
    };
    return with;
  }
};

PARLEY_FIBER_TEST(Serve, errors_are_told_with_the_address_and_the_reason) {
  Told told;
  Running server(
      [](Stream& stream) -> Result<Next> {
        std::array<char, 16> buffer{};
        const auto size = stream.try_read(buffer);
        if (!size) return size.error();
        if (!*size) return Next::rest;
        if (buffer[0] == 't') throw std::runtime_error("the handler is at its end");
        return Status(Code::data_loss, "not what was asked for");
      },
      told.options());
  const auto client = server.dial();
  ASSERT_TRUE(client->write("what").is_ok());
  expect_end(*client);
  wait_until([&] { return told.times == 1; });
  EXPECT_EQ(told.why.message(), "not what was asked for");
  EXPECT_EQ(told.remote, client->local_address().to_string());

  const auto thrower = server.dial();
  ASSERT_TRUE(thrower->write("throw").is_ok());
  wait_until([&] { return told.times == 2; });
  EXPECT_EQ(told.why.code(), Code::internal);

  auto resetter = server.dial();
  wait_until([&] { return server.counts().accepted == 3; });
  server.wait_until_at_rest();
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(::setsockopt(resetter->descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once),
            0);
  resetter.reset();
  wait_until([&] { return told.times == 3; });
  EXPECT_EQ(told.why.code(), Code::unavailable);
  EXPECT_EQ(server.counts().errors, 3u);
}

PARLEY_FIBER_TEST(Serve, a_connection_closed_while_its_handler_waits_ends) {
  rt::Channel<Stream*> inside(1);
  Told told;
  Running server(
      [&](Stream& stream) -> Result<Next> {
        std::array<char, 16> buffer{};
        const auto size = stream.try_read(buffer);
        if (!size) return size.error();
        if (!*size) return Next::rest;
        EXPECT_TRUE(inside.send(&stream).is_ok());
        return stream.read(buffer).error();  // waits for more than will come
      },
      told.options());
  const auto client = server.dial();
  ASSERT_TRUE(client->write("x").is_ok());
  (*inside.receive())->close();
  wait_until([&] { return told.times == 1; });
  EXPECT_EQ(told.why.code(), Code::unavailable);
  // And one that is at rest.
  Stream* resting = nullptr;
  Told of_resting;
  Running other(
      [&](Stream& stream) -> Result<Next> {
        resting = &stream;
        return echo(stream);
      },
      of_resting.options());
  const auto second = other.dial();
  ask(*second, "hello");
  other.wait_until_at_rest();
  resting->close();
  wait_until([&] { return of_resting.times == 1; });
}

PARLEY_FIBER_TEST(Serve, cancelling_ends_those_at_rest_and_those_in_a_handler) {
  Told told;
  std::atomic<int> waiting = 0;
  Running server(
      [&](Stream& stream) -> Result<Next> {
        std::array<char, 16> buffer{};
        const auto size = stream.try_read(buffer);
        if (!size) return size.error();
        if (!*size) return Next::rest;
        ++waiting;
        const auto more = stream.read(buffer);
        EXPECT_EQ(more.error().code(), Code::cancelled);
        return more.error();
      },
      told.options());
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(server.dial());
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(clients[static_cast<std::size_t>(i)]->write("x").is_ok());
  wait_until([&] { return waiting == 20 && server.counts().connections == 200; });
  EXPECT_EQ(server.stop().code(), Code::cancelled);
  EXPECT_EQ(server.counts().connections, 0u);
  EXPECT_EQ(told.times, 0) << "the server wanted it";
  for (const auto& client : clients) expect_end(*client);
}

PARLEY_FIBER_TEST(Serve, a_closed_listener_lets_the_connections_finish) {
  Running server(echo);
  auto client = server.dial();
  ask(*client, "one");
  rt::Scope scope;
  bool drained = false;
  scope.go("drain", [&] {
    EXPECT_TRUE(server.drain().is_ok());
    drained = true;
  });
  for (int i = 0; i < 10; ++i) rt::yield();
  ask(*client, "two");
  EXPECT_FALSE(drained);
  client.reset();
  scope.join();
  EXPECT_TRUE(drained);
}

// A client that does not read stops its own handler, and nobody else.
PARLEY_FIBER_TEST(Serve, a_slow_reader_holds_up_only_itself) {
  // More than the kernel's buffers between the two grow to.
  constexpr std::size_t much = std::size_t{64} << 20;
  DialOptions small;
  small.stream.send_buffer = small.stream.receive_buffer = std::size_t{64} << 10;
  Running server(echo);
  const auto slow = server.dial(small);
  rt::Scope scope;
  scope.go("writer", [&] { EXPECT_TRUE(slow->write(std::string(much, 'm')).is_ok()); });
  const auto quick = server.dial();
  rt::testing::wait_until_waiting("writable", 2);  // the writer, and the handler for it
  for (int i = 0; i < 50; ++i) ask(*quick, "quick");
  EXPECT_EQ(server.counts().handlers, 1u);
  std::string buffer(std::size_t{64} << 10, ' ');
  for (std::size_t have = 0; have < much;) have += slow->read(buffer).value();
  server.wait_until_at_rest();
}

PARLEY_FIBER_TEST(Serve, max_connections_bounds_those_served_at_once) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}}) {
    Running server(echo, {.max_connections = limit});
    std::vector<std::unique_ptr<Stream>> clients;
    for (std::size_t i = 0; i < limit; ++i) {
      clients.push_back(server.dial());
      ask(*clients.back(), "in");
    }
    wait_until([&] { return server.counts().waits_for_connection == 1; });
    auto late = server.dial();  // in the kernel's queue
    ASSERT_TRUE(late->write("late").is_ok());
    for (int i = 0; i < 50; ++i) rt::yield();
    EXPECT_EQ(server.counts().accepted, limit);
    clients.pop_back();
    expect_answer(*late, "late");
  }
}

PARLEY_FIBER_TEST(Serve, max_handlers_bounds_those_that_wait_at_once) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}}) {
    rt::Event go_on;
    std::size_t inside = 0;
    Running server(
        [&](Stream& stream) -> Result<Next> {
          std::array<char, 16> buffer{};
          const auto size = stream.try_read(buffer);
          if (!size || !*size || **size == 0) return size ? Next::rest : Result<Next>(size.error());
          ++inside;
          EXPECT_TRUE(go_on.wait().is_ok());
          --inside;
          if (Status s = stream.write({buffer.data(), **size}); !s.is_ok()) return s;
          return Next::rest;
        },
        {.max_handlers = limit});
    std::vector<std::unique_ptr<Stream>> clients;
    for (int i = 0; i < 5; ++i) {
      clients.push_back(server.dial());
      ASSERT_TRUE(clients.back()->write("in").is_ok());
    }
    wait_until([&] { return inside == limit && server.counts().waits_for_handler > 0; });
    for (int i = 0; i < 50; ++i) rt::yield();
    EXPECT_EQ(inside, limit);
    EXPECT_EQ(server.counts().handlers, limit);
    go_on.set();
    for (const auto& client : clients) expect_answer(*client, "in");
  }
}

TEST(Serve, at_max_fibers_of_the_runtime_a_connection_waits_for_room_and_is_answered) {
  rt::testing::run_fiber_test(
      [] {
        Running server(echo);
        const auto client = server.dial();
        ask(*client, "before");
        server.wait_until_at_rest();
        rt::Event over;
        rt::Scope others;
        while (others.try_go("other", [&] { EXPECT_TRUE(over.wait().is_ok()); })) {}
        const std::uint64_t waits = server.counts().waits_for_handler;
        ASSERT_TRUE(client->write("meanwhile").is_ok());
        wait_until([&] { return server.counts().waits_for_handler == waits + 1; });
        over.set();
        expect_answer(*client, "meanwhile");
      },
      {.max_fibers = 16});
}

PARLEY_FIBER_TEST(Serve, a_silent_connection_ends_after_idle_timeout_and_not_without) {
  Told told;
  Running strict(echo, told.options({.idle_timeout = 20ms}));
  Running patient(echo);
  const auto patiently = patient.dial();
  const auto silent = strict.dial();
  const auto talking = strict.dial();
  ask(*patiently, "x");
  // It says something all the time, so it is the other one that ends.
  while (told.times == 0) ask(*talking, "x");
  expect_end(*silent);
  EXPECT_EQ(told.why.code(), Code::deadline_exceeded);
  EXPECT_NE(told.why.message().find("idle_timeout (20 ms)"), std::string::npos) << told.why;
  EXPECT_EQ(told.remote, silent->local_address().to_string());
  wait_until([&] { return strict.counts().idle_timeouts == 2; });
  EXPECT_EQ(patient.counts().idle_timeouts, 0u);
  EXPECT_EQ(patient.counts().connections, 1u);
}

// The alarm rang in the past, at once and for ever, and each time a fiber was started for it.
PARLEY_FIBER_TEST(Serve, an_idle_timeout_beyond_the_clock_is_never) {
  observe::Registry registry;
  ASSERT_TRUE(rt::register_metrics(registry).is_ok());
  const auto started = [&] {
    const std::string text = registry.open_metrics();
    const std::string sample = "\nparley_rt_fibers_started_total ";
    return text.substr(text.find(sample) + sample.size(), 10);
  };
  for (const Duration beyond : {Duration::max(), Duration::max() - Duration(1min)}) {
    Told told;
    Running server(echo, told.options({.idle_timeout = beyond}));
    const auto client = server.dial();
    ask(*client, "x");
    server.wait_until_at_rest();
    const std::string before = started();
    for (int i = 0; i < 1'000; ++i) rt::yield();
    EXPECT_EQ(started(), before);
    EXPECT_EQ(told.times, 0);
  }
}

PARLEY_FIBER_TEST(Serve, limits_of_zero_are_refused_by_name) {
  SocketNetwork network;
  const auto listener = *network.listen(testing::any_port());
  for (const ServeOptions& options :
       {ServeOptions{.max_connections = 0}, ServeOptions{.max_handlers = 0}}) {
    const Status status = Server(*listener, echo, options).serve();
    EXPECT_EQ(status.code(), Code::invalid_argument);
    EXPECT_NE(status.message().find("max_handlers"), std::string::npos);
  }
}

// Accepts what it is given, without sockets.
class MemoryListener final : public Listener {
 public:
  std::unique_ptr<Stream> dial() {
    auto [client, served] = testing::memory_streams({.piece_bytes = 3});
    EXPECT_TRUE(queue_.send(std::move(served)).is_ok());
    return std::move(client);
  }
  Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline) override {
    auto stream = queue_.receive(deadline);
    if (!stream && stream.error().code() == Code::out_of_range) {
      return Status(Code::unavailable, "the listener is closed");
    }
    return stream;
  }
  void close() override { queue_.close(); }
  [[nodiscard]] const Address& address() const override { return address_; }

 private:
  rt::Channel<std::unique_ptr<Stream>> queue_{16};
  const Address address_{.network = "tcp", .host = "192.0.2.1", .port = 1};
};

// It has a fiber of its own then, and all else is the same.
PARLEY_FIBER_TEST(Serve, a_stream_that_cannot_tell_of_readiness_is_served_too) {
  MemoryListener listener;
  Told told;
  Server server(listener, echo, told.options({.idle_timeout = 30ms}));
  rt::Scope scope;
  scope.go("serve", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  auto client = listener.dial();
  ask(*client, "over memory");
  EXPECT_EQ(server.counts().handlers, 1u);
  client.reset();
  wait_until([&] { return server.counts().connections == 0; });
  EXPECT_EQ(told.times, 0);
  const auto silent = listener.dial();
  wait_until([&] { return told.times == 1; });
  EXPECT_EQ(told.why.code(), Code::deadline_exceeded);
  listener.close();
}

// Does what the first letter of what it reads says, and notes what it was called for.
class Obedient final : public Servant {
 public:
  explicit Obedient(std::string& calls) : calls_(calls) {}

  Result<Next> on_readable(Stream& stream) override {
    std::array<char, 16> buffer{};
    const auto size = stream.try_read(buffer);
    if (!size) return size.error();
    if (!*size) return Next::rest;
    if (**size == 0) return Next::end;
    if (buffer[0] == 'h') return Next::hand_over;
    if (buffer[0] == 'l') due_ = rt::now() + 30ms;
    if (buffer[0] == 'n') due_ = Instant::max();
    if (Status s = stream.write({buffer.data(), **size}); !s.is_ok()) return s;
    return Next::rest;
  }
  Instant due() override { return due_; }
  Result<Next> on_due(Stream& stream) override {
    EXPECT_GE(rt::now(), due_);
    calls_ += "due ";
    due_ = Instant::max();
    if (Status s = stream.write("late"); !s.is_ok()) return s;
    return Next::end;
  }
  Result<Next> on_drain(Stream& stream) override {
    calls_ += "drain ";
    if (Status s = stream.write("last"); !s.is_ok()) return s;
    return Next::rest;
  }
  void take(std::unique_ptr<Stream> stream) override {
    std::array<char, 4> buffer{};
    EXPECT_TRUE(stream->write("taken").is_ok());
    EXPECT_EQ(*stream->read(buffer), 0u);
    calls_ += "taken ";
  }

 private:
  std::string& calls_;
  Instant due_ = Instant::max();
};

PARLEY_FIBER_TEST(Serve, a_servant_is_called_when_it_is_due_and_waits_without_a_fiber) {
  std::string calls;
  Running server([&](Stream&) { return std::make_unique<Obedient>(calls); });
  const auto client = server.dial();
  ask(*client, "later");
  server.wait_until_at_rest();
  EXPECT_EQ(server.counts().connections, 1u);
  expect_answer(*client, "late");
  expect_end(*client);
  EXPECT_EQ(calls, "due ");
  // What is put off for good never comes; with an idle time beside it, that one ends it.
  Running strict([&](Stream&) { return std::make_unique<Obedient>(calls); },
                 {.idle_timeout = 60ms});
  const auto silent = strict.dial();
  ask(*silent, "later");
  ask(*silent, "never");
  expect_end(*silent);
  EXPECT_EQ(strict.counts().idle_timeouts, 1u);
  EXPECT_EQ(calls, "due ");
}

PARLEY_FIBER_TEST(Serve, what_is_handed_over_keeps_its_place_until_it_was_taken) {
  std::string calls;
  Running server([&](Stream&) { return std::make_unique<Obedient>(calls); });
  const auto client = server.dial();
  ASSERT_TRUE(client->write("h").is_ok());
  expect_answer(*client, "taken");
  server.listener().close();
  EXPECT_EQ(server.counts().connections, 1u);
  ASSERT_TRUE(client->close_write().is_ok());
  EXPECT_EQ(server.drain().code(), Code::ok);
  EXPECT_EQ(calls, "taken ");
  EXPECT_EQ(server.counts().connections, 0u);
}

PARLEY_FIBER_TEST(Serve, drain_tells_each_servant_once_and_those_that_come_later) {
  std::string calls;
  Running server([&](Stream&) { return std::make_unique<Obedient>(calls); });
  const auto first = server.dial();
  ask(*first, "a");
  server.tell_drain();
  expect_answer(*first, "last");
  server.tell_drain();
  ask(*first, "b");
  const auto second = server.dial();
  expect_answer(*second, "last");
  EXPECT_EQ(calls, "drain drain ");
}

PARLEY_FIBER_TEST(Serve, a_stream_that_cannot_tell_is_due_and_drains_too) {
  std::string calls;
  MemoryListener listener;
  Server server(listener, [&](Stream&) { return std::make_unique<Obedient>(calls); });
  rt::Scope scope;
  scope.go("serve", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  const auto late = listener.dial();
  ask(*late, "l");
  expect_answer(*late, "late");
  const auto client = listener.dial();
  ask(*client, "a");
  server.drain();
  expect_answer(*client, "last");
  EXPECT_EQ(calls, "due drain ");
  ASSERT_TRUE(client->close_write().is_ok());
  listener.close();
}

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> connect(const Address& address) {
  SocketNetwork network;
  const auto listener = *network.listen(address);
  auto client = *network.dial(listener->address());
  return {std::move(client), *listener->accept()};
}

PARLEY_FIBER_TEST(StreamReadiness, try_read_takes_what_is_there_and_never_waits) {
  for (const std::string how : {"tcp", "unix", "memory"}) {
    auto [client, server] = how == "memory" ? testing::memory_streams()
                            : how == "tcp"  ? connect(testing::any_port())
                                            : connect(testing::free_unix_name());
    std::array<char, 16> buffer{};
    auto size = server->try_read(buffer);
    ASSERT_TRUE(size) << how << ": " << size.error();
    EXPECT_FALSE(*size) << how;
    EXPECT_EQ(server->wait_readable(rt::Deadline::after(1ms)).error().code(),
              Code::deadline_exceeded);
    ASSERT_TRUE(client->write("some").is_ok());
    EXPECT_TRUE(*server->wait_readable());
    size = server->try_read(buffer);
    EXPECT_TRUE(size && *size && **size == 4) << how;
    size = server->try_read(buffer);
    EXPECT_TRUE(size && !*size) << how;
    ASSERT_TRUE(client->close_write().is_ok());
    (void)server->wait_readable();
    size = server->try_read(buffer);
    EXPECT_TRUE(size && *size && **size == 0) << how;
    EXPECT_FALSE(*server->wait_readable()) << how;
    server->close();
    EXPECT_EQ(server->try_read(buffer).error().code(), Code::unavailable) << how;
  }
}

// epoll(7): true of TCP. A Unix socket also comes back short where a message ends.
PARLEY_FIBER_TEST(StreamReadiness, a_short_read_has_emptied_a_tcp_socket_only) {
  for (const bool is_tcp : {true, false}) {
    const auto [client, server] = connect(is_tcp ? testing::any_port() : testing::free_unix_name());
    std::array<char, 8> buffer{};
    ASSERT_TRUE(client->write("12345678abc").is_ok());
    ASSERT_EQ(server->read(buffer).value(), 8u);
    EXPECT_EQ(server->unread(), Stream::Unread::perhaps) << "a full buffer says nothing";
    ASSERT_EQ(server->read(buffer).value(), 3u);
    (void)server->wait_readable(rt::Deadline::after(1ms));  // an event that came meanwhile
    (void)server->try_read(buffer);
    EXPECT_EQ(server->unread(), Stream::Unread::nothing);
    ASSERT_TRUE(client->write("d").is_ok());
    ASSERT_EQ(server->read(buffer).value(), 1u);
    EXPECT_EQ(server->unread(), is_tcp ? Stream::Unread::nothing : Stream::Unread::perhaps);
  }
}

}  // namespace
}  // namespace parley::net
