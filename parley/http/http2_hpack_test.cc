// HPACK (RFC 7541) through our session: the examples of its appendix C become the heads they stand
// for, and what cannot be decoded ends the connection with COMPRESSION_ERROR.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "parley/http/testing/http2_frames.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about

constexpr const char* compression_error = "goaway 9";

// The bytes that are written so, blanks aside.
std::string bytes(std::string_view hex) {
  std::string out;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
      continue;
    }
    out += static_cast<char>(high * 16 + digit);
    high = -1;
  }
  EXPECT_LT(high, 0) << "half a byte: " << hex;
  return out;
}

std::string block(std::uint32_t id, std::string_view hex) {
  return frame(headers_frame, ends_stream | ends_head, id, bytes(hex));
}

std::string seen(const Request& request) {
  std::string out(request.method_name());
  out.append(" ").append(request.target).append(" of ").append(request.authority());
  for (const auto [name, value] : request.headers) {
    if (name == "Host" || name == "host") continue;
    out.append(", ").append(name).append("=").append(value);
  }
  return out;
}

std::string seen(const Response& response) {
  std::string out = std::to_string(response.status);
  for (const auto [name, value] : response.headers) {
    out.append("|").append(name).append("=").append(value);
  }
  return out;
}

// The heads that a server sees of these blocks, on one connection.
std::vector<std::string> requests(const std::vector<std::string_view>& blocks, bool by_bytes) {
  Heard heard;
  std::string in = hello();
  std::uint32_t id = 1;
  for (const std::string_view one : blocks) {
    in += block(id, one);
    id += 2;
  }
  const std::size_t step = by_bytes ? 1 : in.size();
  for (std::size_t at = 0; at < in.size(); at += step) {
    EXPECT_TRUE(heard.take(std::string_view(in).substr(at, step)).is_ok());
  }
  EXPECT_EQ(heard.verdict(), "ok");
  std::vector<std::string> all;
  for (const Request& request : heard.requests) all.push_back(seen(request));
  return all;
}

void expect_requests(const std::vector<std::string_view>& blocks,
                     const std::vector<std::string>& heads) {
  EXPECT_EQ(requests(blocks, false), heads);
  EXPECT_EQ(requests(blocks, true), heads) << "byte by byte";
}

// What each way to write a field stands for, behind :method GET and :scheme http.
TEST(Hpack, fields_are_read_as_appendix_c_2_has_them) {
  // C.2.1 a literal that is kept, C.2.2 one that is not, C.2.3 one that never is, C.2.4 an index.
  expect_requests(
      {"82 86 84 41 01 61 400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 "
       "6572",
       "82 86 040c 2f73 616d 706c 652f 7061 7468 bf be"},
      {"GET / of a, custom-key=custom-header", "GET /sample/path of a, custom-key=custom-header"});
  expect_requests({"82 86 84 01 01 61 1008 7061 7373 776f 7264 0673 6563 7265 74"},
                  {"GET / of a, password=secret"});
}

const std::vector<std::string> three_requests = {
    "GET / of www.example.com",
    "GET / of www.example.com, cache-control=no-cache",
    "GET /index.html of www.example.com, custom-key=custom-value",
};

TEST(Hpack, requests_of_a_connection_are_read_as_appendix_c_3_has_them) {
  expect_requests(
      {"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 84be 5808 6e6f 2d63 6163 6865",
       "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"},
      three_requests);
}

TEST(Hpack, requests_in_huffman_code_are_read_as_appendix_c_4_has_them) {
  expect_requests({"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", "8286 84be 5886 a8eb 1064 9cbf",
                   "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"},
                  three_requests);
}

// Answers to three requests of a client whose table has 256 bytes, so that fields are dropped from
// it; the first block tells that its writer knows (4.2).
std::vector<std::string> answers(const std::vector<std::string_view>& blocks) {
  Heard heard({.max_header_table = 256}, impl::Http2Session::Role::client);
  Request request;
  EXPECT_TRUE(request.headers.add("Host", "www.example.com").is_ok());
  request.target = "/";
  impl::Http2Fields fields;
  EXPECT_TRUE(fields.set_request(request, BodySize::none(), "https").is_ok());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_GT(heard.session().request(fields, false), 0);
  }
  EXPECT_TRUE(
      heard.take(frame(settings_frame, 0, 0) + frame(settings_frame, acknowledges, 0)).is_ok());
  std::uint32_t id = 1;
  for (const std::string_view one : blocks) {
    const std::string size = id == 1 ? "3fe101" : "";
    EXPECT_TRUE(heard.take(block(id, size + std::string(one))).is_ok()) << id;
    id += 2;
  }
  EXPECT_EQ(heard.verdict(), "ok");
  std::vector<std::string> all;
  for (const Response& response : heard.responses) all.push_back(seen(response));
  return all;
}

const std::vector<std::string> three_answers = {
    "302|cache-control=private|date=Mon, 21 Oct 2013 20:13:21 GMT|location=https://www.example.com",
    "307|cache-control=private|date=Mon, 21 Oct 2013 20:13:21 GMT|location=https://www.example.com",
    "200|cache-control=private|date=Mon, 21 Oct 2013 20:13:22 GMT|location=https://www.example.com|"
    "content-encoding=gzip|set-cookie=foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
};

TEST(Hpack, answers_that_drop_fields_are_read_as_appendix_c_5_has_them) {
  EXPECT_EQ(answers({"4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 "
                     "3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 "
                     "7861 6d70 6c65 2e63 6f6d",
                     "4803 3330 37c1 c0bf",
                     "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 "
                     "474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 "
                     "454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 "
                     "6572 7369 6f6e 3d31"}),
            three_answers);
}

TEST(Hpack, answers_in_huffman_code_are_read_as_appendix_c_6_has_them) {
  EXPECT_EQ(answers({"4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 "
                     "82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                     "4883 640e ffc1 c0bf",
                     "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b "
                     "d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 "
                     "0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07"}),
            three_answers);
}

struct Case {
  const char* section;
  const char* what;
  std::string hex;  // behind :method GET, :scheme http, :path /, :authority a
  const char* verdict;
};

const std::string sound = "82 86 84 01 01 61 ";

// A block in one frame, byte by byte, and with what is behind it in a CONTINUATION.
std::string verdict_of(const std::string& in, bool by_bytes) {
  Heard heard;
  Status status = heard.take(hello());
  const std::size_t step = by_bytes ? 1 : in.size();
  for (std::size_t at = 0; at < in.size() && status.is_ok(); at += step) {
    status = heard.take(std::string_view(in).substr(at, step));
  }
  const std::string verdict = heard.verdict();
  EXPECT_EQ(heard.session().is_over(), verdict != "ok");
  if (verdict != "ok") {
    (void)heard.take(head(9, get_fields()));
    EXPECT_TRUE(heard.requests.empty()) << "nothing of it is served, nor what is behind it";
  }
  return verdict;
}

TEST(Hpack, what_cannot_be_decoded_is_a_compression_error) {
  const char* bad = compression_error;
  const std::vector<Case> cases = {
      {"6.1", "index 0", "80", bad},
      {"2.3.3", "the first beyond both tables", "be", bad},
      {"2.3.3", "one far beyond", "ff 80 01", bad},
      {"6.2.1", "a name beyond both tables", "7e 01 61", bad},
      {"6.2.2", "one of a field that is not kept", "0f 2f 01 61", bad},
      {"6.2.3", "one of a field that never is", "1f 2f 01 61", bad},
      {"6.1", "the last of the static table", "bd", "ok"},
      {"5.1", "a number of more bytes than any index has", "ff ff ff ff ff ff ff ff ff ff 01", bad},
      {"5.1", "one with zeros without end", "ff 80 80 80 80 80 80 80 80 80 80 00", bad},
      {"5.1", "one of 2^32", "ff 81 ff ff ff 0f", bad},
      {"5.1", "one that does not end", "ff 80", bad},
      {"5.2", "a string of 2^32", "00 01 61 7f 81 ff ff ff 0f", bad},
      {"5.2", "a string longer than its block", "00 01 61 05 61 62", bad},
      {"5.2", "a name without a value", "00 01 61", bad},
      {"5.2", "a Huffman code and its padding", "00 01 61 81 1f", "ok"},
      {"5.2", "padding of zeros", "00 01 61 81 18", bad},
      {"5.2", "padding that is nearly all ones", "00 01 61 81 1e", bad},
      {"5.2", "padding of 8 bits or more", "00 01 61 82 1f ff", bad},
      {"5.2", "nothing but padding", "00 01 61 81 ff", bad},
      {"5.2", "the end-of-string code in a string", "00 01 61 84 ff ff ff ff", bad},
      {"5.2", "a code that is cut", "00 01 61 81 fe", bad},
      {"6.3", "a table of the size allowed, too late", "3f e1 1f", bad},
      {"6.3", "a table of no size, too late", "20", bad},
  };
  for (const Case& one : cases) {
    for (const bool by_bytes : {false, true}) {
      EXPECT_EQ(verdict_of(block(1, sound + one.hex), by_bytes), one.verdict)
          << one.section << ' ' << one.what;
      const std::string parts = frame(headers_frame, ends_stream, 1, bytes(sound)) +
                                frame(continuation_frame, ends_head, 1, bytes(one.hex));
      EXPECT_EQ(verdict_of(parts, by_bytes), one.verdict)
          << one.section << ' ' << one.what << ", in two frames";
    }
  }
}

TEST(Hpack, a_table_is_no_larger_than_max_header_table) {
  // In front of a block; the numbers are 4096, 4097, 8192 and 8193.
  const std::vector<std::pair<std::string, bool>> sizes = {
      {"20", true},        {"20 3f e1 1f", true},        {"3f e1 1f", true},
      {"3f e2 1f", false}, {"3f ff ff ff ff 0f", false},
  };
  for (const auto& [hex, taken] : sizes) {
    EXPECT_EQ(verdict_of(block(1, hex + sound), false), taken ? "ok" : compression_error) << hex;
  }
  for (const std::uint32_t most : {4096U, 8192U}) {
    Heard heard({.max_header_table = most});
    ASSERT_TRUE(heard.take(hello() + frame(settings_frame, acknowledges, 0)).is_ok());
    (void)heard.take(block(1, "3f e1 3f" + sound));
    EXPECT_EQ(heard.verdict(), most == 8192 ? "ok" : compression_error);
  }
}

TEST(Hpack, who_was_told_of_a_smaller_table_has_to_say_that_he_knows) {
  for (const bool says : {true, false}) {
    Heard heard({.max_header_table = 256});
    ASSERT_TRUE(heard.take(hello() + frame(settings_frame, acknowledges, 0)).is_ok());
    (void)heard.take(block(1, (says ? "3f e1 01" : "") + sound));
    EXPECT_EQ(heard.verdict(), says ? "ok" : compression_error) << "RFC 7541 4.2";
  }
}

// One field of 4,000 bytes, kept by the table, and then named a hundred times by a byte each.
TEST(Hpack, a_head_that_is_small_on_the_way_counts_as_large_as_it_is) {
  Heard heard;
  ASSERT_TRUE(heard.take(hello()).is_ok());
  const std::string large = bytes(sound + "40 01 78") + hpack_text(std::string(4000, 'x'));
  ASSERT_TRUE(heard.take(frame(headers_frame, ends_stream | ends_head, 1, large)).is_ok());
  EXPECT_EQ(heard.log, "request end ");
  const std::string again = bytes("82 86 84 01 01 61") + std::string(90, '\xbe');
  ASSERT_TRUE(heard.take(frame(headers_frame, ends_stream | ends_head, 3, again)).is_ok());
  EXPECT_EQ(heard.log, "request end large end ") << "431, and the table stays in step";
  const std::string third = bytes(sound + "be");
  ASSERT_TRUE(heard.take(frame(headers_frame, ends_stream | ends_head, 5, third)).is_ok());
  ASSERT_EQ(heard.requests.size(), 2U);
  EXPECT_EQ(heard.requests[1].headers.get("x").value_or("").size(), 4000U);
}

}  // namespace
}  // namespace parley::http
