// Foreign witnesses read what the registry writes: a grammar checker in Python, which shares no
// code with it; the parser of python3-prometheus-client; and promtool, which is Prometheus' own.
// Each is skipped where it is not installed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "parley/base/testing/witness.h"
#include "parley/observe/registry.h"

namespace parley::observe {
namespace {

constexpr int not_installed = 77;

// A label value of bytes that hurt: quotes, backslashes, ends of lines, halves of characters.
std::string nasty(std::mt19937& dice) {
  static constexpr std::string_view parts[] = {"a",
                                               "\"",
                                               "\\",
                                               "\n",
                                               "\\n",
                                               "}",
                                               "{",
                                               ",",
                                               " ",
                                               "=",
                                               "#",
                                               " # {",
                                               "\t",
                                               "\r",
                                               "\x01",
                                               "\xff",
                                               "\xc3\xa9",
                                               "\xe2\x82",
                                               "\xf0\x9f\x8d\xb5",
                                               "# EOF\n",
                                               "\xc2\x85",
                                               "\xe2\x80\xa8"};
  std::string text;
  for (auto left = dice() % 6; left > 0; --left) text += parts[dice() % std::size(parts)];
  return text;
}

// A registry with some of everything, the same at every call.
struct Full {
  Full() {
    std::mt19937 dice(7);
    auto& calls = *registry
                       .counters({.name = "calls", .help = "A \"help\"\nwith \\ in it."},
                                 {.labels = {"method", "code"}, .max_series = 100})
                       .value();
    for (int i = 0; i < 200; ++i) calls.with({nasty(dice), nasty(dice)}).add(dice());
    auto& levels =
        *registry.gauges({.name = "level", .help = "Levels."}, {.labels = {"which"}}).value();
    for (const double value : {0.0, -1.5, 1e300, 1e-300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
      levels.with({std::to_string(value)}).set(value);
    }
    auto& took = *registry
                      .histograms({.name = "took_seconds", .help = "Time.", .unit = "seconds"},
                                  {.labels = {"method"}}, Bounds::latency())
                      .value();
    for (int i = 0; i < 300; ++i) {
      took.with({nasty(dice)}).observe(static_cast<double>(dice() % 20'000) / 1e3, {dice(), 1});
    }
    auto& sizes =
        *registry
             .histogram({.name = "size_bytes", .help = "Sizes.", .unit = "bytes"},
                        Bounds::exponential({.start = 1, .factor = 10, .count = 10}).value())
             .value();
    sizes.observe(-1);
    for (int i = 0; i < 100; ++i) sizes.observe(static_cast<double>(dice()));
    (void)registry.counter({.name = "never", .help = "Never counted."}).value();
    (void)registry.gauges({.name = "empty", .help = "No series."}, {.labels = {"l"}}).value();
    reading = registry.gauge_of({.name = "read", .help = "Read."}, [] { return 4.25; }).value();
  }

  Registry registry;
  Reading reading;
};

class OpenMetrics : public ::testing::Test {
 protected:
  void SetUp() override {
    if (witness_.ask("python3 -c ''").code != 0) {
      GTEST_SKIP() << "python3 does not run here: there is nobody to read it";
    }
  }

  // What the witness makes of `text`.
  [[nodiscard]] parley::testing::Witness::Answer ask(const std::string& act,
                                                     const std::string& text,
                                                     const std::string& python = "python3") const {
    return witness_.ask(
        python + " '" PARLEY_SOURCE_DIR "/parley/observe/open_metrics_witness.py' " + act, text);
  }
  void expect_grammar(const std::string& text) const {
    const auto answer = ask("grammar", text);
    EXPECT_EQ(answer.code, 0) << answer.said;
  }

  parley::testing::Witness witness_;
};

TEST_F(OpenMetrics, keeps_to_the_grammar) {
  const Full full;
  expect_grammar(full.registry.open_metrics());
  expect_grammar(Registry().open_metrics());
}

TEST_F(OpenMetrics, carries_values_unchanged) {
  Registry registry;
  auto& gauges = *registry.gauges({.name = "g", .help = "h"}, {.labels = {"l"}}).value();
  gauges.with({"a\"b\\n\n\xc3\xa9"}).set(0.1);
  registry.counter({.name = "c", .help = "h"}).value()->add(9007199254740991);
  const auto answer = ask("values", registry.open_metrics());
  EXPECT_EQ(answer.code, 0) << answer.said;
  EXPECT_EQ(answer.out, "c_total - 9007199254740991.0\ng l=6122625c6e0ac3a9 0.1\n");
}

TEST_F(OpenMetrics, witness_refuses_what_is_not_open_metrics) {
  const std::string head = "# TYPE a gauge\n# HELP a h\n";
  expect_grammar(head + "a 1\n# EOF\n");
  for (const std::string& text :
       {head + "a 1\n", head + "a 1 \n# EOF\n", head + "a 1\na 1\n# EOF\n", head + "b 1\n# EOF\n",
        head + "a{l=\"\\x\"} 1\n# EOF\n", head + "a{l=\"\n\"} 1\n# EOF\n",
        head + "a 1\n" + head + "# EOF\n", std::string("# TYPE a counter\na 1\n# EOF\n"),
        std::string("# TYPE a counter\na_total -1\n# EOF\n"),
        std::string("# TYPE a histogram\na_bucket{le=\"1\"} 1\na_count 1\na_sum 1\n# EOF\n"),
        std::string("# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"
                    "a_count 1\na_sum 1\n# EOF\n")}) {
    EXPECT_EQ(ask("grammar", text).code, 1) << text;
  }
}

TEST_F(OpenMetrics, is_read_by_the_prometheus_client) {
  const Full full;
  // Debian's package serves the system's own interpreter, which need not be the first in the path.
  const auto answer = ask("client", full.registry.open_metrics(), "/usr/bin/python3");
  if (answer.code == not_installed) GTEST_SKIP() << "python3-prometheus-client is not installed";
  EXPECT_EQ(answer.code, 0) << answer.said;
}

TEST_F(OpenMetrics, is_read_by_prometheus) {
  if (witness_.ask("promtool --version").code != 0) {
    GTEST_SKIP() << "promtool is not installed (Debian package prometheus)";
  }
  const Full full;
  // promtool's `check metrics` reads the older text format. What reads OpenMetrics is the import of
  // samples, which wants a time for each.
  const auto timestamped = ask("timestamped", full.registry.open_metrics());
  ASSERT_EQ(timestamped.code, 0) << timestamped.said;
  const std::string import = "promtool tsdb create-blocks-from openmetrics page blocks";
  witness_.write("page", timestamped.out);
  (void)witness_.output_of(import);
  // It does read: one damaged byte is refused.
  std::string damaged = timestamped.out;
  damaged.replace(damaged.find("level{"), 6, "level(");
  witness_.write("page", damaged);
  EXPECT_NE(witness_.ask(import).code, 0);
}

}  // namespace
}  // namespace parley::observe
