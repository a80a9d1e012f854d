// JSON text: a scanner for small objects that shows values where they stand, and the escapes of
// strings. Private to wire.
//
// Why not codec's reader: it refuses what old erpc peers write into a body (raw control characters,
// bytes that are not UTF-8), and it copies strings, where a body shall share the frame's block.
//
// After the first mistake every function does nothing and returns nothing or 0; error() says what
// it was. Belongs to one fiber; the text must outlive the scanner and the views it returns.
//
//   JsonScanner scanner("json frame", text);
//   scanner.open_object();
//   while (scanner.next_member()) {
//     if (scanner.key() == "seq") seq = scanner.integer("seq", 0, 100);
//     else scanner.value();
//   }
//   scanner.expect_end();
//   if (!scanner.error().is_ok()) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/status.h"

namespace parley::wire::impl {

// A string as it stands between its quotes.
struct JsonString {
  std::string_view text;
  bool has_escapes = false;
};

// Which escapes a string may have.
enum class JsonEscapes : std::uint8_t {
  json,  // RFC 8259
  go,    // also those of Go's %q: \a, \v, \xHH, \UHHHHHHHH
};

class JsonScanner {
 public:
  // `frame_name` opens every error.
  JsonScanner(std::string_view frame_name, std::string_view text) noexcept
      : frame_name_(frame_name), text_(text) {}

  // Steps over '{' and '['.
  void open_object() { expect('{'); }
  void open_array() { expect('['); }
  // Moves to the next member's value, or past the '}' and returns false.
  bool next_member();
  // Moves to the next element, or past the ']' and returns false.
  bool next_element() { return next(']'); }
  // Of the member next_member() found, escapes resolved. Valid until the next call.
  [[nodiscard]] std::string_view key() const noexcept { return key_; }

  // A whole number without point or exponent, within the bounds; `field` names it in the error.
  std::int64_t integer(std::string_view field, std::int64_t least, std::int64_t most);
  JsonString string(std::string_view field, JsonEscapes escapes = JsonEscapes::json);
  // Any value, as it stands. At most 64 levels deep.
  std::string_view value();
  // Nothing but white space may be left.
  void expect_end();

  // What comes next but for white space; 0 at the end and after a mistake.
  char peek();
  [[nodiscard]] std::size_t offset() const noexcept { return at_; }
  // Forgets a mistake and goes on at `offset`, behind a value.
  void resume(std::size_t offset) {
    at_ = offset;
    error_ = {};
  }
  [[nodiscard]] const Status& error() const noexcept { return error_; }
  // invalid_argument: "json frame: seq at offset 7: ...".
  void refuse(std::string_view what, std::size_t offset);

 private:
  void expect(char opening);
  bool next(char closer);
  bool scan_string(JsonString& string, JsonEscapes escapes);
  bool scan_escape(JsonEscapes escapes);
  bool scan_number();
  bool scan_scalar();
  bool scan_key();

  std::string_view frame_name_;
  std::string_view text_;
  std::size_t at_ = 0;
  bool is_first_ = false;  // no member or element of what was opened last has been seen
  std::string_view key_;
  std::string key_room_;  // of a key with escapes
  Status error_;
};

// What a string that the scanner returned means. A surrogate without its other half becomes U+FFFD.
std::string unescape_json(std::string_view text);

// Appends `text` as it stands between the quotes of a JSON string: '"', '\' and control characters
// escaped, all other bytes as they are.
void append_json(std::string& out, std::string_view text);
// How many bytes that takes.
std::size_t json_size(std::string_view text) noexcept;

}  // namespace parley::wire::impl
