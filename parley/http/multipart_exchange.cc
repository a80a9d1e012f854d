// Reading a form from an exchange, and writing one.
#include <algorithm>
#include <utility>

#include "parley/http/multipart.h"
#include "parley/http/syntax.h"
#include "parley/rt/random.h"

namespace parley::http {

using Event = MultipartParser::Event;

Result<MultipartReader> MultipartReader::of(ServerExchange& exchange,
                                            const MultipartLimits& limits) {
  const Headers& headers = exchange.request().headers;
  Result<std::string> boundary =
      Status(Code::invalid_argument,
             "the body is no form: it has no Content-Type, or two; multipart/form-data was "
             "expected");
  if (headers.count("Content-Type") == 1) {
    boundary = MultipartParser::boundary_of(*headers.get("Content-Type"));
  }
  if (!boundary) {
    exchange.note_body_fault(boundary.error().code(), 415);
    return boundary.error();
  }
  if (Status status = exchange.limit_body(limits.max_bytes); !status.is_ok()) {
    return status.with_context("MultipartLimits::max_bytes");
  }
  exchange.note_body_fault(Code::ok, 0);  // what was tried before and failed was got over
  return MultipartReader(exchange, *boundary, limits);
}

void MultipartReader::note_fault(const Status& why) {
  exchange_->note_body_fault(why.code(), why.code() == Code::resource_exhausted ? 413 : 400);
}

Result<Event> MultipartReader::event(rt::Deadline deadline) {
  for (;;) {
    const Result<Event> event = parser_.next(piece_);
    if (!event) note_fault(event.error());
    if (!event || *event != Event::more) return event;
    Result<std::string_view> piece = exchange_->read(deadline);
    if (!piece) return piece.error();
    if (piece->empty()) {
      Status status = parser_.finish();
      if (status.is_ok()) return Event::end;
      note_fault(status);
      return status;
    }
    piece_ = *piece;
  }
}

Result<const Part*> MultipartReader::next(rt::Deadline deadline) {
  while (!is_over_) {
    const Result<Event> it = event(deadline);
    if (!it) return it.error();
    if (*it == Event::part) {
      is_in_part_ = true;
      return &parser_.part();
    }
    is_in_part_ = is_in_part_ && *it != Event::part_end;
    if (*it != Event::end) continue;
    // What may stand behind the end is read, too: so the connection can go on.
    const Result<Event> rest = event(deadline);
    if (!rest) return rest.error();
    is_over_ = true;
  }
  return nullptr;
}

Result<std::string_view> MultipartReader::read(rt::Deadline deadline) {
  if (!is_in_part_) return std::string_view();
  const Result<Event> it = event(deadline);
  if (!it) return it.error();
  if (*it == Event::data) return parser_.data();
  is_in_part_ = false;
  return std::string_view();
}

Result<std::string> MultipartReader::read_all(std::size_t most, rt::Deadline deadline) {
  std::string all;
  for (;;) {
    const Result<std::string_view> piece = read(deadline);
    if (!piece) return piece.error();
    if (piece->empty()) return all;
    if (piece->size() > most - all.size()) {
      exchange_->note_too_large();
      return Status(Code::resource_exhausted, "the part " + quoted(parser_.part().name) +
                                                  " is larger than " + std::to_string(most) +
                                                  " bytes");
    }
    all += *piece;
  }
}

namespace {

std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"') {
      out += "%22";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

MultipartWriter::MultipartWriter() : boundary_("parley-form-") {
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuv";
  for (int i = 0; i < 26; ++i) boundary_ += letters[rt::random_below(letters.size())];
}

Result<MultipartWriter> MultipartWriter::with_boundary(std::string_view boundary) {
  const auto checked = MultipartParser::boundary_of("multipart/form-data; boundary=\"" +
                                                    std::string(boundary) + "\"");
  if (!checked) return checked.error();
  return MultipartWriter(*checked);
}

std::string MultipartWriter::content_type() const {
  const std::string value = is_token(boundary_) ? boundary_ : '"' + boundary_ + '"';
  return "multipart/form-data; boundary=" + value;
}

Result<std::string> MultipartWriter::begin(std::string_view name) {
  const std::string field = "form-data; name=\"" + escaped(name) + '"';
  if (!is_field_value(field)) {
    return Status(Code::invalid_argument, "no part can have the name " + quoted(name));
  }
  const bool is_first = !std::exchange(has_parts_, true);
  return (is_first ? "--" : "\r\n--") + boundary_ + "\r\nContent-Disposition: " + field +
         "\r\n\r\n";
}

Result<std::string> MultipartWriter::begin_file(std::string_view name, std::string_view filename,
                                                std::string_view content_type) {
  const std::string field = "filename=\"" + escaped(filename) + '"';
  if (content_type.empty() || !is_field_value(content_type) || !is_field_value(field)) {
    return Status(Code::invalid_argument, "the part " + quoted(name) + " cannot have the file " +
                                              quoted(filename) + " of type " +
                                              quoted(content_type));
  }
  Result<std::string> head = begin(name);
  if (!head) return head;
  head->resize(head->size() - 4);
  return *head + "; " + field + "\r\nContent-Type: " + std::string(content_type) + "\r\n\r\n";
}

std::string MultipartWriter::tail() const {
  return (has_parts_ ? "\r\n--" : "--") + boundary_ + "--\r\n";
}

Status MultipartWriter::add(std::string_view name, std::string_view value) {
  const Result<std::string> head = begin(name);
  if (!head) return head.error();
  text_ += *head;
  text_ += value;
  return {};
}

Status MultipartWriter::add_file(std::string_view name, std::string_view filename,
                                 std::string_view content_type, std::string_view content) {
  const Result<std::string> head = begin_file(name, filename, content_type);
  if (!head) return head.error();
  text_ += *head;
  text_ += content;
  return {};
}

std::string MultipartWriter::end() { return std::exchange(text_, {}) + tail(); }

}  // namespace parley::http
