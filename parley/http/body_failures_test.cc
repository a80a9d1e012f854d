// What a handler returns that could not read a body, over each version of HTTP: 413 is for one that
// is too large, and for nothing else that is exhausted.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parley/http/content_coding.h"
#include "parley/http/forms.h"
#include "parley/http/http2_connection.h"
#include "parley/http/multipart.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using testing::count;
using testing::ServerWorld;

constexpr std::string_view own_words = "the secret shop is full";

Status read_parts(ServerExchange& exchange, const MultipartLimits& limits, std::size_t most) {
  auto reader = MultipartReader::of(exchange, limits);
  if (!reader) return reader.error();
  for (;;) {
    const auto part = reader->next();
    if (!part) return part.error();
    if (*part == nullptr) return exchange.answer(200);
    if (const auto all = reader->read_all(most); !all) return all.error();
  }
}

Status serve(ServerExchange& exchange) {
  const std::string target = exchange.request().target;
  if (target == "/form") {
    const auto form = read_form(exchange, {.max_pairs = 1});
    return form ? exchange.answer(200) : form.error();
  }
  if (target == "/parts") return read_parts(exchange, {.max_parts = 1}, 100);
  if (target == "/parts/small") return read_parts(exchange, {.max_bytes = 3}, 100);
  if (target == "/part") return read_parts(exchange, {}, 1);
  if (target == "/either") {
    if (const auto form = read_form(exchange)) return exchange.answer(200);
    if (const auto parts = MultipartReader::of(exchange); !parts) return parts.error();
    return Status(Code::invalid_argument, std::string(own_words));
  }
  if (target == "/limited") {
    if (Status s = exchange.limit_body(3); !s.is_ok()) return s;
  }
  if (target.starts_with("/decoded")) {
    const bool small = target == "/decoded/small";
    DecodedBody decoded(exchange, ContentCoding::deflate,
                        {.max_bytes = small ? std::uint64_t{3} : std::uint64_t{100}});
    const auto all = decoded.read_all(target == "/decoded/all" ? 3 : 100);
    return all ? exchange.answer(200, *all) : all.error();
  }
  const auto body = exchange.read_all(target == "/small" ? 3 : 100);
  if (!body) return body.error();
  return Status(Code::resource_exhausted, std::string(own_words));
}

// The status of the answer, and its body.
std::string post_by_http1(ServerWorld& world, const Request& head, const std::string& body) {
  const std::string said =
      world.ask("POST " + head.target + " HTTP/1.1\r\nHost: a\r\nContent-Type: " +
                std::string(head.headers.get("Content-Type").value_or("")) +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_TRUE(said.starts_with("HTTP/1.1 ")) << said;
  const std::size_t end = said.find("\r\n\r\n");
  return said.substr(9, 4) + said.substr(end == std::string::npos ? 0 : end + 4);
}

std::string post_by_http2(ServerWorld& world, const Request& head, const std::string& body) {
  Http2Connection connection(world.dial(), "http");
  const auto exchange = connection.begin(head, BodySize::of(body.size()));
  if (!exchange) return exchange.error().to_string();
  // It may be answered, and the stream over, before all of it was taken.
  if ((*exchange)->write(body).is_ok()) (void)(*exchange)->end();
  const auto response = (*exchange)->response();
  if (!response) return response.error().to_string();
  return std::to_string((*response)->status) + " " + (*exchange)->read_all().value_or("");
}

using Post = std::string (*)(ServerWorld&, const Request&, const std::string&);

struct Answers {
  explicit Answers(Post by, std::uint64_t most = 1'000'000) : post(by), max_body_bytes(most) {}
  std::string operator()(std::string target, std::string_view type, const std::string& body) {
    Request head{.method = Method::post, .target = std::move(target)};
    EXPECT_TRUE(head.headers.add("Host", "a").is_ok());
    EXPECT_TRUE(head.headers.add("Content-Type", type).is_ok());
    return post(world, head, body);
  }
  const Post post;
  const std::uint64_t max_body_bytes;
  std::string told{};
  ServerWorld world{
      serve,
      {.limits = {.max_body_bytes = max_body_bytes},
       .on_error = [this](const net::Address&, const Status& why) { told += why.message(); }}};
};

PARLEY_FIBER_TEST(BodyFailures, only_a_body_that_is_too_large_is_413_over_every_version) {
  const std::string part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nbc\r\n";
  for (const Post by : {post_by_http1, post_by_http2}) {
    Answers ask(by);
    EXPECT_TRUE(ask("/small", "text/plain", "hello").starts_with("413 "));
    EXPECT_TRUE(ask("/limited", "text/plain", "hello").starts_with("413 "));
    EXPECT_TRUE(ask("/form", "application/x-www-form-urlencoded", "a=b&c=d").starts_with("413 "));
    const std::string type = "multipart/form-data; boundary=x";
    EXPECT_TRUE(ask("/parts", type, part + part + "--x--\r\n").starts_with("413 "));
    EXPECT_TRUE(ask("/part", type, part + "--x--\r\n").starts_with("413 "));
    const std::string hello("\x78\x01\x01\x05\x00\xfa\xffhello\x06\x2c\x02\x15", 16);
    EXPECT_EQ(ask("/decoded", "text/plain", hello), "200 hello");
    EXPECT_TRUE(ask("/decoded/small", "text/plain", hello).starts_with("413 "));
    EXPECT_TRUE(ask("/decoded/all", "text/plain", hello).starts_with("413 "));
    EXPECT_EQ(ask.told, "");
    // The body was all right: this is the handler's own trouble.
    const std::string own = ask("/own", "text/plain", "hello");
    EXPECT_TRUE(own.starts_with("500 ")) << own;
    EXPECT_EQ(count(own, own_words), 0U) << own;
    EXPECT_EQ(ask.told, own_words);
    EXPECT_EQ(ask.world.server().counts().errors, 1U);
  }
}

PARLEY_FIBER_TEST(BodyFailures, what_is_no_form_is_415_and_a_wrong_one_400_over_every_version) {
  const std::string type = "multipart/form-data; boundary=x";
  const std::string form = "application/x-www-form-urlencoded";
  const std::string part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nbc\r\n";
  for (const Post by : {post_by_http1, post_by_http2}) {
    Answers ask(by);
    const std::string other = ask("/parts", "text/plain", part + "--x--\r\n");
    EXPECT_TRUE(other.starts_with("415 ")) << other;
    EXPECT_EQ(count(other, "multipart/form-data"), 1U) << other;
    EXPECT_TRUE(ask("/parts", "multipart/form-data", part).starts_with("415 "));
    EXPECT_TRUE(ask("/parts", type, "no form at all").starts_with("400 "));
    EXPECT_TRUE(ask("/parts", type, part).starts_with("400 ")) << "a form that is cut";
    EXPECT_TRUE(ask("/parts", type, part + "--x--\r\n").starts_with("200 "));
    EXPECT_TRUE(ask("/form", "text/plain", "a=b").starts_with("415 "));
    EXPECT_TRUE(ask("/form", form, "a=%zz").starts_with("400 "));
    EXPECT_TRUE(ask("/form", form, "a=b").starts_with("200 "));
    EXPECT_TRUE(ask("/either", form, "a=b").starts_with("200 "));
    EXPECT_TRUE(ask("/either", "text/plain", "a=b").starts_with("415 "));
    EXPECT_EQ(ask.told, "");
    // What was got over is not the trouble any more.
    EXPECT_TRUE(ask("/either", type, part + "--x--\r\n").starts_with("500 "));
    EXPECT_EQ(ask.told, own_words);
  }
}

PARLEY_FIBER_TEST(BodyFailures, one_limit_of_the_server_holds_over_every_version_and_is_named) {
  for (const Post by : {post_by_http1, post_by_http2}) {
    const std::string body = "hello";
    for (const std::uint64_t most : {4, 5}) {
      Answers ask(by, most);
      const std::string said = ask("/own", "text/plain", body);
      EXPECT_TRUE(said.starts_with(most == 4 ? "413 " : "500 ")) << said;
      if (most == 5) continue;
      EXPECT_EQ(count(said, "4 bytes (limits.max_body_bytes of ServerOptions"), 1U) << said;
    }
    Answers ask(by);
    const std::string limited = ask("/limited", "text/plain", body);
    EXPECT_EQ(count(limited, "limit_body()"), 1U) << limited;
    const std::string small = ask("/small", "text/plain", body);
    EXPECT_EQ(count(small, "3 bytes that read_all() was to take"), 1U) << small;
    const std::string parts = ask("/parts/small", "multipart/form-data; boundary=x", body);
    EXPECT_TRUE(parts.starts_with("413 ")) << parts;
    EXPECT_EQ(count(parts, "MultipartLimits::max_bytes"), 1U) << parts;
  }
}

}  // namespace
}  // namespace parley::http
