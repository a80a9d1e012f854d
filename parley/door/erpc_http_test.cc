#include "parley/door/erpc_http.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/codec/json.h"
#include "parley/door/testing/house.h"
#include "parley/peer/plugins/heartbeat.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"
#include "parley/wire/filters/gzip.h"
#include "parley/wire/parley_framing.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): the house is all it is about
using wire::BodyCodec;
using wire::Match;
using wire::Message;
using wire::MessageType;

// As erpc's client writes a call, its server an answer and an error: the names in Go's order.
constexpr std::string_view golden_call =
    "POST /home/test?peer_id=110 HTTP/1.1\r\n"
    "Accept-Encoding: gzip\r\n"
    "Author: an d&=y\r\n"
    "Content-Length: 9\r\n"
    "Content-Type: application/json;charset=utf-8\r\n"
    "Host: localhost:9090\r\n"
    "User-Agent: erpc-httproto/1.1\r\n"
    "X-Mtype: 1\r\n"
    "X-Seq: 1295\r\n"
    "\r\n"
    R"({"a":"x"})";
constexpr std::string_view golden_answer =
    "HTTP/1.1 200 OK\r\n"
    "Content-Length: 13\r\n"
    "Content-Type: application/json;charset=utf-8\r\n"
    "X-Mtype: 2\r\n"
    "X-Seq: 1295\r\n"
    "\r\n"
    R"({"arg":"tea"})";
constexpr std::string_view golden_error =
    "HTTP/1.1 299 Business Error\r\n"
    "Content-Length: 49\r\n"
    "Content-Type: application/json\r\n"
    "X-Mtype: 2\r\n"
    "X-Seq: 1295\r\n"
    "\r\n"
    R"({"code":1001,"msg":"sold out","cause":"no \"tea"})";

// A call without Host, as a client writes one for a plain path.
std::string call_of(std::string_view path, int seq, std::string_view body,
                    const std::string& more = {}, int type = 1) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nAccept-Encoding: gzip\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) +
         "\r\nContent-Type: application/json;charset=utf-8\r\nUser-Agent: erpc-httproto/1.1\r\n"
         "X-Mtype: " +
         std::to_string(type) + "\r\nX-Seq: " + std::to_string(seq) + "\r\n\r\n" +
         std::string(body);
}

std::string answer_of(int seq, std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nContent-Type: application/json;charset=utf-8\r\nX-Mtype: 2\r\nX-Seq: " +
         std::to_string(seq) + "\r\n\r\n" + std::string(body);
}

Result<std::optional<Message>> read(std::string_view bytes, ErpcHttpOptions options = {}) {
  const auto decoder = erpc_http_framing(std::move(options))->make_decoder();
  decoder->feed(bytes);
  auto next = decoder->next();
  // What it shows of the decoder would be gone with it.
  if (next && *next && !(*next)->method_block) EXPECT_TRUE((*next)->method.empty());
  return next;
}

std::string written(const Message& message, ErpcHttpOptions options = {}) {
  std::string out;
  const Status status = erpc_http_framing(std::move(options))->make_encoder()->encode(message, out);
  return status.is_ok() ? out : status.to_string();
}

PeerOptions speaking(ErpcHttpOptions options = {}) {
  return {
      .framings = {std::make_shared<wire::ParleyFraming>(), erpc_http_framing(std::move(options))}};
}

std::string gzipped(std::string_view text) {
  return wire::gzip_filter()->apply(Bytes::copy_of(text))->to_string();
}

TEST(ErpcHttp, calls_are_written_as_erpc_writes_them) {
  Message call{.seq = 1295, .method = "http://localhost:9090/home/test?peer_id=110"};
  call.metadata.add("Author", "an d&=y");
  call.body_codec = BodyCodec::json;
  call.body = Bytes::from(R"({"a":"x"})");
  EXPECT_EQ(written(call), golden_call);
  const auto encoder = erpc_http_framing()->make_encoder();
  std::string head;
  Bytes tail;
  ASSERT_TRUE(encoder->encode_apart(call, head, tail).is_ok());
  EXPECT_EQ(head + tail.to_string(), golden_call);
}

TEST(ErpcHttp, answers_and_errors_are_written_as_erpc_writes_them) {
  Message answer{.seq = 1295, .type = MessageType::reply, .body_codec = BodyCodec::json};
  answer.body = Bytes::from(R"({"arg":"tea"})");
  EXPECT_EQ(written(answer), golden_answer);
  std::string short_way;
  ASSERT_TRUE(erpc_http_framing()
                  ->make_encoder()
                  ->encode_answer(1295, BodyCodec::json, R"({"arg":"tea"})", short_way)
                  .is_ok());
  EXPECT_EQ(short_way, golden_answer);
  answer.status = Status::business(1001, "sold out").with_cause("no \"tea");
  EXPECT_EQ(written(answer), golden_error);
}

TEST(ErpcHttp, calls_are_read_with_their_query_and_headers_as_metadata) {
  const auto call = read(golden_call);
  ASSERT_TRUE(call) << call.error();
  ASSERT_TRUE(*call);
  EXPECT_EQ((*call)->seq, 1295);
  EXPECT_EQ((*call)->type, MessageType::call);
  EXPECT_EQ((*call)->method, "/home/test");
  EXPECT_EQ((*call)->body_codec, BodyCodec::json);
  EXPECT_EQ((*call)->body, R"({"a":"x"})");
  const wire::Metadata expected = {{"Accept-Encoding", "gzip"},
                                   {"Author", "an d&=y"},
                                   {"Host", "localhost:9090"},
                                   {"User-Agent", "erpc-httproto/1.1"},
                                   {"peer_id", "110"}};
  EXPECT_EQ((*call)->metadata, expected);
}

TEST(ErpcHttp, answers_and_errors_are_read) {
  const auto answer = read(golden_answer);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->type, MessageType::reply);
  EXPECT_EQ((*answer)->seq, 1295);
  EXPECT_EQ((*answer)->body, R"({"arg":"tea"})");
  const auto error = read(golden_error);
  ASSERT_TRUE(error && *error);
  EXPECT_EQ((*error)->status.business_code(), 1001);
  EXPECT_EQ((*error)->status.message(), "sold out");
  EXPECT_EQ((*error)->status.cause(), "no \"tea");
  const auto broken =
      read("HTTP/1.1 299 Business Error\r\nContent-Length: 2\r\nX-Seq: 1\r\n\r\n[]");
  ASSERT_TRUE(broken && *broken);
  EXPECT_EQ((*broken)->status.code(), Code::unknown) << "an error whose number got lost is one";
  // erpc's server sends an error through the gzip of its call.
  const std::string text = gzipped(R"({"code":1001,"msg":"sold out"})");
  const auto packed =
      read("HTTP/1.1 299 Business Error\r\nContent-Encoding: gzip\r\nContent-Length: " +
           std::to_string(text.size()) + "\r\nX-Content-Encoding: gzip\r\nX-Seq: 1\r\n\r\n" + text);
  ASSERT_TRUE(packed && *packed);
  EXPECT_EQ((*packed)->status.business_code(), 1001);
  const auto nothing =
      read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Content-Encoding: gzip\r\nX-Seq: 1\r\n\r\n");
  ASSERT_TRUE(nothing && *nothing);
  EXPECT_TRUE((*nothing)->status.is_ok());
  const auto other = read("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-Seq: 1\r\n\r\n");
  ASSERT_TRUE(other && *other);
  EXPECT_EQ((*other)->status.code(), Code::not_found);
  for (const std::string line : {"201 Created", "204 No Content", "226 IM Used", "302 Found"}) {
    const auto odd = read("HTTP/1.1 " + line + "\r\nX-Seq: 1\r\nContent-Length: 0\r\n\r\n");
    if (!odd) continue;  // some may have no Content-Length
    ASSERT_TRUE(*odd);
    EXPECT_EQ((*odd)->status.code(), Code::unknown) << "a success but 200 is no result";
  }
}

TEST(ErpcHttp, what_is_cut_anywhere_is_read_the_same) {
  const std::string stream = std::string(golden_call) + std::string(golden_answer) +
                             std::string(golden_error) + call_of("/a", 3, "");
  const auto decoder = erpc_http_framing()->make_decoder();
  std::vector<int> numbers;
  std::string bodies;
  for (const char c : stream) {
    decoder->feed(std::string_view(&c, 1));
    for (auto next = decoder->next(); next && *next; next = decoder->next()) {
      numbers.push_back((*next)->seq);
      bodies += (*next)->body.to_string();
      EXPECT_FALSE(decoder->mid_message());
    }
  }
  EXPECT_EQ(numbers, (std::vector<int>{1295, 1295, 1295, 3}));
  EXPECT_EQ(bodies, R"({"a":"x"}{"arg":"tea"})");
}

struct Broken {
  std::string bytes;
  std::string_view why;
};

TEST(ErpcHttp, what_is_no_message_of_it_is_refused) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  const std::vector<Broken> all = {
      {"GET /a HTTP/1.1\r\nX-Seq: 1\r\n\r\n", "send POST"},
      {"POST /a HTTP/1.1\r\nX-Seq: 1\r\nX-Seq: 2\r\n\r\n", "two headers X-Seq"},
      {"POST /a HTTP/1.1\r\nX-Mtype: 1\r\nx-mtype: 1\r\n\r\n", "two headers X-Mtype"},
      {"POST /a HTTP/1.1\r\nX-Seq: 2147483648\r\n\r\n", "32 bits"},
      {"POST /a HTTP/1.1\r\nX-Seq: 1x\r\n\r\n", "32 bits"},
      {"POST /a HTTP/1.1\r\nX-Mtype: 6\r\n\r\n", "1 to 5"},
      {"POST /a HTTP/1.1\r\nX-Mtype: -1\r\n\r\n", "1 to 5"},
      {"POST /a HTTP/1.1\r\nX-Mtype: 2\r\n\r\n", "of an answer"},
      {answer + "X-Seq: 1\r\nX-Mtype: 1\r\n\r\n", "of a request"},
      {answer + "\r\n", "plain HTTP"},
      {"HTTP/1.1 200 OK\r\nX-Seq: 1\r\n\r\n", "without Content-Length"},
      {"POST /" + std::string(300, 'a') + " HTTP/1.1\r\n\r\n", "301 bytes"},
      {"POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "Content-Length"},
      {"POST /a HTTP/1.1\nX-Seq: 1\r\n\r\n", "byte"},
  };
  for (const Broken& each : all) {
    const auto next = read(each.bytes);
    ASSERT_FALSE(next) << each.bytes;
    EXPECT_NE(next.error().message().find(each.why), std::string::npos) << next.error();
  }
}

TEST(ErpcHttp, metadata_that_fits_no_header_travels_in_the_query) {
  Message call{.seq = 1, .method = "/a b/\xC3\xA4"};
  call.metadata = {{"plain", "x"}, {"two words", "a\r\nb"}, {"Host", "not the host"}};
  const std::string bytes = written(call);
  EXPECT_EQ(bytes.find("POST /a%20b/%C3%A4?two%20words=a%0D%0Ab&Host=not%20the%20host HTTP"), 0u)
      << bytes;
  const auto back = read(bytes);
  ASSERT_TRUE(back && *back);
  EXPECT_EQ((*back)->method, call.method);
  for (const auto& [key, value] : call.metadata) EXPECT_EQ((*back)->metadata.get(key), value);
  Message answer{.seq = 1, .type = MessageType::reply};
  answer.metadata = call.metadata;
  const auto answered = read(written(answer));
  ASSERT_TRUE(answered && *answered);
  EXPECT_EQ((*answered)->metadata, (wire::Metadata{{"plain", "x"}})) << "there is no query";
}

TEST(ErpcHttp, what_it_cannot_carry_is_told) {
  EXPECT_NE(written({.method = "Math.Add"}).find("must begin with /"), std::string::npos);
  EXPECT_NE(written({.method = "/" + std::string(300, 'a')}).find("301 bytes"), std::string::npos);
  EXPECT_NE(written({.method = "http://a b/c"}).find("is no host"), std::string::npos);
  EXPECT_NE(written({.type = MessageType::push, .method = "/a"}).find("unimplemented"),
            std::string::npos);
  Message filtered{.method = "/a"};
  filtered.filters = wire::FilterPipe("z");
  EXPECT_NE(written(filtered).find("no transfer filter but gzip"), std::string::npos);
  const auto encoder = erpc_http_framing()->make_encoder();
  EXPECT_FALSE(encoder->has(MessageType::push));
  EXPECT_FALSE(encoder->has(MessageType::open));
  EXPECT_TRUE(encoder->has(MessageType::auth_reply));
}

TEST(ErpcHttp, a_head_that_would_be_beyond_what_is_read_is_refused_where_it_is_written) {
  const auto of = [](MessageType type, std::size_t count, std::size_t size, bool fits = true) {
    Message message{.seq = 1, .type = type, .method = "/a"};
    for (std::size_t i = 0; i < count; ++i) {
      message.metadata.add((fits ? "k" : "k ") + std::to_string(i), std::string(size, 'x'));
    }
    return message;
  };
  for (const MessageType type : {MessageType::call, MessageType::reply}) {
    for (const auto& [count, size] :
         {std::pair(90, 1), std::pair(101, 1), std::pair(1, 16'000), std::pair(1, 17'000),
          std::pair(3, 10'000), std::pair(4, 10'000)}) {
      const Message message =
          of(type, static_cast<std::size_t>(count), static_cast<std::size_t>(size));
      const std::string bytes = written(message);
      const bool goes = count == 90 || size == 16'000 || count == 3;
      EXPECT_EQ(bytes.find("resource_exhausted") == std::string::npos, goes)
          << count << " " << size;
      EXPECT_EQ(read(bytes).has_value(), goes) << count << " " << size;
      Message failed = message;
      failed.type = MessageType::reply;
      failed.status = Status::business(1001, "sold out");
      const auto error = read(written(failed));
      ASSERT_TRUE(error && *error);
      EXPECT_EQ((*error)->status.business_code(), 1001) << "an error goes, without them at need";
    }
  }
  EXPECT_TRUE(read(written(of(MessageType::call, 1, 8'000, false))));
  EXPECT_NE(written(of(MessageType::call, 1, 8'200, false)).find("request line"),
            std::string::npos);
}

TEST(ErpcHttp, media_types_say_the_codec_both_ways) {
  const std::array<std::pair<BodyCodec, std::string_view>, 6> all = {{
      {BodyCodec::json, "application/json;charset=utf-8"},
      {BodyCodec::protobuf, "application/x-protobuf;charset=utf-8"},
      {BodyCodec::form, "application/x-www-form-urlencoded;charset=utf-8"},
      {BodyCodec::plain, "text/plain;charset=utf-8"},
      {BodyCodec::xml, "text/xml;charset=utf-8"},
      {BodyCodec::msgpack, "application/msgpack"},
  }};
  for (const auto& [codec, type] : all) {
    Message call{.method = "/a", .body_codec = codec};
    call.body = Bytes::from("x");
    const std::string bytes = written(call);
    EXPECT_NE(bytes.find("\r\nContent-Type: " + std::string(type)), std::string::npos) << bytes;
    const auto back = read(bytes);
    ASSERT_TRUE(back && *back);
    EXPECT_EQ((*back)->body_codec, codec);
  }
}

TEST(ErpcHttp, options_hold) {
  Message call{.method = "/a", .body_codec = BodyCodec{'b'}};
  call.metadata = {{"a", "1"}, {"b", "2"}};
  call.body = Bytes::from("x");
  codec::CodecRegistry codecs;
  ASSERT_TRUE(codecs
                  .add({.id = 'b',
                        .name = "mine",
                        .content_types = {"application/mine"},
                        .encode = [](auto&&...) { return Status(); },
                        .decode = [](auto&&...) { return Status(); }})
                  .is_ok());
  EXPECT_NE(written(call, {.codecs = &codecs}).find("application/mine"), std::string::npos);
  EXPECT_EQ(written(call).find("application/mine"), std::string::npos);
  const std::string bytes = written(call, {.codecs = &codecs});
  EXPECT_EQ(read(bytes, {.codecs = &codecs}).value()->body_codec, BodyCodec{'b'});
  EXPECT_EQ(read(bytes).value()->body_codec, BodyCodec::none);
  EXPECT_NE(written(call, {.limits = {.max_frame_bytes = bytes.size() - 60}}).find("max_frame"),
            std::string::npos);
  const std::string small = call_of("/a", 1, "123456789");
  EXPECT_TRUE(read(small, {.limits = {.max_frame_bytes = 9}}));
  EXPECT_EQ(read(small, {.limits = {.max_frame_bytes = 8}}).error().code(),
            Code::resource_exhausted);
  EXPECT_TRUE(read(small, {.limits = {.max_metadata_entries = 2}}))
      << "Accept-Encoding, User-Agent";
  EXPECT_EQ(read(small, {.limits = {.max_metadata_entries = 1}}).error().code(),
            Code::resource_exhausted);
  EXPECT_NE(written(call, {.limits = {.max_metadata_entries = 1}}).find("max_metadata_entries"),
            std::string::npos);
}

TEST(ErpcHttp, gzip_has_the_name_and_the_id_that_were_said) {
  Message call{.method = "/a", .body_codec = BodyCodec::json};
  call.filters = wire::FilterPipe("G");
  const std::string text(5000, 'x');
  call.body = Bytes::copy_of(text);
  const ErpcHttpOptions options{.gzip_name = "gzip-5", .gzip_id = 'G'};
  const std::string bytes = written(call, options);
  EXPECT_NE(bytes.find("\r\nContent-Encoding: gzip\r\n"), std::string::npos) << bytes;
  EXPECT_NE(bytes.find("\r\nX-Content-Encoding: gzip-5\r\n"), std::string::npos) << bytes;
  EXPECT_LT(bytes.size(), 500u);
  EXPECT_NE(written(call).find("no transfer filter"), std::string::npos) << "there it is g";
  const auto back = read(bytes, options);
  ASSERT_TRUE(back && *back);
  EXPECT_EQ((*back)->body, text);
  EXPECT_EQ((*back)->filters, wire::FilterPipe("G"));
  const auto other = read(bytes);
  ASSERT_TRUE(other && *other);
  EXPECT_EQ((*other)->body, text) << "it is gzip all the same";
  EXPECT_TRUE((*other)->filters.empty()) << "and an answer that erpc could not undo is none";
}

TEST(ErpcHttp, a_body_that_cannot_be_undone_is_told_to_who_called) {
  const std::string bomb = gzipped(std::string(100'000, 'x'));
  const std::vector<std::pair<std::string, std::string>> all = {
      {"Content-Encoding: br\r\n", "abc"},
      {"X-Content-Encoding: snappy\r\n", "abc"},
      {"Content-Encoding: gzip\r\n", "no gzip"},
      {"Content-Encoding: gzip\r\n", bomb},
      {"X-Content-Encoding: gzip\r\nX-Content-Encoding: gzip\r\n", bomb},
  };
  for (const auto& [fields, body] : all) {
    const auto call = read(call_of("/a", 9, body, fields), {.limits = {.max_frame_bytes = 50'000}});
    ASSERT_TRUE(call && *call) << fields;
    EXPECT_TRUE((*call)->is_refused);
    EXPECT_FALSE((*call)->status.is_ok());
    EXPECT_TRUE((*call)->body.empty());
    EXPECT_EQ((*call)->value, body.size());
  }
}

PARLEY_FIBER_TEST(ErpcHttp, a_client_calls_methods_through_the_one_port) {
  House house({}, speaking());
  house.peer.handle("/who", [](Context& context) {
    return std::string(context.metadata().get("peer_id").value_or("nobody"));
  });
  const auto stream = house.dial();
  ASSERT_TRUE(stream->write(call_of("/math/add", 7, "[1,2]")).is_ok());
  EXPECT_EQ(read_until(*stream, "\r\n\r\n3"), answer_of(7, "3"));
  ASSERT_TRUE(stream->write(call_of("/who?peer_id=110", 8, "")).is_ok());
  EXPECT_NE(read_until(*stream, "110").find("X-Seq: 8\r\n\r\n"), std::string::npos);
  ASSERT_TRUE(stream->write(call_of("/nobody", 9, "")).is_ok());
  const std::string error = read_until(*stream, "}");
  EXPECT_EQ(error.find("HTTP/1.1 299 Business Error\r\n"), 0u) << error;
  EXPECT_NE(error.find("X-Seq: 9\r\n\r\n{\"code\":404,\"msg\":"), std::string::npos) << error;
  EXPECT_EQ(house.door.counts().of(erpc_http_name), 1u);
  EXPECT_EQ(house.door.counts().of(http1_name), 0u);
}

PARLEY_FIBER_TEST(ErpcHttp, calls_under_way_together_are_told_apart_by_x_seq) {
  House house({}, speaking());
  rt::Event go_on;
  house.peer.handle("/slow", [&] {
    (void)go_on.wait();
    return 1;
  });
  const auto stream = house.dial();
  ASSERT_TRUE(stream->write(call_of("/slow", 1, "") + call_of("/math/add", 2, "[2,3]")).is_ok());
  EXPECT_EQ(read_until(*stream, "\r\n\r\n5"), answer_of(2, "5")) << "the second one first";
  go_on.set();
  EXPECT_EQ(read_until(*stream, "\r\n\r\n1"), answer_of(1, "1"));
}

PARLEY_FIBER_TEST(ErpcHttp, metadata_that_is_too_much_ends_its_own_call_alone) {
  House house({}, speaking());
  rt::Event go_on;
  house.peer.handle("/slow", [&] {
    (void)go_on.wait();
    return 1;
  });
  house.peer.handle("/much", [](Context& context) {
    for (int i = 0; i < 200; ++i) context.reply_metadata().add("k" + std::to_string(i), "v");
    return 1;
  });
  Peer client({.framings = {erpc_http_framing()}});
  const auto session = client.dial(house.address());
  ASSERT_TRUE(session) << session.error();
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_EQ(session->call<int>("/slow").value_or(0), 1); });
  EXPECT_EQ(session->call<int>("/much").error().code(), Code::resource_exhausted);
  CallOptions large;
  large.metadata.add("k", std::string(17'000, 'x'));
  EXPECT_EQ(session->call<int>(large, "/math/add", 1, 2).error().code(), Code::resource_exhausted);
  EXPECT_EQ(session->call<int>("/math/add", 1, 2).value_or(0), 3);
  go_on.set();
  scope.join();
}

PARLEY_FIBER_TEST(ErpcHttp, a_heartbeat_that_would_be_a_push_is_a_call) {
  House house({}, speaking());
  rt::Event beaten;
  house.peer.handle("/heartbeat", [&] { beaten.set(); });
  Peer client({.framings = {erpc_http_framing()},
               .plugins = {heartbeat({.interval = 1s, .kind = HeartbeatKind::push})}});
  const auto session = client.dial(house.address());
  ASSERT_TRUE(session) << session.error();
  EXPECT_TRUE(beaten.wait(rt::Deadline::after(30s)).is_ok());
}

PARLEY_FIBER_TEST(ErpcHttp, may_stand_in_the_order_of_what_is_told_apart) {
  for (const bool http1 : {true, false}) {
    House house({.detect = {.order = {"http/2", "http/1", "erpc-http"}}, .http1 = http1},
                speaking());
    EXPECT_EQ(house.ask(call_of("/math/add", 7, "[1,2]"), "\r\n\r\n3"), answer_of(7, "3"));
  }
}

PARLEY_FIBER_TEST(ErpcHttp, a_push_is_answered_with_what_to_do_instead) {
  House house({}, speaking());
  const auto stream = house.dial();
  ASSERT_TRUE(stream->write(call_of("/math/add", 4, "[1,2]", {}, 3)).is_ok());
  const std::string error = read_until(*stream, "}");
  EXPECT_EQ(error.find("HTTP/1.1 299 "), 0u) << error;
  EXPECT_NE(error.find("X-Seq: 4\r\n"), std::string::npos) << error;
  EXPECT_NE(error.find("there is no PUSH"), std::string::npos) << error;
  ASSERT_TRUE(stream->write(call_of("/math/add", 5, "[1,2]")).is_ok());
  EXPECT_EQ(read_until(*stream, "\r\n\r\n3"), answer_of(5, "3")) << "and it goes on";
}

PARLEY_FIBER_TEST(ErpcHttp, an_answer_goes_through_the_gzip_its_call_came_through) {
  House house({}, speaking({.gzip_name = "gzip-5"}));
  house.peer.handle("/echo", [](const std::string& text) { return text; });
  const std::string text = codec::encode_json(std::string(20'000, 'x')).value();
  for (const std::string name : {"gzip-5", "other"}) {
    const std::string fields = "Content-Encoding: gzip\r\nX-Content-Encoding: " + name + "\r\n";
    const auto stream = house.dial();
    ASSERT_TRUE(stream->write(call_of("/echo", 1, gzipped(text), fields)).is_ok());
    const std::string head = read_until(*stream, "\r\n\r\n");
    const bool is_known = name == "gzip-5";
    EXPECT_EQ(head.find("X-Content-Encoding: gzip-5\r\n") != std::string::npos, is_known) << head;
    EXPECT_EQ(head.find("Content-Length: 20002") != std::string::npos, !is_known) << head;
  }
}

PARLEY_FIBER_TEST(ErpcHttp, both_sides_may_call_and_our_own_client_speaks_it) {
  House house({}, speaking());
  house.peer.handle("/echo", [](const std::string& text) { return text; });
  house.peer.handle("/nothing", [] {});
  Peer client({.framings = {erpc_http_framing()}});
  client.handle("/once", [](int n) { return n; });
  const auto session = client.dial(house.address());
  ASSERT_TRUE(session) << session.error();
  EXPECT_EQ(session->call<int>("/math/add", 1, 2).value(), 3);
  EXPECT_EQ(session->call<int>("/twice", 21).value(), 42) << "the server calls the client";
  EXPECT_EQ(session->call<int>("/nobody", 1).error().code(), Code::not_found);
  const std::string large(300'000, 'x');
  EXPECT_EQ(session->call<std::string>("/echo", large).value(), large);
  EXPECT_TRUE(session->call<void>("/nothing").has_value());
  const CallOptions plain{.body_codec = BodyCodec::plain};
  for (const std::string text : {"tea", ""}) {
    const auto back = session->call<std::string>(plain, "/echo", text);
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(*back, text);
  }
  EXPECT_EQ(session->push("/echo", large).code(), Code::unimplemented);
  EXPECT_EQ(house.door.counts().of(erpc_http_name), 1u);
}

TEST(ErpcHttp, many_calls_both_ways_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        House house({}, speaking());
        Peer client({.framings = {erpc_http_framing()}});
        client.handle("/once", [](int n) { return n; });
        const auto session = client.dial(house.address());
        ASSERT_TRUE(session) << session.error();
        rt::Scope scope;
        for (int i = 0; i < 32; ++i) {
          scope.go("caller", [&, i] {
            for (int j = 0; j < 10; ++j) {
              EXPECT_EQ(session->call<int>("/math/add", i, j).value(), i + j);
              EXPECT_EQ(session->call<int>("/twice", i + j).value(), 2 * (i + j));
            }
          });
        }
        scope.join();
        EXPECT_EQ(house.told(), "");
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(ErpcHttp, plain_http_beside_it_is_what_it_was) {
  House house({}, speaking());
  EXPECT_NE(house.ask(add, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
  const std::string one_of_two =
      "POST /math/add HTTP/1.1\r\nHost: a\r\nX-Seq: 1\r\n"
      "Content-Type: application/json\r\nContent-Length: 5\r\n\r\n[1,2]";
  EXPECT_EQ(house.ask(one_of_two, "\r\n\r\n3").find("X-Seq"), std::string::npos);
  EXPECT_NE(house.ask("GET /math/add HTTP/1.1\r\nHost: a\r\n\r\n", "}").find("HTTP/1.1 405"),
            std::string::npos);
  // A head that is longer than what is looked at.
  const std::string fields = "A: " + std::string(7'000, 'x') + "\r\n";
  const std::string long_one = "POST /math/add HTTP/1.1\r\nHost: a\r\n" + fields + fields + fields +
                               "X-Seq: 1\r\nX-Mtype: 1\r\nContent-Length: 5\r\n\r\n[1,2]";
  EXPECT_EQ(house.ask(long_one, "\r\n\r\n3").find("X-Seq"), std::string::npos);
  EXPECT_EQ(house.door.counts().of(http1_name), 4u);
  EXPECT_EQ(house.door.counts().of(erpc_http_name), 0u);
}

PARLEY_FIBER_TEST(ErpcHttp, is_spoken_only_where_it_is_among_the_framings) {
  const std::string call = call_of("/math/add", 7, "[1,2]", "Host: a\r\n");
  for (const bool speaks : {true, false}) {
    House house({}, speaks ? speaking() : PeerOptions());
    const std::string answer = house.ask(call, "\r\n\r\n3");
    EXPECT_EQ(answer.find("X-Seq: 7") != std::string::npos, speaks) << answer;
  }
  // Without HTTP it is told by its first bytes.
  House house({.http1 = false, .http2 = false}, speaking());
  EXPECT_EQ(house.ask(call, "\r\n\r\n3"), answer_of(7, "3"));
}

PARLEY_FIBER_TEST(ErpcHttp, is_told_from_plain_http_byte_by_byte) {
  House house({}, speaking());
  const auto stream = house.dial();
  for (const char c : call_of("/math/add", 7, "[1,2]")) {
    ASSERT_TRUE(stream->write(std::string_view(&c, 1)).is_ok());
    rt::yield();
  }
  EXPECT_EQ(read_until(*stream, "\r\n\r\n3"), answer_of(7, "3"));
}

TEST(ErpcHttp, a_first_head_that_takes_its_time_is_plain_http_then) {
  rt::testing::in_virtual_time([] {
    House house({.detect = {.detect_timeout = 2s}}, speaking());
    const auto stream = house.dial();
    ASSERT_TRUE(stream->write("POST /math/add HTTP/1.1\r\nHost: a\r\n").is_ok());
    ASSERT_TRUE(rt::sleep(3s).is_ok());
    EXPECT_EQ(house.door.counts().timeouts, 0u);
    EXPECT_EQ(house.door.counts().of(http1_name), 1u);
    ASSERT_TRUE(
        stream->write("Content-Type: application/json\r\nContent-Length: 5\r\n\r\n[1,2]").is_ok());
    EXPECT_NE(read_until(*stream, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
  });
}

TEST(ErpcHttp, begins_with_a_post_that_has_both_headers) {
  EXPECT_EQ(begins_erpc_http(""), Match::needs_more);
  EXPECT_EQ(begins_erpc_http("POS"), Match::needs_more);
  EXPECT_EQ(begins_erpc_http("GET "), Match::no);
  EXPECT_EQ(begins_erpc_http("POST /a HTTP/1.1\r\nX-Seq: 1\r\nX-Mtype: 1"), Match::needs_more);
  EXPECT_EQ(begins_erpc_http("POST /a HTTP/1.1\r\nX-Seq: 1\r\nx-mtype: 1\r\n"), Match::yes);
  EXPECT_EQ(begins_erpc_http("POST /a HTTP/1.1\r\nX-Seq: 1\r\n\r\nX-Mtype: 1\r\n"), Match::no);
  EXPECT_EQ(begins_erpc_http("POST /a HTTP/1.1\r\nA: " + std::string(most_erpc_http_head, 'x')),
            Match::no);
}

TEST(ErpcHttp, a_head_that_comes_piece_by_piece_is_looked_at_once) {
  std::string head = "POST /a HTTP/1.1\r\nX-Seq: 1\r\nA: b\r\nX-Mtype: 1\r\n";
  ErpcHttpSeen seen;
  for (std::size_t size = 0; size < head.size(); ++size) {
    EXPECT_EQ(begins_erpc_http(head.substr(0, size), seen), Match::needs_more);
  }
  head.replace(head.find("X-Seq"), 5, "Y-Seq");  // was seen, and nobody looks again
  EXPECT_EQ(begins_erpc_http(head, seen), Match::yes);
  EXPECT_EQ(begins_erpc_http(head), Match::needs_more);
}

}  // namespace
}  // namespace parley::door
