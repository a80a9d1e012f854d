#include "parley/wire/impl/frame_reader.h"

#include <string>

namespace parley::wire::impl {

void FrameReader::fail(std::size_t size, std::string_view field) {
  if (!error_.is_ok()) return;
  error_ =
      Status(Code::invalid_argument,
             std::string(frame_name_) + ": " + std::string(field) + " of " + std::to_string(size) +
                 (size == 1 ? " byte" : " bytes") + ", but only " + std::to_string(left_.size()) +
                 (left_.size() == 1 ? " is" : " are") + " left in the frame");
}

void FrameReader::fail_varint(int size, std::string_view field) {
  if (size == 0) {
    refuse(field, "the frame ends within it");
  } else {
    refuse(field, "it is longer than it has to be, or has more than 64 bits");
  }
}

void FrameReader::refuse(std::string_view field, std::string_view why) {
  if (!error_.is_ok()) return;
  error_ = Status(Code::invalid_argument,
                  std::string(frame_name_) + ": " + std::string(field) + ": " + std::string(why));
}

}  // namespace parley::wire::impl
