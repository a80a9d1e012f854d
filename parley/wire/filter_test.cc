#include "parley/wire/filter.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "parley/wire/json_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/erpc_cases.h"
#include "parley/wire/testing/toy_filters.h"
#include "parley/wire/ws_payload.h"

namespace parley::wire {
namespace {

using testing::toy_filters;

const FilterLimit roomy{.bytes = 10'000, .name = "max_message"};

TEST(FilterPipe, shows_its_ids_in_order) {
  EXPECT_TRUE(FilterPipe().empty());
  EXPECT_EQ(FilterPipe().ids(), "");
  EXPECT_EQ(FilterPipe("zc").ids(), "zc");
  EXPECT_EQ(FilterPipe("12345678").ids(), "12345678");
  EXPECT_EQ(FilterPipe("zc").reversed(), FilterPipe("cz"));
  EXPECT_NE(FilterPipe("zc"), FilterPipe("cz"));
}

TEST(FilterPipe, has_at_most_eight_filters) {
  EXPECT_EQ(FilterPipe::read("12345678")->ids(), "12345678");
  const Status status = FilterPipe::read("123456789").error();
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_NE(status.message().find("9 transfer filters are more than a pipe may have (8)"),
            std::string::npos);
  EXPECT_DEATH(FilterPipe("123456789"), "at most eight");
}

TEST(FilterPipe, has_no_filter_of_id_0) {
  EXPECT_EQ(FilterPipe::read(std::string_view("a\0", 2)).error().code(), Code::invalid_argument);
  EXPECT_DEATH(FilterPipe(std::string_view("a\0", 2)), "0 is no filter's id");
}

TEST(FilterPipe, has_each_filter_once) {
  for (const std::string_view ids : {"gg", "zz", "zcz", "1234567\x31"}) {
    const Status status = FilterPipe::read(ids).error();
    EXPECT_EQ(status.code(), Code::invalid_argument) << ids;
    EXPECT_NE(status.message().find("stands there twice: a pipe has each once"), std::string::npos)
        << status;
  }
  EXPECT_DEATH(FilterPipe("gg"), "each filter once");
}

TEST(Filters, one_id_for_two_is_a_bug) {
  Filters filters;
  filters.add(std::make_unique<testing::Repeat>());
  EXPECT_DEATH(filters.add(std::make_unique<testing::Repeat>()), "the same id");
  EXPECT_DEATH(filters.add(std::make_unique<testing::Prefix>('\0', "nobody")), "needs an id");
}

TEST(Filters, are_applied_in_order_and_undone_in_reverse) {
  const auto filters = toy_filters();
  const auto applied = apply_filters(filters.get(), FilterPipe("ab"), Bytes::copy_of("x"));
  ASSERT_TRUE(applied) << applied.error();
  EXPECT_EQ(*applied, "b:a:x");
  const auto undone = undo_filters(filters.get(), FilterPipe("ab"), *applied, roomy);
  ASSERT_TRUE(undone) << undone.error();
  EXPECT_EQ(*undone, "x");
}

TEST(Filters, an_empty_content_goes_through_like_any_other) {
  const auto filters = toy_filters();
  const auto applied = apply_filters(filters.get(), FilterPipe("a"), Bytes());
  EXPECT_EQ(*applied, "a:");
  EXPECT_EQ(*undo_filters(filters.get(), FilterPipe("a"), *applied, roomy), "");
}

TEST(Filters, one_that_is_not_registered_is_named_before_any_work_is_done) {
  const auto filters = toy_filters();
  const auto applied = apply_filters(filters.get(), FilterPipe("aq"), Bytes::copy_of("x"));
  EXPECT_EQ(applied.error().code(), Code::unimplemented);
  EXPECT_EQ(applied.error().message(),
            "transfer filter 'q' is not registered; register it on this side, or send without it");
  const auto undone = undo_filters(filters.get(), FilterPipe("q\x03"), Bytes(), roomy);
  EXPECT_NE(undone.error().message().find("transfer filter 0x03 is not registered"),
            std::string::npos);
  EXPECT_EQ(undo_filters(nullptr, FilterPipe("a"), Bytes(), roomy).error().code(),
            Code::unimplemented);
}

TEST(Filters, an_error_says_in_which_filter_it_happened) {
  const auto undone =
      undo_filters(toy_filters().get(), FilterPipe("ab"), Bytes::copy_of("b:x"), roomy);
  EXPECT_EQ(undone.error().code(), Code::data_loss);
  EXPECT_EQ(undone.error().message(), "transfer filter a:: the name is not in front");
}

TEST(Filters, what_grows_beyond_the_limit_is_refused_with_its_name) {
  const auto filters = toy_filters();
  EXPECT_EQ(undo_filters(filters.get(), FilterPipe("r"), Bytes::copy_of("x"),
                         {.bytes = 1000, .name = "max_message"})
                ->size(),
            1000U);
  const auto undone = undo_filters(filters.get(), FilterPipe("r"), Bytes::copy_of("x"),
                                   {.bytes = 999, .name = "max_message"});
  EXPECT_EQ(undone.error().code(), Code::resource_exhausted);
  EXPECT_EQ(undone.error().message(),
            "transfer filter repeat: more comes out than max_message allows (999 bytes): send less "
            "at once or raise the limit");
}

TEST(Filters, a_limit_may_be_as_large_as_there_are_numbers) {
  const FilterLimit none{.bytes = std::numeric_limits<std::size_t>::max(), .name = "max"};
  EXPECT_EQ(*undo_filters(toy_filters().get(), FilterPipe("ra"), Bytes::copy_of("a:x"), none),
            std::string(1000, 'x'));
}

TEST(Filters, a_body_goes_through_once) {
  const auto filters = toy_filters();
  Message message{.filters = FilterPipe("a"), .body = Bytes::copy_of("x")};
  ASSERT_TRUE(filter_body(message, filters.get()).is_ok());
  EXPECT_TRUE(message.is_filtered);
  ASSERT_TRUE(filter_body(message, filters.get()).is_ok());
  EXPECT_EQ(message.body, "a:x");
  ASSERT_TRUE(unfilter_body(message, filters.get(), roomy).is_ok());
  ASSERT_TRUE(unfilter_body(message, filters.get(), roomy).is_ok());
  EXPECT_EQ(message, (Message{.filters = FilterPipe("a"), .body = Bytes::copy_of("x")}));
}

TEST(Filters, a_body_that_cannot_go_through_stays) {
  Message message{.is_filtered = true, .filters = FilterPipe("a"), .body = Bytes::copy_of("x")};
  const Message before = message;
  EXPECT_EQ(unfilter_body(message, toy_filters().get(), roomy).code(), Code::data_loss);
  EXPECT_EQ(message, before);
}

// Teleport's formats, in which filters change all that stands behind their list.
template <typename F>
class ErpcFilters : public ::testing::Test {
 protected:
  std::string written(const Message& message, const ErpcLimits& limits) {
    std::string out = "before";
    const Status status = F(limits).make_encoder()->encode(message, out);
    EXPECT_TRUE(status.is_ok()) << status;
    return out.substr(6);
  }
  Result<std::optional<Message>> read(const std::string& frame, const ErpcLimits& limits) {
    auto decoder = F(limits).make_decoder();
    decoder->feed(frame);
    return decoder->next();
  }

  const ErpcLimits limits_{.max_frame_bytes = 500, .filters = toy_filters()};
  const Message call_ = [] {
    Message message = testing::golden_erpc_call();
    message.filters = FilterPipe("ab");
    return message;
  }();
};

using ErpcFramings = ::testing::Types<RawFraming, JsonFraming, PbFraming>;
TYPED_TEST_SUITE(ErpcFilters, ErpcFramings);

TYPED_TEST(ErpcFilters, change_all_that_stands_behind_their_list) {
  const std::string filtered = this->written(this->call_, this->limits_);
  const std::string plain = this->written(testing::golden_erpc_call(), this->limits_);
  // erpc lists the filter first that it applied last.
  EXPECT_EQ(filtered.substr(4), std::string("\2ba") + "b:a:" + plain.substr(5));
  EXPECT_EQ(filtered.size(), plain.size() + 6);
  const auto back = this->read(filtered, this->limits_);
  ASSERT_TRUE(back && *back) << back.error();
  EXPECT_EQ(**back, this->call_);
}

TYPED_TEST(ErpcFilters, are_undone_however_the_frame_is_cut) {
  const std::string frames = this->written(this->call_, this->limits_) +
                             this->written(testing::golden_erpc_call(), this->limits_);
  for (std::size_t cut = 0; cut <= frames.size(); ++cut) {
    auto decoder = TypeParam(this->limits_).make_decoder();
    std::vector<Message> read;
    for (const std::string& chunk : {frames.substr(0, cut), frames.substr(cut)}) {
      decoder->feed(chunk);
      for (;;) {
        auto next = decoder->next();
        ASSERT_TRUE(next) << next.error();
        if (!*next) break;
        read.push_back(std::move(**next));
      }
    }
    ASSERT_EQ(read, (std::vector<Message>{this->call_, testing::golden_erpc_call()})) << cut;
    EXPECT_FALSE(decoder->mid_frame());
  }
}

TYPED_TEST(ErpcFilters, keep_the_body_beside_the_frame_whole_when_encoded_apart) {
  std::string out;
  Bytes tail = Bytes::copy_of("tail");
  auto encoder = TypeParam(this->limits_).make_encoder();
  ASSERT_TRUE(encoder->encode_apart(this->call_, out, tail).is_ok());
  EXPECT_EQ(out, this->written(this->call_, this->limits_));
  EXPECT_TRUE(tail.empty());
}

TYPED_TEST(ErpcFilters, that_are_not_registered_are_refused_in_both_directions) {
  std::string out = "before";
  const Status unwritten = TypeParam().make_encoder()->encode(this->call_, out);
  EXPECT_EQ(unwritten.code(), Code::unimplemented);
  EXPECT_NE(unwritten.message().find(" frame: transfer filter 'a' is not registered"),
            std::string::npos);
  EXPECT_EQ(out, "before");
  const auto unread = this->read(this->written(this->call_, this->limits_), {});
  EXPECT_EQ(unread.error().code(), Code::unimplemented);
  EXPECT_NE(unread.error().message().find(" frame: transfer filter 'b' is not registered"),
            std::string::npos);
}

TYPED_TEST(ErpcFilters, do_not_let_a_frame_grow_beyond_its_limit) {
  Message bomb = this->call_;
  bomb.filters = FilterPipe("r");
  const auto unread = this->read(this->written(bomb, this->limits_), this->limits_);
  EXPECT_EQ(unread.error().code(), Code::resource_exhausted);
  EXPECT_NE(unread.error().message().find(
                "transfer filter repeat: more comes out than max_frame_bytes allows (500 bytes)"),
            std::string::npos)
      << unread.error();
  // Four bytes of names and two of ids are too much for a frame that fits without them.
  ErpcLimits limits = this->limits_;
  limits.max_frame_bytes = this->written(testing::golden_erpc_call(), this->limits_).size() + 5;
  std::string out;
  auto encoder = TypeParam(limits).make_encoder();
  EXPECT_TRUE(encoder->encode(testing::golden_erpc_call(), out).is_ok());
  out = "before";
  EXPECT_EQ(encoder->encode(this->call_, out).code(), Code::resource_exhausted);
  EXPECT_EQ(out, "before");
}

TYPED_TEST(ErpcFilters, tell_what_is_wrong_with_a_frame) {
  std::string frame = this->written(this->call_, this->limits_);
  frame[7] = '?';  // the name of b
  EXPECT_EQ(this->read(frame, this->limits_).error().code(), Code::data_loss);
  frame = this->written(this->call_, this->limits_);
  frame[4] = '\x09';
  EXPECT_EQ(this->read(frame, this->limits_).error().code(), Code::resource_exhausted);
  frame[4] = '\xff';
  EXPECT_EQ(this->read(frame, this->limits_).error().code(), Code::invalid_argument);
}

TYPED_TEST(ErpcFilters, a_body_that_went_through_already_is_refused) {
  Message message = this->call_;
  message.is_filtered = true;
  std::string out;
  EXPECT_EQ(TypeParam(this->limits_).make_encoder()->encode(message, out).code(),
            Code::invalid_argument);
}

TEST(WsFilters, change_the_body_alone_and_stand_behind_it) {
  const ErpcLimits limits{.filters = toy_filters()};
  Message message{.seq = 1,
                  .type = MessageType::call,
                  .method = "/x",
                  .filters = FilterPipe("ab"),
                  .body = Bytes::copy_of("hi")};
  std::string json;
  ASSERT_TRUE(encode_ws_json(message, json, limits).is_ok());
  EXPECT_EQ(json, R"({"seq":1,"mtype":1,"serviceMethod":"/x","meta":"","bodyCodec":0,)"
                  R"("body":"b:a:hi","xferPipe":[98,97]})");
  auto back = decode_ws_json(Bytes::from(json), limits);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(*back, message);

  std::string pb;
  ASSERT_TRUE(encode_ws_pb(message, pb, limits).is_ok());
  EXPECT_TRUE(
      pb.ends_with("\x32\x06"
                   "b:a:hi\x3a\x02"
                   "ba"));
  back = decode_ws_pb(Bytes::from(pb), limits);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(*back, message);
}

TEST(WsFilters, an_error_leaves_what_was_written) {
  Message message{.type = MessageType::call, .filters = FilterPipe("q")};
  std::string out = "before";
  EXPECT_EQ(encode_ws_json(message, out).code(), Code::unimplemented);
  EXPECT_EQ(encode_ws_pb(message, out).code(), Code::unimplemented);
  EXPECT_EQ(out, "before");
}

TEST(WsFilters, do_not_let_a_body_grow_beyond_the_limit) {
  const ErpcLimits limits{.max_frame_bytes = 500, .filters = toy_filters()};
  const auto read =
      decode_ws_json(Bytes::copy_of(R"({"mtype":1,"body":"x","xferPipe":[114]})"), limits);
  EXPECT_EQ(read.error().code(), Code::resource_exhausted);
  EXPECT_NE(read.error().message().find("ws-json message: transfer filter repeat: more comes out"),
            std::string::npos);
}

}  // namespace
}  // namespace parley::wire
