// Frames of HTTP/2 by hand, good and bad ones, and what a session answers: for tests. Heads are
// written in literals without an index (RFC 7541 6.2.2), so that each byte is what a test says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/impl/http2_session.h"

namespace parley::http::testing {

enum FrameType : std::uint8_t {
  data_frame = 0,
  headers_frame = 1,
  priority_frame = 2,
  reset_frame = 3,
  settings_frame = 4,
  push_frame = 5,
  ping_frame = 6,
  goaway_frame = 7,
  window_frame = 8,
  continuation_frame = 9,
};

constexpr unsigned ends_stream = 1;
constexpr unsigned acknowledges = 1;
constexpr unsigned ends_head = 4;
constexpr unsigned is_padded = 8;

inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string number(std::uint32_t value, unsigned bytes = 4) {
  std::string text;
  for (unsigned i = bytes; i-- > 0;) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}

inline std::string frame(unsigned type, unsigned flags, std::uint32_t id,
                         std::string_view payload = {}) {
  std::string text = number(static_cast<std::uint32_t>(payload.size()), 3);
  text += static_cast<char>(type);
  text += static_cast<char>(flags);
  return text + number(id) + std::string(payload);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// Lengths below 127 and above, as HPACK has them (7541 5.1).
inline std::string hpack_text(std::string_view text) {
  std::string out;
  std::size_t size = text.size();
  if (size < 127) {
    out += static_cast<char>(size);
  } else {
    out += static_cast<char>(127);
    for (size -= 127; size >= 128; size /= 128) out += static_cast<char>(size % 128 + 128);
    out += static_cast<char>(size);
  }
  return out + std::string(text);
}

inline std::string hpack(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += '\0';
    out += hpack_text(name) + hpack_text(value);
  }
  return out;
}

inline Fields get_fields(const Fields& more = {}) {
  Fields fields = {
      {":method", "GET"}, {":scheme", "http"}, {":path", "/tea"}, {":authority", "shop.example"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
inline Fields post_fields(const Fields& more = {}) {
  Fields fields = get_fields(more);
  fields[0].second = "POST";
  return fields;
}

inline std::string head(std::uint32_t id, const Fields& fields, unsigned flags = ends_stream) {
  return frame(headers_frame, flags | ends_head, id, hpack(fields));
}

struct Frame {
  unsigned type = 0;
  unsigned flags = 0;
  std::uint32_t id = 0;
  std::string payload{};
};

inline std::uint32_t number_in(std::string_view text, std::size_t at, unsigned bytes = 4) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes && at + i < text.size(); ++i) {
    value = value << 8U | static_cast<unsigned char>(text[at + i]);
  }
  return value;
}

// Takes whole frames off `text`.
inline std::vector<Frame> frames_in(std::string& text) {
  std::vector<Frame> frames;
  for (;;) {
    const std::size_t size = number_in(text, 0, 3);
    if (text.size() < 9 || text.size() < 9 + size) return frames;
    frames.push_back({.type = static_cast<unsigned char>(text[3]),
                      .flags = static_cast<unsigned char>(text[4]),
                      .id = number_in(text, 5) & 0x7fffffffU,
                      .payload = text.substr(9, size)});
    text.erase(0, 9 + size);
  }
}

// A session of a server, and what has come of it. Answers nothing by itself.
class Heard final : public impl::Http2Events {
 public:
  explicit Heard(const Http2Limits& limits = {},
                 impl::Http2Session::Role role = impl::Http2Session::Role::server)
      : limits_(limits), session_(role, limits_, *this) {}

  // Feeds it; the frames it sends go to `sent`.
  Status take(std::string_view in) {
    const Status taken = session_.take(in);
    std::string out;
    session_.gather(out, std::size_t{1} << 24U);
    if (out.starts_with(preface)) out.erase(0, preface.size());  // a client's
    for (Frame& one : frames_in(out)) sent.push_back(std::move(one));
    return taken;
  }

  // "ok", "reset 1" with the error of the first RST_STREAM, "goaway 1".
  [[nodiscard]] std::string verdict() const {
    std::string seen = "ok";
    for (const Frame& one : sent) {
      if (one.type == goaway_frame) return "goaway " + std::to_string(number_in(one.payload, 4));
      if (one.type == reset_frame && seen == "ok") {
        seen = "reset " + std::to_string(number_in(one.payload, 0));
      }
    }
    return seen;
  }
  impl::Http2Session& session() { return session_; }

  bool on_request(impl::StreamId /*id*/, Request& request, BodySize length, bool is_end) override {
    requests.push_back(request);
    lengths.push_back(length);
    log += "request ";
    (void)is_end;
    return takes;
  }
  bool on_large_request(impl::StreamId /*id*/, bool /*is_end*/) override {
    log += "large ";
    return takes;
  }
  void on_response(impl::StreamId /*id*/, Response& response, BodySize /*length*/,
                   bool /*is_end*/) override {
    log += std::to_string(response.status) + " ";
    responses.push_back(response);
  }
  void on_data(impl::StreamId id, std::string_view data) override {
    body += data;
    log += "data ";
    if (consumes) session_.consume(id, data.size());
    session_.consume_connection(data.size());
  }
  void on_trailers(impl::StreamId /*id*/, Headers& got) override {
    trailers = got;
    log += "trailers ";
  }
  void on_broken(impl::StreamId /*id*/, const Status& why) override { broken = why; }
  void on_end(impl::StreamId /*id*/) override { log += "end "; }
  void on_close(impl::StreamId /*id*/, std::uint32_t error) override {
    log += "close" + std::to_string(error) + " ";
  }
  void on_goaway(impl::StreamId last, std::uint32_t /*error*/) override {
    log += "goaway" + std::to_string(last) + " ";
  }
  void on_ping_answer(std::uint64_t /*number*/) override { log += "pong "; }
  Pulled pull(impl::StreamId /*id*/, std::span<char> /*into*/) override {
    return {.bytes = 0, .is_end = pulls};
  }
  void on_head_sent(impl::StreamId /*id*/) override {}
  void on_end_sent(impl::StreamId /*id*/) override {}

  std::vector<Frame> sent;
  std::vector<Request> requests;
  std::vector<Response> responses;
  std::vector<BodySize> lengths;
  Headers trailers;
  std::string body;
  std::string log;
  Status broken;  // what on_broken() said last
  bool takes = true;
  bool consumes = true;
  bool pulls = true;  // bodies that go end at once; else never

 private:
  const Http2Limits limits_;
  impl::Http2Session session_;
};

inline std::string hello() { return std::string(preface) + frame(settings_frame, 0, 0); }

}  // namespace parley::http::testing
