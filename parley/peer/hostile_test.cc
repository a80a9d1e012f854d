// What a server must survive: whoever connects may send anything, nothing, or vanish. In each test
// a well-behaved client is answered meanwhile, and at the end no fiber, descriptor or buffer is
// left.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "parley/base/fd.h"
#include "parley/base/testing/no_descriptors.h"
#include "parley/net/network.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

// A server under attack, a client that is answered all the while, and raw connections to the
// server.
class Siege {
 public:
  explicit Siege(const PeerOptions& options = {})
      : pair_(options, PeerOptions{.framings = options.framings}) {
    pair_.server.handle("/add", [](int a, int b) { return a + b; });
    good_.push_back(pair_.dial());
    still_answers();
    scope_.go("well-behaved client", [this] { call_all_the_time(); });
  }
  ~Siege() {
    scope_.cancel();
    scope_.join();
    still_answers();
  }

  Pair& pair() { return pair_; }

  // Calls the well-behaved client made so far.
  [[nodiscard]] int answered() const { return answered_; }

  void still_answers() { EXPECT_EQ(good_[0].call<int>("/add", 1, 2).value(), 3); }

  std::unique_ptr<net::Stream> connect() {
    return *network_.dial(*net::Address::parse(pair_.address));
  }

  // Waits until the server has only the good client left.
  void wait_until_alone() {
    for (const Session& session : pair_.server.sessions()) {
      if (session.remote_address() != good_[0].local_address()) (void)session.wait_closed();
    }
    while (pair_.server.session_count() > 1) rt::yield();
  }

 private:
  void call_all_the_time() {
    while (rt::sleep(1ms).is_ok()) {
      const auto sum = good_[0].call<int>("/add", 1, 2);
      if (!sum && sum.error().code() == Code::cancelled) return;  // the siege is over
      // At max_fibers it is refused like anybody; what counts is that it is answered.
      if (!sum && sum.error().code() == Code::resource_exhausted) continue;
      EXPECT_EQ(sum.value(), 3);
      ++answered_;
    }
  }

  Pair pair_;
  std::vector<Session> good_;
  net::TcpNetwork network_;
  std::atomic<int> answered_ = 0;
  rt::Scope scope_;
};

std::string call_frame(std::int32_t seq, std::string_view method, std::string_view body) {
  std::string out;
  EXPECT_TRUE(wire::RawEncoder()
                  .encode({.seq = seq,
                           .type = wire::MessageType::call,
                           .method = method,
                           .body_codec = wire::BodyCodec::json,
                           .body = Bytes::copy_of(body)},
                          out)
                  .is_ok());
  return out;
}

// A hello and a call of the parley framing.
std::string parley_call(std::string_view method, std::string_view body) {
  wire::ParleyEncoder encoder;
  std::string out;
  encoder.start(out);
  const wire::Message call{.seq = 1,
                           .method = method,
                           .body_codec = wire::BodyCodec::json,
                           .body = Bytes::copy_of(body)};
  EXPECT_TRUE(encoder.encode(call, out).is_ok());
  return out;
}

// True when the server has closed its side.
bool is_cut(net::Stream& stream) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto size = stream.read(buffer, rt::Deadline::after(5s));
    if (!size) return size.error().code() == Code::unavailable;
    if (*size == 0) return true;
  }
}

PARLEY_PEER_TEST(Hostile, broken_frames_close_only_the_session_that_sent_them) {
  Siege siege;
  std::vector<std::string> frames;
  // Each byte of the head bent in three ways: wrong lengths in every field, unknown types and
  // codecs.
  for (const std::string& good : {call_frame(1, "/add", "[1,2]"), parley_call("/add", "[1,2]")}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char bent : {'\x00', '\x7f', '\xff'}) {
        std::string frame = good;
        frame[i] = bent;
        if (frame != good) frames.push_back(frame);
      }
    }
  }
  std::mt19937 random(3);
  for (int i = 0; i < 50; ++i) {
    std::string noise(random() % 300 + 4, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    frames.push_back(noise);
  }
  for (const std::string& frame : frames) {
    auto stream = siege.connect();
    ASSERT_TRUE(stream->write(frame).is_ok());
    // Whether it was refused, answered, or is waited for: the end of it ends the session.
    (void)stream->close_write();
    EXPECT_TRUE(is_cut(*stream));
  }
  siege.wait_until_alone();
}

PARLEY_PEER_TEST(Hostile, a_frame_over_the_limit_is_refused_by_its_length_alone) {
  Siege siege(PeerOptions{.max_frame_bytes = 1000, .framings = testing::raw_only(1000)});
  auto stream = siege.connect();
  ASSERT_TRUE(stream->write(std::string("\x00\x00\x03\xe9", 4)).is_ok());  // 1001, not a byte of it
  EXPECT_TRUE(is_cut(*stream));
  siege.wait_until_alone();
  EXPECT_TRUE(siege.pair().server_log.has("max_frame_bytes"));
}

PARLEY_PEER_TEST(Hostile, a_truncated_frame_and_a_goodbye_end_the_session) {
  Siege siege;
  const std::string frame = call_frame(1, "/add", "[1,2]");
  for (std::size_t size = 1; size < frame.size(); ++size) {
    auto stream = siege.connect();
    ASSERT_TRUE(stream->write(std::string_view(frame).substr(0, size)).is_ok());
    ASSERT_TRUE(stream->close_write().is_ok());
    EXPECT_TRUE(is_cut(*stream));
  }
  siege.wait_until_alone();
  EXPECT_TRUE(siege.pair().server_log.has("in the middle of a message"));
}

// Silence between messages is no fault, however long: here it lasts two hours of a clock of ours.
void stay_silent(std::size_t workers) {
  ManualClock clock;
  rt::testing::run_fiber_test(
      [&] {
        Siege siege(PeerOptions{.frame_timeout = 5ms});
        std::vector<std::unique_ptr<net::Stream>> silent;
        for (int i = 0; i < 20; ++i) silent.push_back(siege.connect());
        while (siege.pair().server.session_count() < 21) rt::yield();
        siege.still_answers();
        for (int hour = 0; hour < 2; ++hour) {
          const int before = siege.answered();
          clock.advance(1h);
          while (siege.answered() == before) rt::yield();  // the timers of that hour have fired
        }
        EXPECT_EQ(siege.pair().server.session_count(), 21u);
        ASSERT_TRUE(silent[0]->write(call_frame(1, "/add", "[1,2]")).is_ok());
        std::array<char, 100> answer{};
        EXPECT_GT(silent[0]->read(answer).value(), 0u);
      },
      rt::RuntimeOptions{.workers = workers, .clock = &clock});
}

TEST(Hostile, who_connects_and_says_nothing_stays_and_harms_nobody) {
  stay_silent(1);
  stay_silent(4);
}

PARLEY_PEER_TEST(Hostile, who_stops_in_the_middle_of_a_frame_is_cut_after_frame_timeout) {
  Siege siege(PeerOptions{.frame_timeout = 20ms});
  auto stream = siege.connect();
  const std::string frame = call_frame(1, "/add", "[1,2]");
  ASSERT_TRUE(stream->write(std::string_view(frame).substr(0, 10)).is_ok());
  siege.still_answers();
  EXPECT_TRUE(is_cut(*stream));
  EXPECT_TRUE(siege.pair().server_log.has("within frame_timeout (20 ms)"));
}

PARLEY_PEER_TEST(Hostile, a_drip_of_bytes_does_not_stretch_frame_timeout) {
  Siege siege(PeerOptions{.frame_timeout = 30ms});
  auto stream = siege.connect();
  // Long enough to drip for seconds; the server must cut it long before its end.
  const std::string frame = call_frame(1, "/add", std::string(10'000, ' ') + "[1,2]");
  Status status;
  std::size_t sent = 0;
  while (status.is_ok() && sent + 1 < frame.size()) {
    status = stream->write(std::string_view(frame).substr(sent++, 1));
    ASSERT_TRUE(rt::sleep(1ms).is_ok());
  }
  EXPECT_LT(sent, frame.size() / 2);
  EXPECT_TRUE(siege.pair().server_log.has("within frame_timeout (30 ms)"));
}

// Sends `frames` over and over from a thread of its own, as fast as the server takes them.
class Flood {
 public:
  Flood(const std::string& address, std::string frames)
      : port_(net::Address::parse(address)->port),
        frames_(std::move(frames)),
        thread_([this] { run(); }) {}
  ~Flood() {
    ::shutdown(fd_.get(), SHUT_RDWR);  // ends a send() that waits for this very thread
    thread_.join();
  }

 private:
  void run() {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return;
    while (::send(fd_.get(), frames_.data(), frames_.size(), MSG_NOSIGNAL) > 0) {}
  }

  std::uint16_t port_;
  std::string frames_;
  Fd fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::thread thread_;
};

// Nothing in these messages makes the server wait, and its socket never runs empty.
PARLEY_PEER_TEST(Hostile, a_flood_does_not_keep_others_from_their_turn) {
  for (const auto type : {wire::MessageType::reply, wire::MessageType::push}) {
    Siege siege(PeerOptions{.drain_timeout = 1ms});
    std::string frames;
    while (frames.size() < 256 * 1024) {
      // Not too small: what the kernel still holds at the end is read as well.
      const wire::Message message{.seq = 7,
                                  .type = type,
                                  .method = "/x",
                                  .body_codec = wire::BodyCodec::json,
                                  .body = Bytes::from(std::string(1'000, ' '))};
      ASSERT_TRUE(wire::RawEncoder().encode(message, frames).is_ok());
    }
    {
      const Flood flood(siege.pair().address, frames);
      while (siege.pair().server.session_count() < 2) rt::yield();
      const int before = siege.answered();
      while (siege.answered() < before + 5) rt::yield();
      siege.still_answers();
    }
    siege.wait_until_alone();
  }
}

PARLEY_PEER_TEST(Hostile, max_handler_bytes_bounds_what_running_calls_hold) {
  Siege siege(PeerOptions{.max_handler_bytes = 1000});
  rt::Event started;
  rt::Event release;
  siege.pair().server.handle("/hold", [&](const std::string& text) {
    started.set();
    (void)release.wait();
    return text.size();
  });
  const Session session = siege.pair().dial();
  rt::Scope scope;
  scope.go("large",
           [&] { EXPECT_EQ(session.call<int>("/hold", std::string(5000, 'x')).value(), 5000); });
  EXPECT_TRUE(started.wait().is_ok());
  const Status refused = session.call<int>("/hold", "x").error();
  EXPECT_EQ(refused.code(), Code::resource_exhausted);
  EXPECT_NE(refused.message().find("max_handler_bytes"), std::string::npos);
  release.set();
  scope.join();
  EXPECT_EQ(session.call<int>("/hold", "x").value(), 1);
}

void call_at_max_fibers(std::size_t workers) {
  rt::testing::run_fiber_test(
      [] {
        Siege siege(PeerOptions{.drain_timeout = 10ms});
        siege.pair().server.handle("/until_closed",
                                   [](Context& context) { (void)context.session().wait_closed(); });
        auto stream = siege.connect();
        std::string calls;
        for (int i = 1; i <= 100; ++i) calls += call_frame(i, "/until_closed", "");
        ASSERT_TRUE(stream->write(calls).is_ok());
        // The first refusal is the first answer: the others wait for the end of the session.
        std::array<char, 4096> answer{};
        const auto size = stream->read(answer);
        ASSERT_TRUE(size);
        EXPECT_NE(std::string_view(answer.data(), *size).find("max_fibers"), std::string::npos);
        stream.reset();
        siege.wait_until_alone();
      },
      rt::RuntimeOptions{.workers = workers, .max_fibers = 40});
}

TEST(Hostile, at_max_fibers_calls_are_refused_and_sessions_still_end) {
  call_at_max_fibers(1);
  call_at_max_fibers(4);
}

PARLEY_PEER_TEST(Hostile, a_peer_that_never_reads_is_cut_after_write_timeout) {
  Siege siege(PeerOptions{.write_timeout = 50ms, .max_outgoing_bytes = 100'000});
  siege.pair().server.handle("/much", [] { return std::string(1 << 20, 'x'); });
  auto stream = siege.connect();
  Status status;
  for (int i = 1; i < 200 && status.is_ok(); ++i) {
    status = stream->write(call_frame(i, "/much", ""), rt::Deadline::after(1s));
  }
  siege.still_answers();
  siege.wait_until_alone();
  EXPECT_TRUE(siege.pair().server_log.has("write_timeout (50 ms)"));
}

PARLEY_PEER_TEST(Hostile, two_hundred_connections_opened_and_dropped_leave_nothing) {
  Siege siege;
  for (int i = 0; i < 200; ++i) {
    auto stream = siege.connect();
    const std::array<std::string, 3> said = {"", std::string(2, '\0'),
                                             call_frame(i, "/add", "[1,2]")};
    ASSERT_TRUE(stream->write(said[static_cast<std::size_t>(i) % 3]).is_ok());
    if (i % 50 == 0) siege.still_answers();
  }
  siege.wait_until_alone();
}

PARLEY_PEER_TEST(Hostile, without_a_descriptor_left_the_log_says_so_and_nobody_is_turned_away) {
  Siege siege(PeerOptions{.accept_report = 5ms});
  const Fd waiting(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(net::Address::parse(siege.pair().address)->port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  {
    const testing::NoDescriptors none;
    ASSERT_EQ(::connect(waiting.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    siege.pair().server_log.wait_for("because no descriptor was left");
    siege.still_answers();
    EXPECT_EQ(siege.pair().server.session_count(), 1u);
  }
  while (siege.pair().server.session_count() < 2) rt::yield();
  ::shutdown(waiting.get(), SHUT_RDWR);
  siege.wait_until_alone();
}

// Each ping costs it ten bytes, and must not cost a fiber here that waits until it is answered.
PARLEY_PEER_TEST(Hostile, who_pings_for_ever_and_takes_no_answer_is_cut) {
  Siege siege(PeerOptions{.max_outgoing_bytes = 100'000});
  auto stream = siege.connect();
  wire::ParleyEncoder encoder;
  std::string out;
  encoder.start(out);
  ASSERT_TRUE(stream->write(out).is_ok());
  out.clear();
  const wire::Message ping{.type = wire::MessageType::ping, .value = 7};
  while (out.size() < 100'000) ASSERT_TRUE(encoder.encode(ping, out).is_ok());
  while (stream->write(out).is_ok()) {}
  siege.pair().server_log.wait_for("the other side asks and takes no answers");
  siege.still_answers();
  siege.wait_until_alone();
}

PARLEY_PEER_TEST(Hostile, answers_nobody_asked_for_are_dropped) {
  Siege siege;
  auto stream = siege.connect();
  std::string out;
  ASSERT_TRUE(
      wire::RawEncoder().encode({.seq = 77, .type = wire::MessageType::reply}, out).is_ok());
  ASSERT_TRUE(stream->write(out + call_frame(1, "/add", "[1,2]")).is_ok());
  std::array<char, 100> answer{};
  EXPECT_GT(stream->read(answer).value(), 0u);
}

PARLEY_PEER_TEST(Hostile, calls_in_flight_at_a_cut_end_as_outcome_unknown) {
  Siege siege(PeerOptions{.drain_timeout = 1ms});
  rt::WaitGroup started;
  started.add(100);
  siege.pair().server.handle("/for_ever", [&] {
    started.done();
    (void)rt::Event().wait();
  });
  Peer victim;
  const auto session = victim.dial(siege.pair().address);
  rt::Scope scope;
  for (int i = 0; i < 100; ++i) {
    scope.go("caller",
             [&] { EXPECT_EQ(session->call("/for_ever").error().code(), Code::outcome_unknown); });
  }
  EXPECT_TRUE(started.wait().is_ok());
  // The server throws the session out in the middle of everything.
  rt::Scope closing;
  for (const Session& each : siege.pair().server.sessions()) {
    if (each.remote_address() == session->local_address()) {
      closing.go("cut", [each] { each.close(); });
    }
  }
  closing.join();
  scope.join();
}

PARLEY_PEER_TEST(Hostile, ten_thousand_calls_in_flight_at_a_cut_end_as_outcome_unknown) {
  constexpr std::size_t count = is_sanitized ? 1'000 : 10'000;
  Siege siege(PeerOptions{.drain_timeout = 1ms, .max_handlers = 2 * count});
  rt::WaitGroup started;
  started.add(count);
  siege.pair().server.handle("/for_ever", [&] {
    started.done();
    (void)rt::Event().wait();
  });
  Peer victim;
  const auto session = victim.dial(siege.pair().address);
  std::vector<AsyncCall<>> calls;
  for (std::size_t i = 0; i < count; ++i) {
    calls.push_back(session->call_async({.timeout = 1h}, "/for_ever"));
  }
  EXPECT_TRUE(started.wait().is_ok());
  rt::Scope closing;
  for (const Session& each : siege.pair().server.sessions()) {
    if (each.remote_address() == session->local_address()) {
      closing.go("cut", [each] { each.close(); });
    }
  }
  std::size_t unknown = 0;
  for (AsyncCall<>& each : calls) unknown += each.get().error().code() == Code::outcome_unknown;
  EXPECT_EQ(unknown, count);
}

PARLEY_PEER_TEST(Hostile, a_call_that_never_left_ends_as_not_sent) {
  // A listener that accepts and never reads: what is sent stays in the buffers of this side.
  net::TcpNetwork network;
  auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
  Peer peer(PeerOptions{.write_timeout = 300ms,
                        .max_outgoing_bytes = std::size_t{64} << 20U,
                        .framings = testing::raw_only()});
  const auto session = peer.dial((*listener)->address().to_string());
  auto accepted = (*listener)->accept();
  Status first;
  Status last;
  rt::Scope scope;
  const Bytes much = Bytes::from(std::string(8 << 20, ' '));
  scope.go("first", [&] { first = session->call("/x", 1).error(); });
  char byte = 0;
  EXPECT_EQ((*accepted)->read({&byte, 1}).value(), 1u);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(session->push_raw({}, "/x", wire::BodyCodec::json, much).is_ok());
  scope.go("last", [&] { last = session->call("/x", 2).error(); });
  scope.join();
  EXPECT_EQ(first.code(), Code::outcome_unknown);
  EXPECT_EQ(last.code(), Code::not_sent) << last;
}

// The client process, which knows nothing of the test: 100 calls that are never answered.
[[noreturn]] void call_a_hundred_times(int port_pipe) {
  std::uint16_t port = 0;
  if (::read(port_pipe, &port, sizeof port) != sizeof port) ::_exit(2);
  parley::run([&] {
    Peer peer;
    const auto session = peer.dial("tcp://127.0.0.1:" + std::to_string(port));
    rt::Scope scope;
    for (int i = 0; i < 100; ++i) {
      scope.go("caller", [&] { (void)session->call("/for_ever"); });
    }
  });
  ::_exit(3);
}

void kill_a_client(std::size_t workers) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) call_a_hundred_times(read_end.get());

  rt::testing::run_fiber_test(
      [&] {
        Siege siege(PeerOptions{.drain_timeout = 10ms});
        rt::WaitGroup started;
        rt::WaitGroup ended;
        started.add(100);
        ended.add(100);
        siege.pair().server.handle("/for_ever", [&] {
          started.done();
          EXPECT_FALSE(rt::Event().wait().is_ok());
          ended.done();
        });
        const auto port = net::Address::parse(siege.pair().address)->port;
        ASSERT_EQ(::write(write_end.get(), &port, sizeof port), static_cast<ssize_t>(sizeof port));
        ASSERT_TRUE(started.wait().is_ok());
        siege.still_answers();
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        EXPECT_TRUE(ended.wait().is_ok());
        siege.wait_until_alone();
      },
      {.workers = workers});
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(Hostile, a_client_killed_with_a_hundred_calls_in_flight_leaves_nothing) {
  kill_a_client(1);
  kill_a_client(4);
}

}  // namespace
}  // namespace parley
