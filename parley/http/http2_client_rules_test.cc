// RFC 9113, section by section, for who asks: what a server says after a GET (or a POST whose body
// goes on), and the verdict.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "parley/http/impl/http2_session.h"
#include "parley/http/testing/http2_frames.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about
using impl::Http2Session;

struct Case {
  const char* section;
  const char* what;
  std::string in;  // behind the settings of both sides, on stream 1
  const char* verdict;
  Method method = Method::get;
};

impl::StreamId ask(Heard& heard, Method method = Method::get) {
  Request request{.method = method, .target = "/"};
  EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  impl::Http2Fields fields;
  const bool has_body = method == Method::post;
  const BodySize size = has_body ? BodySize::unknown() : BodySize::none();
  EXPECT_TRUE(fields.set_request(request, size, "http").is_ok());
  return heard.session().request(fields, has_body);
}

std::string settings() {
  return frame(settings_frame, 0, 0) + frame(settings_frame, acknowledges, 0);
}

// "ok", or as Heard says it: of what is sent, or of how the stream ended.
std::string verdict_of(const Case& one, bool byte_by_byte) {
  Heard heard({}, Http2Session::Role::client);
  heard.consumes = false;
  heard.pulls = one.method != Method::post;
  EXPECT_EQ(ask(heard, one.method), 1);
  EXPECT_TRUE(heard.take(settings()).is_ok());
  if (!byte_by_byte) (void)heard.take(one.in);
  for (const char c : byte_by_byte ? one.in : std::string()) {
    if (!heard.take({&c, 1}).is_ok()) break;
  }
  (void)heard.take("");
  return heard.verdict();
}

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(verdict_of(one, false), one.verdict) << one.section << ' ' << one.what;
    EXPECT_EQ(verdict_of(one, true), one.verdict)
        << one.section << ' ' << one.what << ", byte by byte";
  }
}

std::string setting(std::uint32_t key, std::uint32_t value) {
  return frame(settings_frame, 0, 0, number(key, 2) + number(value));
}

const Fields fine = {{":status", "200"}};
std::string answer(const Fields& more = {}, unsigned flags = ends_stream) {
  Fields fields = fine;
  fields.insert(fields.end(), more.begin(), more.end());
  return head(1, fields, flags);
}
std::string data(const std::string& bytes, unsigned flags = 0, std::uint32_t id = 1) {
  return frame(data_frame, flags, id, bytes);
}

TEST(Http2ClientRules, takes_streams_as_rfc_9113_5_says) {
  const std::string promise = number(2) + hpack(get_fields());
  check({
      {"4.1", "a frame of a type nobody knows", frame(0x77, 0xff, 9, "what") + answer(), "ok"},
      {"4.2", "a frame above the size allowed", answer({}, 0) + data(std::string(16385, 'x')),
       "goaway 6"},
      {"4.3", "a head cannot be decoded", frame(headers_frame, 5, 1, "\xff\xff\xff\xff\xff"),
       "goaway 9"},
      {"5.1", "DATA on a stream that nobody opened", data("x", 0, 3), "goaway 1"},
      {"5.1", "a head on one", head(3, fine), "goaway 1"},
      {"5.1", "WINDOW_UPDATE on one", frame(window_frame, 0, 3, number(1)), "goaway 1"},
      {"5.1", "RST_STREAM on one", frame(reset_frame, 0, 3, number(8)), "goaway 1"},
      {"5.1", "DATA behind the end, while we still send", answer() + data("x"), "goaway 5",
       Method::post},
      {"5.1", "a head behind it, while we still send", answer() + answer(), "goaway 5",
       Method::post},
      {"5.1", "DATA of a stream that is closed is passed over", answer() + data("x"), "ok"},
      {"5.1", "WINDOW_UPDATE and RST_STREAM of one",
       answer() + frame(window_frame, 0, 1, number(1)) + frame(reset_frame, 0, 1, number(8)), "ok"},
      {"5.1", "the end, and no wish for the rest of the request",
       answer() + frame(reset_frame, 0, 1, number(0)), "ok", Method::post},
      {"5.1.1", "a server opens a stream of its own by a head", head(2, get_fields()), "goaway 1"},
      {"5.1.1", "it sends DATA on one", data("x", 0, 2), "goaway 1"},
      {"5.3", "PRIORITY is passed over", frame(priority_frame, 0, 1, number(0) + "x") + answer(),
       "ok"},
      {"5.3", "of a stream that nobody opened", frame(priority_frame, 0, 7, number(1) + "x"), "ok"},
      {"5.3", "of 4 bytes", frame(priority_frame, 0, 1, number(0)), "goaway 6"},
      {"5.3", "of stream 0", frame(priority_frame, 0, 0, number(0) + "x"), "goaway 1"},
      {"5.4.1", "GOAWAY with an error", frame(goaway_frame, 0, 0, number(1) + number(2)), "ok"},
      {"5.4.2", "RST_STREAM with an error that nobody knows", frame(reset_frame, 0, 1, number(77)),
       "ok"},
      {"6.6", "PUSH_PROMISE although push is off", frame(push_frame, 4, 1, promise), "goaway 1"},
      {"8.4", "PUSH_PROMISE behind the head", answer({}, 0) + frame(push_frame, 4, 1, promise),
       "goaway 1"},
      {"8.4", "on a stream that is closed", answer() + frame(push_frame, 4, 1, promise),
       "goaway 1"},
      {"8.4", "an odd number is promised", frame(push_frame, 4, 1, number(3) + hpack(get_fields())),
       "goaway 1"},
      {"8.4", "on stream 0", frame(push_frame, 4, 0, promise), "goaway 1"},
  });
}

TEST(Http2ClientRules, takes_frames_as_rfc_9113_6_says) {
  const std::string open = answer({}, 0);
  const std::string full = data(std::string(16384, 'x'));
  check({
      {"6.1", "DATA of stream 0", data("x", 0, 0), "goaway 1"},
      {"6.1", "padding longer than the frame", open + data("\x09x", is_padded), "goaway 1"},
      {"6.1", "padding", open + data(std::string("\x02x\0\0", 4), is_padded | ends_stream), "ok"},
      {"6.2", "a head of stream 0", frame(headers_frame, 5, 0, hpack(fine)), "goaway 1"},
      {"6.2", "another frame amid a head",
       frame(headers_frame, 1, 1, hpack(fine)) + frame(ping_frame, 0, 0, "12345678"), "goaway 1"},
      {"6.4", "RST_STREAM of 3 bytes", frame(reset_frame, 0, 1, "abc"), "goaway 6"},
      {"6.4", "RST_STREAM of stream 0", frame(reset_frame, 0, 0, number(8)), "goaway 1"},
      {"6.5", "SETTINGS of a stream", frame(settings_frame, 0, 1), "goaway 1"},
      {"6.5", "SETTINGS of 5 bytes", frame(settings_frame, 0, 0, "12345"), "goaway 6"},
      {"6.5", "an acknowledgement with content",
       frame(settings_frame, acknowledges, 0, number(1, 2) + number(1)), "goaway 6"},
      {"6.5.2", "a server switches push on", setting(2, 1), "goaway 1"},
      {"6.5.2", "it says that it is off", setting(2, 0), "ok"},
      {"6.5.2", "a window of 2^31", setting(4, 0x80000000U), "goaway 3"},
      {"6.5.2", "a frame size below 16,384", setting(5, 16383), "goaway 1"},
      {"6.5.2", "one above 2^24-1", setting(5, 1U << 24U), "goaway 1"},
      {"6.5.2", "a setting nobody knows", setting(999, 7), "ok"},
      {"8441 3", "ENABLE_CONNECT_PROTOCOL is 2", setting(8, 2), "goaway 1"},
      {"8441 3", "it is taken back", setting(8, 1) + setting(8, 0), "goaway 1"},
      {"6.5.3", "an acknowledgement of nothing", frame(settings_frame, acknowledges, 0),
       "goaway 1"},
      {"6.7", "PING of a stream", frame(ping_frame, 0, 1, "12345678"), "goaway 1"},
      {"6.7", "PING of 7 bytes", frame(ping_frame, 0, 0, "1234567"), "goaway 6"},
      {"6.8", "GOAWAY of a stream", frame(goaway_frame, 0, 1, number(0) + number(0)), "goaway 1"},
      {"6.8", "GOAWAY of 4 bytes", frame(goaway_frame, 0, 0, number(1)), "goaway 6"},
      {"6.8", "a last stream above the one told before",
       frame(goaway_frame, 0, 0, number(1) + number(0)) +
           frame(goaway_frame, 0, 0, number(3) + number(0)),
       "goaway 1"},
      {"6.9", "a window opened by nothing", frame(window_frame, 0, 1, number(0)), "goaway 1",
       Method::post},
      {"6.9", "that of the connection", frame(window_frame, 0, 0, number(0)), "goaway 1"},
      {"6.9", "WINDOW_UPDATE of 3 bytes", frame(window_frame, 0, 0, "abc"), "goaway 6"},
      {"6.9.1", "a window of a stream beyond 2^31-1", frame(window_frame, 0, 1, number(0x7fffffff)),
       "reset 3", Method::post},
      {"6.9.1", "that of the connection", frame(window_frame, 0, 0, number(0x7fffffff)),
       "goaway 3"},
      {"6.9.1", "as much DATA as our window allows", open + full + full + full + full, "ok"},
      {"6.9.1", "a byte more", open + full + full + full + full + data("x"), "reset 3"},
      {"6.9.2", "a window that shrinks below what has left is negative, and that is in order",
       setting(4, 0) + answer(), "ok", Method::post},
      // Here nghttp2 is milder than the RFC, which would have the connection end.
      {"6.9.2", "a first window that overflows that of a stream",
       frame(window_frame, 0, 1, number(0x7fff0000 - 65535)) + setting(4, 0x7fffffff), "reset 3",
       Method::post},
      {"6.10", "CONTINUATION of nothing", frame(continuation_frame, 4, 1, ""), "goaway 1"},
      {"6.10", "a head in two frames",
       frame(headers_frame, 1, 1, hpack(fine).substr(0, 5)) +
           frame(continuation_frame, 4, 1, hpack(fine).substr(5)),
       "ok"},
  });
}

TEST(Http2ClientRules, takes_answers_as_rfc_9113_8_says) {
  const std::string open = answer({}, 0);
  const std::string ten = answer({{"content-length", "10"}}, 0);
  const std::string early = head(1, {{":status", "103"}}, 0);
  check({
      {"8.1", "an answer", open + data("tea", ends_stream), "ok"},
      {"8.1", "responses 1xx before it", early + early + answer(), "ok"},
      {"8.1", "a response 1xx that ends", head(1, {{":status", "103"}}), "reset 1"},
      {"8.1", "one behind the answer", open + early, "reset 1"},
      {"8.1", "DATA before the head", data("x"), "goaway 1"},
      {"8.1", "DATA behind a response 1xx", early + data("x"), "reset 1"},
      {"8.1", "trailers", open + head(1, {{"digest", "x"}}), "ok"},
      {"8.1", "trailers that do not end", open + head(1, {{"digest", "x"}}, 0), "reset 1"},
      {"8.1", "a pseudo-field in trailers", open + head(1, {{":status", "200"}}), "reset 1"},
      {"8.1", "a trailer that frames", open + head(1, {{"content-length", "1"}}), "reset 1"},
      {"8.1.1", "a body shorter than told", ten + data("12345", ends_stream), "reset 1"},
      {"8.1.1", "a longer one", ten + data("12345678901"), "reset 1"},
      {"8.1.1", "one as told", ten + data("1234567890", ends_stream), "ok"},
      {"8.1.1", "a length without a body", answer({{"content-length", "3"}}), "reset 1"},
      {"8.1.1", "one as an answer to HEAD", answer({{"content-length", "3"}}), "ok", Method::head},
      {"8.1.1", "a body as an answer to HEAD", ten + data("x"), "reset 1", Method::head},
      {"8.1.1", "a length in 304", head(1, {{":status", "304"}, {"content-length", "3"}}), "ok"},
      {"8.1.1", "a body of 204", head(1, {{":status", "204"}}, 0) + data("x"), "reset 1"},
      {"8.1.1", "two lengths", answer({{"content-length", "0"}, {"content-length", "0"}}),
       "reset 1"},
      {"8.1.1", "a length with a sign", answer({{"content-length", "+0"}}), "reset 1"},
      {"8.2.1", "upper case in a name", answer({{"X-Tea", "green"}}), "reset 1"},
      {"8.2.1", "a blank in a name", answer({{"x tea", "green"}}), "reset 1"},
      {"8.2.1", "a colon in a name", answer({{"x:tea", "green"}}), "reset 1"},
      {"8.2.1", "no name", answer({{"", "green"}}), "reset 1"},
      {"8.2.1", "a line break in a value", answer({{"x", "a\r\nb"}}), "reset 1"},
      {"8.2.1", "NUL in a value", answer({{"x", std::string(1, '\0')}}), "reset 1"},
      {"8.2.1", "a blank in front of a value", answer({{"x", " a"}}), "reset 1"},
      {"8.2.1", "a control in a trailer", open + head(1, {{"x", "a\x01"}}), "reset 1"},
      {"8.2.2", "connection", answer({{"connection", "close"}}), "reset 1"},
      {"8.2.2", "transfer-encoding", answer({{"transfer-encoding", "chunked"}}), "reset 1"},
      {"8.2.2", "upgrade", answer({{"upgrade", "h2c"}}), "reset 1"},
      {"8.3", "a pseudo-field behind a field", head(1, {{"x", "y"}, {":status", "200"}}),
       "reset 1"},
      {"8.3", "one that nobody knows", answer({{":tea", "green"}}), "reset 1"},
      {"8.3", "one twice", answer({{":status", "200"}}), "reset 1"},
      {"8.3", ":path of a request", answer({{":path", "/"}}), "reset 1"},
      {"8.3", ":method of one, in front", head(1, {{":method", "GET"}, {":status", "200"}}),
       "reset 1"},
      {"8.3", ":authority of one", answer({{":authority", "a"}}), "reset 1"},
      {"8.3", ":protocol of one", answer({{":protocol", "websocket"}}), "reset 1"},
      {"8.3.2", "no :status", head(1, {{"x", "y"}}), "reset 1"},
      {"8.3.2", "no field at all", head(1, {}), "reset 1"},
      {"8.3.2", "an empty one", head(1, {{":status", ""}}), "reset 1"},
      {"8.3.2", "one that is no number", head(1, {{":status", "abc"}}), "reset 1"},
      {"8.3.2", "one of two digits", head(1, {{":status", "20"}}), "reset 1"},
      {"8.3.2", "one of four", head(1, {{":status", "2000"}}), "reset 1"},
      {"8.3.2", "one below 100", head(1, {{":status", "099"}}), "reset 1"},
      {"8.3.2", "one with a reason", head(1, {{":status", "200 OK"}}), "reset 1"},
      {"8.6", "101 is none of HTTP/2", head(1, {{":status", "101"}}, 0), "reset 1"},
  });
}

TEST(Http2ClientRules, the_first_frame_of_a_server_is_settings) {
  for (const std::string& first : {answer(), frame(ping_frame, 0, 0, "12345678"),
                                   std::string("HTTP/1.1 400 Bad Request\r\n\r\n")}) {
    Heard heard({}, Http2Session::Role::client);
    EXPECT_EQ(ask(heard), 1);
    (void)heard.take("");
    EXPECT_FALSE(heard.take(first).is_ok() && heard.verdict() == "ok") << first;
    EXPECT_TRUE(heard.responses.empty());
  }
}

std::ptrdiff_t sent(const Heard& heard, unsigned type, unsigned flags = 0) {
  return std::ranges::count_if(heard.sent, [&](const Frame& one) {
    return one.type == type && (one.flags & flags) == flags;
  });
}

TEST(Http2ClientRules, settings_are_acknowledged_each_and_a_ping_is_answered) {  // 6.5.3, 6.7
  Heard heard({}, Http2Session::Role::client);
  ASSERT_TRUE(heard.take(settings() + setting(4, 7) + setting(4, 9)).is_ok());
  EXPECT_EQ(sent(heard, settings_frame, acknowledges), 3);
  ASSERT_TRUE(heard.take(frame(ping_frame, 0, 0, "12345678")).is_ok());
  EXPECT_EQ(sent(heard, ping_frame, acknowledges), 1);
  EXPECT_EQ(heard.sent.back().payload, "12345678");
  ASSERT_TRUE(heard.take(frame(ping_frame, acknowledges, 0, "12345678")).is_ok());
  EXPECT_EQ(sent(heard, ping_frame), 1) << "an answer is not answered";
}

TEST(Http2ClientRules, no_more_streams_are_opened_than_the_server_allows) {  // 5.1.2
  for (const std::uint32_t most : {1U, 2U}) {
    Heard heard({}, Http2Session::Role::client);
    ASSERT_TRUE(heard.take(settings() + setting(3, most)).is_ok());
    EXPECT_EQ(heard.session().max_streams_there(), most);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(heard), 2 * i + 1);
    ASSERT_TRUE(heard.take("").is_ok());
    EXPECT_EQ(sent(heard, headers_frame), most);
    ASSERT_TRUE(heard.take(answer()).is_ok());
    EXPECT_EQ(sent(heard, headers_frame), most + 1) << "one has ended, another may begin";
  }
}

TEST(Http2ClientRules, an_error_of_a_stream_leaves_the_others) {  // 5.4.2
  Heard heard({}, Http2Session::Role::client);
  EXPECT_EQ(ask(heard), 1);
  EXPECT_EQ(ask(heard), 3);
  ASSERT_TRUE(heard.take(settings()).is_ok());
  ASSERT_TRUE(heard.take(head(1, {{"x", "y"}}) + head(3, fine)).is_ok());
  EXPECT_EQ(heard.verdict(), "reset 1");
  ASSERT_EQ(heard.responses.size(), 1U);
  EXPECT_NE(heard.log.find("close1"), std::string::npos) << heard.log;
  EXPECT_NE(heard.log.find("close0"), std::string::npos) << heard.log;
}

TEST(Http2ClientRules, an_error_of_the_connection_ends_it_for_all) {  // 5.4.1
  Heard heard({}, Http2Session::Role::client);
  EXPECT_EQ(ask(heard), 1);
  ASSERT_TRUE(heard.take(settings()).is_ok());
  (void)heard.take(data("x", 0, 3));
  EXPECT_EQ(heard.verdict(), "goaway 1");
  EXPECT_TRUE(heard.session().is_over());
  EXPECT_EQ(heard.session().why().code(), Code::invalid_argument);
  (void)heard.take(answer());
  EXPECT_TRUE(heard.responses.empty()) << "nothing after it";
}

TEST(Http2ClientRules, a_window_is_what_was_told_at_first_and_later) {  // 6.9.2
  Heard heard({}, Http2Session::Role::client);
  EXPECT_EQ(ask(heard, Method::post), 1);
  heard.pulls = false;
  ASSERT_TRUE(heard.take(settings()).is_ok());
  EXPECT_FALSE(heard.session().is_closed_there(1));
  ASSERT_TRUE(heard.take(setting(4, 0)).is_ok());
  EXPECT_TRUE(heard.session().is_closed_there(1)) << "of streams that are open, too";
  EXPECT_FALSE(heard.session().is_closed_there()) << "not of the connection";
  ASSERT_TRUE(heard.take(setting(4, 10)).is_ok());
  EXPECT_FALSE(heard.session().is_closed_there(1));
}

}  // namespace
}  // namespace parley::http
