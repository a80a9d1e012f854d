#include "parley/http/impl/field_reader.h"

#include <algorithm>
#include <string>

#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"

namespace parley::http::impl {
namespace {

std::string count_of(std::size_t count) { return std::to_string(count); }

}  // namespace

void FieldReader::start(const FieldLimits& limits, std::string_view kind) {
  limits_ = {.fields = std::min(limits.fields, Headers::most_fields),
             .line = limits.line,
             .bytes = std::min(limits.bytes, Headers::most_bytes)};
  kind_ = kind;
  state_ = State::line_start;
  is_first_ = true;
  line_bytes_ = bytes_ = 0;
}

Progress FieldReader::read(std::string_view& in, Headers& into, Fault& fault) {
  while (!in.empty()) {
    if (state_ == State::line_start && take_plain_line(in, into)) continue;
    if (state_ == State::fields_end && in.front() == '\n') {
      in.remove_prefix(1);
      return Progress::done;
    }
    if (!step(in, into, fault)) return Progress::refused;
  }
  return Progress::more;
}

bool FieldReader::take_plain_line(std::string_view& in, Headers& into) {
  const std::string_view line = in.substr(0, limits_.line + 4);
  const std::size_t name_end = run_of(line, chars::token);
  if (name_end == 0 || name_end == line.size() || line[name_end] != ':') return false;
  std::size_t begin = name_end + 1;
  while (begin < line.size() && is_blank(line[begin])) ++begin;
  const std::size_t line_end = begin + run_of(line.substr(begin), chars::value);
  if (line.size() - line_end < 2 || line[line_end] != '\r' || line[line_end + 1] != '\n') {
    return false;
  }
  const std::size_t bytes = line_end;  // with the colon
  if (bytes - 1 > limits_.line || bytes > limits_.bytes - std::min(bytes_, limits_.bytes) ||
      into.size() >= limits_.fields) {
    return false;
  }
  std::size_t end = line_end;
  while (end > begin && is_blank(line[end - 1])) --end;
  into.put(line.substr(0, name_end), line.substr(begin, end - begin));
  bytes_ += bytes + 2;
  is_first_ = false;
  in.remove_prefix(line_end + 2);
  return true;
}

bool FieldReader::step(std::string_view& in, Headers& into, Fault& fault) {
  switch (state_) {
    case State::line_start:
      if (!begin_line(in.front(), into, fault)) return false;
      if (state_ == State::fields_end) in.remove_prefix(1);
      return true;
    case State::name:
      return read_name(in, into, fault);
    case State::blanks:
      if (!is_blank(in.front())) {
        state_ = State::value;
        return true;
      }
      if (++line_bytes_ > limits_.line || ++bytes_ > limits_.bytes) {
        return fault.too_much(431, "the blanks of a " + std::string(kind_) +
                                       " are beyond max_header_line or max_header_bytes; send "
                                       "shorter ones");
      }
      in.remove_prefix(1);
      return true;
    case State::value:
      return read_value(in, into, fault);
    case State::value_end:
    case State::fields_end:
      if (in.front() != '\n') {
        return fault.refuse(
            "a CR without LF behind it ends no line (RFC 9112 2.2); end lines "
            "with CR LF");
      }
      in.remove_prefix(1);
      end_value(into);
      return true;
  }
  return true;
}

bool FieldReader::begin_line(char c, Headers& into, Fault& fault) {
  if (c == '\r') {
    state_ = State::fields_end;
    return true;
  }
  if (c == '\n') {
    return fault.refuse(
        "an LF without CR before it ends no line (RFC 9112 2.2); end lines with "
        "CR LF");
  }
  if (is_blank(c)) {
    return fault.refuse(
        is_first_ && kind_ == "header"
            ? "blanks between the first line and the headers (RFC 9112 2.2); begin a header "
              "with its name"
            : "a line that begins with a blank: folded lines are not taken (RFC 9112 5.2), since "
              "readers differ in what they make of them; send the value in one line");
  }
  if (c == ':') {
    return fault.refuse("a " + std::string(kind_) +
                        " without a name (RFC 9112 5); name it, or leave the line out");
  }
  if (!is_of(c, chars::token)) {
    return fault.refuse("a " + std::string(kind_) + " name cannot begin with " + quoted({&c, 1}) +
                        " (RFC 9110 5.1, 5.6.2); mend the name");
  }
  if (into.size() >= limits_.fields) {
    return fault.too_much(431, "more than " + count_of(limits_.fields) + " " + std::string(kind_) +
                                   "s (max_" + std::string(kind_) + "s); send fewer");
  }
  is_first_ = false;
  line_bytes_ = 0;
  into.entries_.push_back({.at = static_cast<std::uint32_t>(into.text_.size())});
  state_ = State::name;
  return true;
}

bool FieldReader::take(std::string_view& in, std::uint8_t classes, std::string_view& run,
                       Fault& fault) {
  const std::size_t line_room = limits_.line - std::min(line_bytes_, limits_.line);
  const std::size_t room = std::min(line_room, limits_.bytes - std::min(bytes_, limits_.bytes));
  const std::size_t size = run_of(in.substr(0, room + 1), classes);
  if (size > room) {
    in.remove_prefix(room);
    const std::string kind(kind_);
    return room == line_room
               ? fault.too_much(431, "a " + kind + " line is longer than max_header_line (" +
                                         count_of(limits_.line) + " bytes); send a shorter one")
               : fault.too_much(431, kind + "s take more than max_" + kind + "_bytes (" +
                                         count_of(limits_.bytes) + "); send fewer or shorter ones");
  }
  run = in.substr(0, size);
  in.remove_prefix(size);
  line_bytes_ += size;
  bytes_ += size;
  return true;
}

bool FieldReader::read_name(std::string_view& in, Headers& into, Fault& fault) {
  std::string_view run;
  if (!take(in, chars::token, run, fault)) return false;
  into.text_ += run;
  Headers::Entry& entry = into.entries_.back();
  entry.name_size += static_cast<std::uint32_t>(run.size());
  if (in.empty()) return true;
  const char c = in.front();
  if (c == ':') {
    in.remove_prefix(1);
    ++bytes_;
    state_ = State::blanks;
    return true;
  }
  const std::string name = quoted(std::string_view(into.text_).substr(entry.at));
  if (is_blank(c)) {
    return fault.refuse("a blank between the " + std::string(kind_) + " name " + name +
                        " and its colon (RFC 9112 5.1), which has been used to hide headers; "
                        "leave it out");
  }
  if (c == '\r' || c == '\n') {
    return fault.refuse("the " + std::string(kind_) + " line " + name +
                        " has no colon (RFC 9112 5); send name: value");
  }
  return fault.refuse("the " + std::string(kind_) + " name " + name + " goes on with " +
                      quoted({&c, 1}) + ", which no name may have (RFC 9110 5.1, 5.6.2); mend it");
}

bool FieldReader::read_value(std::string_view& in, Headers& into, Fault& fault) {
  std::string_view run;
  if (!take(in, chars::value, run, fault)) return false;
  into.text_ += run;
  Headers::Entry& entry = into.entries_.back();
  entry.value_size += static_cast<std::uint32_t>(run.size());
  if (in.empty()) return true;
  const char c = in.front();
  if (c == '\r') {
    in.remove_prefix(1);
    bytes_ += 2;
    state_ = State::value_end;
    return true;
  }
  const std::string name = quoted(std::string_view(into.text_).substr(entry.at, entry.name_size));
  if (c == '\n') {
    return fault.refuse("an LF without CR before it in " + std::string(kind_) + " " + name +
                        " (RFC 9112 2.2); end lines with CR LF");
  }
  return fault.refuse("the byte " + quoted({&c, 1}) + " in the value of " + std::string(kind_) +
                      " " + name + " (RFC 9110 5.5); leave controls out");
}

void FieldReader::end_value(Headers& into) {
  Headers::Entry& entry = into.entries_.back();
  while (entry.value_size > 0 && is_blank(into.text_.back())) {
    into.text_.pop_back();
    --entry.value_size;
  }
  state_ = State::line_start;
}

}  // namespace parley::http::impl
