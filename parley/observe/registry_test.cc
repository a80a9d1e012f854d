#include "parley/observe/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <thread>

#include "parley/observe/limits.h"

namespace parley::observe {
namespace {

Description named(std::string name) { return {.name = std::move(name), .help = "Help."}; }

// The message with which a counter of that name is refused.
std::string refusal(std::string name) {
  Registry registry;
  const auto made = registry.counter(named(std::move(name)));
  if (made) return "it was not refused";
  return made.error().message();
}

TEST(Registry, of_nothing_is_only_an_end_mark) { EXPECT_EQ(Registry().open_metrics(), "# EOF\n"); }

TEST(Registry, writes_counters_and_gauges) {
  Registry registry;
  Counter& sent =
      *registry.counter({.name = "sent_bytes", .help = "Bytes sent.", .unit = "bytes"}).value();
  Gauge& open = *registry.gauge({.name = "open", .help = "Connections."}).value();
  sent.add(12'345'678'901'234'567'890U);
  open.set(-2.5);
  EXPECT_EQ(registry.open_metrics(),
            "# TYPE open gauge\n"
            "# HELP open Connections.\n"
            "open -2.5\n"
            "# TYPE sent_bytes counter\n"
            "# UNIT sent_bytes bytes\n"
            "# HELP sent_bytes Bytes sent.\n"
            "sent_bytes_total 12345678901234567890\n"
            "# EOF\n");
}

TEST(Registry, writes_histograms_with_their_buckets_in_order) {
  Registry registry;
  Histogram& took = *registry
                         .histogram({.name = "call_seconds", .help = "Time.", .unit = "seconds"},
                                    Bounds::of({0.00001, 0.25, 1, 1e6}).value())
                         .value();
  took.observe(0.25);
  took.observe(0.5, {0xab, 1});
  took.observe(2e6);
  EXPECT_EQ(registry.open_metrics(),
            "# TYPE call_seconds histogram\n"
            "# UNIT call_seconds seconds\n"
            "# HELP call_seconds Time.\n"
            "call_seconds_bucket{le=\"1e-05\"} 0\n"
            "call_seconds_bucket{le=\"0.25\"} 1\n"
            "call_seconds_bucket{le=\"1.0\"} 2 # {trace_id=\"00000000000000ab0000000000000001\"} "
            "0.5\n"
            "call_seconds_bucket{le=\"1e+06\"} 2\n"
            "call_seconds_bucket{le=\"+Inf\"} 3\n"
            "call_seconds_count 3\n"
            "call_seconds_sum 2.00000075e+06\n"
            "# EOF\n");
}

TEST(Registry, writes_families_sorted_by_their_values) {
  Registry registry;
  auto& calls = *registry.counters(named("calls"), {.labels = {"method", "code"}}).value();
  calls.with({"/b", "ok"}).add(1);
  calls.with({"/a", "ok"}).add(2);
  auto& queued = *registry.gauges(named("queued"), {.labels = {"side"}}).value();
  queued.with({"out"}).set(3);
  auto& took =
      *registry.histograms(named("took"), {.labels = {"side"}}, Bounds::of({1}).value()).value();
  took.with({"in"}).observe(0.5);
  EXPECT_EQ(registry.open_metrics(),
            "# TYPE calls counter\n"
            "# HELP calls Help.\n"
            "calls_total{method=\"/a\",code=\"ok\"} 2\n"
            "calls_total{method=\"/b\",code=\"ok\"} 1\n"
            "# TYPE queued gauge\n"
            "# HELP queued Help.\n"
            "queued{side=\"out\"} 3.0\n"
            "# TYPE took histogram\n"
            "# HELP took Help.\n"
            "took_bucket{side=\"in\",le=\"1.0\"} 1\n"
            "took_bucket{side=\"in\",le=\"+Inf\"} 1\n"
            "took_count{side=\"in\"} 1\n"
            "took_sum{side=\"in\"} 0.5\n"
            "# EOF\n");
}

TEST(Registry, escapes_what_a_line_could_not_hold) {
  Registry registry;
  auto& calls = *registry
                     .counters({.name = "calls", .help = "One \"line\"\nand a \\ more."},
                               {.labels = {"method"}})
                     .value();
  calls.with({"a\"b\\c\nd\te\rf\x7f"}).add();
  EXPECT_EQ(registry.open_metrics(),
            "# TYPE calls counter\n"
            "# HELP calls One \\\"line\\\"\\nand a \\\\ more.\n"
            "calls_total{method=\"a\\\"b\\\\c\\nd\te\xef\xbf\xbd"
            "f\xef\xbf\xbd\"} 1\n"
            "# EOF\n");
}

TEST(Registry, writes_well_formed_utf8_whatever_bytes_a_label_holds) {
  const auto shown = [](std::string_view value) {
    Registry registry;
    (void)registry.gauges(named("g"), {.labels = {"l"}}).value()->with({value});
    const std::string text = registry.open_metrics();
    const auto from = text.find("l=\"") + 3;
    return text.substr(from, text.find("\"} ") - from);
  };
  const std::string bad = "\xef\xbf\xbd";
  for (const char* kept : {"", "tea", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(shown(kept), kept);
  }
  EXPECT_EQ(shown("\xc0\x80"), bad + bad);                      // a shorter form would do
  EXPECT_EQ(shown("\xe0\x9f\xbf"), bad + bad + bad);            // the same, of three bytes
  EXPECT_EQ(shown("\xed\xa0\x80"), bad + bad + bad);            // a surrogate
  EXPECT_EQ(shown("\xf0\x8f\xbf\xbf"), bad + bad + bad + bad);  // a shorter form of four
  EXPECT_EQ(shown("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // beyond U+10FFFF
  EXPECT_EQ(shown("\xe2\x82"), bad + bad);                      // cut off
  EXPECT_EQ(shown("\xff z"), bad + " z");
  EXPECT_EQ(shown(std::string_view("a\0b", 3)), "a" + bad + "b");
}

TEST(Registry, writes_numbers_that_read_back_as_they_were) {
  Registry registry;
  Gauge& gauge = *registry.gauge(named("g")).value();
  const auto shown = [&](double value) {
    gauge.set(value);
    const std::string text = registry.open_metrics();
    const auto from = text.find("\ng ") + 3;
    return text.substr(from, text.find('\n', from) - from);
  };
  EXPECT_EQ(shown(0), "0.0");
  EXPECT_EQ(shown(-0.0), "-0.0");
  EXPECT_EQ(shown(0.1), "0.1");
  EXPECT_EQ(shown(0.0001), "0.0001");
  EXPECT_EQ(shown(0.00001), "1e-05");
  EXPECT_EQ(shown(999'999), "999999.0");
  EXPECT_EQ(shown(1e6), "1e+06");
  EXPECT_EQ(shown(-123456789.5), "-1.234567895e+08");
  EXPECT_EQ(shown(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(shown(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(shown(std::nan("")), "NaN");
  for (const double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456.789}) {
    EXPECT_EQ(std::strtod(shown(value).c_str(), nullptr), value);
  }
}

TEST(Registry, refuses_names_with_the_reason) {
  EXPECT_EQ(refusal(""), "counter '' is empty: give it a name");
  EXPECT_EQ(refusal("calls total"), "counter 'calls total' holds ' ': use letters, digits and '_'");
  EXPECT_EQ(refusal("caf\xc3\xa9"),
            "counter 'caf\xc3\xa9' holds '\xef\xbf\xbd': use letters, digits and '_'");
  EXPECT_EQ(refusal("7calls"), "counter '7calls' begins with a digit: begin with a letter");
  EXPECT_EQ(refusal("_calls"),
            "counter '_calls' begins with '_', which OpenMetrics reserves: begin with a letter");
  EXPECT_EQ(refusal("job:calls"),
            "counter 'job:calls' holds a ':': the colon is for names that monitoring servers "
            "compute");
  EXPECT_EQ(refusal("calls_total"),
            "counter 'calls_total' ends in '_total', which is added to counters when they are "
            "rendered: call it 'calls'");
  for (const char* name : {"a_created", "a_bucket", "a_count", "a_sum", "a_info", "a_gcount"}) {
    EXPECT_NE(refusal(name).find("OpenMetrics keeps"), std::string::npos) << name;
  }
  EXPECT_EQ(refusal("parley_observe_refused"),
            "counter 'parley_observe_refused': the registry itself counts under this name");
}

TEST(Registry, refuses_help_and_units_with_the_reason) {
  Registry registry;
  const auto message = [&](Description description) {
    return registry.gauge(std::move(description)).error().message();
  };
  EXPECT_EQ(message({.name = "g", .help = ""}),
            "gauge 'g' has no help: say in one sentence what it tells");
  EXPECT_EQ(message({.name = "g", .help = "\xff"}),
            "gauge 'g': its help holds control characters or is not UTF-8");
  EXPECT_EQ(message({.name = "wait", .help = "h", .unit = "seconds"}),
            "gauge 'wait' does not end in its unit: call it 'wait_seconds'");
  EXPECT_EQ(message({.name = "wait_s s", .help = "h", .unit = "s s"}).substr(0, 15),
            "gauge 'wait_s s");
  EXPECT_EQ(message({.name = "wait", .help = "h", .unit = "m/s"}),
            "gauge 'wait': its unit holds '/': use letters, digits and '_'");
  EXPECT_EQ(registry.open_metrics(), "# EOF\n") << "what was refused leaves nothing behind";
}

TEST(Registry, refuses_texts_over_their_limits) {
  const auto code = [](std::size_t name, std::size_t help) {
    Registry registry;
    const auto made =
        registry.counter({.name = std::string(name, 'n'), .help = std::string(help, 'h')});
    return made ? Code::ok : made.error().code();
  };
  EXPECT_EQ(code(limits::name_bytes, limits::help_bytes), Code::ok);
  EXPECT_EQ(code(limits::name_bytes + 1, 1), Code::resource_exhausted);
  EXPECT_EQ(code(1, limits::help_bytes + 1), Code::resource_exhausted);
}

TEST(Registry, refuses_labels_with_the_reason) {
  Registry registry;
  const auto message = [&](std::vector<std::string> labels) {
    return registry.histograms(named("h"), {.labels = std::move(labels)}, Bounds::latency())
        .error()
        .message();
  };
  EXPECT_EQ(message({}),
            "histogram 'h': a family needs a label: for a metric without one, leave the family "
            "out");
  EXPECT_EQ(message({"le"}),
            "histogram 'h': label 'le' is the bound of a bucket: call it otherwise");
  EXPECT_EQ(message({"a", "b", "a"}), "histogram 'h': label 'a' is there twice");
  EXPECT_EQ(message({"_a"}),
            "histogram 'h': label '_a' begins with '_', which OpenMetrics reserves: begin with a "
            "letter");
  EXPECT_EQ(message({"a-b"}), "histogram 'h': label 'a-b' holds '-': use letters, digits and '_'");
  EXPECT_EQ(message(std::vector<std::string>(limits::labels + 1, "a")),
            "histogram 'h': 11 labels, limits::labels is 10");
  EXPECT_TRUE(registry.counters(named("c"), {.labels = {"le"}})) << "no bucket, no clash";
  EXPECT_EQ(registry.counters(named("d"), {.labels = {"a"}, .max_series = 0}).error().message(),
            "counter 'd': max_series is 0, it must be at least 1");
}

TEST(Registry, refuses_a_name_that_is_taken) {
  Registry registry;
  Counter* const first = registry.counter(named("calls")).value();
  const auto again = registry.gauge(named("calls"));
  EXPECT_EQ(again.error().code(), Code::already_exists);
  EXPECT_EQ(again.error().message(),
            "gauge 'calls': the name 'calls' is taken by counter 'calls': keep the pointer that "
            "made it, or choose another name");
  first->add();
  EXPECT_NE(registry.open_metrics().find("calls_total 1\n"), std::string::npos);
}

TEST(Registry, has_a_limit_on_metrics) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}}) {
    Registry registry({.max_metrics = limit});
    for (std::size_t i = 0; i < limit; ++i) {
      EXPECT_TRUE(registry.counter(named("c" + std::to_string(i))));
    }
    const Status status = registry.gauge(named("one_more")).error();
    EXPECT_EQ(status.code(), Code::resource_exhausted);
    EXPECT_EQ(status.message(),
              "gauge 'one_more' is one too many: RegistryOptions::max_metrics is " +
                  std::to_string(limit));
  }
}

TEST(Registry, keeps_handles_valid_while_it_grows) {
  Registry registry;
  Counter& first = *registry.counter(named("first")).value();
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(registry.counter(named("c" + std::to_string(i))));
  }
  first.add(7);
  EXPECT_NE(registry.open_metrics().find("first_total 7\n"), std::string::npos);
}

TEST(Registry, reads_functions_at_scrape_time) {
  Registry registry;
  double level = 1;
  std::uint64_t seen = 5;
  const auto gauge = registry.gauge_of(named("level"), [&] { return level; });
  const auto counter = registry.counter_of(named("seen"), [&] { return seen; });
  ASSERT_TRUE(gauge && counter);
  level = 2;
  seen = 6;
  EXPECT_EQ(registry.open_metrics(),
            "# TYPE level gauge\n# HELP level Help.\nlevel 2.0\n"
            "# TYPE seen counter\n# HELP seen Help.\nseen_total 6\n# EOF\n");
}

TEST(Registry, forgets_a_reading_that_went_and_frees_its_name) {
  Registry registry({.max_metrics = 1});
  for (int i = 0; i < 3; ++i) {
    auto reading = registry.gauge_of(named("level"), [i] { return i; });
    ASSERT_TRUE(reading) << reading.error();
    EXPECT_NE(registry.open_metrics().find("level " + std::to_string(i) + ".0\n"),
              std::string::npos);
  }
  EXPECT_EQ(registry.open_metrics(), "# EOF\n");
  EXPECT_TRUE(registry.counter(named("other"))) << "its place is free too";
}

TEST(Registry, forgets_a_reading_that_another_is_assigned_to) {
  Registry registry;
  Reading reading = registry.gauge_of(named("a"), [] { return 1; }).value();
  reading = registry.gauge_of(named("b"), [] { return 2; }).value();
  EXPECT_EQ(registry.open_metrics(), "# TYPE b gauge\n# HELP b Help.\nb 2.0\n# EOF\n");
}

TEST(Registry, may_go_before_its_readings) {
  std::optional<Registry> registry(std::in_place);
  Reading reading = registry->gauge_of(named("level"), [] { return 1; }).value();
  registry.reset();
  reading = Reading();
}

TEST(Registry, refuses_an_empty_function) {
  Registry registry;
  EXPECT_EQ(registry.gauge_of(named("level"), nullptr).error().message(),
            "gauge 'level' has an empty function to read it");
  EXPECT_FALSE(registry.counter_of(named("seen"), nullptr));
}

TEST(Registry, counts_what_it_had_to_leave_out) {
  Registry registry;
  Histogram& took = *registry.histogram(named("took"), Bounds::of({1}).value()).value();
  took.observe(-1);
  took.observe(std::nan(""));
  const auto broken =
      registry.gauge_of(named("broken"), []() -> double { throw std::runtime_error("no"); });
  EXPECT_EQ(registry.open_metrics(),
            "# TYPE broken gauge\n# HELP broken Help.\n"
            "# TYPE took histogram\n# HELP took Help.\n"
            "took_bucket{le=\"1.0\"} 0\ntook_bucket{le=\"+Inf\"} 0\ntook_count 0\ntook_sum 0.0\n"
            "# TYPE parley_observe_refused counter\n"
            "# HELP parley_observe_refused Values left out of a metric because they were negative "
            "or not finite, or because the function that reads them threw.\n"
            "parley_observe_refused_total{metric=\"broken\"} 1\n"
            "parley_observe_refused_total{metric=\"took\"} 2\n"
            "# EOF\n");
}

TEST(Registry, is_scraped_while_metrics_and_readings_come_and_go) {
  constexpr int rounds = 300;
  Registry registry;
  std::atomic<bool> done{false};
  std::atomic<int> broken{0};
  std::thread scraper([&] {
    while (!done) {
      if (!registry.open_metrics().ends_with("# EOF\n")) ++broken;
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < rounds; ++round) {
        // Gone before the function is: a scrape that still called it would read freed memory.
        auto level = std::make_unique<double>(round);
        auto reading = registry.gauge_of(named("level" + std::to_string(i)),
                                         [at = level.get()] { return *at; });
        if (!reading) ++broken;
        const auto made =
            registry.counter(named("c" + std::to_string(i) + "_" + std::to_string(round)));
        if (!made) ++broken;
        { const Reading gone = std::move(reading).value(); }
        level = nullptr;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  scraper.join();
  EXPECT_EQ(broken, 0);
}

}  // namespace
}  // namespace parley::observe
