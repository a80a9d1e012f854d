// What went wrong, and the path to it. The path is put together while the failure travels up, so
// that a success pays nothing for it but a null pointer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"

namespace parley::codec::impl {

class Failure {
 public:
  // Each returns false, so that a failing function can `return failure.in_index(i);`.
  [[gnu::cold]] bool set(Code code, std::string message);
  // It is nested deeper than that.
  [[gnu::cold]] bool set_depth(std::size_t max_depth);
  // Adds to the message of set().
  [[gnu::cold]] bool explain(std::string_view more);
  [[gnu::cold]] bool in_field(std::string_view name);   // .name, or ["na me"]
  [[gnu::cold]] bool in_index(std::size_t index);       // [3]
  [[gnu::cold]] bool in_key_number(std::size_t index);  // [key 3]: of a map, in the key itself
  // As in_field, for a key as it stands in JSON text, between its quotes.
  [[gnu::cold]] bool in_key(std::string_view key_as_written);

  // Invalid unless set() was called.
  [[nodiscard]] Status status() const;

 private:
  struct Record {
    Code code = Code::internal;
    std::string message;
    std::vector<std::string> path;  // innermost first
  };
  struct Delete {
    [[gnu::cold]] void operator()(Record* record) const;
  };

  Record& record();

  std::unique_ptr<Record, Delete> record_;
};

// At most `most` bytes of UTF-8, with "..." where something was cut.
std::string shortened(std::string_view text, std::size_t most);

// `text` as it would stand between the quotes of a JSON string.
std::string escaped_json(std::string_view text);

}  // namespace parley::codec::impl
