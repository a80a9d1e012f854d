#include "load.h"

#include <gtest/gtest.h>

#include <vector>

namespace parley::bench {
namespace {

Result<Load> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "client");
  return parse_load(static_cast<int>(words.size()), words.data());
}

TEST(Load, is_read_from_the_command_line) {
  const auto load = parse({"--address",     "127.0.0.1:1", "--server-pid", "7",
                           "--connections", "4",           "--depth",      "64",
                           "--body-bytes",  "1024",        "--seconds",    "0.5",
                           "--spin",        "--websocket", "--slice",      "--no-idle-spin",
                           "--ca-file",     "ca.pem",      "--rate",       "1000"});
  ASSERT_TRUE(load) << load.error();
  EXPECT_EQ(load->connections, 4U);
  EXPECT_EQ(load->depth, 64U);
  EXPECT_EQ(load->body_bytes, 1024U);
  EXPECT_EQ(load->window, std::chrono::milliseconds(500));
  EXPECT_TRUE(load->spin);
  EXPECT_TRUE(load->websocket);
  EXPECT_TRUE(load->slice);
  EXPECT_FALSE(load->idle_spin);
  EXPECT_EQ(load->ca_file, "ca.pem");
  EXPECT_EQ(load->calls_per_second, 1000);
  EXPECT_EQ(latency_stride(*load), 16U);
}

TEST(Load, refuses_what_it_does_not_understand) {
  EXPECT_EQ(parse({}).error().code(), Code::invalid_argument);
  EXPECT_EQ(parse({"--address"}).error().code(), Code::invalid_argument);
  for (const char* depth : {"0", "4097", "1.5", "many", "", "nan"}) {
    const auto load = parse({"--address", "x", "--server-pid", "7", "--depth", depth});
    ASSERT_FALSE(load) << depth;
    EXPECT_NE(load.error().message().find("--depth"), std::string::npos) << load.error();
  }
  EXPECT_FALSE(parse({"--address", "x", "--server-pid", "7", "--turbo", "1"}));
  EXPECT_FALSE(parse({"--address", "x", "--server-pid", "5000000"}));
  EXPECT_FALSE(parse({"--address", "x", "--server-pid", "7", "--seconds", "0"}));
}

TEST(Load, of_a_server_is_read_from_the_command_line) {
  const auto serving = [](std::vector<const char*> words) {
    words.insert(words.begin(), "server");
    return parse_serving(static_cast<int>(words.size()), words.data());
  };
  EXPECT_TRUE(serving({})->idle_spin);
  EXPECT_EQ(serving({"--no-idle-spin", "--tls", "keys"})->tls_folder, "keys");
  EXPECT_FALSE(serving({"--no-idle-spin"})->idle_spin);
  EXPECT_TRUE(serving({"--overload"})->has_overloader);
  EXPECT_FALSE(serving({"--tls"}));
  EXPECT_FALSE(serving({"--turbo"}));
}

TEST(Load, gives_every_slot_a_body_of_its_own) {
  EXPECT_EQ(body_of(0, 0, 16).size(), 16U);
  EXPECT_EQ(body_of(9'999, 4'095, 64).size(), 64U);
  EXPECT_NE(body_of(1, 12, 16), body_of(11, 2, 16));
  EXPECT_EQ(next_turn('a'), 'b');
  EXPECT_EQ(next_turn('z'), 'a');
}

}  // namespace
}  // namespace parley::bench
