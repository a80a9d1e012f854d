// StartLine: the first line of a request or of a response (RFC 9112 3, 4), cut anywhere. Private to
// http; belongs to one fiber.
//
//   line.start(limits);
//   Progress progress = line.read_request(in, request, fault);   // takes from the front of `in`
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/http/framing.h"
#include "parley/http/impl/fault.h"
#include "parley/http/message.h"

namespace parley::http::impl {

class StartLine {
 public:
  void start() {
    state_ = State::start;
    bytes_ = index_ = 0;
    has_skipped_line_ = false;
  }
  // `into` must be cleared before, and untouched until it is done.
  Progress read_request(std::string_view& in, Request& into, const Http1Limits& limits,
                        Fault& fault);
  Progress read_response(std::string_view& in, Response& into, const Http1Limits& limits,
                         Fault& fault);
  // Whether bytes of the line itself have come.
  [[nodiscard]] bool has_begun() const noexcept { return bytes_ > 0 || index_ > 0; }

 private:
  enum class State : std::uint8_t {
    start,
    skipped_line,  // behind the CR of an empty line
    method,
    target,
    version,
    code,
    reason,
    line_end,  // behind the CR
  };

  bool begin(std::string_view& in, Fault& fault);
  bool read_method(std::string_view& in, Request& into, const Http1Limits& limits, Fault& fault);
  bool read_target(std::string_view& in, Request& into, const Http1Limits& limits, Fault& fault);
  bool read_version(std::string_view& in, Version& into, Fault& fault, char behind, State next);
  bool read_code(std::string_view& in, Response& into, Fault& fault);
  bool read_reason(std::string_view& in, Response& into, const Http1Limits& limits, Fault& fault);

  State state_ = State::start;
  bool has_skipped_line_ = false;
  std::size_t bytes_ = 0;  // of the line
  std::size_t index_ = 0;  // in a part of known length
  char minor_ = '1';
  char major_ = '1';
};

}  // namespace parley::http::impl
