// FieldReader: the field lines of a head or of trailers (RFC 9112 5), up to and with the empty line
// behind them, cut anywhere. Private to http; belongs to one fiber.
//
//   reader.start(limits, "header");
//   Progress progress = reader.read(in, headers, fault);   // takes from the front of `in`
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/http/headers.h"
#include "parley/http/impl/fault.h"

namespace parley::http::impl {

struct FieldLimits {
  std::size_t fields = 0;
  std::size_t line = 0;
  std::size_t bytes = 0;
};

class FieldReader {
 public:
  // `kind`: "header" or "trailer", for errors; it must live on.
  void start(const FieldLimits& limits, std::string_view kind);
  // `into` must be the same, and untouched, from start() to done.
  Progress read(std::string_view& in, Headers& into, Fault& fault);

 private:
  enum class State : std::uint8_t { line_start, name, blanks, value, value_end, fields_end };

  // Takes a line at once that lies whole in `in` and has nothing that step() would refuse: most do.
  // False, and nothing has changed, for any other.
  bool take_plain_line(std::string_view& in, Headers& into);
  bool step(std::string_view& in, Headers& into, Fault& fault);
  bool begin_line(char c, Headers& into, Fault& fault);
  bool read_name(std::string_view& in, Headers& into, Fault& fault);
  bool read_value(std::string_view& in, Headers& into, Fault& fault);
  void end_value(Headers& into);
  // How many of the bytes at the front, of these classes, may be taken; false beyond a limit.
  bool take(std::string_view& in, std::uint8_t classes, std::string_view& run, Fault& fault);

  FieldLimits limits_;
  std::string_view kind_;
  State state_ = State::line_start;
  bool is_first_ = true;
  std::size_t line_bytes_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace parley::http::impl
