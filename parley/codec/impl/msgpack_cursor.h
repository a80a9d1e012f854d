// A position in a MessagePack message: heads of values, skipping whole values, and failures that
// know where they are. The typed reader builds on it; validating is skipping.
//
// A failing function returns false with failure() set. Frames are kept small: a fiber's stack must
// hold max_depth levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/msgpack_bytes.h"
#include "parley/codec/limits.h"

namespace parley::codec::impl {

enum class MsgpackForm : std::uint8_t {
  nil,
  boolean,
  integer,
  float32,
  float64,
  text,
  bytes,
  array,
  map,
  extension,
};

// What stands in front of a value, or is all of it.
struct MsgpackHead {
  MsgpackForm form = MsgpackForm::nil;
  bool is_negative = false;     // of an integer
  std::int8_t extension = 0;    // the type of an extension
  const char* start = nullptr;  // of the head
  // An integer or a boolean, the bits of a floating-point number, how many bytes or elements
  // follow (entries, of a map).
  std::uint64_t bits = 0;
};

class MsgpackCursor {
 public:
  // Both outlive the cursor. `depth`: so many levels are used up already.
  MsgpackCursor(std::string_view bytes, const Limits& limits, std::size_t depth = 0)
      : begin_(bytes.data()),
        at_(begin_),
        end_(begin_ + bytes.size()),
        limits_(limits),
        depth_(depth) {}

  // False when there are more bytes than limits.max_bytes.
  bool check_size();
  // Steps over one value of any kind.
  bool skip_value();
  bool expect_end();
  [[nodiscard]] bool is_at_end() const noexcept { return at_ == end_; }

  [[nodiscard]] Failure& failure() noexcept { return failure_; }

  // Adds the key that starts at `key` to the path: a text, an integer or a boolean.
  [[gnu::cold]] static bool in_key_at(const char* key, const char* end, Failure& failure);

 protected:
  // Takes the head of a value. What follows it is there, as far as its length can be trusted: all
  // bytes of a text, bytes or an extension; one for each element.
  [[gnu::noinline]] bool take_head(MsgpackHead& head);
  [[nodiscard]] std::uint8_t peek() const noexcept {
    return at_ == end_ ? msgpack::never : static_cast<std::uint8_t>(*at_);
  }
  // What a head of a text, bytes or an extension announced.
  std::string_view take_body(const MsgpackHead& head) {
    const std::string_view body(at_, static_cast<std::size_t>(head.bits));
    at_ += body.size();
    return body;
  }
  // The same of a text, which must be UTF-8.
  bool take_text(const MsgpackHead& head, std::string_view& text);

  // Counts a level of arrays and maps; leave with --depth_.
  bool enter() {
    if (depth_ >= limits_.max_depth) return fail_depth();
    ++depth_;
    return true;
  }

  // `head` is of another kind than was expected.
  [[gnu::cold]] bool fail_type(std::string_view expected, const MsgpackHead& head);
  // `message` with the byte at which it is.
  [[gnu::cold]] bool fail_at(const char* at, std::string message);

  const char* begin_;
  const char* at_;
  const char* end_;
  const Limits& limits_;
  std::size_t depth_;
  Failure failure_;

 private:
  [[gnu::noinline]] bool skip_elements(const MsgpackHead& head);
  bool take_fixed(std::uint8_t first, MsgpackHead& head);
  bool take_number(std::size_t size, MsgpackHead& head);
  bool check_length(const MsgpackHead& head);
  [[gnu::cold]] bool fail_short(const MsgpackHead& head);
  [[gnu::cold]] bool fail_depth();
};

// "integer", "array": what errors call it.
std::string_view name_of(MsgpackForm form) noexcept;

}  // namespace parley::codec::impl
