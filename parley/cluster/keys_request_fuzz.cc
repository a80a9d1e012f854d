// Fuzzes what the keys API reads: any form gives a request that a store takes or refuses by a
// limit, or an error of etcd's.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "parley/base/assert.h"
#include "parley/cluster/impl/keys_request.h"
#include "parley/kv/json.h"

namespace parley::cluster::impl {
namespace {

constexpr WallTime now{std::chrono::seconds(1'700'000'000)};

void check(const KeysRequest& request) {
  if (const auto* write = std::get_if<KeysWrite>(&request)) {
    const kv::Command& command = write->command;
    const Status taken = kv::check(command);
    PARLEY_ASSERT(taken.is_ok() || taken.code() == Code::resource_exhausted ||
                      taken.code() == Code::invalid_argument,
                  "another error: " + taken.to_string());
    PARLEY_ASSERT(!command.expiration || *command.expiration >= now, "a time to live in the past");
    PARLEY_ASSERT(!command.refresh || command.value.empty(), "a refresh with a value");
    PARLEY_ASSERT(!command.unique || command.kind == kv::CommandKind::create, "unique by no POST");
  }
}

void fuzz(http::Method method, std::string_view path, std::string_view body,
          std::string_view query) {
  KeysForm form;
  auto error = add_pairs(body, form);
  if (!error) error = add_pairs(query, form);
  if (!error) {
    const auto read = keys_request(method, kv::clean_path(path), form, now);
    if (const auto* request = std::get_if<KeysRequest>(&read)) return check(*request);
    error = std::get<kv::Error>(read);
  }
  PARLEY_ASSERT(kv::http_status(error->code) == 400, "another status");
  PARLEY_ASSERT(kv::json_of(*error).size() < 500, "an error without an end");
}

}  // namespace
}  // namespace parley::cluster::impl

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using parley::http::Method;
  constexpr std::array methods = {Method::get, Method::head, Method::put, Method::post,
                                  Method::remove};
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.empty()) return 0;
  const Method method = methods[static_cast<unsigned char>(text.front()) % methods.size()];
  text.remove_prefix(1);
  std::array<std::string_view, 3> lines{};
  for (std::string_view& line : lines) {
    line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  parley::cluster::impl::fuzz(method, lines[0], lines[1], lines[2]);
  return 0;
}
