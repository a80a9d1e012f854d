#include "parley/http/testing/memory_exchange.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::http::testing {
namespace {

Status echo(ServerExchange& exchange) {
  Result<std::string> body = exchange.read_all(10);
  if (!body) return body.error();
  return exchange.answer(200, *body);
}

TEST(MemoryExchange, gives_the_request_and_records_the_answer) {
  MemoryExchange exchange(Method::post, "/tea?a=b");
  exchange.with("X", "1").sends({"gre", "en"});
  EXPECT_EQ(exchange.request_size().bytes(), 5u);
  ASSERT_TRUE(exchange.run(echo).is_ok());
  EXPECT_EQ(exchange.answered().status, 200);
  EXPECT_EQ(exchange.field("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(exchange.body(), "green");
  EXPECT_TRUE(exchange.has_ended());
}

TEST(MemoryExchange, keeps_the_rules_of_an_exchange) {
  MemoryExchange head(Method::head);
  head.sends({"abc"});
  ASSERT_TRUE(head.run(echo).is_ok());
  EXPECT_EQ(head.body(), "");
  EXPECT_EQ(head.size()->bytes(), 3u);

  MemoryExchange large(Method::post);
  large.sends({"0123456789", "0"});
  EXPECT_EQ(large.run(echo).code(), Code::resource_exhausted);

  MemoryExchange sized;
  EXPECT_EQ(sized.write("a").code(), Code::failed_precondition);
  ASSERT_TRUE(sized.begin(BodySize::of(2)).is_ok());
  EXPECT_EQ(sized.begin(BodySize::of(2)).code(), Code::failed_precondition);
  ASSERT_TRUE(sized.write("a").is_ok());
  EXPECT_EQ(sized.end().code(), Code::failed_precondition);
  EXPECT_EQ(sized.write("bc").code(), Code::invalid_argument);
  EXPECT_TRUE(sized.write("b").is_ok());
  EXPECT_TRUE(sized.end().is_ok());
}

}  // namespace
}  // namespace parley::http::testing
