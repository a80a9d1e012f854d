// Feeds arbitrary text to the readers of forms and of plain text. What must hold, whatever it is:
// what was decoded can be encoded, and that decodes to something that is encoded in the same way,
// also over a used object.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "parley/base/assert.h"
#include "parley/codec/form.h"
#include "parley/codec/plain.h"
#include "parley/codec/testing/sample.h"

namespace {

using namespace parley;

constexpr codec::Limits limits{
    .max_depth = 12, .max_bytes = 8192, .max_elements = 100, .max_string_bytes = 200};

enum class Tea : std::int8_t { oolong, sencha = 7, assam = -3 };

struct Chain {
  std::int64_t value = 0;
  std::unique_ptr<Chain> next;
};

struct Search {
  std::int32_t id = 3;
  std::string text = "default";
  std::vector<std::string> tags;
  std::vector<std::byte> raw;
  std::optional<double> limit;
  std::optional<std::string> note;
  codec::testing::Point at;
  std::map<std::string, std::int64_t> stock;
  std::map<std::int32_t, codec::testing::Point> points;
  std::variant<std::monostate, codec::testing::Point, std::string> shape;
  std::unique_ptr<Chain> chain;
  codec::Json any;
};

void check_form(std::string_view text) {
  const auto first = codec::decode_form<Search>(text, limits);
  if (!first) return;
  const auto written = codec::encode_form(*first);
  PARLEY_ASSERT(written, "what was decoded cannot be encoded");
  Search used;
  used.tags = {"old", "older"};
  used.note = "old";
  used.stock = {{"old", 1}};
  used.chain = std::make_unique<Chain>();
  PARLEY_ASSERT(codec::decode_form_into(*written, used).is_ok(), "our own form was refused");
  PARLEY_ASSERT(codec::encode_form(used).value() == *written,
                "a value changed, or something old was left");
}

template <class T>
void check_plain(std::string_view text) {
  const auto first = codec::decode_plain<T>(text, limits);
  if (!first) return;
  const std::string written = codec::encode_plain(*first).value();
  PARLEY_ASSERT(codec::encode_plain(codec::decode_plain<T>(written).value()).value() == written,
                "a plain value changed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_form(text);
  check_plain<double>(text);
  check_plain<float>(text);
  check_plain<std::int64_t>(text);
  check_plain<std::string>(text);
  check_plain<codec::Json>(text);
  check_plain<bool>(text);
  check_plain<Tea>(text);
  check_plain<std::vector<std::byte>>(text);
  check_plain<std::optional<std::string>>(text);
  check_plain<std::optional<std::uint8_t>>(text);
  check_plain<std::chrono::milliseconds>(text);
  check_plain<std::chrono::duration<double>>(text);
  check_plain<std::chrono::sys_time<std::chrono::microseconds>>(text);
  return 0;
}
