// Exchanges filtered messages with raw_reference.py and erpc_reference.py, whose filters are
// Python's zlib and hashlib and a CRC of their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>

#include "parley/base/testing/hex.h"
#include "parley/wire/filters/standard.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/erpc_cases.h"
#include "parley/wire/testing/golden_raw.h"
#include "parley/wire/testing/random_message.h"
#include "parley/wire/testing/reference.h"
#include "parley/wire/ws_payload.h"

namespace parley::wire {
namespace {

constexpr int message_count = 200;

ErpcLimits with_filters() { return {.filters = standard_filters({.min_bytes = 150})}; }

TEST(Filters, md5_is_written_and_read_as_erpc_has_it) {
  Message message = testing::golden_erpc_call();
  message.seq = 1;
  message.filters = FilterPipe("m");
  std::string out;
  ASSERT_TRUE(RawEncoder(with_filters()).encode(message, out).is_ok());
  EXPECT_EQ(out, parley::testing::from_hex(testing::golden_raw_md5_call));
  RawDecoder decoder(with_filters());
  decoder.feed(out);
  const auto back = decoder.next();
  ASSERT_TRUE(back && *back) << back.error();
  EXPECT_EQ(**back, message);
}

TEST(Filters, the_standard_ones_go_through_each_other_in_any_order) {
  const auto filters = standard_filters({.min_bytes = 0}, {.min_bytes = 0});
  const Bytes content = Bytes::from(std::string(5000, 'x'));
  for (const std::string_view pipe : {"gzmc", "cmzg", "gz", "zg", "c", "mgcz"}) {
    const auto applied = apply_filters(filters.get(), FilterPipe(pipe), content);
    ASSERT_TRUE(applied) << applied.error();
    const auto undone = undo_filters(filters.get(), FilterPipe(pipe), *applied,
                                     {.bytes = content.size(), .name = "max"});
    ASSERT_TRUE(undone) << pipe << undone.error();
    EXPECT_EQ(*undone, content);
  }
}

TEST(Filters, a_websocket_body_that_erpc_did_not_escape_is_read) {
  const ErpcLimits limits{.filters = standard_filters({.min_bytes = 0})};
  testing::Random random(5);
  for (int i = 0; i < 200; ++i) {
    const std::string body = testing::random_text(random, 300);
    const Bytes sent = *apply_filters(limits.filters.get(), FilterPipe("g"), Bytes::copy_of(body));
    std::string payload = R"({"seq":1,"mtype":1,"serviceMethod":"/x","meta":"","body":")";
    for (const char c : sent.to_string()) payload += c == '"' ? R"(\")" : std::string(1, c);
    payload += R"(","xferPipe":[103]})";
    const auto message = decode_ws_json(Bytes::from(payload), limits);
    ASSERT_TRUE(message) << message.error();
    EXPECT_EQ(message->body, body);
  }
}

// Random messages through random filters, in a file with one frame behind the other.
template <typename Write>
std::string random_frames(std::string& lines, const Write& write) {
  testing::Random random(83);
  std::string frames;
  for (int i = 0; i < message_count; ++i) {
    Message message = testing::random_message(random, 400);
    std::string pipe = "gmc";
    std::shuffle(pipe.begin(), pipe.end(), random);
    pipe.resize(random() % 4);
    message.filters = FilterPipe(pipe);
    frames += write(message);
    lines += testing::line_of(message);
  }
  return frames;
}

class FilterReference : public testing::Reference {
 protected:
  explicit FilterReference(const std::string& script) : Reference(script) {}

  // `format` opens the reference's arguments: "", "json ".
  void check_written(const std::string& format, const std::string& frames,
                     const std::string& lines) {
    witness_.write("frames", frames);
    run(format + "decode " + witness_.path("frames") + " " + witness_.path("lines"));
    EXPECT_TRUE(witness_.read("lines") == lines)
        << "the reference reads other messages than we wrote";
  }

  std::string generated(const std::string& format, const std::string& pipe) {
    run(format + "generate 5 " + std::to_string(message_count) + " " + witness_.path("frames") +
        " " + witness_.path("lines") + " " + pipe);
    return witness_.read("frames");
  }

  template <typename F>
  void exchange(const std::string& format) {
    auto encoder = F(with_filters()).make_encoder();
    std::string lines;
    const std::string frames = random_frames(lines, [&](const Message& message) {
      std::string out;
      const Status status = encoder->encode(message, out);
      EXPECT_TRUE(status.is_ok()) << status;
      return out;
    });
    check_written(format, frames, lines);
    for (const std::string pipe : {"g", "m", "c", "mgc", "gm"}) {
      auto decoder = F(with_filters()).make_decoder();
      decoder->feed(generated(format, pipe));
      lines.clear();
      for (int i = 0; i < message_count; ++i) {
        auto next = decoder->next();
        ASSERT_TRUE(next && next->has_value()) << next.error();
        EXPECT_EQ((*next)->filters, FilterPipe(pipe));
        lines += testing::line_of(**next);
      }
      EXPECT_EQ(decoder->buffered(), 0U);
      EXPECT_TRUE(lines == witness_.read("lines")) << pipe;
    }
  }
};

class RawFilterReference : public FilterReference {
 protected:
  RawFilterReference() : FilterReference("raw_reference.py") {}
};

TEST_F(RawFilterReference, reads_what_we_write_and_we_what_it_writes) { exchange<RawFraming>(""); }

class ErpcFilterReference : public FilterReference {
 protected:
  ErpcFilterReference() : FilterReference("erpc_reference.py") {}

  void exchange_payloads(const std::string& format,
                         Status (*encode)(const Message&, std::string&, const ErpcLimits&),
                         Result<Message> (*decode)(Bytes, const ErpcLimits&)) {
    const ErpcLimits limits = with_filters();
    std::string lines;
    const std::string frames = random_frames(lines, [&](const Message& message) {
      std::string out;
      const Status status = encode(message, out, limits);
      EXPECT_TRUE(status.is_ok()) << status;
      return testing::erpc_framed(out);
    });
    check_written(format, frames, lines);
    const std::string theirs = generated(format, "gm");
    lines.clear();
    for (std::size_t at = 0; at < theirs.size();) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        size = size << 8U | static_cast<unsigned char>(theirs[at + i]);
      }
      const auto message = decode(Bytes::copy_of(theirs.substr(at + 5, size - 1)), limits);
      ASSERT_TRUE(message) << message.error();
      EXPECT_EQ(message->filters, FilterPipe("gm"));
      lines += testing::line_of(*message);
      at += 4 + size;
    }
    EXPECT_TRUE(lines == witness_.read("lines"));
  }
};

TEST_F(ErpcFilterReference, reads_the_json_that_we_write_and_we_what_it_writes) {
  exchange<JsonFraming>("json ");
}

TEST_F(ErpcFilterReference, reads_the_pb_that_we_write_and_we_what_it_writes) {
  exchange<PbFraming>("pb ");
}

TEST_F(ErpcFilterReference, reads_our_websocket_messages_and_we_its) {
  exchange_payloads("wsjson ", encode_ws_json, decode_ws_json);
  exchange_payloads("wspb ", encode_ws_pb, decode_ws_pb);
}

}  // namespace
}  // namespace parley::wire
