// ChunkReader: the pieces of a chunked body (RFC 9112 7.1) up to the last one, cut anywhere; the
// trailers behind it are FieldReader's. Private to http; belongs to one fiber.
//
//   reader.start();
//   Progress progress = reader.read(in, piece, limits, max_body, fault);   // more, perhaps a piece
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/http/framing.h"
#include "parley/http/impl/fault.h"

namespace parley::http::impl {

class ChunkReader {
 public:
  void start() { *this = {}; }
  // Takes from the front of `in` until it is used up, a piece of the body lies in `piece` (a view
  // into `in`; empty when there is none), or the last chunk's line is done. `max_body`: in place of
  // limits.max_body_bytes.
  Progress read(std::string_view& in, std::string_view& piece, const Http1Limits& limits,
                std::uint64_t max_body, Fault& fault);

 private:
  enum class State : std::uint8_t {
    size,
    extension_name,
    extension_value,
    token_value,
    quoted_value,
    escaped,     // behind a backslash
    quoted_end,  // behind the closing quote
    line_end,    // behind the CR
    data,
    data_cr,
    data_lf,
  };

  bool step(std::string_view& in, const Http1Limits& limits, Fault& fault);
  bool read_size(char c, Fault& fault);
  bool read_extension(char c, Fault& fault);
  bool after_part(char c, Fault& fault);
  bool end_line(char c, Fault& fault);
  bool end_data(char c, Fault& fault);

  State state_ = State::size;
  std::uint8_t digits_ = 0;
  bool is_part_empty_ = true;  // a name or a value has no byte yet
  std::uint64_t left_ = 0;     // of the chunk
  std::uint64_t body_bytes_ = 0;
  std::uint64_t max_body_ = 0;
  std::size_t line_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
};

}  // namespace parley::http::impl
