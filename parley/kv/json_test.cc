#include "parley/kv/json.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/kv/testing/at.h"

namespace parley::kv {
namespace {

using namespace parley::kv::testing;
using namespace std::chrono_literals;

TEST(KvJson, an_event_has_the_fields_of_etcd_in_its_order) {
  Tree tree;
  EXPECT_EQ(json_of(done(tree, set("/a", "1"))),
            R"({"action":"set","node":{"key":"/a","value":"1","modifiedIndex":1,)"
            R"("createdIndex":1}})");
  EXPECT_EQ(json_of(done(tree, until(after(10s), update("/a", "2")))),
            R"({"action":"update","node":{"key":"/a","value":"2",)"
            R"("expiration":"2023-11-14T22:13:30Z","ttl":10,"modifiedIndex":2,"createdIndex":1},)"
            R"("prevNode":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}})");
  EXPECT_EQ(json_of(done(tree, remove("/a"))),
            R"({"action":"delete","node":{"key":"/a","modifiedIndex":3,"createdIndex":1},)"
            R"("prevNode":{"key":"/a","value":"2","expiration":"2023-11-14T22:13:30Z","ttl":10,)"
            R"("modifiedIndex":2,"createdIndex":1}})");
}

TEST(KvJson, a_folder_shows_its_children_and_the_root_has_no_key) {
  Tree tree;
  EXPECT_EQ(json_of(**tree.get("/", {}, start)), R"({"action":"get","node":{"dir":true}})");
  done(tree, create("/d/e", ""));
  EXPECT_EQ(json_of(**tree.get("/", {.recursive = true}, start)),
            R"({"action":"get","node":{"dir":true,"nodes":[{"key":"/d","dir":true,)"
            R"("nodes":[{"key":"/d/e","value":"","modifiedIndex":1,"createdIndex":1}],)"
            R"("modifiedIndex":1,"createdIndex":1}]}})");
}

TEST(KvJson, the_actions_are_called_as_in_etcd) {
  EXPECT_EQ(name_of(Action::get), "get");
  EXPECT_EQ(name_of(Action::create), "create");
  EXPECT_EQ(name_of(Action::set), "set");
  EXPECT_EQ(name_of(Action::update), "update");
  EXPECT_EQ(name_of(Action::compare_and_swap), "compareAndSwap");
  EXPECT_EQ(name_of(Action::compare_and_delete), "compareAndDelete");
  EXPECT_EQ(name_of(Action::remove), "delete");
  EXPECT_EQ(name_of(Action::expire), "expire");
  EXPECT_EQ(action_named("compareAndSwap"), Action::compare_and_swap);
  EXPECT_EQ(action_named("remove"), std::nullopt);
}

TEST(KvJson, expirations_have_as_many_decimals_as_it_takes) {
  Tree tree;
  const auto expiration = [&](Duration delay) {
    const std::string text = json_of(done(tree, until(after(delay), set("/a", ""))));
    const std::size_t at = text.find("\"expiration\":\"") + 14;
    return text.substr(at, text.find('"', at) - at);
  };
  EXPECT_EQ(expiration(0s), "2023-11-14T22:13:20Z");
  EXPECT_EQ(expiration(500ms), "2023-11-14T22:13:20.5Z");
  EXPECT_EQ(expiration(1ns), "2023-11-14T22:13:20.000000001Z");
  EXPECT_EQ(expiration(123'456'780ns), "2023-11-14T22:13:20.12345678Z");
  EXPECT_EQ(expiration(110 * 24h), "2024-03-03T22:13:20Z");
}

TEST(KvJson, a_ttl_is_counted_from_the_event_or_from_a_given_time_and_left_out_when_zero) {
  Tree tree;
  const Event event = done(tree, until(after(1500ms), set("/a", "")));
  EXPECT_NE(json_of(event).find(R"("ttl":2,)"), std::string::npos);
  EXPECT_NE(json_of(event, after(600ms)).find(R"("ttl":1,)"), std::string::npos);
  EXPECT_EQ(json_of(event, after(1500ms)).find("ttl"), std::string::npos);
  EXPECT_NE(json_of(event, after(4s)).find(R"("ttl":-2,)"), std::string::npos);
}

TEST(KvJson, texts_are_escaped_as_go_escapes_them) {
  Tree tree;
  const auto written = [&](std::string value) {
    const std::string text = json_of(done(tree, set("/a", std::move(value))));
    const std::size_t at = text.find("\"value\":\"") + 9;
    return text.substr(at, text.find("\",\"modifiedIndex\"", at) - at);
  };
  EXPECT_EQ(written("<x>&\"\\\t\xc3\xa9/"), R"(\u003cx\u003e\u0026\"\\\t)"
                                            "\xc3\xa9/");
  EXPECT_EQ(written("\xff\x01\x0c\x08\xe2\x80\xa8\x61\x62\x63"),
            R"(\ufffd\u0001\u000c\u0008\u2028abc)");
  EXPECT_EQ(written("\n\r\xe2\x80\xa9\x7f\xf0\x9f\x8d\xb5"), "\\n\\r\\u2029\x7f\xf0\x9f\x8d\xb5");
  EXPECT_EQ(written("\xed\xa0\x80\xc0\xaf\xe2\x82"),
            R"(\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd)");
  EXPECT_NE(json_of(done(tree, set("/a<b>&c", ""))).find(R"("key":"/a\u003cb\u003e\u0026c")"),
            std::string::npos);
}

TEST(KvJson, an_error_has_number_message_cause_and_index) {
  EXPECT_EQ(
      json_of(Error{.code = ErrorCode::compare_failed, .cause = "[zz != 1] [1 != 9]", .index = 9}),
      R"({"errorCode":101,"message":"Compare failed","cause":"[zz != 1] [1 != 9]","index":9})");
  EXPECT_EQ(json_of(Error{.code = ErrorCode::raft_internal}),
            R"({"errorCode":300,"message":"Raft Internal Error","index":0})");
}

TEST(KvJson, statistics_have_the_names_of_etcd) {
  EXPECT_EQ(json_of(Statistics{.get_success = 3, .expire_count = 2, .watchers = 1}),
            R"({"getsSuccess":3,"getsFail":0,"setsSuccess":0,"setsFail":0,"deleteSuccess":0,)"
            R"("deleteFail":0,"updateSuccess":0,"updateFail":0,"createSuccess":0,"createFail":0,)"
            R"("compareAndSwapSuccess":0,"compareAndSwapFail":0,"compareAndDeleteSuccess":0,)"
            R"("compareAndDeleteFail":0,"expireCount":2,"watchers":1})");
}

}  // namespace
}  // namespace parley::kv
