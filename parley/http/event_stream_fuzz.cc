// A stream of events cut anywhere is the same one, keeps to the limits, and its events are read
// again as they are written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/http/event_stream.h"

namespace parley::http {
namespace {

// Small, so that the fuzzer meets them.
constexpr EventStreamLimits small = {.max_line_bytes = 40, .max_event_bytes = 60};

std::vector<ServerEvent> read(std::string_view stream, std::size_t size,
                              const EventStreamLimits& limits, Code& end) {
  EventStreamReader reader(limits);
  std::vector<ServerEvent> events;
  while (!stream.empty()) {
    const std::string copy(stream.substr(0, size));
    stream.remove_prefix(copy.size());
    std::string_view piece = copy;
    for (;;) {
      const Result<bool> has_one = reader.next(piece);
      end = has_one.error().code();
      if (!has_one) return events;
      if (!*has_one) break;
      events.push_back(reader.event());
    }
    PARLEY_ASSERT(piece.empty(), "more was asked for with bytes left");
  }
  return events;
}

void fuzz(std::uint8_t way, std::string_view stream) {
  Code whole_end = Code::ok;
  Code cut_end = Code::ok;
  const auto whole = read(stream, stream.size() + 1, small, whole_end);
  const auto cut = read(stream, way + 1U, small, cut_end);
  PARLEY_ASSERT(whole == cut && whole_end == cut_end, "cutting the stream changed it");
  for (const ServerEvent& event : whole) {
    PARLEY_ASSERT(event.data.size() < small.max_event_bytes, "more data than the limit");
    const Result<std::string> text = write_event(event);
    PARLEY_ASSERT(text.has_value(), text.error().to_string());
    Code end = Code::ok;
    const auto again = read(*text, text->size(), default_event_stream_limits, end);
    PARLEY_ASSERT(again.size() == 1 && again[0] == event, "another event");
  }
}

}  // namespace
}  // namespace parley::http

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  parley::http::fuzz(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
