// A position in JSON text: tokens, skipping whole values, and failures that know where they are.
// The typed reader builds on it; validating is skipping.
//
// A failing function returns false (or null) with failure() set. Frames are kept small: a fiber's
// stack must hold max_depth levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/json_scan.h"
#include "parley/codec/json.h"

namespace parley::codec::impl {

// A string as it stands between its quotes.
struct RawString {
  std::string_view text;
  bool has_escapes = false;
};

class JsonCursor {
 public:
  // Both outlive the cursor.
  JsonCursor(std::string_view text, const Limits& limits)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), limits_(limits) {}

  // False when the text is longer than limits.max_bytes.
  bool check_size();

  // Steps over one value of any kind. White space before it is skipped, that behind it is not.
  bool skip_value();
  // Nothing but white space is left.
  bool expect_end();

  [[nodiscard]] Failure& failure() noexcept { return failure_; }

 protected:
  void skip_space() noexcept {
    if (at_ != end_ && static_cast<unsigned char>(*at_) > ' ') return;
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  // The character under the cursor; 0, which no JSON starts with, at the end.
  [[nodiscard]] char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }

  // Steps over '[' or '{' and white space; counts a level. The caller has looked.
  bool enter() {
    if (depth_ >= limits_.max_depth) return fail_depth();
    ++depth_;
    ++at_;
    skip_space();
    return true;
  }
  // Behind element number `count`: steps to the next one, or past the `closer` and sets `done`.
  bool next_element(char closer, std::size_t count, bool& done) {
    if (at_ != end_ && count < limits_.max_elements) {
      if (*at_ == ',') {
        ++at_;
        skip_space();
        return true;
      }
      if (*at_ == closer) {
        ++at_;
        --depth_;
        done = true;
        return true;
      }
    }
    return next_element_apart(closer, count, done);
  }
  // Right behind the opening: true, and past the closer, when there is no element at all.
  bool is_closed(char closer) noexcept {
    if (peek() != closer) return false;
    ++at_;
    --depth_;
    return true;
  }
  [[gnu::noinline]] bool next_element_apart(char closer, std::size_t count, bool& done);
  [[gnu::noinline]] bool scan_any_string(RawString& string);
  // The rest of a string that began at `start` (behind its quote), the first special byte of it
  // under the cursor. `has_high`: a byte beyond ASCII stands before that.
  bool scan_from_special(const char* start, bool has_high, RawString& string);
  // The rest of a string that began at `start` (behind its quote) and has an escape under the
  // cursor: all of it, resolved, to `out`.
  bool read_escaped(const char* start, std::string& out);
  // A key and its colon; the cursor stops at the value.
  bool scan_key(RawString& key);
  bool expect_colon();
  // A string, its opening quote under the cursor.
  bool scan_string(RawString& string) {
    // Most are short, plain and not at the end of the text.
    const char* const start = at_ + 1;
    if (end_ - start >= chunk_bytes) {
      const ChunkMasks masks = masks_of(start);
      const std::uint32_t special = masks.special;
      if (special != 0) {
        const auto size = static_cast<std::size_t>(__builtin_ctz(special));
        if (start[size] == '"' && (masks.high & ((1U << size) - 1)) == 0 &&
            size <= limits_.max_string_bytes) {
          string.text = {start, size};
          string.has_escapes = false;
          at_ = start + size + 1;
          return true;
        }
      }
    }
    return scan_any_string(string);
  }
  bool scan_number(JsonNumber& number);
  bool scan_literal(std::string_view literal);

  // What stands where something else was expected: an error of type when it is a value, of syntax
  // when it is none.
  [[gnu::cold]] bool fail_type(std::string_view expected);
  // `message` at the line and column of `at`.
  [[gnu::cold]] bool fail_syntax(const char* at, std::string message);
  [[gnu::cold]] bool fail_limit(std::string message);
  [[gnu::cold]] bool fail_elements();

  const char* begin_;
  const char* at_;
  const char* end_;
  const Limits& limits_;
  std::size_t depth_ = 0;
  Failure failure_;

 private:
  // Where strings with escapes are put together: inside of the cursor, unless one is longer.
  class Room {
   public:
    Room() = default;
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

    [[nodiscard]] char* data() noexcept { return data_; }
    // Room for `size` bytes, of which the first `kept` stay.
    void ensure(std::size_t size, std::size_t kept);

   private:
    char* data_ = inside_;
    std::size_t size_ = sizeof inside_;
    std::unique_ptr<char[]> outside_;
    char inside_[1024];
  };

  Room room_;
  [[gnu::noinline]] bool skip_array();
  [[gnu::noinline]] bool skip_object();
  [[gnu::noinline]] bool skip_member();
  bool check_escape();
  bool resolve_until(const char* stop, char*& to, bool& has_high);
  [[gnu::noinline]] bool resolve_escape(char*& to);
  [[gnu::cold]] bool fail_control();
  [[gnu::cold]] bool fail_string_size(std::size_t size);
  [[gnu::cold]] bool fail_depth();
  [[gnu::cold]] bool fail_unexpected(std::string_view expected);
};

// What the string means: escapes resolved. `raw` has passed scan_string.
void unescape_json(std::string_view raw, std::string& out);

}  // namespace parley::codec::impl
