#include "parley/http/http1_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/testing/allocations.h"
#include "parley/http/testing/http1_reading.h"

namespace parley::http {
namespace {

using testing::bytewise;
using testing::cut_by;
using testing::Seen;
using Reads = Http1Parser::Reads;

Seen requests(std::string_view stream, const testing::Cut& cut = {}) {
  Http1Parser parser(Reads::requests);
  return testing::read(parser, stream, cut);
}

Seen responses(std::string_view stream, const std::vector<Expected>& expected = {{}}) {
  Http1Parser parser(Reads::responses);
  return testing::read(parser, stream, {}, expected);
}

constexpr std::string_view three_requests =
    "\r\nGET /tea?sort=price HTTP/1.1\r\nHost: shop.example\r\nAccept:  text/html \t\r\n\r\n"
    "POST /order HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello"
    "PUT /stock HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: Chunked\r\n\r\n"
    "5;a=b;c=\"d;\\\"\"\r\nhello\r\n00A\r\n, my world\r\n0\r\nDigest: x\r\n\r\n";

TEST(Http1Parser, reads_requests_that_follow_one_another) {
  const Seen seen = requests(three_requests);
  ASSERT_TRUE(seen.error.is_ok()) << seen.error;
  ASSERT_EQ(seen.messages.size(), 3u);
  const Request& get = seen.messages[0].request;
  EXPECT_EQ(get.method, Method::get);
  EXPECT_EQ(get.path(), "/tea");
  EXPECT_EQ(get.query(), "sort=price");
  EXPECT_EQ(get.authority(), "shop.example");
  EXPECT_EQ(get.headers.get("accept"), "text/html");
  EXPECT_EQ(seen.messages[0].framing, Framing{});
  EXPECT_EQ(seen.messages[1].body, "hello");
  EXPECT_EQ(seen.messages[1].framing.length, 5u);
  EXPECT_EQ(seen.messages[2].body, "hello, my world");
  EXPECT_EQ(seen.messages[2].trailers.get("digest"), "x");
  EXPECT_TRUE(seen.is_at_rest);
}

TEST(Http1Parser, sees_the_same_wherever_the_stream_is_cut) {
  const Seen whole = requests(three_requests);
  EXPECT_TRUE(requests(three_requests, bytewise()) == whole);
  for (std::uint32_t seed = 1; seed < 200; ++seed) {
    EXPECT_TRUE(requests(three_requests, cut_by(seed)) == whole) << seed;
  }
  for (std::size_t first = 1; first < three_requests.size(); ++first) {
    const auto once = [first, is_first = true]() mutable {
      return std::exchange(is_first, false) ? first : 0;
    };
    EXPECT_TRUE(requests(three_requests, once) == whole) << first;
  }
}

TEST(Http1Parser, shows_a_body_where_it_lies) {
  Http1Parser parser(Reads::requests);
  const Bytes read =
      Bytes::copy_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET ");
  std::string_view in = read.piece(0);
  EXPECT_EQ(parser.next(in).value(), Event::head);
  ASSERT_EQ(parser.next(in).value(), Event::body);
  Bytes body;
  body.share_part(read, parser.body());
  EXPECT_EQ(body.first_block().get(), read.first_block().get());
  EXPECT_EQ(body, "hello");
  EXPECT_EQ(parser.next(in).value(), Event::end);
  EXPECT_EQ(in, "GET ") << "what follows stays for whom it is for";
}

TEST(Http1Parser, takes_no_memory_for_a_message_like_the_last) {
  Http1Parser parser(Reads::requests);
  const auto read_all = [&] {
    std::string_view in = three_requests;
    while (parser.next(in).value() != Event::more) {}
  };
  read_all();
  const auto before = parley::testing::allocations();
  read_all();
  EXPECT_EQ(parley::testing::allocations().count, before.count);
  parser.let_go();
  read_all();
  EXPECT_GT(parley::testing::allocations().count, before.count);
}

// Ten thousand connections at rest: what each keeps, beside what its server does.
TEST(Http1Parser, is_small_at_rest) { EXPECT_LE(sizeof(Http1Parser), 1024u); }

TEST(Http1Parser, says_of_a_folded_line_that_it_is_one) {
  const Seen folded = requests("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n");
  EXPECT_NE(folded.error.message().find("folded"), std::string::npos) << folded.error;
  const Seen first = requests("GET / HTTP/1.1\r\n Host: a\r\n\r\n");
  EXPECT_NE(first.error.message().find("between the first line"), std::string::npos) << first.error;
}

TEST(Http1Parser, says_whether_a_connection_goes_on) {
  const auto keeps = [](std::string_view head) {
    const Seen seen = requests(std::string(head) + "\r\n");
    EXPECT_EQ(seen.messages.size(), 1u) << head << seen.error;
    return !seen.messages.empty() && seen.messages[0].framing.keeps_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nconnection: x, CLOSE\r\n"));
  EXPECT_FALSE(
      keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.7\r\nHost: a\r\n"));
}

TEST(Http1Parser, refuses_what_comes_behind_the_last_message) {
  const Seen seen =
      requests("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n");
  EXPECT_EQ(seen.messages.size(), 1u);
  EXPECT_EQ(seen.error.code(), Code::invalid_argument);
  EXPECT_EQ(seen.rest, "GET / HTTP/1.1\r\n");
}

TEST(Http1Parser, tells_who_waits_for_continue_and_who_wants_to_switch) {
  const auto framing = [](std::string_view head) {
    const Seen seen = requests(std::string(head) + "\r\n");
    EXPECT_EQ(seen.messages.size(), 1u) << head << seen.error;
    return seen.messages.empty() ? Framing{} : seen.messages[0].framing;
  };
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_TRUE(framing(post + "Expect: 100-Continue\r\nContent-Length: 3\r\n").expects_continue);
  EXPECT_FALSE(framing(post + "Expect: 100-continue\r\n").expects_continue) << "nothing to send";
  EXPECT_FALSE(
      framing("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n").expects_continue);
  EXPECT_TRUE(framing(post + "Connection: Upgrade\r\nUpgrade: websocket\r\n").switches);
  EXPECT_FALSE(framing(post + "Upgrade: websocket\r\n").switches);
  EXPECT_FALSE(framing("POST / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n").switches);
  EXPECT_TRUE(framing("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n").switches);
}

TEST(Http1Parser, reads_an_answer_by_what_was_asked) {
  const std::string with_length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(responses(with_length + "hello").messages.at(0).body, "hello");
  EXPECT_EQ(responses(with_length + "hello", {{.method = Method::head}}).error.code(),
            Code::invalid_argument)
      << "what follows the answer to HEAD answers nothing";
  const Seen two = responses(with_length + with_length + "hello", {{.method = Method::head}, {}});
  ASSERT_EQ(two.messages.size(), 2u) << two.error;
  EXPECT_EQ(two.messages[0].body, "");
  EXPECT_EQ(two.messages[1].body, "hello");
  const Seen tunnel = responses(with_length, {{.method = Method::connect}});
  EXPECT_TRUE(tunnel.messages.at(0).is_whole);
  EXPECT_TRUE(tunnel.messages.at(0).framing.switches);
  EXPECT_FALSE(responses(with_length + "\x16\x03", {{.method = Method::connect}}).error.is_ok())
      << "what follows is no HTTP";
}

TEST(Http1Parser, reads_answers_before_the_answer) {
  const Seen seen = responses(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_EQ(seen.messages.size(), 3u) << seen.error;
  EXPECT_TRUE(seen.messages[0].is_informational);
  EXPECT_EQ(seen.messages[0].response.headers.get("link"), "</a>");
  EXPECT_TRUE(seen.messages[1].is_informational);
  EXPECT_EQ(seen.messages[2].response.status, 204);
  EXPECT_TRUE(seen.messages[2].is_whole);
}

TEST(Http1Parser, reads_a_body_up_to_the_end_of_the_connection) {
  Http1Parser parser(Reads::responses);
  const Seen seen = testing::read(parser, "HTTP/1.0 200 OK\r\n\r\nhello", {}, {{}});
  EXPECT_EQ(seen.messages.at(0).body, "hello");
  EXPECT_EQ(seen.messages[0].framing.body, BodyKind::until_close);
  EXPECT_FALSE(seen.messages[0].framing.keeps_alive);
  EXPECT_TRUE(parser.finish().value());
  EXPECT_FALSE(parser.finish().value()) << "it has ended once";
}

TEST(Http1Parser, tells_an_end_within_a_message_from_one_between) {
  const auto code_after = [](std::string_view stream) {
    Http1Parser parser(Reads::requests);
    (void)testing::read(parser, stream);
    const auto finished = parser.finish();
    return finished ? Code::ok : finished.error().code();
  };
  EXPECT_EQ(code_after(""), Code::ok);
  EXPECT_EQ(code_after("\r\n"), Code::ok);
  EXPECT_EQ(code_after("G"), Code::data_loss);
  EXPECT_EQ(code_after("GET / HTTP/1.1\r\nHost: a\r\n\r"), Code::data_loss);
  EXPECT_EQ(code_after("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Code::ok);
  EXPECT_EQ(code_after("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na"),
            Code::data_loss);
  Http1Parser parser(Reads::responses);
  parser.expect({});
  EXPECT_EQ(parser.finish().error().code(), Code::unavailable);
}

TEST(Http1Parser, switches_only_when_it_was_asked_to) {
  const std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
  const Seen asked = responses(answer, {{.asked_to_switch = true}});
  EXPECT_TRUE(asked.messages.at(0).framing.switches) << asked.error;
  EXPECT_FALSE(responses(answer).error.is_ok());
  EXPECT_FALSE(responses("HTTP/1.1 101 X\r\n\r\n", {{.asked_to_switch = true}}).error.is_ok());
}

TEST(Http1Parser, says_what_where_why_and_what_instead) {
  const Seen seen = requests("POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello");
  const std::string& text = seen.error.message();
  EXPECT_EQ(text.find("HTTP request refused at byte 40: "), 0u) << text;
  EXPECT_NE(text.find("\"Content-Length\""), std::string::npos) << text;
  EXPECT_NE(text.find("RFC 9112 5.1"), std::string::npos) << text;
  EXPECT_NE(text.find("leave it out"), std::string::npos) << text;
  EXPECT_EQ(seen.answer, 400);
}

TEST(Http1Parser, stays_dead_after_an_error) {
  Http1Parser parser(Reads::requests);
  const Seen seen = testing::read(parser, "GET  / HTTP/1.1\r\n");
  ASSERT_FALSE(seen.error.is_ok());
  std::string_view good = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string_view untouched = good;
  EXPECT_EQ(parser.next(good).error(), seen.error);
  EXPECT_EQ(good, untouched);
  EXPECT_EQ(parser.finish().error(), seen.error);
  EXPECT_FALSE(parser.is_at_rest());
}

TEST(Http1Parser, answers_502_for_a_server_that_breaks_the_rules) {
  const Seen seen = responses("HTTP/2.0 200 OK\r\n\r\n");
  EXPECT_EQ(seen.answer, 502);
  EXPECT_EQ(seen.error.code(), Code::unimplemented);
}

}  // namespace
}  // namespace parley::http
