#include "load.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "parley/base/assert.h"
#include "window.h"

namespace parley::bench {
namespace {

Status bad_option(std::string_view option, std::string_view why) {
  return {Code::invalid_argument, "option " + std::string(option) + ": " + std::string(why)};
}

std::string text_of(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

// The number `text` says, between `least` and `most`.
Result<double> number_of(std::string_view option, std::string_view text, double least,
                         double most) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return bad_option(option, "not a number: \"" + std::string(text) + "\"");
  }
  if (!(number >= least && number <= most)) {
    return bad_option(
        option, std::string(text) + " is not within " + text_of(least) + " and " + text_of(most));
  }
  return number;
}

Status read_count(std::string_view option, std::string_view text, std::size_t least,
                  std::size_t most, std::size_t& count) {
  const Result<double> number =
      number_of(option, text, static_cast<double>(least), static_cast<double>(most));
  if (!number) return number.error();
  count = static_cast<std::size_t>(*number);
  if (static_cast<double>(count) != *number) return bad_option(option, "a whole number is needed");
  return {};
}

Status read_seconds(std::string_view option, std::string_view text, Duration& duration) {
  const Result<double> seconds = number_of(option, text, 0, max_seconds);
  if (!seconds) return seconds.error();
  duration = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
  return {};
}

Status read_option(std::string_view option, std::string_view text, Load& load) {
  if (option == "--address") {
    load.address = text;
    return {};
  }
  if (option == "--connections") {
    return read_count(option, text, 1, max_connections, load.connections);
  }
  if (option == "--depth") return read_count(option, text, 1, max_depth, load.depth);
  if (option == "--body-bytes") {
    return read_count(option, text, min_body_bytes, max_body_bytes, load.body_bytes);
  }
  if (option == "--ca-file") {
    load.ca_file = text;
    return {};
  }
  if (option == "--rate") {
    const Result<double> rate = number_of(option, text, 0, max_rate);
    if (rate) load.calls_per_second = *rate;
    return rate.error();
  }
  if (option == "--warmup-seconds") return read_seconds(option, text, load.warmup);
  if (option == "--seconds") return read_seconds(option, text, load.window);
  if (option == "--server-pid") {
    std::size_t pid = 0;
    Status status = read_count(option, text, 1, max_pid, pid);
    load.server_pid = static_cast<pid_t>(pid);
    return status;
  }
  return bad_option(option, "unknown; see bench/README.md");
}

}  // namespace

Result<Load> parse_load(int argc, const char* const* argv) {
  Load load;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--spin") {
      load.spin = true;
      continue;
    }
    if (option == "--websocket") {
      load.websocket = true;
      continue;
    }
    if (option == "--slice") {
      load.slice = true;
      continue;
    }
    if (option == "--no-idle-spin") {
      load.idle_spin = false;
      continue;
    }
    if (i + 1 == argc) return bad_option(option, "its value is missing");
    if (Status status = read_option(option, argv[++i], load); !status.is_ok()) return status;
  }
  if (load.address.empty()) return bad_option("--address", "required: what the server printed");
  if (load.server_pid == 0) return bad_option("--server-pid", "required: what the server printed");
  if (load.window <= Duration::zero()) return bad_option("--seconds", "must be above 0");
  return load;
}

Result<Serving> parse_serving(int argc, const char* const* argv) {
  Serving serving;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--no-idle-spin") {
      serving.idle_spin = false;
    } else if (option == "--overload") {
      serving.has_overloader = true;
    } else if (option == "--tls" && i + 1 < argc) {
      serving.tls_folder = argv[++i];
    } else if (option == "--tls") {
      return bad_option(option, "its value is missing");
    } else {
      return bad_option(option, "unknown; see bench/README.md");
    }
  }
  return serving;
}

std::string body_of(std::size_t connection, std::size_t slot, std::size_t bytes) {
  PARLEY_ASSERT(bytes >= min_body_bytes && connection < max_connections && slot < max_depth,
                "a body outside of the limits of a load");
  std::string body = "a-" + std::to_string(connection) + "-" + std::to_string(slot) + "-";
  while (body.size() < bytes) body += static_cast<char>('A' + body.size() % 26);
  return body;
}

int usage_error(const Status& status) {
  std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return 2;
}

int run_error(const Status& status) {
  std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return 1;
}

}  // namespace parley::bench
