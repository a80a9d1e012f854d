#include "parley/cluster/impl/keys_request.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace parley::cluster::impl {
namespace {

using http::Method;
using kv::CommandKind;
using kv::ErrorCode;

constexpr WallTime now{std::chrono::seconds(1'700'000'000)};

std::variant<KeysRequest, kv::Error> read(Method method, std::string_view form) {
  KeysForm pairs;
  if (auto error = add_pairs(form, pairs)) return std::move(*error);
  return keys_request(method, "/a", pairs, now);
}

kv::Command command_of(Method method, std::string_view form) {
  auto asked = read(method, form);
  auto* request = std::get_if<KeysRequest>(&asked);
  auto* write = request == nullptr ? nullptr : std::get_if<KeysWrite>(request);
  if (write == nullptr) {
    ADD_FAILURE() << form << " is no write";
    return {};
  }
  return write->command;
}

struct Refused {
  Method method;
  const char* form;
  ErrorCode code;
  const char* cause;
};

// The numbers and causes are those that etcd 3.4 answers with.
const std::vector<Refused> refused{
    {Method::put, "ttl=x", ErrorCode::ttl_not_a_number, R"(invalid value for "ttl")"},
    {Method::put, "ttl=-1", ErrorCode::ttl_not_a_number, R"(invalid value for "ttl")"},
    {Method::put, "ttl=18446744073709551616", ErrorCode::ttl_not_a_number,
     R"(invalid value for "ttl")"},
    {Method::put, "prevIndex=q", ErrorCode::index_not_a_number, R"(invalid value for "prevIndex")"},
    {Method::get, "wait=true&waitIndex=", ErrorCode::index_not_a_number,
     R"(invalid value for "waitIndex")"},
    {Method::put, "prevValue=", ErrorCode::prev_value_required, R"("prevValue" cannot be empty)"},
    {Method::get, "dir=2", ErrorCode::invalid_field, R"(invalid value for "dir")"},
    {Method::get, "recursive=yes", ErrorCode::invalid_field, R"(invalid value for "recursive")"},
    {Method::get, "sorted=", ErrorCode::invalid_field, R"(invalid value for "sorted")"},
    {Method::get, "wait=xx", ErrorCode::invalid_field, R"(invalid value for "wait")"},
    {Method::get, "quorum=xx", ErrorCode::invalid_field, R"(invalid value for "quorum")"},
    {Method::get, "stream=xx", ErrorCode::invalid_field, R"(invalid value for "stream")"},
    {Method::put, "prevExist=x", ErrorCode::invalid_field, "invalid value for prevExist"},
    {Method::put, "refresh=x", ErrorCode::invalid_field, "invalid value for refresh"},
    {Method::put, "noValueOnSuccess=x", ErrorCode::invalid_field,
     R"(invalid value for "noValueOnSuccess")"},
    {Method::put, "wait=true", ErrorCode::invalid_field,
     R"("wait" can only be used with GET requests)"},
    {Method::put, "refresh=true&value=3", ErrorCode::value_on_refresh,
     "A value was provided on a refresh"},
    {Method::put, "refresh=true", ErrorCode::ttl_required_on_refresh, "No TTL value set"},
    {Method::put, "value=%zz", ErrorCode::invalid_form, R"(invalid URL escape "%zz")"},
    {Method::put, "value=%a", ErrorCode::invalid_form, R"(invalid URL escape "%a")"},
    {Method::get, "x=1;y=2", ErrorCode::invalid_form, "invalid semicolon separator in query"},
};

TEST(KeysRequest, a_field_that_is_wrong_is_named_as_etcd_names_it) {
  for (const Refused& row : refused) {
    const auto asked = read(row.method, row.form);
    const auto* error = std::get_if<kv::Error>(&asked);
    ASSERT_NE(error, nullptr) << row.form;
    EXPECT_EQ(error->code, row.code) << row.form;
    EXPECT_EQ(error->cause, row.cause) << row.form;
    EXPECT_EQ(error->index, 0U) << row.form;
  }
}

TEST(KeysRequest, of_two_wrong_fields_the_first_in_etcds_order_is_named) {
  const auto asked = read(Method::put, "refresh=x&ttl=x&prevIndex=x");
  ASSERT_TRUE(std::holds_alternative<kv::Error>(asked));
  EXPECT_EQ(std::get<kv::Error>(asked).code, ErrorCode::index_not_a_number);
}

TEST(KeysRequest, what_is_done_follows_from_the_method_and_what_is_compared) {
  EXPECT_EQ(command_of(Method::put, "value=1").kind, CommandKind::set);
  EXPECT_EQ(command_of(Method::put, "value=1&prevExist=true").kind, CommandKind::update);
  EXPECT_EQ(command_of(Method::put, "value=1&prevExist=false").kind, CommandKind::create);
  EXPECT_EQ(command_of(Method::put, "prevExist=false&prevIndex=3").kind, CommandKind::create);
  EXPECT_EQ(command_of(Method::put, "prevExist=true&prevIndex=3").kind,
            CommandKind::compare_and_swap);
  EXPECT_EQ(command_of(Method::put, "prevValue=1").kind, CommandKind::compare_and_swap);
  EXPECT_EQ(command_of(Method::put, "prevIndex=0&value=1").kind, CommandKind::set);
  EXPECT_EQ(command_of(Method::remove, "").kind, CommandKind::remove);
  EXPECT_EQ(command_of(Method::remove, "prevIndex=4").kind, CommandKind::compare_and_delete);
  EXPECT_EQ(command_of(Method::post, "value=1").kind, CommandKind::create);
  EXPECT_TRUE(command_of(Method::post, "value=1").unique);
  EXPECT_FALSE(command_of(Method::put, "prevExist=false").unique);
}

TEST(KeysRequest, a_command_has_what_the_form_says) {
  const kv::Command put =
      command_of(Method::put, "value=a+b%26&prevValue=x%3D&prevIndex=7&dir=t&ttl=90&recursive=0");
  EXPECT_EQ(put.path, "/a");
  EXPECT_EQ(put.value, "a b&");
  EXPECT_EQ(put.prev_value, "x=");
  EXPECT_EQ(put.prev_index, 7U);
  EXPECT_TRUE(put.dir);
  EXPECT_FALSE(put.recursive);
  EXPECT_FALSE(put.refresh);
  EXPECT_EQ(put.expiration, now + std::chrono::seconds(90));
  EXPECT_TRUE(command_of(Method::put, "refresh=1&ttl=5").refresh);
  const kv::Command removal = command_of(Method::remove, "dir=true&recursive=TRUE");
  EXPECT_TRUE(removal.dir);
  EXPECT_TRUE(removal.recursive);
}

TEST(KeysRequest, a_ttl_of_nothing_is_none_and_one_of_zero_is_over_at_once) {
  EXPECT_FALSE(command_of(Method::put, "value=1").expiration.has_value());
  EXPECT_FALSE(command_of(Method::put, "value=1&ttl=").expiration.has_value());
  EXPECT_EQ(command_of(Method::put, "value=1&ttl=0").expiration, now);
}

TEST(KeysRequest, a_ttl_above_a_hundred_years_is_refused) {
  EXPECT_TRUE(command_of(Method::put, "ttl=3153600000").expiration.has_value());
  EXPECT_TRUE(std::holds_alternative<kv::Error>(read(Method::put, "ttl=3153600001")));
}

TEST(KeysRequest, a_form_has_a_thousand_fields_at_most) {
  const auto fields = [](int count) {
    std::string form = "value=1";
    for (int i = 1; i < count; ++i) form += "&a";
    return form;
  };
  EXPECT_TRUE(std::holds_alternative<KeysRequest>(read(Method::put, fields(1'000))));
  const auto refused_form = read(Method::put, fields(1'001));
  ASSERT_TRUE(std::holds_alternative<kv::Error>(refused_form));
  EXPECT_EQ(std::get<kv::Error>(refused_form).code, ErrorCode::invalid_form);
}

TEST(KeysRequest, the_first_of_two_pairs_counts) {
  EXPECT_EQ(command_of(Method::put, "value=1&value=2").value, "1");
}

TEST(KeysRequest, reads_and_watches_say_what_they_ask_for) {
  const auto asked_get = read(Method::head, "recursive=true&sorted=1");
  const auto& get = std::get<KeysGet>(std::get<KeysRequest>(asked_get));
  EXPECT_TRUE(get.recursive);
  EXPECT_TRUE(get.sorted);
  const auto asked_watch = read(Method::get, "wait=true&stream=true&recursive=true&waitIndex=12");
  const auto& watch = std::get<KeysWatch>(std::get<KeysRequest>(asked_watch));
  EXPECT_TRUE(watch.recursive);
  EXPECT_TRUE(watch.stream);
  EXPECT_EQ(watch.since, 12U);
}

TEST(KeysRequest, the_value_may_be_left_out_of_the_answer) {
  const auto without = read(Method::put, "value=1&noValueOnSuccess=true");
  EXPECT_TRUE(std::get<KeysWrite>(std::get<KeysRequest>(without)).no_value_on_success);
  const auto removal = read(Method::remove, "noValueOnSuccess=true");
  EXPECT_FALSE(std::get<KeysWrite>(std::get<KeysRequest>(removal)).no_value_on_success);
  const auto with = read(Method::put, "value=1");
  EXPECT_FALSE(std::get<KeysWrite>(std::get<KeysRequest>(with)).no_value_on_success);
}

}  // namespace
}  // namespace parley::cluster::impl
