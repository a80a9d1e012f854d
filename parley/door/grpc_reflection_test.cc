#include "parley/door/grpc_reflection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "parley/codec/fields.h"
#include "parley/codec/proto_file.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/well_known.h"
#include "parley/door/grpc_client.h"
#include "parley/door/grpc_health.h"
#include "parley/door/impl/grpc_names.h"
#include "parley/door/testing/house.h"
#include "parley/net/network.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {

struct ReflectionExtension {
  std::string type;
  int number = 0;
};
struct ReflectionQuestion {
  std::string host{};
  std::optional<std::string> file{};
  std::optional<std::string> symbol{};
  std::optional<ReflectionExtension> extension{};
  std::optional<std::string> extensions{};
  std::optional<std::string> services{};
};
struct ReflectionFiles {
  std::vector<std::vector<std::byte>> files;
};
struct ReflectionExtensions {
  std::string type;
  std::vector<int> numbers;
};
struct ReflectionServices {
  std::vector<std::tuple<std::string, bool>> services;
};
struct ReflectionError {
  int code = 0;
  std::string message;
};
struct ReflectionTold {
  std::string host;
  std::optional<ReflectionQuestion> question;
  std::optional<ReflectionFiles> files;
  std::optional<ReflectionExtensions> extensions;
  std::optional<ReflectionServices> services;
  std::optional<ReflectionError> error;
};

struct TeaWanted {
  std::string tea;
  well_known::Timestamp until;
};
struct TeaGiven {
  int cups = 0;
};

}  // namespace parley::door

template <>
inline constexpr auto parley::fields<parley::door::ReflectionQuestion> =
    parley::codec::field_rules<parley::door::ReflectionQuestion>(
        parley::codec::field<&parley::door::ReflectionQuestion::file>().number(3),
        parley::codec::field<&parley::door::ReflectionQuestion::symbol>().number(4),
        parley::codec::field<&parley::door::ReflectionQuestion::extension>().number(5),
        parley::codec::field<&parley::door::ReflectionQuestion::extensions>().number(6),
        parley::codec::field<&parley::door::ReflectionQuestion::services>().number(7));
template <>
inline constexpr auto parley::fields<parley::door::ReflectionTold> =
    parley::codec::field_rules<parley::door::ReflectionTold>(
        parley::codec::field<&parley::door::ReflectionTold::files>().number(4),
        parley::codec::field<&parley::door::ReflectionTold::extensions>().number(5),
        parley::codec::field<&parley::door::ReflectionTold::services>().number(6),
        parley::codec::field<&parley::door::ReflectionTold::error>().number(7));

namespace parley::door {
namespace {

using Names = std::vector<std::string>;

struct Curious {
  explicit Curious(GrpcReflectionOptions options = {}) {
    handle_grpc_reflection(house.peer, std::move(options));
  }

  // One question on a stream of its own.
  ReflectionTold ask(const ReflectionQuestion& question, const std::string& version = "v1") {
    auto stream = channel.open<ReflectionQuestion, ReflectionTold>(
        "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo");
    if (!stream || !stream->write(question).is_ok()) return {};
    (void)stream->done_writing();
    auto told = stream->read();
    if (told && *told) return **std::move(told);
    ReflectionTold none;
    none.error = ReflectionError{-static_cast<int>(told ? Code::ok : told.error().code()), {}};
    return none;
  }
  Names services(const std::string& version = "v1") {
    Names names;
    const auto told = ask({.services = "*"}, version);
    if (!told.services) return {"none"};
    for (const auto& [name, unused] : told.services->services) names.push_back(name);
    return names;
  }
  std::vector<codec::ProtoFile> files(const ReflectionQuestion& question) {
    std::vector<codec::ProtoFile> all;
    const auto told = ask(question);
    if (!told.files) return all;
    for (const auto& each : told.files->files) {
      all.push_back(*codec::decode_protobuf<codec::ProtoFile>(
          {reinterpret_cast<const char*>(each.data()), each.size()}));
    }
    return all;
  }

  testing::House house;
  net::SocketNetwork network;
  GrpcChannel channel{network, *net::Address::parse(house.address())};
};

PARLEY_FIBER_TEST(GrpcReflection, lists_what_gRPC_can_call_by_that_name) {
  Curious world;
  world.house.peer.handle("/shop/v1/orders/place", [](const TeaWanted&) { return TeaGiven{2}; });
  world.house.peer.handle("/tea.v1.Pot/Fill", [](int) {});
  world.house.peer.handle("/raw/bytes", [](const Bytes& bytes) { return bytes; });
  world.house.peer.handle_stream("/raw/stream", [](RawStream&) {});
  world.house.peer.handle("/no-name/for", [](int) {});
  world.house.peer.handle("/tea/Leaves/dry", [](int) {});  // tea.Leaves means tea/leaves
  EXPECT_EQ(world.services(), (Names{"grpc.reflection.v1.ServerReflection",
                                     "grpc.reflection.v1alpha.ServerReflection", "math",
                                     "shop.v1.orders", "tea.v1.Pot"}));
  const auto given = world.channel.call<TeaGiven>("/shop.v1.orders/place", TeaWanted{});
  ASSERT_TRUE(given) << given.error();
  EXPECT_EQ(given->cups, 2);
}

PARLEY_FIBER_TEST(GrpcReflection, shows_methods_that_were_added_since) {
  Curious world;
  EXPECT_EQ(world.services().size(), 3U);
  world.house.peer.handle("/later/on", [](int) {});
  EXPECT_EQ(world.services().size(), 4U);
  EXPECT_EQ(world.files({.symbol = "later.on"}).size(), 1U);
}

PARLEY_FIBER_TEST(GrpcReflection, gives_the_file_of_a_symbol_with_all_it_needs) {
  Curious world;
  world.house.peer.handle("/shop.v1.Orders/Place", [](const TeaWanted&) { return TeaGiven{}; });
  for (const char* symbol :
       {"shop.v1.Orders", "shop.v1.Orders.Place", "shop.v1.TeaWanted", "shop.v1.TeaGiven"}) {
    const auto files = world.files({.symbol = symbol});
    ASSERT_EQ(files.size(), 2U) << symbol;
    EXPECT_EQ(files[0].name, "parley/shop.v1.proto");
    EXPECT_EQ(files[0].service.at(0).method.at(0).input_type, ".shop.v1.TeaWanted");
    EXPECT_EQ(files[1].name, "google/protobuf/timestamp.proto");
    EXPECT_EQ(files[1].message_type.at(0).name, "Timestamp");
  }
  EXPECT_EQ(world.files({.file = "google/protobuf/timestamp.proto"}).size(), 1U);
  EXPECT_EQ(world.files({.file = "parley/shop.v1.proto"}).size(), 2U);
  const auto math = world.files({.symbol = "math"});
  ASSERT_EQ(math.size(), 1U);
  EXPECT_EQ(codec::text_of(math[0]), R"(syntax = "proto3";

message addRequest {
  int32 argument1 = 1;
  int32 argument2 = 2;
}

message addResponse {
  int32 value = 1;
}

service math {
  rpc add(addRequest) returns (addResponse);
}
)");
}

PARLEY_FIBER_TEST(GrpcReflection, parameters_have_the_names_that_were_said) {
  Curious world;
  world.house.peer.handle<"tea", "cups">("/tea.named/brew", [](const std::string&, int) {});
  const auto files = world.files({.symbol = "tea.brewRequest"});
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].message_type.at(0).field.at(0).name, "tea");
  EXPECT_EQ(files[0].message_type.at(0).field.at(1).name, "cups");
}

PARLEY_FIBER_TEST(GrpcReflection, says_what_is_not_known) {
  Curious world;
  GrpcHealth health(world.house.peer);
  const auto code = [&](const ReflectionQuestion& question) {
    const auto told = world.ask(question);
    return told.error ? told.error->code : 0;
  };
  EXPECT_EQ(code({.file = "no.proto"}), 5);
  EXPECT_EQ(code({.symbol = "no.Symbol"}), 5);
  EXPECT_EQ(code({.extension = {{"grpc.health.v1.HealthCheckRequest", 7}}}), 5);
  EXPECT_EQ(code({.extensions = "no.Message"}), 5);
  EXPECT_EQ(code({.host = "only"}), 12);
  const auto told = world.ask({.host = "h", .extensions = "grpc.health.v1.HealthCheckRequest"});
  ASSERT_TRUE(told.extensions);
  EXPECT_EQ(told.extensions->type, "grpc.health.v1.HealthCheckRequest");
  EXPECT_TRUE(told.extensions->numbers.empty());
  EXPECT_EQ(told.host, "h");
  EXPECT_EQ(told.question.value().extensions, "grpc.health.v1.HealthCheckRequest");
}

PARLEY_FIBER_TEST(GrpcReflection, answers_many_questions_on_one_stream) {
  Curious world;
  auto stream = world.channel.open<ReflectionQuestion, ReflectionTold>(
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  ASSERT_TRUE(stream) << stream.error();
  for (const std::string symbol : {"math", "none", "math.add"}) {
    ASSERT_TRUE(stream->write({.symbol = symbol}).is_ok());
    const auto told = stream->read();
    ASSERT_TRUE(told && *told) << symbol;
    EXPECT_EQ((*told)->files.has_value(), symbol != "none");
  }
  EXPECT_TRUE(stream->done_writing().is_ok());
  EXPECT_FALSE(stream->read()->has_value());
}

PARLEY_FIBER_TEST(GrpcReflection, health_and_itself_are_told_as_everybody_has_them) {
  Curious world;
  GrpcHealth health(world.house.peer);
  const auto files = world.files({.symbol = "grpc.health.v1.HealthCheckResponse.ServingStatus"});
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].message_type.at(1).enum_type.at(0).value.at(1).name, "SERVING");
  const auto& watch = files[0].service.at(0).method.at(1);
  EXPECT_TRUE(watch.server_streaming);
  EXPECT_FALSE(watch.client_streaming);
  const auto own = world.files({.symbol = "grpc.reflection.v1.ServerReflection"});
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].message_type.at(0).field.at(1).json_name, "fileByFilename");
}

PARLEY_FIBER_TEST(GrpcReflection, either_version_may_be_left_out) {
  for (const bool v1 : {true, false}) {
    Curious world({.v1 = v1, .v1alpha = !v1});
    EXPECT_EQ(world.services(v1 ? "v1" : "v1alpha").size(), 2U);
    EXPECT_EQ(world.services(v1 ? "v1alpha" : "v1"), Names{"none"});
  }
}

PARLEY_FIBER_TEST(GrpcReflection, a_stream_may_be_shown_as_one_way) {
  Curious world({.takes_one = {"/chat/down"}, .gives_one = {"/chat/up"}});
  for (const char* name : {"/chat/both", "/chat/down", "/chat/up"}) {
    world.house.peer.handle_stream(name, [](Stream<TeaWanted, TeaGiven>&) {});
  }
  const auto files = world.files({.symbol = "chat"});
  ASSERT_FALSE(files.empty());
  const auto& methods = files[0].service.at(0).method;
  ASSERT_EQ(methods.size(), 3U);
  EXPECT_TRUE(methods[0].client_streaming && methods[0].server_streaming);
  EXPECT_TRUE(!methods[1].client_streaming && methods[1].server_streaming);
  EXPECT_TRUE(methods[2].client_streaming && !methods[2].server_streaming);
}

PARLEY_FIBER_TEST(GrpcReflection, no_name_stands_for_two_things) {
  Curious world;
  Peer& peer = world.house.peer;
  peer.handle("/shop/list", [](int) {});
  peer.handle("/shop/item/list", [](int) {});
  peer.handle("/TeaGiven/give", [](const TeaGiven& given) { return given; });
  peer.handle("/tea.TeaGiven/give", [](const TeaGiven& given) { return given; });
  EXPECT_EQ(world.services(),
            (Names{"TeaGiven", "grpc.reflection.v1.ServerReflection",
                   "grpc.reflection.v1alpha.ServerReflection", "math", "shop", "tea.TeaGiven"}));
  for (const char* service : {"TeaGiven", "tea.TeaGiven"}) {
    const auto files = world.files({.symbol = service});
    ASSERT_FALSE(files.empty()) << service;
    EXPECT_TRUE(files[0].service.at(0).method.at(0).input_type.ends_with(".TeaGiven2")) << service;
  }
}

TEST(GrpcNames, are_those_that_find_the_method) {
  using impl::grpc_name_of;
  const auto path_of = [](std::string_view method) {
    const auto name = grpc_name_of(method);
    return name ? name->path() : "";
  };
  EXPECT_EQ(path_of("/math/add"), "/math/add");
  EXPECT_EQ(path_of("/shop/v1/orders/place_order"), "/shop.v1.orders/place_order");
  EXPECT_EQ(path_of("/shop.v1.Orders/Place"), "/shop.v1.Orders/Place");
  EXPECT_EQ(path_of("Shop.PlaceOrder"), "/Shop/PlaceOrder");
  for (const char* none :
       {"/ping", "ping", "", "/", "/a/", "//a", "/a-b/c", "/1a/b", "/a/b?c", "/a..b/c", "/.a/b"}) {
    EXPECT_EQ(path_of(none), "") << none;
  }
  for (const char* method : {"/shop/v1/orders/place_order", "/math/add_two"}) {
    const auto meant = impl::methods_of_path(path_of(method), http_name);
    EXPECT_NE(std::ranges::find(meant, method), meant.end()) << method;
  }
}

}  // namespace
}  // namespace parley::door
