// FrameReader: takes the fields of one frame off its front, each checked against what is left.
//
// After the first field that does not fit, every read returns nothing and error() says which field
// it was: a parser reads all its fields and asks once. Belongs to one fiber; the frame must outlive
// it and the views it returns.
//
//   FrameReader reader("raw frame", frame);
//   const auto name = reader.text(reader.number(1, "name size"), "name");
//   if (!reader.is_ok()) return reader.error();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/base/status.h"
#include "parley/wire/impl/varint.h"

namespace parley::wire::impl {

class FrameReader {
 public:
  // `frame_name` opens every error.
  FrameReader(std::string_view frame_name, std::string_view frame) noexcept
      : frame_name_(frame_name), left_(frame) {}

  // A big-endian number of `width` (at most 4) bytes; 0 after an error.
  std::uint32_t number(std::size_t width, std::string_view field) {
    std::uint32_t value = 0;
    for (const char c : text(width, field)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }

  // A varint (impl/varint.h); 0 after an error.
  std::uint64_t varint(std::string_view field) {
    const Varint number = error_.is_ok() ? get_varint(left_) : Varint();
    if (number.size <= 0) [[unlikely]] {
      fail_varint(number.size, field);
      return 0;
    }
    left_.remove_prefix(static_cast<std::size_t>(number.size));
    return number.value;
  }

  // The next `size` bytes; empty after an error.
  std::string_view text(std::size_t size, std::string_view field) {
    if (size > left_.size() || !error_.is_ok()) [[unlikely]] {
      fail(size, field);
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  // All that is left.
  std::string_view rest() { return text(left_.size(), "rest"); }
  // Makes it an error: "parley CALL: method: of 300 bytes, at most 255".
  void refuse(std::string_view field, std::string_view why);

  // How many bytes follow the fields read so far.
  [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
  [[nodiscard]] bool is_ok() const noexcept { return error_.is_ok(); }
  // invalid_argument: "raw frame: metadata of 500 bytes, but only 12 are left in the frame".
  [[nodiscard]] const Status& error() const noexcept { return error_; }

 private:
  void fail(std::size_t size, std::string_view field);
  void fail_varint(int size, std::string_view field);

  std::string_view frame_name_;
  std::string_view left_;
  Status error_;
};

}  // namespace parley::wire::impl
