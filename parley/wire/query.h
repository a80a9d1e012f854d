// Query text: `a=b&c=d` with percent escapes, the form in which Teleport's framings carry metadata
// and status. Written: every byte but A-Z a-z 0-9 - _ . ~ as %XX in upper-case hex (a space is %20,
// never '+'). Read: also '+' as a space, keys without '=', empty pieces between '&', and bytes that
// should have been escaped but were not.
//
// All functions are pure. Errors are invalid_argument and name the offset of the bad byte.
//
//   std::string text;
//   append_query(text, {{"author", "an d&=y"}});     // author=an%20d%26%3Dy
//   Result<Metadata> back = decode_query(text);
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/wire/metadata.h"

namespace parley::wire {

struct QueryLimits {
  // More entries than this are refused (resource_exhausted): "a&a&a..." of 64 KiB would otherwise
  // become thirty times its size in memory.
  std::size_t max_entries = 1024;
};

// Appends `text` escaped.
void append_escaped(std::string& out, std::string_view text);
// How many bytes that takes.
[[nodiscard]] std::size_t escaped_size(std::string_view text) noexcept;

// Appends all entries as `key=value&key=value`.
void append_query(std::string& out, const Metadata& metadata);
// How many bytes that takes.
[[nodiscard]] std::size_t query_size(const Metadata& metadata) noexcept;

// The entries in order, keys and values unescaped.
Result<Metadata> decode_query(std::string_view text, QueryLimits limits = {});

// One `key=value` as it stands in the text, still escaped.
struct QueryPiece {
  std::string_view key;
  std::string_view value;
};

// Walks over query text piece by piece without allocating. The text must outlive the cursor.
class QueryCursor {
 public:
  explicit QueryCursor(std::string_view text) noexcept : text_(text) {}

  // The next piece, or nothing at the end.
  std::optional<QueryPiece> next() noexcept;
  // Unescapes `part`, a key or value this cursor returned, into `out`.
  Status unescape(std::string_view part, std::string& out) const;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace parley::wire
