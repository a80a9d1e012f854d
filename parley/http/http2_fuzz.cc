// Fuzzes what reads HTTP/2: frames, HPACK and heads, as a server and as a client. The first byte
// says which and how the rest is cut. Whatever comes, no limit is passed; a server reads the same
// however its input was cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/http/testing/http2_frames.h"

namespace parley::http {
namespace {

using testing::Heard;
using Role = impl::Http2Session::Role;

// Small, so that the fuzzer meets them. Those of a second are out of the way: where input is cut
// must not matter, and time would.
constexpr Http2Limits small = {.max_streams = 4,
                               .max_header_list = 400,
                               .max_headers = 8,
                               .max_header_table = 256,
                               .max_continuations = 2,
                               .max_resets = 1'000'000,
                               .max_settings = 1'000'000,
                               .max_pings = 1'000'000,
                               .max_empty_frames = 1'000'000,
                               .max_window_updates = 1'000'000,
                               .max_priorities = 1'000'000,
                               .max_unknown_frames = 1'000'000};

void read(Heard& heard, std::string_view in, std::size_t step) {
  for (std::size_t at = 0; at < in.size(); at += step) {
    if (!heard.take(in.substr(at, step)).is_ok()) return;
  }
}

void check(const Heard& heard) {
  for (const Request& request : heard.requests) {
    PARLEY_ASSERT(request.headers.size() <= small.max_headers, "more fields than the limit");
    PARLEY_ASSERT(request.headers.text_bytes() <= small.max_header_list, "more bytes of them");
    PARLEY_ASSERT(!request.method_name().empty(), "a request without a method");
    PARLEY_ASSERT(!request.target.empty(), "a request without a target");
    PARLEY_ASSERT(!request.headers.get("Connection"), "a field of a connection");
  }
}

}  // namespace
}  // namespace parley::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley::http;  // NOLINT(google-build-using-namespace): one function
  if (size < 1) return 0;
  const unsigned way = data[0];
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool is_server = way % 2 == 0;
  // Mostly behind what every connection begins with.
  std::string in(rest);
  if (way % 8 < 6) {
    in = (is_server ? testing::hello() : testing::frame(testing::settings_frame, 0, 0)) + in;
  }
  Heard whole(small, is_server ? Role::server : Role::client);
  Heard cut(small, is_server ? Role::server : Role::client);
  if (!is_server) {
    impl::Http2Fields fields;
    for (const auto& [name, value] : testing::get_fields()) fields.add(name, value);
    for (Heard* one : {&whole, &cut}) {
      (void)one->session().request(fields, false);
      (void)one->take({});
    }
  }
  read(whole, in, in.size() + 1);
  read(cut, in, 1 + way / 8);
  check(whole);
  check(cut);
  PARLEY_ASSERT(whole.requests == cut.requests || whole.verdict() != "ok" || cut.verdict() != "ok",
                "where the input was cut has changed what was read");
  return 0;
}
