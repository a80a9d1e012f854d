// The head of a message as HTTP/2 carries it: pseudo-fields and fields in lower case (RFC 9113 8.2,
// 8.3), from and to the values of message.h. Private to http; knows no frames.
//
// What HTTP/1 says otherwise is translated: :authority is Host, and :protocol of an extended
// CONNECT (RFC 8441) is Upgrade, which HTTP/2 has no other use for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/body_size.h"
#include "parley/http/http2_options.h"
#include "parley/http/message.h"

namespace parley::http::impl {

// Takes one block of fields after the other, in the order in which they come.
class Http2HeadReader {
 public:
  explicit Http2HeadReader(const Http2Limits& limits) : limits_(limits) {}

  // For the next block.
  void begin();
  // One field. What is wrong shows at the end.
  void take(std::string_view name, std::string_view value) { take(name, value, false); }
  // One whose name is known to be a token in lower case, perhaps behind a colon, and whose value
  // to be one: is_field_value().
  void take_sound(std::string_view name, std::string_view value) { take(name, value, true); }

  // Ends the block as the head of a request, of a response, or as trailers. False when it is
  // malformed or has too much; says() tells why.
  bool end_request(Request& request);
  bool end_response(Response& response);
  bool end_trailers(Headers& trailers);

  // Beyond max_header_list or max_headers.
  [[nodiscard]] bool is_too_large() const noexcept { return too_large_; }
  [[nodiscard]] bool has_status() const noexcept { return !status_.empty(); }
  [[nodiscard]] const std::string& says() const noexcept { return says_; }
  // What content-length says.
  [[nodiscard]] BodySize length() const noexcept { return length_; }

 private:
  bool refuse(std::string text);
  bool take_pseudo(std::string_view name, std::string_view value);
  void take(std::string_view name, std::string_view value, bool is_sound);
  void take_field(std::string_view name, std::string_view value, bool is_sound);
  std::string* pseudo_named(std::string_view name);
  void begin_fields();
  bool set_target(Request& request);

  const Http2Limits& limits_;
  Headers fields_;
  std::string method_;
  std::string scheme_;
  std::string path_;
  std::string authority_;
  std::string protocol_;
  std::string status_;
  std::string cookie_;
  std::string host_;
  std::string sound_host_;  // the last one: mostly all of a connection name the same
  std::string says_;
  BodySize length_ = BodySize::unknown();
  std::size_t list_bytes_ = 0;
  std::size_t count_ = 0;
  std::size_t hosts_ = 0;
  bool has_authority_ = false;
  bool has_fields_ = false;
  bool too_large_ = false;
  bool bad_ = false;
};

// Fields to be sent: names in lower case, pseudo-fields first. Values of one that stays in place
// while they are used.
class Http2Fields {
 public:
  // invalid_argument, as begin() of an exchange, when a reader would refuse it. Fields that speak
  // of a connection of HTTP/1 are left out; Content-Length is `size`, whatever they say, and
  // invalid_argument when they say otherwise.
  Status set_request(const Request& request, BodySize size, std::string_view scheme);
  Status set_response(const Response& response, BodySize size, bool is_whole_size_known);
  Status set_trailers(const Headers& trailers);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Calls `take(name, value)` for each, with views that hold until this changes.
  template <class Take>
  void each(Take take) const {
    const char* at = text_.data();
    for (std::size_t i = 0; i < size_; ++i) {
      Entry entry;
      std::memcpy(&entry, at, sizeof entry);
      at += sizeof entry;
      take(std::string_view(at, entry.name_size),
           std::string_view(at + entry.name_size, entry.value_size));
      at += entry.name_size + entry.value_size;
    }
  }
  [[nodiscard]] bool has(std::string_view name) const noexcept;
  void add(std::string_view name, std::string_view value);

 private:
  // Its name and its value follow it, and then the next one: all of them in one piece of memory.
  struct Entry {
    std::uint32_t name_size = 0;
    std::uint32_t value_size = 0;
  };

  void clear(std::size_t room);
  void add_number(std::string_view name, std::uint64_t number);
  Status add_all(const Headers& headers, BodySize size);

  std::string text_;
  std::size_t size_ = 0;
};

}  // namespace parley::http::impl
