// Fuzzes erpc's http framing: the first byte says how the rest is cut. However that is, the same
// messages and the same error come of it, no more is held than a head and a body, and what was read
// is written and read again as the same. The start of it is told from plain HTTP for good.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/door/erpc_http.h"
#include "parley/wire/testing/cut_stream.h"

namespace parley::door {
namespace {

constexpr std::size_t limit = 4096;
constexpr std::size_t most_head = std::size_t{64} << 10U;

void check_round_trip(const wire::Message& message) {
  const bool is_plain = message.status.is_ok() && message.method.find('?') == std::string::npos;
  if (!is_plain) return;
  const auto framing = erpc_http_framing();
  std::string out;
  const Status status = framing->make_encoder()->encode(message, out);
  PARLEY_ASSERT(status.is_ok(), "a message that was read cannot be written: " + status.to_string());
  const auto decoder = framing->make_decoder();
  decoder->feed(out);
  const auto next = decoder->next();
  PARLEY_ASSERT(next && next->has_value(), "a message we wrote cannot be read");
  const wire::Message& back = **next;
  PARLEY_ASSERT(back.seq == message.seq && back.type == message.type &&
                    back.method == message.method && back.body == message.body,
                "a message changed by being written and read");
  PARLEY_ASSERT(!decoder->mid_frame(), "a message we wrote has bytes to spare");
}

void check_beginning(std::string_view stream) {
  wire::Match before = wire::Match::needs_more;
  for (std::size_t size = 0; size <= stream.size() && size < limit; ++size) {
    const wire::Match now = begins_erpc_http(stream.substr(0, size));
    PARLEY_ASSERT(before == wire::Match::needs_more || before == now,
                  "further bytes changed what was decided");
    before = now;
  }
}

}  // namespace
}  // namespace parley::door

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using namespace parley::door;
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto framing =
      erpc_http_framing({.limits = {.max_frame_bytes = limit, .max_metadata_entries = 16}});
  const auto whole_decoder = framing->make_decoder();
  const auto pieces_decoder = framing->make_decoder();
  const auto whole = wire::testing::read_whole(*whole_decoder, stream);
  wire::testing::check_same(
      whole, wire::testing::read_in_pieces(*pieces_decoder, stream, data[0], most_head + limit));
  for (const wire::Message& message : whole.messages) check_round_trip(message);
  check_beginning(stream);
  return 0;
}
