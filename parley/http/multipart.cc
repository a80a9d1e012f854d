#include "parley/http/multipart.h"

#include <algorithm>
#include <utility>

#include "parley/base/assert.h"
#include "parley/http/impl/chars.h"
#include "parley/http/impl/parameters.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

using impl::Parameter;
using impl::ParameterRead;

constexpr std::size_t longest_boundary = 70;

bool is_boundary(std::string_view text) noexcept {
  constexpr std::string_view others = "'()+_,-./:=? ";
  return !text.empty() && text.size() <= longest_boundary && text.back() != ' ' &&
         std::ranges::all_of(text, [&](char c) {
           const char small = impl::lower_case(c);
           return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') ||
                  others.find(c) != std::string_view::npos;
         });
}

Status wrong(const std::string& why) { return {Code::invalid_argument, "the form " + why}; }

// The same, where refuse() says the rest.
Status fault(const std::string& why) { return {Code::invalid_argument, why}; }

// Browsers escape a quote in a name so; %0D and %0A stay, as no name needs a line end.
std::string without_escaped_quotes(std::string text) {
  for (std::size_t at = text.find("%22"); at != std::string::npos; at = text.find("%22", at + 1)) {
    text.replace(at, 3, "\"");
  }
  return text;
}

bool has_control(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string safe_name(std::string_view sent) {
  const std::size_t slash = sent.find_last_of("/\\");
  if (slash != std::string_view::npos) sent.remove_prefix(slash + 1);
  if (sent == "." || sent == ".." || has_control(sent)) return {};
  return std::string(sent);
}

Status read_disposition(std::string_view value, Part& part) {
  std::string_view rest = value;
  if (!same_name(impl::value_before_parameters(rest), "form-data")) {
    return fault("has a part whose Content-Disposition is not form-data (RFC 7578 4.2)");
  }
  bool has_name = false;
  Parameter it;
  ParameterRead read = ParameterRead::one;
  while ((read = impl::next_parameter(rest, it)) == ParameterRead::one) {
    if (it.name == "name") {
      if (std::exchange(has_name, true)) return fault("has a part with two names");
      part.name = without_escaped_quotes(std::move(it.value));
    } else if (it.name == "filename") {
      if (std::exchange(part.is_file, true)) return fault("has a part with two file names");
      part.filename = safe_name(without_escaped_quotes(std::move(it.value)));
    } else if (it.name == "filename*") {
      return fault("has a part with filename*, which RFC 7578 4.2 forbids; send filename in UTF-8");
    }
  }
  if (read == ParameterRead::wrong) {
    return fault("has a Content-Disposition that cannot be read: " + quoted(value));
  }
  return has_name ? Status() : fault("has a part without a name (RFC 7578 4.2)");
}

Status check_transfer_encoding(const Headers& headers) {
  const auto encoding = headers.get("Content-Transfer-Encoding");
  if (!encoding || same_name(*encoding, "7bit") || same_name(*encoding, "8bit") ||
      same_name(*encoding, "binary")) {
    return {};
  }
  return fault("has a part in the encoding " + quoted(*encoding) +
               "; send its bytes as they are (RFC 7578 4.7)");
}

}  // namespace

MultipartParser::MultipartParser(std::string_view boundary, const MultipartLimits& limits)
    : limits_(limits), delimiter_("\r\n--" + std::string(boundary)) {
  PARLEY_ASSERT(is_boundary(boundary), "a boundary comes from boundary_of()");
}

Result<std::string> MultipartParser::boundary_of(std::string_view content_type) {
  std::string_view rest = content_type;
  if (!same_name(impl::value_before_parameters(rest), "multipart/form-data")) {
    return Status(Code::invalid_argument, "the body is no form: its Content-Type is " +
                                              quoted(content_type) +
                                              ", multipart/form-data was expected");
  }
  std::string boundary;
  bool has_boundary = false;
  Parameter it;
  ParameterRead read = ParameterRead::one;
  while ((read = impl::next_parameter(rest, it)) == ParameterRead::one) {
    if (it.name != "boundary") continue;
    if (std::exchange(has_boundary, true)) return wrong("has two boundaries in its Content-Type");
    boundary = std::move(it.value);
  }
  if (read == ParameterRead::wrong || !is_boundary(boundary)) {
    return wrong("has a Content-Type without a boundary as RFC 2046 5.1.1 has it: " +
                 quoted(content_type, 160));
  }
  return boundary;
}

Result<MultipartParser::Event> MultipartParser::refuse(Code code, std::string why) {
  at_ = At::refused;
  error_ = Status(code, "the form, before its byte " + std::to_string(bytes_) + ", " + why);
  return error_;
}

Result<MultipartParser::Event> MultipartParser::next(std::string_view& in) {
  data_ = {};
  for (bool goes_on = true; goes_on;) {
    if (at_ == At::refused) return error_;
    if (at_ == At::over) return over(in);
    if (in.empty()) return Event::more;
    goes_on = false;
    const std::size_t before = in.size();
    Result<Event> event = step(in, goes_on);
    bytes_ += before - in.size();
    if (bytes_ > limits_.max_bytes) {
      data_ = {};
      return refuse(Code::resource_exhausted,
                    "is larger than " + std::to_string(limits_.max_bytes) + " bytes (max_bytes)");
    }
    if (!goes_on) return event;
  }
  return Event::more;
}

Result<MultipartParser::Event> MultipartParser::step(std::string_view& in, bool& goes_on) {
  switch (at_) {
    case At::start:
      return start(in, goes_on);
    case At::behind_boundary:
      return behind_boundary(in, goes_on);
    case At::headers:
      return header(in, goes_on);
    default:
      return take_data(in, goes_on);
  }
}

// The first boundary, with or without a line end before it.
Result<MultipartParser::Event> MultipartParser::start(std::string_view& in, bool& goes_on) {
  if (matched_ == 0 && in.front() == '-') matched_ = 2;
  while (!in.empty() && matched_ < delimiter_.size()) {
    if (in.front() != delimiter_[matched_]) {
      return refuse(Code::invalid_argument, "does not begin with its boundary");
    }
    ++matched_;
    in.remove_prefix(1);
  }
  goes_on = true;
  if (matched_ == delimiter_.size()) at_ = At::behind_boundary;
  return Event::more;
}

Result<MultipartParser::Event> MultipartParser::behind_boundary(std::string_view& in,
                                                                bool& goes_on) {
  goes_on = true;
  line_ += in.front();
  in.remove_prefix(1);
  if (line_ == "\r" || line_ == "-") return Event::more;
  const bool is_last = line_ == "--";
  if (!is_last && line_ != "\r\n") {
    goes_on = false;
    return refuse(Code::invalid_argument,
                  "has a boundary with something behind it; end the line, or choose a boundary "
                  "that its content does not have");
  }
  line_.clear();
  matched_ = 0;
  header_bytes_ = 0;
  if (is_last) {
    at_ = At::over;
    goes_on = false;
    return Event::end;
  }
  if (++parts_ > limits_.max_parts) {
    goes_on = false;
    return refuse(Code::resource_exhausted,
                  "has more than " + std::to_string(limits_.max_parts) + " parts (max_parts)");
  }
  at_ = At::headers;
  part_ = {};
  return Event::more;
}

Result<MultipartParser::Event> MultipartParser::header(std::string_view& in, bool& goes_on) {
  const std::size_t size = std::min(in.find('\n'), in.size() - 1) + 1;
  header_bytes_ += size;
  if (header_bytes_ > limits_.max_header_bytes) {
    return refuse(Code::resource_exhausted, "has a part with more than " +
                                                std::to_string(limits_.max_header_bytes) +
                                                " bytes of headers (max_header_bytes)");
  }
  line_ += in.substr(0, size);
  in.remove_prefix(size);
  goes_on = true;
  if (!line_.ends_with('\n')) return Event::more;
  if (!line_.ends_with("\r\n")) {
    goes_on = false;
    return refuse(Code::invalid_argument, "has a line of a header that does not end with CRLF");
  }
  line_.resize(line_.size() - 2);
  if (line_.empty()) return finish_headers(goes_on);
  const Status status = read_line(line_);
  line_.clear();
  if (status.is_ok()) return Event::more;
  goes_on = false;
  return refuse(status.code(), status.message());
}

Status MultipartParser::read_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return {Code::invalid_argument, "has a header without a colon: " + quoted(line)};
  }
  if (part_.headers.size() == limits_.max_headers) {
    return {Code::resource_exhausted, "has a part with more than " +
                                          std::to_string(limits_.max_headers) +
                                          " headers (max_headers)"};
  }
  return part_.headers.add(line.substr(0, colon), line.substr(colon + 1));
}

Result<MultipartParser::Event> MultipartParser::finish_headers(bool& goes_on) {
  goes_on = false;
  if (part_.headers.count("Content-Disposition") != 1) {
    return refuse(Code::invalid_argument,
                  "has a part without a Content-Disposition, or with two (RFC 7578 4.2)");
  }
  Status status = read_disposition(*part_.headers.get("Content-Disposition"), part_);
  if (status.is_ok()) status = check_transfer_encoding(part_.headers);
  if (!status.is_ok()) return refuse(status.code(), status.message());
  part_.content_type = part_.headers.get("Content-Type").value_or("");
  part_bytes_ = 0;
  at_ = At::data;
  // The line end that ended the headers may begin the next boundary of an empty part.
  matched_ = 2;
  is_at_first_byte_ = true;
  return Event::part;
}

Result<MultipartParser::Event> MultipartParser::show(std::string_view data) {
  part_bytes_ += data.size();
  if (part_bytes_ > limits_.max_part_bytes) {
    return refuse(Code::resource_exhausted, "has a part " + quoted(part_.name) + " of more than " +
                                                std::to_string(limits_.max_part_bytes) +
                                                " bytes (max_part_bytes)");
  }
  data_ = data;
  return Event::data;
}

// CR stands in the delimiter only where it begins: so what matched and then does not is data as a
// whole, and is shown from the delimiter itself.
Result<MultipartParser::Event> MultipartParser::take_data(std::string_view& in, bool& goes_on) {
  while (matched_ > 0 && matched_ < delimiter_.size() && !in.empty()) {
    if (in.front() != delimiter_[matched_]) {
      // The line end before the first byte belongs to the headers.
      const std::size_t from = std::exchange(is_at_first_byte_, false) ? 2 : 0;
      const auto was_data = std::string_view(delimiter_).substr(from, matched_ - from);
      matched_ = 0;
      goes_on = was_data.empty();
      return goes_on ? Event::more : show(was_data);
    }
    ++matched_;
    in.remove_prefix(1);
  }
  if (matched_ == delimiter_.size()) {
    at_ = At::behind_boundary;
    return Event::part_end;
  }
  goes_on = true;
  if (in.empty()) return Event::more;
  const std::size_t size = std::min(in.find('\r'), in.size());
  if (size == 0) {
    matched_ = 1;
    in.remove_prefix(1);
    return Event::more;
  }
  const std::string_view data = in.substr(0, size);
  in.remove_prefix(size);
  goes_on = false;
  return show(data);
}

Result<MultipartParser::Event> MultipartParser::over(std::string_view& in) {
  for (; !in.empty(); in.remove_prefix(1), ++matched_, ++bytes_) {
    if (matched_ > 1 || in.front() != "\r\n"[matched_]) {
      return refuse(Code::invalid_argument, "goes on behind its last boundary");
    }
  }
  return Event::more;
}

Status MultipartParser::finish() const {
  if (at_ == At::refused) return error_;
  if (at_ == At::over && matched_ != 1) return {};
  return {Code::data_loss, "the form is cut behind its byte " + std::to_string(bytes_) +
                               ": its last boundary did not come"};
}

}  // namespace parley::http
