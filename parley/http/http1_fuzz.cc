// Fuzzes the parser and the writer of HTTP/1. The first byte says what is read and how the rest is
// cut; then
//  - reading the stream whole and in pieces must agree in every message, error and left-over byte;
//  - no message is beyond its limits;
//  - every whole message is written by the writer, and read again as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/http/http1_parser.h"
#include "parley/http/http1_writer.h"
#include "parley/http/testing/http1_reading.h"

namespace parley::http {
namespace {

using testing::Seen;
using testing::SeenMessage;
using Reads = Http1Parser::Reads;

// Small, so that the fuzzer meets them.
constexpr Http1Limits small = {.max_method = 12,
                               .max_start_line = 80,
                               .max_headers = 6,
                               .max_header_line = 60,
                               .max_header_bytes = 160,
                               .max_body_bytes = 100,
                               .max_chunk_line = 24,
                               .max_chunk_extension_bytes = 40,
                               .max_trailers = 3,
                               .max_trailer_bytes = 60,
                               .max_informational = 2};

std::vector<Expected> expected_by(std::uint8_t way) {
  static constexpr Method methods[] = {Method::get, Method::head, Method::connect, Method::post};
  std::vector<Expected> expected;
  for (unsigned i = 0; i < 3; ++i) {
    expected.push_back(
        {.method = methods[(way / 4U + i * (way / 16U)) % 4U], .asked_to_switch = way % 3 == 0});
  }
  return expected;
}

void check_limits(const Headers& headers, std::size_t fields, std::size_t bytes) {
  PARLEY_ASSERT(headers.size() <= fields, "more fields than the limit");
  PARLEY_ASSERT(headers.text_bytes() <= bytes, "more bytes of fields than the limit");
}

void check_limits(const SeenMessage& message) {
  const Headers& headers = message.request.headers;
  check_limits(headers.empty() ? message.response.headers : headers, small.max_headers,
               small.max_header_bytes);
  check_limits(message.trailers, small.max_trailers, small.max_trailer_bytes);
  PARLEY_ASSERT(message.body.size() <= small.max_body_bytes, "a larger body than the limit");
  PARLEY_ASSERT(message.request.target.size() <= small.max_start_line, "a longer target");
  PARLEY_ASSERT(message.response.reason.size() <= small.max_start_line, "a longer reason");
}

BodySize size_of(const SeenMessage& message) {
  const bool is_chunked =
      message.framing.body == BodyKind::chunked || message.framing.body == BodyKind::until_close;
  if (is_chunked) return BodySize::unknown();
  return message.framing.body == BodyKind::none ? BodySize::none()
                                                : BodySize::of(message.body.size());
}

void write_rest(const SeenMessage& message, Http1Writer& writer, std::string& out) {
  const std::size_t half = message.body.size() / 2;
  for (const std::string& piece : {message.body.substr(0, half), message.body.substr(half)}) {
    PARLEY_ASSERT(writer.write(piece, out).is_ok(), "a body that was read cannot be written");
  }
  PARLEY_ASSERT(writer.end(message.trailers, out).is_ok(), "trailers that were read");
}

void drop_framing(Headers& headers) {
  (void)headers.remove("Content-Length");
  (void)headers.remove("Transfer-Encoding");
}

void check_again(const SeenMessage& message, const Seen& again) {
  PARLEY_ASSERT(again.error.is_ok() && again.messages.size() == 1 && again.messages[0].is_whole,
                "what was written is not read: " + again.error.to_string());
  PARLEY_ASSERT(again.messages[0].body == message.body, "another body");
  PARLEY_ASSERT(again.messages[0].trailers == message.trailers, "other trailers");
}

void write_and_read_request(SeenMessage message) {
  drop_framing(message.request.headers);
  std::string out;
  Http1Writer writer;
  const Status status = writer.begin(message.request, size_of(message), out);
  PARLEY_ASSERT(status.is_ok(), status.to_string());
  PARLEY_ASSERT(writer.keeps_alive() == message.framing.keeps_alive, "another end");
  write_rest(message, writer, out);
  Http1Parser parser(Reads::requests);
  Seen again = testing::read(parser, out);
  check_again(message, again);
  drop_framing(again.messages[0].request.headers);
  PARLEY_ASSERT(again.messages[0].request == message.request, "another request");
  // A length of 0 may stand where there was none.
  const Framing& framing = again.messages[0].framing;
  PARLEY_ASSERT(framing.keeps_alive == message.framing.keeps_alive &&
                    framing.switches == message.framing.switches &&
                    framing.expects_continue == message.framing.expects_continue,
                "the request means something else");
}

void write_and_read_response(SeenMessage message, const Expected& expected) {
  drop_framing(message.response.headers);
  const Answered answered{.method = expected.method, .asked_to_switch = expected.asked_to_switch};
  std::string out;
  Http1Writer writer;
  const Status status = writer.begin(message.response, size_of(message), answered, out);
  // 205 is the one response that may be read with a body and must not be written with it.
  if (message.response.status == 205 && !status.is_ok()) return;
  PARLEY_ASSERT(status.is_ok(), status.to_string());
  write_rest(message, writer, out);
  Http1Parser parser(Reads::responses);
  Seen again = testing::read(parser, out, {}, {expected});
  check_again(message, again);
  drop_framing(again.messages[0].response.headers);
  PARLEY_ASSERT(again.messages[0].response.headers == message.response.headers, "other headers");
  PARLEY_ASSERT(again.messages[0].response.status == message.response.status, "another status");
}

void fuzz(std::uint8_t way, std::string_view stream) {
  const bool are_requests = way % 2 == 0;
  const Reads reads = are_requests ? Reads::requests : Reads::responses;
  const std::vector<Expected> expected = are_requests ? std::vector<Expected>() : expected_by(way);
  Http1Parser whole(reads, small);
  Seen seen = testing::read(whole, stream, {}, expected);
  Http1Parser cut(reads, small);
  const Seen pieces = testing::read(cut, stream, testing::cut_by(way), expected);
  PARLEY_ASSERT(seen == pieces, "cutting the stream changed what was read");
  const Result<bool> end = whole.finish();
  const Result<bool> end_of_pieces = cut.finish();
  PARLEY_ASSERT(end.error() == end_of_pieces.error(), "cutting the stream changed its end");
  if (end && *end) seen.messages.back().is_whole = true;
  std::size_t answered = 0;
  for (const SeenMessage& message : seen.messages) {
    check_limits(message);
    if (message.is_informational || !message.is_whole) continue;
    are_requests ? write_and_read_request(message)
                 : write_and_read_response(message, expected[answered++]);
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
