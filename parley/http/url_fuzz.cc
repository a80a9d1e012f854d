// Fuzzes Url: any text gives a URL or an error, a URL that was read is written and read again as
// the same one, and what a reference resolves to is one again or refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/http/target.h"
#include "parley/http/url.h"

namespace parley::http {
namespace {

void check(const Url& url) {
  const std::string text = url.to_string();
  // A default port that was written, and a path that was not, come and go.
  if (text.size() > Url::most_bytes) return;
  const Result<Url> again = Url::parse(text);
  PARLEY_ASSERT(again && *again == url, "a URL changed on its way out and in: " + text);
  PARLEY_ASSERT(parse_target(Method::get, url.target()), "a target that no reader takes");
  PARLEY_ASSERT(is_authority(url.authority()), "an authority that no reader takes");
  PARLEY_ASSERT(url.port != 0, "a port on which nobody listens");
}

void fuzz(std::string_view base, std::string_view reference) {
  const Result<std::string> decoded = percent_decoded(reference);
  if (decoded) {
    const Result<std::string> back = percent_decoded(percent_encoded(*decoded));
    PARLEY_ASSERT(back && *back == *decoded, "a text changed by being escaped");
  }
  const Result<Url> url = Url::parse(base);
  if (!url) {
    PARLEY_ASSERT(url.error().code() == Code::invalid_argument, "another error");
    PARLEY_ASSERT(url.error().message().size() < 3000, "an error without an end");
    return;
  }
  check(*url);
  const Result<Url> next = url->resolve(reference);
  if (next) check(*next);
}

}  // namespace
}  // namespace parley::http

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  parley::http::fuzz(text.substr(0, line), text.substr(std::min(line + 1, text.size())));
  return 0;
}
