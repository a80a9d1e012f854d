#include "parley/door/grpc_framing.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::door {
namespace {

std::string framed(std::string_view message, GrpcCoding coding = GrpcCoding::identity) {
  std::string out;
  EXPECT_TRUE(put_grpc_message(out, message, coding).is_ok());
  return out;
}

// What comes in pieces of that size, and behind it how it ended.
std::vector<std::string> came(std::string_view bytes, std::size_t piece,
                              const GrpcReaderOptions& options = {}) {
  GrpcReader reader(options);
  std::vector<std::string> out;
  while (!bytes.empty()) {
    std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    while (!now.empty()) {
      GrpcMessage message;
      const auto there = reader.next(now, message);
      if (!there) {
        out.emplace_back(name_of(there.error().code()));
        return out;
      }
      if (*there) out.push_back((message.is_trailers ? "trailers " : "") + message.bytes);
    }
  }
  out.emplace_back(reader.is_between() ? "end" : "cut");
  return out;
}

using Texts = std::vector<std::string>;

TEST(GrpcFraming, messages_come_whole_however_they_are_cut) {
  const std::string body = framed("tea") + framed("") + framed(std::string(70'000, 'x'));
  for (const std::size_t piece : {1U, 4U, 5U, 6U, 1000U, 100'000U}) {
    EXPECT_EQ(came(body, piece), (Texts{"tea", "", std::string(70'000, 'x'), "end"})) << piece;
  }
  EXPECT_EQ(came(body.substr(0, 7), 3), Texts{"cut"});
  EXPECT_EQ(came(body.substr(0, 3), 3), Texts{"cut"});
}

TEST(GrpcFraming, a_message_beyond_the_limit_is_refused_by_its_length) {
  EXPECT_EQ(came(framed("four"), 9, {.max_message = 4}), (Texts{"four", "end"}));
  EXPECT_EQ(came(framed("fives").substr(0, 5), 9, {.max_message = 4}), Texts{"resource_exhausted"});
}

TEST(GrpcFraming, only_gRPC_Web_has_trailers_and_nothing_behind_them) {
  std::string body = framed("tea");
  put_grpc_web_trailers(body, "grpc-status: 0\r\n");
  EXPECT_EQ(came(body, 2, {.takes_trailers = true}),
            (Texts{"tea", "trailers grpc-status: 0\r\n", "end"}));
  EXPECT_EQ(came(body, 2), (Texts{"tea", "internal"}));
  EXPECT_EQ(came(body + "x", 100, {.takes_trailers = true}).back(), "internal");
  EXPECT_EQ(came(std::string("\x02\0\0\0\0", 5), 5), Texts{"internal"});
}

TEST(GrpcFraming, gzip_is_taken_and_written_where_it_makes_smaller) {
  const std::string large(10'000, 'x');
  const auto back = [](std::string_view bytes, GrpcCoding coding,
                       std::size_t most) -> Result<std::string> {
    GrpcReader reader;
    GrpcMessage message;
    EXPECT_TRUE(*reader.next(bytes, message));
    return take_message(std::move(message), coding, most);
  };
  const std::string small = framed(large, GrpcCoding::gzip);
  EXPECT_LT(small.size(), 200U);
  EXPECT_EQ(framed("tea", GrpcCoding::gzip), framed("tea"));
  EXPECT_EQ(*back(small, GrpcCoding::gzip, large.size()), large);
  EXPECT_EQ(*back(framed("tea"), GrpcCoding::gzip, 3), "tea");
  EXPECT_EQ(back(small, GrpcCoding::gzip, large.size() - 1).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(back(small, GrpcCoding::identity, large.size()).error().code(), Code::internal);
  for (const std::string_view damaged : {"", "tea", "\x1f\x8b\x08"}) {
    std::string bytes;
    put_grpc_prefix(bytes, damaged.size(), true);
    EXPECT_EQ(back(bytes.append(damaged), GrpcCoding::gzip, 100).error().code(), Code::internal);
  }
}

TEST(GrpcFraming, codings_have_names) {
  EXPECT_EQ(grpc_coding_named(name_of(GrpcCoding::gzip)), GrpcCoding::gzip);
  EXPECT_EQ(grpc_coding_named(name_of(GrpcCoding::identity)), GrpcCoding::identity);
  EXPECT_FALSE(grpc_coding_named("snappy"));
}

}  // namespace
}  // namespace parley::door
