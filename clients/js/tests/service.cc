// The service that cases.js talks to, behind a door. It prints its address and ends with its
// standard input.
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "parley/door/door.h"
#include "parley/net/network.h"
#include "parley/peer/peer.h"
#include "parley/rt/blocking.h"
#include "parley/rt/context.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace {

using namespace parley;

struct Order {
  std::string sku;
  int quantity = 0;
};

struct Numbers {
  std::string before;
  std::int64_t least = 0;
  std::uint64_t most = 0;
  std::vector<std::int64_t> all;
  std::string after;
};

std::atomic<int> given_up = 0;

std::vector<std::string> metadata_of(Context& context) {
  std::vector<std::string> entries;
  for (const auto& [key, value] : context.metadata()) entries.push_back(key + "=" + value);
  context.reply_metadata().add("served-by", "service");
  return entries;
}

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Waits until its caller gives up.
Status wait_for_ever() {
  Status status = rt::sleep(std::chrono::hours(1));
  ++given_up;
  return status;
}

int left_ms() {
  const auto deadline = rt::Context::current().deadline();
  if (deadline.is_never()) return -1;
  const auto left = deadline.instant() - rt::now();
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
}

void handle_calls(Peer& peer) {
  peer.handle("/math/add", [](int a, int b) { return a + b; });
  peer.handle("/order/twice", [](const Order& order) {
    return Order{.sku = order.sku, .quantity = order.quantity * 2};
  });
  peer.handle("/order/refuse", [] { return Status::business(1001, "out of tea"); });
  peer.handle("/order/fail", [] { return std::vector<int>().at(3); });
  peer.handle("/text/repeat", repeat);
  peer.handle("/text/size", [](const std::string& text) { return text.size(); });
  peer.handle("/meta/list", metadata_of);
  peer.handle("/nothing", [] {});
  peer.handle("/number", [](std::int64_t number) { return number; });
  peer.handle("/numbers", [](const Numbers& numbers) { return numbers; });
  peer.handle("/wait", wait_for_ever);
  peer.handle("/given-up", [] { return given_up.load(); });
  peer.handle("/left-ms", left_ms);
}

// What comes back to the caller as calls, pushes and streams of this side.
void handle_returned(Peer& peer) {
  peer.handle("/ask", [](Context& context, int number) {
    return context.session().call<int>("/client/double", number);
  });
  peer.handle("/ask/nobody",
              [](Context& context) { return context.session().call<int>("/client/nobody", 1); });
  peer.handle("/ask/impatient", [](Context& context) {
    return context.session().call<int>({.timeout = std::chrono::milliseconds(50)}, "/client/wait");
  });
  peer.handle("/ask/large", [](Context& context, int bytes) {
    return context.session().call<std::size_t>("/client/size", std::string(bytes, 'x'));
  });
  peer.handle("/note", [](Context& context, const std::string& text) {
    return context.session().push("/client/note", text + (context.is_push() ? "!" : "?"));
  });
  peer.handle("/ask/sum", [](Context& context, int count) -> Result<int> {
    auto sums = context.session().open<int, int>("/client/sum");
    if (!sums) return sums.error();
    for (int i = 1; i <= count; ++i) {
      if (Status s = sums->send(i); !s.is_ok()) return s;
    }
    if (Status s = sums->finish(); !s.is_ok()) return s;
    auto sum = sums->receive();
    if (!sum) return sum.error();
    return sum->value_or(-1);
  });
  // GO_AWAY, without waiting for the end here.
  peer.handle("/leave", [](Context& context) { context.session().close(); });
}

void handle_streams(Peer& peer) {
  peer.handle_stream("/echo", [](Stream<std::string, std::string>& stream) -> Status {
    while (true) {
      auto text = stream.receive();
      if (!text) return text.error();
      if (!*text) return {};
      if (Status s = stream.send("<" + **text + ">"); !s.is_ok()) return s;
    }
  });
  peer.handle_stream("/sum", [](Stream<int, int>& stream) -> Status {
    int sum = 0;
    while (true) {
      auto number = stream.receive();
      if (!number) return number.error();
      if (!*number) return stream.send(sum);
      sum += **number;
    }
  });
  // Until nobody listens.
  peer.handle_stream("/flood", [](Stream<int, std::string>& stream) -> Status {
    const std::string large(10'000, 'x');
    while (true) {
      if (Status s = stream.send(large); !s.is_ok()) {
        ++given_up;
        return s;
      }
    }
  });
  peer.handle_stream("/refuse", [](Stream<int, int>& stream) -> Status {
    if (Status s = stream.send(1); !s.is_ok()) return s;
    return Status::business(1002, "no more");
  });
}

int serve() {
  PeerOptions options;
  options.drain_timeout = std::chrono::seconds(2);
  Peer peer(options);
  handle_calls(peer);
  handle_returned(peer);
  handle_streams(peer);
  net::SocketNetwork network;
  const auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
  if (!listener) {
    std::puts(listener.error().to_string().c_str());
    return 1;
  }
  door::Door door(**listener, peer);
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("door", [&] { (void)door.serve(); });
  std::puts((*listener)->address().to_string().c_str());
  std::fflush(stdout);
  std::array<char, 16> nothing{};
  const auto ended = rt::blocking([&] { return ::read(0, nothing.data(), nothing.size()); });
  return ended >= 0 ? 0 : 1;
}

}  // namespace

int main() { return parley::run(serve); }
