// The service that tests/cli_test.cc calls with the real command. It prints its address, then one
// line for everything a test may have to wait for.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "parley/peer/peer.h"
#include "parley/rt/runtime.h"
#include "parley/rt/signal.h"
#include "parley/rt/time.h"

namespace {

using namespace parley;

struct Order {
  std::string sku;
  int quantity = 0;
};

void print(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

int add(int a, int b) { return a + b; }

Order twice(const Order& order) { return {.sku = order.sku, .quantity = order.quantity * 2}; }

Status refuse() { return Status::business(1001, "out of tea\x1b[31m"); }

int fail() { return std::vector<int>().at(3); }  // throws

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::vector<std::string> metadata_of(Context& context) {
  std::vector<std::string> entries;
  for (const auto& [key, value] : context.metadata()) {
    if (key.starts_with("test-")) entries.push_back(key + "=" + value);
  }
  context.reply_metadata().add("test-served-by", "cli_test_service");
  return entries;
}

void handle_all(Peer& peer) {
  peer.handle("/math/add", add);
  peer.handle("/order/twice", twice);
  peer.handle("/order/refuse", refuse);
  peer.handle("/order/fail", fail);
  peer.handle("/text/repeat", repeat);
  peer.handle("/meta/list", metadata_of);
  peer.handle("/nothing", [] {});
  peer.handle("/note", [](Context& context, const std::string& text) {
    print(std::string(context.is_push() ? "pushed: " : "called: ") + text);
  });
  peer.handle("/slow/brief", []() -> Status { return rt::sleep(std::chrono::seconds(4)); });
  peer.handle("/slow/hour", []() -> Status {
    print("waiting");
    return rt::sleep(std::chrono::hours(1));
  });
  peer.handle("/crash", [] { ::_exit(0); });
}

int serve() {
  Peer peer;
  handle_all(peer);
  const auto address = peer.listen("tcp://127.0.0.1:0");
  if (!address) {
    print("cannot listen: " + address.error().to_string());
    return 1;
  }
  print(address->to_string());
  return rt::wait_signal({SIGTERM}) ? 0 : 1;
}

}  // namespace

int main() { return parley::run(serve); }
