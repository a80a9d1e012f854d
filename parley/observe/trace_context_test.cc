#include "parley/observe/trace_context.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::observe {
namespace {

// The standard's own example.
constexpr const char* example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, is_read_and_written_as_the_standard_says) {
  const auto context = TraceContext::parse(example, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace, (TraceId{0x4bf92f3577b34da6, 0xa3ce929d0e0e4736}));
  EXPECT_EQ(context->span, 0x00f067aa0ba902b7U);
  EXPECT_TRUE(context->is_sampled);
  EXPECT_EQ(context->state, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  EXPECT_EQ(context->traceparent(), example);
  const TraceContext child = context->child(7);
  EXPECT_EQ(child.traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01");
  EXPECT_EQ(child.state, context->state);
}

TEST(TraceContext, a_flag_says_whether_it_is_sampled_and_others_are_not_passed_on) {
  const std::string start(example, 53);
  for (const auto& [flags, written] : std::vector<std::pair<std::string, std::string>>{
           {"00", "00"}, {"01", "01"}, {"02", "00"}, {"03", "01"}, {"fe", "00"}, {"ff", "01"}}) {
    const auto context = TraceContext::parse(start + flags);
    ASSERT_TRUE(context) << flags;
    EXPECT_EQ(context->traceparent(), start + written);
  }
}

TEST(TraceContext, a_traceparent_that_is_wrong_anywhere_is_none) {
  const std::string good = example;
  std::vector<std::string> wrong = {
      "",
      "00",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-011",
      good + "-",
      good + "0",
      " " + good,
      good + " ",
      good + "," + good,
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    wrong.push_back(good.substr(0, i));
    std::string changed = good;
    changed[i] = good[i] == '-' ? '0' : 'g';
    wrong.push_back(changed);
  }
  for (const std::string& each : wrong) EXPECT_FALSE(TraceContext::parse(each)) << each;
}

TEST(TraceContext, a_later_version_is_read_as_far_as_this_one_goes) {
  const std::string later = "cc" + std::string(example + 2);
  for (const std::string& text : {later, later + "-", later + "-what the future brings"}) {
    const auto context = TraceContext::parse(text);
    ASSERT_TRUE(context) << text;
    EXPECT_EQ(context->traceparent(), example);
  }
  EXPECT_FALSE(TraceContext::parse(later + ".what"));
  EXPECT_FALSE(TraceContext::parse(later + "0"));
}

TEST(TraceContext, a_tracestate_that_is_wrong_is_left_out_alone) {
  std::string many;
  for (int i = 0; i < 32; ++i) many += "k" + std::to_string(i) + "=1,";
  const std::string long_key(256, 'k');
  const std::string tenant(241, '1');
  const std::vector<std::string> good = {
      "",
      "a=1",
      "a=1,b=2",
      "a=1 ,\t b=2,",
      ",,a=1",
      "fw529a3039@dt=FfYHf",
      "a_-*/9=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~",
      "a= b",
      many,
      long_key + "=1",
      "a=" + std::string(256, 'v'),
      tenant + "@systemsystemsy=1",
  };
  for (const std::string& each : good) {
    EXPECT_TRUE(is_trace_state(each)) << each;
  }
  const std::vector<std::string> wrong = {
      "a",
      "=1",
      "a=",
      "a=1=2",
      "A=1",
      "1a=1",
      "a=1;b=2",
      "a\n=1",
      "a=\x7f",
      "a=1,a=2",
      "a b=1",
      "@a=1",
      "a@=1",
      "a@1=1",
      "a@b@c=1",
      long_key + "k=1",
      "a=" + std::string(257, 'v'),
      many + "last=1",
      tenant + "1@s=1",
      "t@systemsystemsys=1",
      "a=\xC3\xA9",
  };
  for (const std::string& each : wrong) {
    EXPECT_FALSE(is_trace_state(each)) << each;
    const auto context = TraceContext::parse(example, each);
    ASSERT_TRUE(context);
    EXPECT_EQ(context->state, "");
  }
  // Well formed, and longer than is passed on.
  const std::string part = std::string(200, 'v');
  EXPECT_EQ(TraceContext::parse(example, "a=" + part + ",b=" + part + ",c=" + part)->state, "");
  EXPECT_EQ(TraceContext::parse(example, " a=1 ")->state, "a=1");
}

}  // namespace
}  // namespace parley::observe
