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

}  // namespace parley::wire::impl
