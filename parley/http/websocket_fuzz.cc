// Fuzzes frames, compressed ones too, and the negotiation of compression. The first byte says the
// side, what was agreed on and how the rest is cut; then
//  - where the stream is cut changes neither the events nor the code it is refused with, and no
//    message is longer than max_message;
//  - what was read is written and read again, with compression and in fragments, and is the same;
//  - an offer that a server takes gives an answer that a client takes, with the same windows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/http/websocket_codec.h"

namespace {

using namespace parley::http;
using Event = WebSocketReader::Event;

constexpr std::size_t most = 5000;
const WebSocketLimits limits{
    .max_message = most, .max_fragments = 50, .max_controls_per_second = 20};

struct Seen {
  std::string events;
  std::vector<std::pair<WebSocketType, std::string>> messages;
};

Seen read(WebSocketReader reader, std::string_view bytes, std::size_t piece) {
  Seen seen;
  while (!bytes.empty()) {
    std::string_view in = bytes.substr(0, piece);
    bytes.remove_prefix(in.size());
    for (;;) {
      const parley::Result<Event> event = reader.next(in);
      if (!event) {
        seen.events += "!" + std::to_string(reader.answer());
        return seen;
      }
      if (*event == Event::more) break;
      seen.events += static_cast<char>('a' + static_cast<int>(*event));
      if (*event == Event::message) {
        seen.messages.emplace_back(reader.type(), reader.take_message());
        PARLEY_ASSERT(seen.messages.back().second.size() <= most, "more than max_message");
      } else {
        seen.events += reader.control();
      }
    }
    PARLEY_ASSERT(in.empty(), "it asked for more and had not used what there was");
  }
  return seen;
}

void check_round_trip(const Seen& seen, Side side, const std::optional<DeflateAgreement>& agreed,
                      std::size_t piece) {
  const Side other = side == Side::client ? Side::server : Side::client;
  WebSocketWriter writer(other, agreed, {.fragment_bytes = piece * 4});
  std::string sent;
  for (const auto& [type, message] : seen.messages) {
    const std::string_view text = message;
    PARLEY_ASSERT(writer.message(type, {&text, 1}, sent).is_ok(), "what was read is not written");
  }
  const Seen again = read(WebSocketReader(side, {.max_message = most}, agreed), sent, piece);
  PARLEY_ASSERT(again.messages == seen.messages, "a message changed: " + again.events);
}

void check_negotiation(std::string_view offers, const DeflateOptions& options) {
  std::string answer;
  const auto server = accept_deflate(offers, options, answer);
  if (!server || !*server) return;
  std::string again;
  const auto echoed = accept_deflate(answer, {}, again);
  PARLEY_ASSERT(echoed && *echoed, "an answer is no sound extension: " + answer);
  const auto client = check_deflate_answer(answer, {});
  PARLEY_ASSERT(client && *client, "a client refuses the answer: " + answer);
  for (const Side side : {Side::client, Side::server}) {
    PARLEY_ASSERT((*client)->window_bits(side) == (*server)->window_bits(side), "windows differ");
    PARLEY_ASSERT((*client)->forgets(side) == (*server)->forgets(side), "takeovers differ");
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned how = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Side side = (how & 1U) != 0 ? Side::client : Side::server;
  std::optional<DeflateAgreement> agreed;
  if ((how & 2U) != 0) {
    agreed.emplace();
    agreed->min_bytes = 0;
    agreed->client_no_context_takeover = agreed->server_no_context_takeover = (how & 4U) != 0;
  }
  const std::size_t piece = 1 + how / 8;
  const Seen whole = read(WebSocketReader(side, limits, agreed), bytes, bytes.size());
  const Seen cut = read(WebSocketReader(side, limits, agreed), bytes, piece);
  PARLEY_ASSERT(whole.events == cut.events, "a cut changes what is seen");
  PARLEY_ASSERT(whole.messages == cut.messages, "a cut changes a message");
  check_round_trip(whole, side, agreed, piece);
  check_negotiation(bytes, {});
  check_negotiation(bytes, {.server_no_context_takeover = true,
                            .server_max_window_bits = 12,
                            .client_max_window_bits = 9});
  return 0;
}
