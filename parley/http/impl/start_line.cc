#include "parley/http/impl/start_line.h"

#include <algorithm>

#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"

namespace parley::http::impl {
namespace {

constexpr std::string_view no_cr =
    "an LF without CR before it (RFC 9112 2.2); end lines with CR LF";

bool end_line(std::string_view& in, Fault& fault) {
  if (in.front() != '\n') {
    return fault.refuse(
        "a CR without LF behind it ends no line (RFC 9112 2.2); end lines with "
        "CR LF");
  }
  in.remove_prefix(1);
  return true;
}

}  // namespace

Progress StartLine::read_request(std::string_view& in, Request& into, const Http1Limits& limits,
                                 Fault& fault) {
  while (!in.empty()) {
    bool is_good = true;
    switch (state_) {
      case State::start:
      case State::skipped_line:
        is_good = begin(in, fault);
        break;
      case State::method:
        is_good = read_method(in, into, limits, fault);
        break;
      case State::target:
        is_good = read_target(in, into, limits, fault);
        break;
      case State::version:
        is_good = read_version(in, into.version, fault, '\r', State::line_end);
        break;
      default:
        return end_line(in, fault) ? Progress::done : Progress::refused;
    }
    if (!is_good) return Progress::refused;
  }
  return Progress::more;
}

Progress StartLine::read_response(std::string_view& in, Response& into, const Http1Limits& limits,
                                  Fault& fault) {
  if (state_ == State::start) {
    state_ = State::version;
    into.status = 0;
  }
  while (!in.empty()) {
    bool is_good = true;
    switch (state_) {
      case State::version:
        is_good = read_version(in, into.version, fault, ' ', State::code);
        break;
      case State::code:
        is_good = read_code(in, into, fault);
        break;
      case State::reason:
        is_good = read_reason(in, into, limits, fault);
        break;
      default:
        return end_line(in, fault) ? Progress::done : Progress::refused;
    }
    if (!is_good) return Progress::refused;
  }
  return Progress::more;
}

bool StartLine::begin(std::string_view& in, Fault& fault) {
  if (state_ == State::skipped_line) {
    if (!end_line(in, fault)) return false;
    has_skipped_line_ = true;
    state_ = State::start;
    return true;
  }
  const char c = in.front();
  if (c == '\r' && !has_skipped_line_) {
    in.remove_prefix(1);
    state_ = State::skipped_line;
    return true;
  }
  if (c == '\r') {
    return fault.refuse(
        "a second empty line before a request: one is passed over (RFC 9112 2.2); "
        "begin with the method");
  }
  if (c == '\n') return fault.refuse(std::string(no_cr));
  state_ = State::method;
  return true;
}

bool StartLine::read_method(std::string_view& in, Request& into, const Http1Limits& limits,
                            Fault& fault) {
  const std::size_t room = limits.max_method - std::min(bytes_, limits.max_method);
  const std::size_t size = run_of(in.substr(0, room + 1), chars::token);
  if (size > room) {
    into.other_method += in.substr(0, room);
    in.remove_prefix(room);
    return fault.too_much(501, "the method " + quoted(into.other_method) +
                                   "... is longer than max_method (" +
                                   std::to_string(limits.max_method) +
                                   " bytes, RFC 9112 3); send a method of RFC 9110 9");
  }
  into.other_method += in.substr(0, size);
  bytes_ += size;
  in.remove_prefix(size);
  if (in.empty()) return true;
  const char c = in.front();
  if (c != ' ' || into.other_method.empty()) {
    return fault.refuse(into.other_method.empty()
                            ? "a request cannot begin with " + quoted({&c, 1}) +
                                  " (RFC 9112 3); send: method, a space, target, a space, HTTP/1.1"
                            : "behind the method " + quoted(into.other_method) + " comes " +
                                  quoted({&c, 1}) +
                                  ", not a space (RFC 9112 3); send: method, "
                                  "a space, target, a space, HTTP/1.1");
  }
  in.remove_prefix(1);
  ++bytes_;
  into.method = method_named(into.other_method);
  if (into.method != Method::other) into.other_method.clear();
  state_ = State::target;
  return true;
}

bool StartLine::read_target(std::string_view& in, Request& into, const Http1Limits& limits,
                            Fault& fault) {
  const std::size_t room = limits.max_start_line - std::min(bytes_, limits.max_start_line);
  const std::size_t size = run_of(in.substr(0, room + 1), chars::visible);
  if (size > room) {
    in.remove_prefix(room);
    return fault.too_much(414, "the request line is longer than max_start_line (" +
                                   std::to_string(limits.max_start_line) +
                                   " bytes, RFC 9112 3); move the query into the body");
  }
  into.target += in.substr(0, size);
  bytes_ += size;
  in.remove_prefix(size);
  if (in.empty()) return true;
  const char c = in.front();
  if (c == ' ' && !into.target.empty()) {
    in.remove_prefix(1);
    ++bytes_;
    state_ = State::version;
    return true;
  }
  if (c == ' ') {
    return fault.refuse("two spaces behind the method (RFC 9112 3); send exactly one");
  }
  if (c == '\r' || c == '\n') {
    return fault.refuse("a request line without a version (RFC 9112 3); end it with HTTP/1.1");
  }
  return fault.refuse("the byte " + quoted({&c, 1}) +
                      " in the request target (RFC 9112 3.2); send it as % and two hex digits");
}

// HTTP/d.d, then the byte that must come behind it.
bool StartLine::read_version(std::string_view& in, Version& into, Fault& fault, char behind,
                             State next) {
  constexpr std::string_view pattern = "HTTP/0.0";
  constexpr std::string_view usual = "HTTP/1.1";  // nearly always, and in one piece
  if (index_ == 0 && in.starts_with(usual)) {
    major_ = minor_ = '1';
    index_ = usual.size();
    in.remove_prefix(usual.size());
  }
  while (!in.empty() && index_ < pattern.size()) {
    const char c = in.front();
    const bool is_digit = pattern[index_] == '0';
    if (is_digit ? !is_of(c, chars::digit) : c != pattern[index_]) {
      return fault.refuse("where HTTP/1.1 should stand comes " + quoted({&c, 1}) +
                          " (RFC 9112 2.3, 3); send the version in capitals, behind one space");
    }
    if (is_digit) (index_ == 5 ? major_ : minor_) = c;
    in.remove_prefix(1);
    ++index_;
  }
  if (in.empty()) return true;
  const char c = in.front();
  if (major_ != '1') {
    return fault.refuse(505,
                        std::string("HTTP/") + major_ + "." + minor_ +
                            " is not spoken here (RFC 9110 2.5, 15.6.6); send HTTP/1.1",
                        Code::unimplemented);
  }
  if (c == '\n') return fault.refuse(std::string(no_cr));
  if (c != behind) {
    return fault.refuse("behind the version comes " + quoted({&c, 1}) + ", not " +
                        quoted({&behind, 1}) + " (RFC 9112 3, 4); leave out what stands there");
  }
  in.remove_prefix(1);
  into = minor_ == '0' ? Version::http_1_0 : Version::http_1_1;
  bytes_ += pattern.size() + 1;
  index_ = 0;
  state_ = next;
  return true;
}

// Three digits, then a space and the reason. Some servers leave out the space when there is no
// reason: no harm in that.
bool StartLine::read_code(std::string_view& in, Response& into, Fault& fault) {
  const char c = in.front();
  if (index_ < 3) {
    if (!is_of(c, chars::digit) || (index_ == 0 && c == '0')) {
      return fault.refuse("a status code is three digits from 100 on, not " + quoted({&c, 1}) +
                          " (RFC 9112 4, RFC 9110 15); send one of RFC 9110 15");
    }
    into.status = static_cast<StatusCode>(into.status * 10 + (c - '0'));
    ++index_;
  } else if (c == ' ' || c == '\r') {
    state_ = c == ' ' ? State::reason : State::line_end;
  } else {
    return fault.refuse(c == '\n' ? std::string(no_cr)
                                  : "behind the status code comes " + quoted({&c, 1}) +
                                        ", not a space (RFC 9112 4); send three digits");
  }
  in.remove_prefix(1);
  ++bytes_;
  return true;
}

bool StartLine::read_reason(std::string_view& in, Response& into, const Http1Limits& limits,
                            Fault& fault) {
  const std::size_t room = limits.max_start_line - std::min(bytes_, limits.max_start_line);
  const std::size_t size = run_of(in.substr(0, room + 1), chars::value);
  if (size > room) {
    in.remove_prefix(room);
    return fault.too_much(502, "the status line is longer than max_start_line (" +
                                   std::to_string(limits.max_start_line) +
                                   " bytes); send a shorter reason");
  }
  into.reason += in.substr(0, size);
  bytes_ += size;
  in.remove_prefix(size);
  if (in.empty()) return true;
  const char c = in.front();
  if (c == '\r') {
    in.remove_prefix(1);
    state_ = State::line_end;
    return true;
  }
  return fault.refuse(c == '\n' ? std::string(no_cr)
                                : "the byte " + quoted({&c, 1}) +
                                      " in a reason phrase (RFC 9112 4); leave controls out");
}

}  // namespace parley::http::impl
