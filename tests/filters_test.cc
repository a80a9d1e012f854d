// The transfer filters that Parley brings, between two peers: on fibers, whose stacks are small.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "parley/peer/peer.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/wire/filters/standard.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley {
namespace {

using wire::FilterPipe;
using Framings = std::vector<std::shared_ptr<const wire::Framing>>;

std::string some_text(std::size_t size) {
  std::mt19937 random(17);
  std::string text;
  while (text.size() < size) text += "item " + std::to_string(random() % 1000) + ", ";
  text.resize(size);
  return text;
}

// Calls through every filter, in every framing.
void call_through_filters() {
  for (const int level : {1, 9}) {
    const auto filters = wire::standard_filters({.level = level}, {.level = 2 * level + 1});
    const wire::ErpcLimits limits{.filters = filters};
    const Framings framings = {
        std::make_shared<wire::ParleyFraming>(), std::make_shared<wire::RawFraming>(limits),
        std::make_shared<wire::JsonFraming>(limits), std::make_shared<wire::PbFraming>(limits)};
    for (const auto& framing : framings) {
      // Filters hide which of Teleport's formats a frame is, so each has a port of its own.
      Peer server({.framings = {framing}, .filters = filters});
      server.handle("/echo", [](const std::string& text) { return text; });
      const auto listening = server.listen("tcp://127.0.0.1:0");
      ASSERT_TRUE(listening) << listening.error();
      Peer client({.framings = {framing}, .filters = filters});
      const auto session = client.dial(listening->to_string());
      ASSERT_TRUE(session) << session.error();
      for (const std::string_view pipe : {"g", "z", "m", "c", "zc", "gm", "gzmc"}) {
        for (const std::size_t size : {0U, 100U, 100'000U}) {
          const std::string text = some_text(size);
          const auto echo =
              session->call<std::string>(CallOptions{.filters = FilterPipe(pipe)}, "/echo", text);
          ASSERT_TRUE(echo) << framing->name() << " " << pipe << " " << echo.error();
          EXPECT_TRUE(*echo == text) << framing->name() << " " << pipe << " " << size;
        }
      }
    }
  }
}

TEST(PeersWithFilters, call_through_each_in_every_framing) {
  rt::testing::run_fiber_test(&call_through_filters, {.workers = 2, .stack_size = 64 * 1024});
}

}  // namespace
}  // namespace parley
