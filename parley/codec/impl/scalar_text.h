// Numbers, texts, bytes, enums and times as one piece of text without quotes, for the formats that
// have nothing else: forms and plain text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/limits.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

struct ScalarStyle {
  bool enums_as_numbers = false;  // writing; reading takes both
  bool bytes_as_base64 = false;   // as they are otherwise
  bool more_booleans = false;     // reading: also on, off, 1 and 0
  Limits limits{};                // of a Json; of these max_depth counts for writing
  std::string* room = nullptr;    // reading: for decoded bytes that are taken over
};

// What a view may show of the text that is read.
enum class Shown : std::uint8_t {
  as_it_is,
  taken_over,  // anything: it is copied before the reader goes
  never,       // the text was escaped, and stands in memory that goes
  refused,     // by refuse_views
};

// The type that decides how a value looks: through optionals and representations.
const Type& shape_of(const Type& type);
// Whether a whole form can be it: it has keys.
bool is_form(const Type& shape);
bool is_scalar(Kind kind);

// `type` is a scalar. Neither adds a path to the failure.
[[gnu::noinline]] bool append_scalar(std::string& out, const Type& type, const void* object,
                                     const ScalarStyle& style, Failure& failure);
[[gnu::noinline]] bool parse_scalar(std::string_view text, const Type& type, void* object,
                                    const ScalarStyle& style, Shown shown, Failure& failure);

}  // namespace parley::codec::impl
