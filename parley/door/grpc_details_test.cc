#include "parley/door/grpc_details.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "parley/codec/reflect.h"
#include "parley/door/grpc_client.h"
#include "parley/door/grpc_head.h"
#include "parley/door/testing/grpc_caller.h"
#include "parley/peer/testing/pair.h"

namespace parley::door {

// Of google/rpc/error_details.proto.
struct DetailWait {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
};
struct DetailRetry {
  DetailWait retry_delay;
};
struct DetailHelp {
  std::string locale;
  std::string message;
};

namespace {

constexpr const char* retry_type = "google.rpc.RetryInfo";
constexpr const char* help_type = "google.rpc.LocalizedMessage";

GrpcDetails some() {
  return {*make_grpc_detail(retry_type, DetailRetry{{.seconds = 3}}),
          *make_grpc_detail(help_type, DetailHelp{.locale = "de", .message = "geschlossen"})};
}

TEST(GrpcDetails, lie_in_metadata_as_a_google_rpc_Status) {
  wire::Metadata metadata;
  EXPECT_TRUE(grpc_details_of(metadata).empty());
  set_grpc_details(some(), metadata);
  EXPECT_EQ(metadata.get(grpc_details_key)->substr(0, 2), "\x1A\x30") << "field 3, and its length";
  EXPECT_EQ(grpc_details_of(metadata), some());
  set_grpc_details({some()[0]}, metadata);
  EXPECT_EQ(grpc_details_of(metadata).size(), 1U) << "in place of the others";
  EXPECT_EQ(find_grpc_detail<DetailRetry>(some(), retry_type)->value().retry_delay.seconds, 3);
  EXPECT_EQ(find_grpc_detail<DetailRetry>(some(), "RetryInfo")->has_value(), false);
  EXPECT_FALSE(find_grpc_detail<DetailRetry>({{"x/google.rpc.RetryInfo", "\xFF"}}, retry_type));
  metadata.set(grpc_details_key, "\xFF");
  EXPECT_TRUE(grpc_details_of(metadata).empty());
}

// What goes over: the details of a status, and what the handler put beside it.
TEST(GrpcDetails, stand_behind_that_of_the_status_itself) {
  wire::Metadata given;
  set_grpc_details(some(), given);
  const std::string_view bytes = *given.get(grpc_details_key);
  const Status sold_out = Status::business(1001, "sold out").with_cause("winter");
  const std::string all = write_grpc_details(sold_out, bytes);
  EXPECT_EQ(with_grpc_details(Status(Code::failed_precondition, "sold out"), all), sold_out);
  wire::Metadata there{{std::string(grpc_details_key), all}};
  EXPECT_EQ(grpc_details_of(there).size(), 3U);
  EXPECT_NE(find_grpc_detail(grpc_details_of(there), help_type), nullptr);
  // Passed on as they came, what was said of the status is not said twice.
  EXPECT_EQ(write_grpc_details(sold_out, all), all);
  EXPECT_EQ(write_grpc_details(Status(Code::aborted, "x"), ""), "");
  EXPECT_EQ(write_grpc_details(Status(Code::aborted, "x"), "\xFF\xFF"), "");
  there.set(grpc_details_key, write_grpc_details(Status(Code::aborted, "\xFF"), bytes));
  EXPECT_EQ(grpc_details_of(there), some()) << "a message that is no UTF-8 costs no detail";
}

// However long an error is, clients that take 8 KiB of metadata take it.
TEST(GrpcDetails, fit_into_what_clients_take) {
  std::string sigma;
  for (int i = 0; i < 10'000; ++i) sigma += "\xCF\x83";
  GrpcDetails details = some();
  details.push_back({"type.googleapis.com/x.Large", std::string(4000, 'x')});
  details.push_back({"type.googleapis.com/x.Small", "x"});
  wire::Metadata given;
  set_grpc_details(details, given);
  for (const std::string& text : {std::string(10'000, 'x'), sigma, "x" + sigma,
                                  std::string(10'000, '\xFF'), std::string(10'000, '%')}) {
    http::Headers trailers;
    put_grpc_status(Status::business(1001, text).with_cause(text), trailers,
                    *given.get(grpc_details_key));
    std::size_t bytes = 0;
    for (const auto [name, value] : trailers) bytes += name.size() + value.size() + 32;
    EXPECT_LT(bytes, 8192U - 1024U) << "with room for metadata";
    Status status;
    EXPECT_TRUE(take_grpc_status(trailers, status));
    EXPECT_GT(status.message().size(), 600U);
    EXPECT_TRUE(text.starts_with(status.message()));
    EXPECT_TRUE(text.starts_with(status.cause()));
    if (text[1] != '\xCF' && text[0] != '\xCF') continue;
    EXPECT_EQ(status.message().size() % 2, text.size() % 2) << "cut between two characters";
    EXPECT_EQ(status.cause().size() % 2, text.size() % 2);
    EXPECT_EQ(status.business_code(), 1001);
    wire::Metadata back;
    take_grpc_details(trailers, back);
    const GrpcDetails all = grpc_details_of(back);
    EXPECT_NE(find_grpc_detail(all, retry_type), nullptr);
    EXPECT_EQ(find_grpc_detail(all, "x.Large"), nullptr) << "left out";
    EXPECT_NE(find_grpc_detail(all, "x.Small"), nullptr);
  }
}

// A handler attaches them, and our client reads them: unary, and of a stream before and after it
// has sent.
PARLEY_PEER_TEST(GrpcDetails, travel_from_a_handler_to_a_caller) {
  Peer peer;
  peer.handle("/unary", [](Context& context) -> Status {
    set_grpc_details(some(), context.reply_metadata());
    return Status(Code::unavailable, "closed").with_cause("lunch");
  });
  peer.handle("/fine", [](Context& context) {
    set_grpc_details(some(), context.reply_metadata());
    context.reply_metadata().set("tea", "green");
  });
  peer.handle_stream("/stream", [](Context& context, Stream<int, int>& stream) -> Status {
    const auto said = stream.receive();
    if (!said) return said.error();
    set_grpc_details(some(), context.reply_metadata());
    if (**said > 0 && !stream.send(1).is_ok()) return Status(Code::internal, "send");
    return {Code::unavailable, "closed"};
  });
  const testing::GrpcWorld world(peer);
  net::SocketNetwork network;
  GrpcChannel channel(network, world.listener->address());
  GrpcAnswerMetadata metadata;
  const auto unary = channel.call_bytes("/unary", "", {}, &metadata);
  ASSERT_FALSE(unary);
  EXPECT_EQ(unary.error(), Status(Code::unavailable, "closed").with_cause("lunch"));
  EXPECT_EQ(grpc_details_of(metadata.trailing).size(), 3U);
  const auto retry = find_grpc_detail<DetailRetry>(grpc_details_of(metadata.trailing), retry_type);
  ASSERT_TRUE(retry && *retry);
  EXPECT_EQ((**retry).retry_delay.seconds, 3);
  EXPECT_TRUE(channel.call_bytes("/fine", "", {}, &metadata).has_value());
  EXPECT_TRUE(grpc_details_of(metadata.trailing).empty()) << "of an error only";
  EXPECT_EQ(metadata.initial, (wire::Metadata{{"tea", "green"}}));
  for (const char* const said : {"\x08\x01", ""}) {
    const auto call = channel.open("/stream");
    ASSERT_TRUE(call) << call.error();
    ASSERT_TRUE((*call)->write(said).is_ok());
    EXPECT_EQ((*call)->finish().code(), Code::unavailable);
    EXPECT_EQ(grpc_details_of((*call)->trailing_metadata()), some());
  }
}

// What a handler adds itself comes first: details go where they do not fit beside it.
PARLEY_PEER_TEST(GrpcDetails, give_way_to_metadata) {
  Peer peer;
  peer.handle("/full", [](Context& context) -> Status {
    set_grpc_details(some(), context.reply_metadata());
    context.reply_metadata().set("fill", std::string(7300, 'x'));
    return Status(Code::unavailable, "closed");
  });
  peer.handle("/fuller", [](Context& context) -> Status {
    set_grpc_details(some(), context.reply_metadata());
    context.reply_metadata().set("fill", std::string(7600, 'x'));
    return Status(Code::unavailable, "closed");
  });
  const testing::GrpcWorld world(peer);
  net::SocketNetwork network;
  GrpcChannel channel(network, world.listener->address());
  GrpcAnswerMetadata metadata;
  for (const auto& [method, count] : {std::pair("/full", 2U), std::pair("/fuller", 0U)}) {
    EXPECT_EQ(channel.call_bytes(method, "", {}, &metadata).error().code(), Code::unavailable);
    EXPECT_EQ(grpc_details_of(metadata.trailing).size(), count) << method;
    EXPECT_GE(metadata.trailing.get("fill")->size(), 7300U);
  }
}

}  // namespace
}  // namespace parley::door
