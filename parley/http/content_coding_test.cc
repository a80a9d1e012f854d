#include "parley/http/content_coding.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/http/event_stream.h"
#include "parley/http/server.h"
#include "parley/http/testing/memory_exchange.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using parley::testing::Witness;
using testing::MemoryExchange;

const std::string page(5000, 'a');

Status serve_page(ServerExchange& exchange) { return exchange.answer(200, page); }

void wish(MemoryExchange& exchange, std::string_view codings) {
  if (!codings.empty()) exchange.with("Accept-Encoding", codings);
}

Result<std::string> decoded(std::string_view body, ContentCoding coding,
                            DecompressionOptions options = {}, std::size_t step = 7) {
  MemoryExchange carrier(Method::post);
  std::vector<std::string> pieces;
  for (; !body.empty(); body.remove_prefix(std::min(step, body.size()))) {
    pieces.emplace_back(body.substr(0, step));
  }
  carrier.sends(std::move(pieces));
  return DecodedBody(carrier, coding, options).read_all();
}

std::string coded(std::string_view body, ContentCoding coding) {
  std::string out;
  if (coding == ContentCoding::zstd) {
    EXPECT_TRUE(wire::ZstdEncoder().append(body, out, wire::Flush::finish).is_ok());
  } else {
    const bool is_gzip = coding == ContentCoding::gzip;
    wire::Deflater deflater({.wrapping = is_gzip ? wire::Wrapping::gzip : wire::Wrapping::zlib});
    EXPECT_TRUE(deflater.append(body, out, wire::Flush::finish).is_ok());
  }
  return out;
}

TEST(ContentCodings, an_answer_is_compressed_as_the_client_asks) {
  for (const auto& [codings, coding] : {std::pair{"gzip", "gzip"},
                                        {"deflate", "deflate"},
                                        {"gzip, zstd", "zstd"},
                                        {"zstd;q=0.1, x-gzip", "gzip"},
                                        {"*", "zstd"},
                                        {"*, zstd;q=0", "gzip"}}) {
    MemoryExchange exchange;
    wish(exchange, codings);
    EXPECT_TRUE(exchange.run(with_compression(serve_page)).is_ok());
    EXPECT_EQ(exchange.field("Content-Encoding"), coding) << codings;
    EXPECT_EQ(exchange.field("Vary"), "Accept-Encoding");
    EXPECT_TRUE(exchange.size()->is_known() && exchange.size()->bytes() == exchange.body().size());
    EXPECT_LT(exchange.body().size(), 100U);
    EXPECT_EQ(decoded(exchange.body(), *content_coding_of(coding)).value(), page) << codings;
  }
  for (const auto* codings : {"", "br", "gzip;q=0", "identity, gzip;q=0.5"}) {
    MemoryExchange exchange;
    wish(exchange, codings);
    EXPECT_TRUE(exchange.run(with_compression(serve_page)).is_ok());
    EXPECT_EQ(exchange.body(), page) << codings;
    EXPECT_EQ(exchange.field("Content-Encoding"), "");
    EXPECT_EQ(exchange.field("Vary"), "Accept-Encoding");
  }
}

// What an answer of `status` with this field and `body` becomes for a client that takes gzip.
std::string coding_with(StatusCode status, std::string_view name, std::string_view value,
                        CompressionOptions options = {}, std::size_t bytes = 5000) {
  MemoryExchange exchange;
  wish(exchange, "gzip");
  const Handler handler = [&](ServerExchange& answering) -> Status {
    if (!name.empty()) (void)answering.response().headers.set(name, value);
    return answering.answer(status, status == 204 || status == 304 ? "" : std::string(bytes, 'b'));
  };
  EXPECT_TRUE(exchange.run(with_compression(handler, std::move(options))).is_ok());
  return exchange.field("Content-Encoding");
}

TEST(ContentCodings, what_must_stay_as_it_is_stays) {
  EXPECT_EQ(coding_with(200, "", ""), "gzip");
  EXPECT_EQ(coding_with(404, "", ""), "gzip");
  EXPECT_EQ(coding_with(206, "Content-Range", "bytes 0-4999/9999"), "");
  EXPECT_EQ(coding_with(416, "Content-Range", "bytes */9999"), "");
  EXPECT_EQ(coding_with(204, "", ""), "");
  EXPECT_EQ(coding_with(304, "", ""), "");
  EXPECT_EQ(coding_with(200, "Content-Encoding", "br"), "br");
  EXPECT_EQ(coding_with(200, "Cache-Control", "max-age=5, no-transform"), "");
  EXPECT_EQ(coding_with(200, "Cache-Control", "max-age=5"), "gzip");
  EXPECT_EQ(coding_with(200, "Repr-Digest", "sha-256=:AAAA:"), "");
  EXPECT_EQ(coding_with(200, "Content-Type", "image/png"), "");
  EXPECT_EQ(coding_with(200, "Content-Type", "Application/LD+JSON ; a=b"), "gzip");
  EXPECT_EQ(coding_with(200, "Content-Type", "textual/html"), "");
}

TEST(ContentCodings, every_option_of_compression_does_something) {
  EXPECT_EQ(coding_with(200, "", "", {.min_bytes = 100}, 99), "");
  EXPECT_EQ(coding_with(200, "", "", {.min_bytes = 100}, 100), "gzip");
  EXPECT_EQ(coding_with(200, "", "", {.codings = {ContentCoding::zstd}}), "");
  EXPECT_EQ(coding_with(200, "", "", {.codings = {}}), "");
  EXPECT_EQ(coding_with(200, "Content-Type", "a/b", {.types = {"A/B"}}), "gzip");
  EXPECT_EQ(coding_with(200, "Content-Type", "a/b", {.types = {"a/c"}}), "");
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string((i * 7919) % 3011) + " ";
  const auto size_with = [&](const char* codings, CompressionOptions options) {
    MemoryExchange exchange;
    wish(exchange, codings);
    const Handler handler = [&](ServerExchange& answering) { return answering.answer(200, text); };
    EXPECT_TRUE(exchange.run(with_compression(handler, std::move(options))).is_ok());
    EXPECT_EQ(decoded(exchange.body(), *content_coding_of(codings)).value(), text);
    return exchange.body().size() + (exchange.size()->is_known() ? 0U : 1'000'000U);
  };
  EXPECT_GT(size_with("gzip", {.level = 1}), size_with("gzip", {.level = 9}));
  EXPECT_GT(size_with("zstd", {.zstd_level = 1}), size_with("zstd", {.zstd_level = 19}));
  EXPECT_GT(size_with("gzip", {.max_whole_bytes = 10}), 1'000'000U);
  EXPECT_LT(size_with("gzip", {.max_whole_bytes = 10'000'000}), 1'000'000U);
}

TEST(ContentCodings, what_does_not_become_smaller_goes_as_it_is) {
  const std::string dense = coded(page + "x", ContentCoding::gzip);
  MemoryExchange exchange;
  wish(exchange, "gzip");
  const Handler handler = [&](ServerExchange& e) { return e.answer(200, dense); };
  EXPECT_TRUE(exchange.run(with_compression(handler, {.min_bytes = 1})).is_ok());
  EXPECT_EQ(exchange.field("Content-Encoding"), "");
  EXPECT_EQ(exchange.body(), dense);
}

TEST(ContentCodings, the_tag_of_what_is_compressed_is_weak_and_ranges_are_not_offered) {
  for (const auto& [codings, tag, ranges] :
       {std::tuple{"gzip", "W/\"v7\"", ""}, {"", "\"v7\"", "bytes"}}) {
    MemoryExchange exchange;
    wish(exchange, codings);
    const Handler handler = [](ServerExchange& answering) -> Status {
      (void)answering.response().headers.set("ETag", "\"v7\"");
      (void)answering.response().headers.set("Accept-Ranges", "bytes");
      (void)answering.response().headers.set("Vary", "Cookie");
      return answering.answer(200, page);
    };
    EXPECT_TRUE(exchange.run(with_compression(handler)).is_ok());
    EXPECT_EQ(exchange.field("ETag"), tag);
    EXPECT_EQ(exchange.field("Accept-Ranges"), ranges);
    EXPECT_TRUE(exchange.answered().headers.has_element("Vary", "Accept-Encoding"));
    EXPECT_TRUE(exchange.answered().headers.has_element("Vary", "Cookie"));
  }
}

TEST(ContentCodings, head_has_the_head_of_get_and_no_body) {
  MemoryExchange exchange(Method::head);
  wish(exchange, "gzip");
  EXPECT_TRUE(exchange.run(with_compression(serve_page)).is_ok());
  EXPECT_EQ(exchange.field("Content-Encoding"), "gzip");
  EXPECT_EQ(exchange.bytes_written(), 0U);
  MemoryExchange silent(Method::head);
  wish(silent, "gzip");
  const Handler no_write = [](ServerExchange& answering) -> Status {
    (void)answering.response().headers.set("Content-Type", "text/plain");
    return answering.begin(BodySize::of(5000));
  };
  EXPECT_TRUE(silent.run(with_compression(no_write)).is_ok());
  EXPECT_EQ(silent.bytes_written(), 0U);
}

TEST(ContentCodings, each_event_can_be_read_once_it_is_sent) {
  for (const auto* codings : {"gzip", "deflate", "zstd"}) {
    MemoryExchange exchange;
    wish(exchange, codings);
    Headers trailers;
    ASSERT_TRUE(trailers.add("x-end", "yes").is_ok());
    const Handler handler = [&](ServerExchange& answering) -> Status {
      (void)answering.response().headers.set("Content-Type", "text/event-stream");
      (void)answering.begin(BodySize::unknown());
      std::string said;
      for (int i = 0; i < 3; ++i) {
        const std::string event = "data: " + std::to_string(i) + "\n\n";
        said += event;
        EXPECT_TRUE(answering.write(event).is_ok());
        EXPECT_TRUE(answering.flush().is_ok() && answering.flush().is_ok());
        // Nothing is missing but the end.
        MemoryExchange carrier(Method::post);
        carrier.sends({exchange.body()});
        DecodedBody body(carrier, content_coding_of(codings));
        std::string read;
        for (auto piece = body.read(); piece && !piece->empty(); piece = body.read())
          read += *piece;
        EXPECT_EQ(read, said) << codings;
      }
      return answering.end(trailers);
    };
    EXPECT_TRUE(exchange.run(with_compression(handler)).is_ok());
    EXPECT_EQ(exchange.sent_trailers(), trailers);
    EXPECT_EQ(decoded(exchange.body(), *content_coding_of(codings)).value(),
              "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  }
}

TEST(ContentCodings, a_body_in_pieces_keeps_its_told_size) {
  const auto run = [](std::vector<std::size_t> pieces, bool ends, std::string* body) {
    MemoryExchange exchange;
    wish(exchange, "gzip");
    const Handler handler = [&](ServerExchange& answering) -> Status {
      (void)answering.response().headers.set("Content-Type", "text/plain");
      if (Status s = answering.begin(BodySize::of(400'000)); !s.is_ok()) return s;
      EXPECT_TRUE(answering.has_begun());
      EXPECT_EQ(answering.begin(BodySize::none()).code(), Code::failed_precondition);
      for (const std::size_t size : pieces) {
        if (Status s = answering.write(std::string(size, 'c')); !s.is_ok()) return s;
      }
      if (ends) (void)answering.end();
      return {};
    };
    Status status = exchange.run(with_compression(handler));
    if (body != nullptr) *body = exchange.body();
    return status.code();
  };
  std::string body;
  EXPECT_EQ(run({100'000, 0, 299'999, 1}, false, &body), Code::ok);
  EXPECT_EQ(decoded(body, ContentCoding::gzip, {}, 100).value(), std::string(400'000, 'c'));
  EXPECT_EQ(run({100'000}, false, nullptr), Code::failed_precondition);
  EXPECT_EQ(run({100'000}, true, nullptr), Code::failed_precondition);
  EXPECT_EQ(run({100'000, 300'001}, false, nullptr), Code::invalid_argument);
}

TEST(ContentCodings, nothing_is_begun_twice_nor_handed_over_behind_begin) {
  MemoryExchange exchange;
  wish(exchange, "gzip");
  const Handler handler = [](ServerExchange& answering) -> Status {
    (void)answering.response().headers.set("Content-Type", "text/plain");
    EXPECT_TRUE(answering.begin(BodySize::of(page.size())).is_ok());
    EXPECT_EQ(answering.hand_over([](auto) {}).code(), Code::failed_precondition);
    EXPECT_EQ(answering.inform({.status = 103}).code(), Code::failed_precondition);
    return answering.write(page);
  };
  EXPECT_TRUE(exchange.run(with_compression(handler)).is_ok());
  EXPECT_EQ(exchange.field("Content-Encoding"), "gzip");
}

TEST(ContentCodings, a_handler_reads_what_a_compressed_body_contains) {
  for (const auto* name : {"gzip", "X-GZip", "deflate", "zstd", "identity"}) {
    const auto coding = content_coding_of(name);
    MemoryExchange exchange(Method::post);
    const std::string body = coding ? coded(page, *coding) : page;
    exchange.with("Content-Encoding", name).sends({body.substr(0, 9), body.substr(9)});
    const Handler echo = [&](ServerExchange& answering) -> Status {
      EXPECT_FALSE(answering.request().headers.get("Content-Encoding"));
      EXPECT_EQ(answering.request_size().is_known(), !coding);
      const auto read = answering.read_all();
      return read ? answering.answer(200, *read) : read.error();
    };
    EXPECT_TRUE(exchange.run(with_decompression(echo)).is_ok());
    EXPECT_EQ(exchange.body(), page) << name;
  }
}

StatusCode answer_to(std::string_view coding, std::string body, DecompressionOptions options = {},
                     std::uint64_t limit = UINT64_MAX) {
  MemoryExchange exchange(Method::post);
  exchange.with("Content-Encoding", coding).sends({std::move(body)});
  const Handler count = [&](ServerExchange& answering) -> Status {
    if (limit != UINT64_MAX) {
      if (Status s = answering.limit_body(limit); !s.is_ok()) return s;
    }
    const auto read = answering.read_all(1'000'000'000);
    return read ? answering.answer(200, std::to_string(read->size())) : read.error();
  };
  EXPECT_TRUE(exchange.run(with_decompression(count, std::move(options))).is_ok());
  if (exchange.answered().status == 415) EXPECT_NE(exchange.field("Accept-Encoding"), "");
  return exchange.answered().status;
}

TEST(ContentCodings, what_is_not_taken_is_415_and_says_what_is) {
  const std::string body = coded(page, ContentCoding::gzip);
  EXPECT_EQ(answer_to("gzip", body), 200);
  EXPECT_EQ(answer_to("br", body), 415);
  EXPECT_EQ(answer_to("gzip, gzip", coded(body, ContentCoding::gzip)), 415);
  EXPECT_EQ(answer_to("gzip", body, {.codings = {ContentCoding::zstd}}), 415);
}

TEST(ContentCodings, bombs_are_413_and_damage_is_400) {
  const std::string large(3'000'000, 0);
  for (const auto coding : {ContentCoding::gzip, ContentCoding::deflate, ContentCoding::zstd}) {
    const std::string bomb = coded(large, coding);
    const std::string name(name_of(coding));
    EXPECT_LT(bomb.size(), 4000U);
    EXPECT_EQ(answer_to(name, bomb, {.max_bytes = 3'000'000}), 200);
    EXPECT_EQ(answer_to(name, bomb, {.max_bytes = 2'999'999}), 413);
    EXPECT_EQ(answer_to(name, bomb, {}, 3'000'000), 200);
    EXPECT_EQ(answer_to(name, bomb, {}, 2'999'999), 413);
    EXPECT_EQ(answer_to(name, bomb.substr(0, bomb.size() - 1)), 400);
    EXPECT_EQ(answer_to(name, "no such thing"), 400);
  }
  EXPECT_EQ(answer_to("deflate", coded(page, ContentCoding::deflate) + "x"), 400);
}

TEST(ContentCodings, a_zstd_window_beyond_the_option_is_refused) {
  wire::ZstdEncoder encoder({.window_bits = 20});
  std::string body;
  ASSERT_TRUE(encoder.append(page, body, wire::Flush::sync).is_ok());
  ASSERT_TRUE(encoder.append(page, body, wire::Flush::finish).is_ok());
  EXPECT_EQ(answer_to("zstd", body, {.zstd_window_bits = 20}), 200);
  EXPECT_EQ(answer_to("zstd", body, {.zstd_window_bits = 19}), 413);
}

TEST(ContentCodings, a_request_says_which_codings_are_read) {
  Request request;
  ASSERT_TRUE(accept_codings(request, {.codings = {ContentCoding::gzip}}).is_ok());
  ASSERT_TRUE(accept_codings(request).is_ok());
  EXPECT_EQ(request.headers.get("Accept-Encoding"), "gzip");
  Request other;
  ASSERT_TRUE(accept_codings(other).is_ok());
  EXPECT_EQ(other.headers.get("Accept-Encoding"), "zstd, gzip, deflate");
}

// A server that compresses and decompresses, and what `command` prints of it.
std::string said_by(const Witness& witness, std::string command) {
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  const Handler echo = [](ServerExchange& exchange) -> Status {
    const auto body = exchange.read_all();
    if (!body) return body.error();
    return exchange.answer(200, body->empty() ? page : *body);
  };
  Server server(*listener, with_compression(with_decompression(echo, {.max_bytes = 100'000})));
  rt::Scope scope;
  scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  const std::string address = listener->address().to_string();
  for (std::size_t at = 0; (at = command.find("ADDRESS")) != std::string::npos;) {
    command.replace(at, 7, address.substr(address.find("//") + 2));
  }
  std::string said = rt::blocking([&] { return witness.output_of(command); });
  EXPECT_TRUE(server.shutdown().is_ok());
  return said;
}

PARLEY_FIBER_TEST(ContentCodingsForeign, curl_reads_what_is_compressed) {
  const Witness witness;
  if (rt::blocking([&] { return witness.ask("curl --version").code; }) != 0) {
    GTEST_SKIP() << "curl does not run here";
  }
  EXPECT_EQ(said_by(witness,
                    "curl -s --compressed http://ADDRESS/ -w ' %{size_download}' | "
                    "python3 -c 'import sys; b, n = sys.stdin.read().split(); "
                    "print(len(b), int(n) < 100)'"),
            "5000 True\n");
}

PARLEY_FIBER_TEST(ContentCodingsForeign, python_sends_and_reads_gzip_and_zlib_and_bombs) {
  const Witness witness;
  if (rt::blocking([&] { return witness.ask("python3 -c 'import zlib, gzip'").code; }) != 0) {
    GTEST_SKIP() << "python3 does not run here";
  }
  EXPECT_EQ(
      said_by(witness,
              "python3 -c 'import http.client as h, zlib, gzip\n"
              "def ask(coding, body):\n"
              "  c = h.HTTPConnection(\"ADDRESS\")\n"
              "  c.request(\"POST\", \"/\", body, {\"Content-Encoding\": coding, "
              "\"Accept-Encoding\": coding})\n"
              "  return c.getresponse()\n"
              "b = b\"tea and more tea \" * 1000\n"
              "r = ask(\"gzip\", gzip.compress(b)); print(gzip.decompress(r.read()) == b)\n"
              "r = ask(\"deflate\", zlib.compress(b)); print(zlib.decompress(r.read()) == b)\n"
              "print(ask(\"gzip\", gzip.compress(bytes(9000000))).status)\n"
              "print(ask(\"gzip\", gzip.compress(b)[:-5]).status, ask(\"br\", b).status)'"),
      "True\nTrue\n413\n400 415\n");
}

}  // namespace
}  // namespace parley::http
