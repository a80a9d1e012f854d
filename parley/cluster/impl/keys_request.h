// What a request of the keys API asks for: the path and the form, read as etcd v2 reads them, with
// its error numbers. Pure: the store is asked by keys_api.cc.
//
// Safe on every thread and fiber.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "parley/base/clock.h"
#include "parley/http/forms.h"
#include "parley/http/method.h"
#include "parley/kv/command.h"
#include "parley/kv/error.h"

namespace parley::cluster::impl {

struct KeysGet {
  std::string path;
  bool recursive = false;
  bool sorted = false;
};

struct KeysWatch {
  std::string path;
  bool recursive = false;
  bool stream = false;
  // 0: from now on.
  std::uint64_t since = 0;
};

struct KeysWrite {
  kv::Command command;
  // The answer names the action alone.
  bool no_value_on_success = false;
};

using KeysRequest = std::variant<KeysGet, KeysWatch, KeysWrite>;

// The form of a request: what stands in its body comes before what stands in its query.
struct KeysForm {
  http::Form form{};

  // Of the first pair of that name; "" counts.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const {
    return form.get(name);
  }
};

// Pairs of a form behind those that are there. invalid_form as etcd says it: an escape that is
// none, a ';' that is not escaped.
std::optional<kv::Error> add_pairs(std::string_view text, KeysForm& form);

// A method that is none of GET, HEAD, PUT, POST and DELETE is a bug: it was refused before. `now`
// is what a ttl is counted from.
std::variant<KeysRequest, kv::Error> keys_request(http::Method method, std::string path,
                                                  const KeysForm& form, WallTime now);

}  // namespace parley::cluster::impl
