// Headers: the fields of a message, or of its trailers, in their order. Names are compared without
// regard to case; a name may occur several times, and each occurrence keeps its place.
//
// A value; belongs to one fiber at a time. All text lies in one buffer, so that a message costs two
// allocations however many fields it has, and none once an object is used again. What it holds is
// valid: no name or value can end a line, so nothing that is written from it can either.
//
//   Headers headers;
//   if (Status s = headers.add("Content-Type", type); !s.is_ok()) return s;
//   if (headers.has_element("Accept-Encoding", "gzip")) ...
//   for (const auto [name, value] : headers) log(name, value);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"

namespace parley::http {

namespace impl {
class FieldReader;
class Http2HeadReader;
}  // namespace impl

class Headers {
 public:
  // Views that hold until the object changes.
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  // What one object takes, whoever fills it; what a parser takes is less (Http1Limits).
  static constexpr std::size_t most_fields = 16'384;
  static constexpr std::size_t most_bytes = 16 * 1024 * 1024;

  // Adds a field at the end; blanks around the value are left out. invalid_argument when the name
  // is no token or the value has a line break, NUL or another control; resource_exhausted beyond
  // the limits above. Then nothing has changed.
  Status add(std::string_view name, std::string_view value);
  // The same, after dropping all fields of that name.
  Status set(std::string_view name, std::string_view value);
  // Drops every field of that name; returns how many there were.
  std::size_t remove(std::string_view name);
  // Keeps its memory for the next fields.
  void clear() noexcept {
    text_.clear();
    entries_.clear();
  }

  // The value of the first field of that name, or nothing. A field that may come in several lines
  // as a list is read with has_element(), or by going through all.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
  // How many fields of that name there are.
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  // Whether a list has this element, in any of the fields of that name and any case: "close" in
  // Connection. Parameters are part of an element.
  [[nodiscard]] bool has_element(std::string_view name, std::string_view element) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  // `index` below size().
  [[nodiscard]] Field operator[](std::size_t index) const noexcept {
    const Entry& entry = entries_[index];
    const char* name = text_.data() + entry.at;
    return {.name = {name, entry.name_size}, .value = {name + entry.name_size, entry.value_size}};
  }
  // Bytes of all names and values.
  [[nodiscard]] std::size_t text_bytes() const noexcept { return text_.size(); }

  class Iterator {
   public:
    Iterator(const Headers& of, std::size_t at) noexcept : of_(&of), at_(at) {}
    Field operator*() const noexcept { return (*of_)[at_]; }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.at_ == b.at_; }

   private:
    const Headers* of_;
    std::size_t at_;
  };
  [[nodiscard]] Iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {*this, size()}; }

  // The same fields in the same order, names in any case.
  friend bool operator==(const Headers& a, const Headers& b) noexcept;

 private:
  // They have looked at what they put in.
  friend class impl::FieldReader;
  friend class impl::Http2HeadReader;
  // The name begins at `at`, its value right behind it.
  struct Entry {
    std::uint32_t at = 0;
    std::uint32_t name_size = 0;
    std::uint32_t value_size = 0;
  };

  void put(std::string_view name, std::string_view value);

  std::string text_;
  std::vector<Entry> entries_;
};

}  // namespace parley::http
