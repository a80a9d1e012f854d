// WebSocketReader and WebSocketWriter: the frames of WebSocket (RFC 6455 5), with
// permessage-deflate (RFC 7692) where it was agreed on. What a WebSocket (websocket.h) is made of;
// sans-I/O.
//
// Belong to one fiber at a time. What the RFC lets nobody send is refused at the first byte that
// shows it.
//
//   WebSocketReader reader(Side::server);
//   for (;;) {
//     const auto event = reader.next(in, rt::now());
//     if (!event) return close_with(reader.answer());
//     if (*event == WebSocketReader::Event::more) break;
//     if (*event == WebSocketReader::Event::message) use(reader.type(), reader.take_message());
//   }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/http/impl/utf8_check.h"
#include "parley/http/websocket_deflate.h"
#include "parley/wire/filters/deflate.h"

namespace parley::http {

// What a message says it is. The bytes of a text are UTF-8.
enum class WebSocketType : std::uint8_t { text = 1, binary = 2 };

// Why a connection ends (RFC 6455 7.4 and IANA). Programs have 3000 to 4999 for their own.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
inline constexpr std::uint16_t none = 1005;  // never sent: a Close frame without a code
inline constexpr std::uint16_t lost = 1006;  // never sent: an end without a Close frame
inline constexpr std::uint16_t invalid_data = 1007;
inline constexpr std::uint16_t policy = 1008;
inline constexpr std::uint16_t too_large = 1009;
inline constexpr std::uint16_t internal_error = 1011;
}  // namespace close_code

// Whether a Close frame may have this code: 1000 to 1003, 1007 to 1014, 3000 to 4999.
[[nodiscard]] bool is_close_code(std::uint16_t code) noexcept;

// What the other side may make this one hold or do.
struct WebSocketLimits {
  // Bytes of a message, decompressed. Beyond that the connection ends with 1009.
  std::size_t max_message = std::size_t{1} << 20U;
  // Bytes of a frame as it comes; 1009.
  std::uint64_t max_frame = std::uint64_t{1} << 20U;
  // Frames of one message; 1008.
  std::size_t max_fragments = 4096;
  // Pings, and frames of pong, within a second; 1008.
  std::size_t max_controls_per_second = 100;
};

class WebSocketReader {
 public:
  enum class Event : std::uint8_t {
    more,     // all of `in` is used up
    message,  // type(), take_message()
    ping,     // control(): to be sent back in a pong
    pong,     // control()
    close,    // close_code(), close_reason(); what follows is passed over
  };

  // `side`: who reads here. A server takes masked frames only, a client others only.
  explicit WebSocketReader(Side side, const WebSocketLimits& limits = {},
                           const std::optional<DeflateAgreement>& deflate = {});

  // Takes from the front of `in`, cut anywhere, up to the next event. `now` counts against
  // max_controls_per_second. Errors, which it then returns for ever: invalid_argument for what
  // breaks the rules, data_loss for text that is no UTF-8 and for damaged compression,
  // resource_exhausted beyond a limit; answer() is the code to close with.
  Result<Event> next(std::string_view& in, Instant now = {});

  [[nodiscard]] WebSocketType type() const noexcept { return type_; }
  // The message; once after each.
  [[nodiscard]] std::string take_message() noexcept;
  // What a ping or pong carries; until the next next().
  [[nodiscard]] std::string_view control() const noexcept { return control_; }
  // 1005 when the frame had no code.
  [[nodiscard]] std::uint16_t close_code() const noexcept { return close_code_; }
  [[nodiscard]] std::string_view close_reason() const noexcept;

  // No frame and no message is under way.
  [[nodiscard]] bool is_at_rest() const noexcept { return !in_message_ && head_size_ == 0; }
  // After an error: 1002, 1007, 1008 or 1009.
  [[nodiscard]] std::uint16_t answer() const noexcept { return answer_; }

 private:
  enum class State : std::uint8_t { head, payload, over };

  bool read_head(std::string_view& in);
  bool check_first(unsigned char first);
  bool check_second(unsigned char second);
  bool begin_frame();
  bool read_payload(std::string_view& in);
  bool add_data(std::string_view piece);
  bool inflate_piece(std::string_view piece);
  bool check_text(std::size_t from);
  std::optional<Event> end_frame(Instant now);
  std::optional<Event> end_message();
  std::optional<Event> end_control(Instant now);
  bool count_control(Instant now);
  bool read_close();
  void start_frame() noexcept;
  bool fail(std::uint16_t answer, Code code, std::string what);

  const Side side_;
  const WebSocketLimits limits_;
  const std::optional<DeflateAgreement> deflate_;
  std::optional<wire::Inflater> inflater_;

  State state_ = State::head;
  std::array<unsigned char, 14> head_{};
  std::uint8_t head_size_ = 0;
  std::uint8_t head_wanted_ = 2;
  std::uint8_t opcode_ = 0;
  bool is_last_ = false;
  bool in_message_ = false;
  bool is_compressed_ = false;
  WebSocketType type_ = WebSocketType::binary;
  std::array<char, 4> mask_{};
  std::uint64_t left_ = 0;  // of the frame's payload
  std::uint64_t done_ = 0;  // of it
  std::size_t fragments_ = 0;
  std::string message_;
  std::string control_;
  impl::Utf8Check utf8_;
  std::uint16_t close_code_ = close_code::none;
  Instant second_begun_{};
  std::size_t controls_ = 0;
  std::uint16_t answer_ = 0;
  Status failed_;
};

struct WebSocketWriterOptions {
  // Larger messages leave in frames of so many bytes. 0: each in one.
  std::size_t fragment_bytes = 0;
  // Where a client gets the keys of its masks from, for a simulation that is to repeat itself.
  // Null: from libcrypto, so that nobody who makes it send something knows how that will look.
  std::function<std::uint32_t()> mask_key{};
};

class WebSocketWriter {
 public:
  // `side`: who writes here. A client masks.
  explicit WebSocketWriter(Side side, const std::optional<DeflateAgreement>& deflate = {},
                           WebSocketWriterOptions options = {});

  // Appends the frames of a message, which is the pieces one behind the other. data_loss for a text
  // that is no UTF-8, and then nothing was appended; resource_exhausted or unavailable without
  // memory or random numbers.
  Status message(WebSocketType type, std::span<const std::string_view> pieces, std::string& out);
  // Whether such a message goes out as it is, in one frame: then head() and the bytes themselves
  // say the same without a copy.
  [[nodiscard]] bool goes_as_it_is(std::size_t size) const noexcept;
  void head(WebSocketType type, std::size_t size, std::string& out) const;

  // invalid_argument for more than 125 bytes.
  Status ping(std::string_view payload, std::string& out);
  Status pong(std::string_view payload, std::string& out);
  // With close_code::none and no reason: a frame without either. invalid_argument for a code that
  // may not be sent, and a reason that is no UTF-8 or longer than 123 bytes.
  Status close(std::uint16_t code, std::string_view reason, std::string& out);

 private:
  Status frame(unsigned char first, std::string_view payload, std::string& out);
  Status frames(unsigned char opcode, bool compressed, std::string_view payload, std::string& out);
  Status deflate(std::span<const std::string_view> pieces, std::string& out);
  Result<std::uint32_t> next_mask();

  const Side side_;
  const std::optional<DeflateAgreement> deflate_;
  const WebSocketWriterOptions options_;
  std::optional<wire::Deflater> deflater_;
  std::string keys_;  // of masks, not yet used
};

namespace impl {
// Masks or unmasks, which is the same: `at` says how many bytes of the frame went before.
void mask(std::span<char> bytes, const std::array<char, 4>& key, std::uint64_t at = 0) noexcept;
}  // namespace impl

}  // namespace parley::http
