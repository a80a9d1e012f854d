// Fuzzes the state machine of a session: a foreign side says frames in any order, with any numbers,
// and bytes that are none, to a session that has calls, streams and large bodies under way itself,
// as the one that dialled and as the one that accepted. All of it runs by a seed (rt/simulation.h).
//
// The first byte says who dialled and whether the foreign side reads; the rest are the steps of a
// Script. Whatever comes, it must not crash and must not hang, each call must end exactly once, and
// afterwards no session, handler or buffer may be left.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/base/bytes.h"
#include "parley/net/sim_network.h"
#include "parley/peer/peer.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "parley/wire/parley_framing.h"

namespace {

using namespace std::chrono_literals;
using namespace parley;
using wire::Message;
using wire::MessageType;

constexpr std::size_t most_steps = 200;
// Blocks that a session within its limits may hold, with what is on its way. Far fewer than what a
// script can make somebody keep who knows no limits.
constexpr std::size_t most_blocks = 512;

// A sender that knows no rules: it writes what it is told, one frame or some bytes at a time.
class Script {
 public:
  explicit Script(std::string_view bytes) : bytes_(bytes) {
    encoder_.allow({.max_frame = 1 << 20, .max_message = 1 << 20});
  }

  [[nodiscard]] bool is_over() const { return bytes_.empty() || steps_ >= most_steps; }
  // What is to be said next; nothing: it is silent for a while.
  std::string next() {
    ++steps_;
    const unsigned what = number();
    if (what == 0) return {};
    if (what >= 0xF0) return std::string(take(what - 0xEF));
    return frame(what);
  }
  std::string hello() {
    std::string out;
    encoder_.start(out);
    return out;
  }

 private:
  unsigned number() { return bytes_.empty() ? 0 : static_cast<unsigned char>(take(1)[0]); }
  std::string_view take(std::size_t count) {
    const std::string_view some = bytes_.substr(0, count);
    bytes_.remove_prefix(some.size());
    return some;
  }
  // kind in the low four bits, then flags; number; size of the body.
  std::string frame(unsigned what) {
    static constexpr std::array<std::string_view, 5> methods = {"/echo", "/wait", "/stream", "/no",
                                                                "/back"};
    Message message{.seq = static_cast<std::int32_t>(number() % 12),
                    .type = static_cast<MessageType>(what % 15),
                    .own = (what & 0x10U) != 0,
                    .more = (what & 0x20U) != 0};
    const unsigned size = number();
    if (message.type == MessageType::credit || message.type == MessageType::go_away) {
      message.value = size * 1'000;
    } else {
      message.body_codec = wire::BodyCodec::json;
      message.body = Bytes::from(std::string(size < 0xC0 ? size % 8 : (size - 0xBF) * 1'024, '1'));
    }
    message.method = methods.at(size % methods.size());
    if ((what & 0x40U) != 0) message.timeout = (what % 3) * 5ms;
    if ((what & 0x80U) != 0) message.status = Status(Code::aborted, "foreign");
    std::string out;
    // One that the encoder refuses is tried without what a frame of its kind lacks.
    if (!encoder_.encode(message, out).is_ok()) {
      message.body = {};
      message.more = false;
      (void)encoder_.encode(message, out);
    }
    return out;
  }

  std::string_view bytes_;
  std::size_t steps_ = 0;
  wire::ParleyEncoder encoder_;
};

PeerOptions small_limits(net::Network& node) {
  PeerOptions options;
  options.call_timeout = 500ms;
  options.frame_timeout = 200ms;
  options.write_timeout = 200ms;
  options.drain_timeout = 50ms;
  options.flush_timeout = 50ms;
  options.close_timeout = 50ms;
  options.max_frame_bytes = std::size_t{256} << 10U;
  options.max_handlers = 8;
  options.max_handler_bytes = std::size_t{512} << 10U;
  options.max_calls = 16;
  options.max_outgoing_bytes = std::size_t{256} << 10U;
  options.max_streams = 100;
  options.part_bytes = std::size_t{16} << 10U;
  options.network = &node;
  return options;
}

// A peer, and somebody who says what a script says.
class Conversation {
 public:
  Conversation(std::string_view script, bool is_dialled, bool reads)
      : script_(script), reads_(reads), peer_(small_limits(world_.node("peer"))) {
    peer_.handle("/echo", [](Bytes body) { return body; });
    peer_.handle("/wait", [] { return rt::Context::current().wait_done(); });
    peer_.handle("/back", [](Context& context) {
      (void)context.session().push("/no", std::string(40'000, 'x'));
      return context.session().call<int>(CallOptions{.timeout = 5ms}, "/no", 1).value_or(0);
    });
    peer_.handle_stream("/stream", [](Stream<int, std::string>& stream) -> Status {
      for (;;) {
        auto item = stream.receive();
        if (!item || !*item) return item ? Status() : item.error();
        if (Status s = stream.send(std::string(20'000, 'x')); !s.is_ok()) return s;
      }
    });
    is_dialled ? dial_out() : let_in();
  }

  void go() {
    if (foreign_ == nullptr) return;
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("foreign reader", [this] { read(); });
    if (session_) scope.go("asks", [this] { ask(*session_); });
    if (foreign_->write(script_.hello()).is_ok()) say();
    (void)foreign_->close_write();
    (void)rt::sleep(1s);
    foreign_->close();
    if (session_) session_->close();
    scope.join();
    peer_.close();
    PARLEY_ASSERT(peer_.session_count() == 0, "a session is left");
    PARLEY_ASSERT(told_ == promised_, "a call that nobody waited for did not end once");
  }

 private:
  void dial_out() {
    const auto listener = world_.node("foreign").listen(*net::Address::parse("tcp://0.0.0.0:80"));
    PARLEY_ASSERT(listener, "a node may listen");
    auto dialled = peer_.dial("tcp://foreign:80");
    PARLEY_ASSERT(dialled, "a node may dial");
    session_ = *dialled;
    foreign_ = (*listener)->accept().value();
  }
  void let_in() {
    PARLEY_ASSERT(peer_.listen("tcp://0.0.0.0:80"), "a node may listen");
    foreign_ = world_.node("foreign").dial(*net::Address::parse("tcp://peer:80")).value();
    while (peer_.session_count() == 0) rt::yield();
    session_ = peer_.sessions().front();
  }

  void read() {
    std::array<char, 4096> room{};
    while (reads_) {
      const auto size = foreign_->read(room);
      if (!size || *size == 0) return;
    }
  }
  void say() {
    while (!script_.is_over()) {
      const std::string bytes = script_.next();
      if (bytes.empty()) {
        (void)rt::sleep(3ms);
      } else if (!foreign_->write(bytes, rt::Deadline::after(20ms)).is_ok()) {
        return;
      }
      PARLEY_ASSERT(Block::live() < most_blocks, "a session holds more than its limits let it");
    }
  }
  // So that there are calls and streams of these numbers, and bodies in parts.
  void ask(const Session& session) {
    rt::Scope scope;
    scope.go("call", [&] { (void)session.call<int>("/x", 1); });
    scope.go("large", [&] { (void)session.call<int>("/x", std::string(100'000, 'x')); });
    scope.go("given up", [&] {
      (void)session.call<int>(CallOptions{.timeout = 2ms}, "/x", std::string(60'000, 'x'));
    });
    scope.go("then", [&] {
      const Status begun = session.call_then<int>([this](const Result<int>&) { ++told_; }, "/x", 2);
      if (begun.is_ok()) ++promised_;
    });
    scope.go("stream", [&] {
      auto stream = session.open<int, std::string>(CallOptions{.timeout = 300ms}, "/y");
      if (!stream) return;
      for (int i = 0; i < 4; ++i) {
        if (!stream->send(std::string(30'000, 'x')).is_ok()) return;
      }
      while (stream->receive().value_or(std::optional<int>())) {}
    });
    (void)session.push("/no", std::string(50'000, 'x'));
    (void)session.push("/no", 1);
  }

  net::SimWorld world_{{.link = {.latency = 1ms, .jitter = {}, .max_packet = 65'536}}};
  Script script_;
  const bool reads_;
  int told_ = 0;
  int promised_ = 0;
  Peer peer_;
  std::optional<Session> session_;
  std::unique_ptr<net::Stream> foreign_;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t before = Block::live();
  rt::simulate({.seed = data[0]}, [&] {
    Conversation conversation(script, (data[0] & 1U) != 0, (data[0] & 2U) == 0);
    conversation.go();
  });
  PARLEY_ASSERT(Block::live() == before, "a buffer is left");
  return 0;
}
