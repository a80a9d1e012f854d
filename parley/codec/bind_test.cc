#include "parley/codec/bind.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "parley/codec/json.h"
#include "parley/codec/testing/small_stack.h"
#include "parley/codec/validate.h"

namespace parley::codec::bind_test {

enum class Colour : std::uint8_t { green, red };

struct Request {
  std::string token;
  int id = 7;
  int page = 1;
  std::int64_t user = 0;
  std::string body = "own";
};

struct Values {
  bool flag = false;
  std::int8_t small = 0;
  std::uint64_t big = 0;
  double real = 0;
  std::string text;
  std::string_view shown;
  std::vector<std::byte> bytes;
  Colour colour = Colour::green;
  std::chrono::milliseconds pause{0};
  std::optional<int> maybe;
  std::vector<int> list;
  std::set<std::string> set;
};

struct Both {
  std::string who = "nobody";
};
struct Defaulted {
  int limit = 20;
  std::optional<std::string> tag;
};
struct Strict {
  std::string token;
  std::vector<std::string> roles;
};

struct Secret {
  int pin = 0;
};
struct Tagged {
  std::string trace;
};
struct Outer {
  Tagged inside;
  std::vector<Tagged> list;
  std::deque<Tagged> queue;
  std::map<std::string, Tagged> map;
  std::optional<Tagged> maybe;
  std::unique_ptr<Tagged> pointer;
  std::variant<std::monostate, Tagged> choice;
  int untouched = 1;
};
struct Flat {
  Tagged inside;
};
struct InSet {
  std::string trace;
  friend bool operator<(const InSet& a, const InSet& b) { return a.trace < b.trace; }
};
struct Wrapped {
  Tagged inside;
};
struct Chain {
  std::string trace;
  std::unique_ptr<Chain> next;
};

class Private {
 public:
  static constexpr auto parley_fields() {
    return field_table<Private>(field<&Private::user_>("user").from_session(),
                                property<[](const Private& p) { return p.page_ + 1; },
                                         [](Private& p, int page) { p.page_ = page - 1; }>("page")
                                    .from_query());
  }
  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] int page() const { return page_; }

 private:
  std::string user_;
  int page_ = 0;
};

}  // namespace parley::codec::bind_test

namespace bind_test = parley::codec::bind_test;
using parley::codec::field;
using parley::codec::field_rules;

template <>
struct parley::Representation<bind_test::Wrapped> {
  static bind_test::Tagged encode(const bind_test::Wrapped& wrapped) { return wrapped.inside; }
  static Status decode(bind_test::Tagged tagged, bind_test::Wrapped& wrapped) {
    wrapped.inside = std::move(tagged);
    return {};
  }
};

template <>
inline constexpr auto parley::fields<bind_test::Request> =
    field_rules<bind_test::Request>(field<&bind_test::Request::token>().from_metadata("X-Token"),
                                    field<&bind_test::Request::id>().from_path(),
                                    field<&bind_test::Request::page>().from_query("p"),
                                    field<&bind_test::Request::user>().from_session("user id"));

template <>
inline constexpr auto parley::fields<bind_test::Values> = field_rules<bind_test::Values>(
    field<&bind_test::Values::flag>().from_query(), field<&bind_test::Values::small>().from_query(),
    field<&bind_test::Values::big>().from_query(), field<&bind_test::Values::real>().from_query(),
    field<&bind_test::Values::text>().from_query(), field<&bind_test::Values::shown>().from_query(),
    field<&bind_test::Values::bytes>().from_query(),
    field<&bind_test::Values::colour>().from_query(),
    field<&bind_test::Values::pause>().from_query(),
    field<&bind_test::Values::maybe>().from_query(), field<&bind_test::Values::list>().from_query(),
    field<&bind_test::Values::set>().from_query());

template <>
inline constexpr auto parley::fields<bind_test::Both> = field_rules<bind_test::Both>(
    field<&bind_test::Both::who>().from_session("user").from_metadata("X-User"));
template <>
inline constexpr auto parley::fields<bind_test::Defaulted> = field_rules<bind_test::Defaulted>(
    field<&bind_test::Defaulted::limit>().from_query().default_to([] { return 50; }).range(1, 100),
    field<&bind_test::Defaulted::tag>().from_query());
template <>
inline constexpr auto parley::fields<bind_test::Strict> = field_rules<bind_test::Strict>(
    field<&bind_test::Strict::token>().from_metadata("X-Token").required().otherwise(
        parley::Code::unauthenticated, "log in first"),
    field<&bind_test::Strict::roles>().from_session().from_query("role").required());
template <>
inline constexpr auto parley::fields<bind_test::Secret> =
    field_rules<bind_test::Secret>(field<&bind_test::Secret::pin>().from_query().secret());
template <>
inline constexpr auto parley::fields<bind_test::Tagged> = field_rules<bind_test::Tagged>(
    field<&bind_test::Tagged::trace>().from_metadata().otherwise(1002, "no trace"));
template <>
inline constexpr auto parley::fields<bind_test::Flat> =
    field_rules<bind_test::Flat>(field<&bind_test::Flat::inside>().flatten());
template <>
inline constexpr auto parley::fields<bind_test::InSet> =
    field_rules<bind_test::InSet>(field<&bind_test::InSet::trace>().from_metadata());
template <>
inline constexpr auto parley::fields<bind_test::Chain> =
    field_rules<bind_test::Chain>(field<&bind_test::Chain::trace>().from_metadata());

namespace parley::codec::bind_test {
namespace {

struct Given {
  Source source;
  std::string name;
  std::string value;
};

template <class T>
Status bind_with(T& value, const std::vector<Given>& given, const BindOptions& options = {}) {
  SourceValues sources;
  for (const Given& one : given) sources.add(one.source, one.name, one.value);
  return bind_from(value, sources, options);
}

std::string error_of(const Status& status, Code code = Code::invalid_argument) {
  EXPECT_EQ(status.code(), code) << status;
  return status.message();
}

TEST(Bind, each_source_fills_the_field_that_names_it) {
  Request request;
  const Status status = bind_with(request, {{Source::metadata, "X-Token", "secret"},
                                            {Source::path, "id", "42"},
                                            {Source::query, "p", "3"},
                                            {Source::query, "page", "4"},
                                            {Source::session, "user id", "-9"},
                                            {Source::query, "body", "other"}});
  ASSERT_TRUE(status.is_ok()) << status;
  EXPECT_EQ(request.token, "secret");
  EXPECT_EQ(request.id, 42) << "without a name: that of the field";
  EXPECT_EQ(request.page, 3);
  EXPECT_EQ(request.user, -9);
  EXPECT_EQ(request.body, "own") << "it is not bound";
}

TEST(Bind, what_the_body_says_of_a_bound_field_does_not_count) {
  auto request = decode_json<Request>(R"({"token":"forged","id":1,"user":1,"body":"said"})");
  ASSERT_TRUE(request) << request.error();
  ASSERT_TRUE(bind_with(*request, {{Source::path, "id", "42"}}).is_ok());
  EXPECT_EQ(request->token, "") << "no source has it: the default";
  EXPECT_EQ(request->id, 42);
  EXPECT_EQ(request->user, 0);
  EXPECT_EQ(request->page, 1);
  EXPECT_EQ(request->body, "said");
}

TEST(Bind, metadata_goes_before_the_session) {
  Both both;
  ASSERT_TRUE(bind_with(both, {{Source::session, "user", "ann"}}).is_ok());
  EXPECT_EQ(both.who, "ann");
  ASSERT_TRUE(
      bind_with(both, {{Source::session, "user", "ann"}, {Source::metadata, "X-User", "bob"}})
          .is_ok());
  EXPECT_EQ(both.who, "bob");
  ASSERT_TRUE(bind_with(both, {}).is_ok());
  EXPECT_EQ(both.who, "nobody");
}

TEST(Bind, texts_become_whatever_the_field_is) {
  SourceValues sources;
  const auto add = [&](std::string name, std::string value) {
    sources.add(Source::query, std::move(name), std::move(value));
  };
  add("flag", "on");
  add("small", "-128");
  add("big", "18446744073709551615");
  add("real", "2.5e-1");
  add("text", "a&b");
  add("shown", "not copied");
  add("bytes", std::string("\x00\xFF", 2));
  add("colour", "red");
  add("pause", "1.5s");
  add("maybe", "5");
  for (const char* const number : {"3", "1", "3"}) add("list", number);
  for (const char* const text : {"b", "a", "b"}) add("set", text);
  Values values;
  const Status status = bind_from(values, sources);
  ASSERT_TRUE(status.is_ok()) << status;
  EXPECT_TRUE(values.flag);
  EXPECT_EQ(values.small, -128);
  EXPECT_EQ(values.big, 18'446'744'073'709'551'615U);
  EXPECT_EQ(values.real, 0.25);
  EXPECT_EQ(values.text, "a&b");
  EXPECT_EQ(values.shown, "not copied");
  EXPECT_EQ(values.bytes, (std::vector<std::byte>{std::byte{0}, std::byte{0xFF}}));
  EXPECT_EQ(values.colour, Colour::red);
  EXPECT_EQ(values.pause, std::chrono::milliseconds(1500));
  EXPECT_EQ(values.maybe, 5);
  EXPECT_EQ(values.list, (std::vector{3, 1, 3}));
  EXPECT_EQ(values.set, (std::set<std::string>{"a", "b"}));
  ASSERT_TRUE(bind_from(values, SourceValues()).is_ok());
  EXPECT_TRUE(values.list.empty()) << "nothing old is left";
  EXPECT_EQ(values.maybe, std::nullopt);
  EXPECT_FALSE(values.flag);
}

TEST(Bind, booleans_are_said_in_six_words) {
  for (const char* const word : {"true", "on", "1"}) {
    Values values;
    ASSERT_TRUE(bind_with(values, {{Source::query, "flag", word}}).is_ok());
    EXPECT_TRUE(values.flag) << word;
  }
  for (const char* const word : {"false", "off", "0"}) {
    Values values;
    values.flag = true;
    ASSERT_TRUE(bind_with(values, {{Source::query, "flag", word}}).is_ok());
    EXPECT_FALSE(values.flag) << word;
  }
  Values values;
  EXPECT_EQ(error_of(bind_with(values, {{Source::query, "flag", "yes"}})),
            "$.flag: expected true, on, 1, false, off or 0, got \"yes\" (from the query \"flag\")");
}

TEST(Bind, a_value_that_does_not_fit_is_told_with_its_field_and_source) {
  Values values;
  const auto failed = [&](std::vector<Given> given) { return error_of(bind_with(values, given)); };
  EXPECT_EQ(failed({{Source::query, "small", "128"}}),
            "$.small: 128 does not fit int8 (-128 to 127) (from the query \"small\")");
  EXPECT_EQ(failed({{Source::query, "list", "1"}, {Source::query, "list", "x"}}),
            "$.list[1]: expected an integer, got \"x\" (from the query \"list\")");
  EXPECT_EQ(failed({{Source::query, "big", ""}}),
            "$.big: expected an integer, got nothing (from the query \"big\")");
  EXPECT_EQ(failed({{Source::query, "text", "a"}, {Source::query, "text", "b"}}),
            "$.text: the key appears twice (from the query \"text\")");
  EXPECT_EQ(failed({{Source::query, "text", "\xFF"}}),
            "$.text: a text that is not UTF-8 (from the query \"text\")");
}

TEST(Bind, a_secret_value_is_not_shown) {
  Secret secret;
  EXPECT_EQ(error_of(bind_with(secret, {{Source::query, "pin", "12x4"}})),
            "$.pin: the value does not fit its type (from the query \"pin\")");
}

TEST(Bind, a_default_stands_in_for_what_no_source_has) {
  Defaulted value{.limit = 1, .tag = "old"};
  ASSERT_TRUE(bind_with(value, {}).is_ok());
  EXPECT_EQ(value.limit, 50);
  EXPECT_EQ(value.tag, std::nullopt);
  ASSERT_TRUE(
      bind_with(value, {{Source::query, "limit", "101"}, {Source::query, "tag", ""}}).is_ok());
  EXPECT_EQ(value.tag, "");
  EXPECT_EQ(error_of(validate(value)), "$.limit: 101 is bigger than 100");
}

TEST(Bind, what_is_required_must_be_in_a_source_and_need_not_be_in_the_body) {
  auto value = decode_json<Strict>("{}", {}, {.require_all_fields = true});
  ASSERT_TRUE(value) << value.error();
  value = decode_json<Strict>("{}", {}, {.require_all_fields = true, .protobuf_mapping = true});
  ASSERT_TRUE(value) << value.error();
  EXPECT_TRUE(
      bind_with(*value, {{Source::metadata, "X-Token", ""}, {Source::query, "role", "a"}}).is_ok());
  EXPECT_EQ(value->roles, std::vector<std::string>{"a"});
  const Status missing = bind_with(*value, {{Source::session, "roles", "a"}});
  EXPECT_EQ(error_of(missing, Code::unauthenticated), "log in first");
  EXPECT_EQ(missing.cause(), "$.token: it is required, and missing in the metadata \"X-Token\"");
  EXPECT_EQ(error_of(bind_with(*value, {{Source::metadata, "X-Token", "t"}})),
            "$.roles: it is required, and missing in the query \"role\" and the session \"roles\"");
}

TEST(Bind, a_bound_field_may_have_a_code_and_words_of_its_own) {
  Tagged tagged;
  const Status status = bind_with(tagged, {{Source::metadata, "trace", "\xFF"}});
  EXPECT_EQ(error_of(status), "no trace");
  EXPECT_EQ(status.business_code(), 1002);
  EXPECT_EQ(status.cause(), "$.trace: a text that is not UTF-8 (from the metadata \"trace\")");
}

TEST(Bind, fields_are_bound_wherever_their_struct_is) {
  Outer outer;
  outer.list.resize(2);
  outer.queue.resize(1);
  outer.map["a"];
  outer.maybe.emplace();
  outer.pointer = std::make_unique<Tagged>();
  outer.choice = Tagged{.trace = "forged"};
  ASSERT_TRUE(bind_with(outer, {{Source::metadata, "trace", "t"}}).is_ok());
  EXPECT_EQ(outer.inside.trace, "t");
  EXPECT_EQ(outer.list[1].trace, "t");
  EXPECT_EQ(outer.queue[0].trace, "t");
  EXPECT_EQ(outer.map["a"].trace, "t");
  EXPECT_EQ(outer.maybe->trace, "t");
  EXPECT_EQ(outer.pointer->trace, "t");
  EXPECT_EQ(std::get<1>(outer.choice).trace, "t");
  std::tuple<int, Tagged> arguments;
  ASSERT_TRUE(bind_with(arguments, {{Source::metadata, "trace", "t"}}).is_ok());
  EXPECT_EQ(std::get<1>(arguments).trace, "t");
  Flat flat;
  ASSERT_TRUE(bind_with(flat, {{Source::metadata, "trace", "t"}}).is_ok());
  EXPECT_EQ(flat.inside.trace, "t");
}

TEST(Bind, an_error_deep_inside_names_its_path) {
  Outer outer;
  outer.map["green tea"];
  SourceValues sources;
  sources.add(Source::metadata, "trace", "\xFF");
  EXPECT_EQ(bind_from(outer, sources).cause(),
            "$.inside.trace: a text that is not UTF-8 (from the metadata \"trace\")");
  EXPECT_EQ(bind_from(outer.map, sources).cause(),
            "$[\"green tea\"].trace: a text that is not UTF-8 (from the metadata \"trace\")");
}

TEST(Bind, where_nothing_can_be_changed_binding_is_an_error) {
  std::set<InSet> set;
  EXPECT_EQ(error_of(bind_with(set, {}), Code::failed_precondition),
            "$: what is inside a set cannot be bound: use a std::vector");
  Wrapped wrapped;
  EXPECT_EQ(error_of(bind_with(wrapped, {}), Code::failed_precondition),
            "$: what is inside a type that travels as another cannot be bound");
}

TEST(Bind, private_members_and_properties_are_bound) {
  Private value;
  ASSERT_TRUE(
      bind_with(value, {{Source::session, "user", "ann"}, {Source::query, "page", "5"}}).is_ok());
  EXPECT_EQ(value.user(), "ann");
  EXPECT_EQ(value.page(), 4);
  ASSERT_TRUE(bind_with(value, {}).is_ok());
  EXPECT_EQ(value.user(), "");
  EXPECT_EQ(value.page(), 0);
}

TEST(Bind, views_are_refused_where_the_sources_do_not_live_on) {
  Values values;
  EXPECT_EQ(error_of(bind_with(values, {{Source::query, "shown", "a"}}, {.refuse_views = true})),
            "$.shown: a view would show text that is gone: use std::string or a vector (from the "
            "query \"shown\")");
}

TEST(Bind, values_have_limits_with_names) {
  Values values;
  const std::vector<Given> two{{Source::query, "list", "1"}, {Source::query, "list", "22"}};
  EXPECT_TRUE(bind_with(values, two, {.limits = {.max_elements = 2}}).is_ok());
  EXPECT_EQ(
      error_of(bind_with(values, two, {.limits = {.max_elements = 1}}), Code::resource_exhausted),
      "$.list: more than max_elements (1) values in the query \"list\"");
  EXPECT_EQ(error_of(bind_with(values, two, {.limits = {.max_string_bytes = 1}}),
                     Code::resource_exhausted),
            "$.list: a value of 2 bytes, more than max_string_bytes (1) in the query \"list\"");
}

Chain chain(std::size_t length) {
  Chain first;
  Chain* last = &first;
  for (std::size_t i = 1; i < length; ++i) {
    last->next = std::make_unique<Chain>();
    last = last->next.get();
  }
  return first;
}

TEST(Bind, nesting_has_a_limit_with_a_name) {
  Chain deep = chain(65);
  const Status status = bind_with(deep, {});
  EXPECT_TRUE(error_of(status, Code::resource_exhausted)
                  .ends_with(".next: nested deeper than max_depth (64)"))
      << status;
  EXPECT_TRUE(bind_with(deep, {}, {.limits = {.max_depth = 65}}).is_ok());
}

TEST(Bind, the_deepest_value_fits_a_small_stack) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  const auto run = [] {
    Chain deep = chain(64);
    EXPECT_TRUE(bind_with(deep, {{Source::metadata, "trace", "t"}}).is_ok());
  };
  EXPECT_LT(testing::stack_used_by(run), 32U << 10);
}

}  // namespace
}  // namespace parley::codec::bind_test
