#include "parley/wire/impl/json_envelope.h"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/wire/impl/erpc_frame.h"
#include "parley/wire/impl/json_text.h"
#include "parley/wire/query.h"
#include "parley/wire/status_text.h"

namespace parley::wire::impl {
namespace {

constexpr std::array<std::string_view, 8> keys{"seq",  "mtype",     "serviceMethod", "status",
                                               "meta", "bodyCodec", "body",          "xferPipe"};
enum Key : std::uint8_t { seq, mtype, service_method, status, meta, body_codec, body, xfer_pipe };

// Between the body and the ids of the filters.
constexpr std::string_view before_filters = R"(","xferPipe":)";

// erpc escapes '"' and nothing else, so a body of its own with a backslash before a quote, or with
// a control character, is no JSON string. Takes it back: every '"' in it has a '\' before it that
// was not in the body. False when that is not so.
bool undo_quotes(std::string_view text, std::string& out) {
  out.reserve(text.size());
  for (std::size_t quote = text.find('"'); quote != std::string_view::npos;
       quote = text.find('"')) {
    if (quote == 0 || text[quote - 1] != '\\') return false;
    out += text.substr(0, quote - 1);
    out += '"';
    text.remove_prefix(quote + 1);
  }
  out += text;
  return true;
}

class EnvelopeReader {
 public:
  EnvelopeReader(std::string_view text, const JsonEnvelope& envelope, const ErpcLimits& limits,
                 Message& message)
      : text_(text),
        envelope_(envelope),
        limits_(limits),
        message_(message),
        scanner_(envelope.frame_name, text) {}

  Status read(std::string_view& body) {
    scanner_.open_object();
    Status bad = read_members();
    if (bad.is_ok() && !scanner_.error().is_ok() && go_behind_old_body()) bad = read_members();
    if (bad.is_ok()) bad = scanner_.error();
    if (!bad.is_ok()) return bad;
    body = body_;
    if (!seen_[mtype]) return malformed(envelope_.frame_name, "it has no mtype");
    return {};
  }

 private:
  // Up to the end of the text, or a mistake of syntax, which the scanner keeps.
  Status read_members() {
    while (scanner_.next_member()) {
      if (Status bad = read_member(); !bad.is_ok()) return bad;
    }
    scanner_.expect_end();
    return {};
  }

  Status read_member() {
    std::size_t key = 0;
    while (key < keys.size() && keys[key] != scanner_.key()) ++key;
    if (key == keys.size() || (key == xfer_pipe && !envelope_.is_sub_protocol)) {
      (void)scanner_.value();
      return {};
    }
    if (std::exchange(seen_[key], true)) {
      return malformed(envelope_.frame_name, std::string(keys[key]) + " stands there twice");
    }
    switch (key) {
      case seq:
        message_.seq = static_cast<std::int32_t>(
            scanner_.integer("seq", std::numeric_limits<std::int32_t>::min(),
                             std::numeric_limits<std::int32_t>::max()));
        return {};
      case body_codec:
        message_.body_codec = static_cast<BodyCodec>(
            static_cast<unsigned char>(scanner_.integer("bodyCodec", 0, 255)));
        return {};
      case body:
        read_body();
        return {};
      case mtype:
        return read_mtype();
      case xfer_pipe:
        return read_filters();
      default:
        return read_text(key);
    }
  }

  Status read_mtype() {
    const std::int64_t number = scanner_.integer("mtype", 0, 255);
    return scanner_.error().is_ok() ? read_type(envelope_.frame_name, number, message_) : Status();
  }

  // Method, status or metadata.
  Status read_text(std::size_t key) {
    const JsonString string =
        scanner_.string(keys[key], key == service_method ? JsonEscapes::go : JsonEscapes::json);
    if (!scanner_.error().is_ok()) return {};
    std::string_view text = string.text;
    Bytes resolved;
    if (string.has_escapes) {
      resolved = Bytes::from(unescape_json(text));
      text = resolved.flatten();
    }
    if (key == status) return read_status(envelope_.frame_name, text, message_);
    if (key == meta) {
      if (text.empty()) return {};
      return read_metadata(envelope_.frame_name, text, limits_, message_);
    }
    if (!resolved.empty()) message_.method_block = resolved.first_block();
    return read_method(envelope_.frame_name, text, message_);
  }

  // A value that is no string stands for its own text, as with erpc; null for nothing.
  void read_body() {
    const char first = scanner_.peek();
    if (first != '"') {
      const std::string_view value = scanner_.value();
      if (first != 'n') body_ = value;
      return;
    }
    body_begin_ = scanner_.offset() + 1;
    const JsonString string = scanner_.string("body");
    body_ = string.text;
    if (!string.has_escapes) return;
    std::string body = unescape_json(string.text);
    // What it is counted for is what it holds.
    if (body.capacity() / 2 > body.size()) body.shrink_to_fit();
    message_.body = Bytes::from(std::move(body));
    body_ = {};
  }

  Status read_filters() {
    std::string ids;
    scanner_.open_array();
    while (scanner_.next_element()) {
      ids += static_cast<char>(scanner_.integer("xferPipe", 0, 255));
    }
    if (ids.empty() || !scanner_.error().is_ok()) return {};
    const Result<FilterPipe> pipe = impl::read_filters(envelope_.frame_name, ids);
    if (!pipe) return pipe.error();
    message_.filters = *pipe;
    return {};
  }

  // The text is no JSON from its body on: takes that for one that only has its quotes escaped, if
  // it stands where erpc puts it.
  bool go_behind_old_body() {
    if (body_begin_ == 0) return false;
    const std::size_t end = envelope_.is_sub_protocol ? text_.rfind(before_filters)
                            : text_.ends_with("\"}")  ? text_.size() - 2
                                                      : std::string_view::npos;
    if (end == std::string_view::npos || end < body_begin_) return false;
    std::string old;
    if (!undo_quotes(text_.substr(body_begin_, end - body_begin_), old)) return false;
    message_.body = Bytes::from(std::move(old));
    body_ = {};
    scanner_.resume(end + 1);
    return true;
  }

  std::string_view text_;
  const JsonEnvelope& envelope_;
  const ErpcLimits& limits_;
  Message& message_;
  JsonScanner scanner_;
  std::array<bool, keys.size()> seen_{};
  std::string_view body_;
  std::size_t body_begin_ = 0;  // behind its opening quote; 0: no string has been met
};

}  // namespace

Status read_json_envelope(std::string_view text, const JsonEnvelope& envelope,
                          const ErpcLimits& limits, Message& message, std::string_view& body) {
  return EnvelopeReader(text, envelope, limits, message).read(body);
}

void put_json_head(std::string& out, const JsonEnvelope& envelope, const Message& message,
                   std::size_t status_bytes) {
  out += R"({"seq":)";
  out += std::to_string(message.seq);
  out += R"(,"mtype":)";
  out += std::to_string(static_cast<int>(message.type));
  out += R"(,"serviceMethod":")";
  append_json(out, message.method);
  // Status and metadata need no escapes of JSON's: query text has only letters, digits and -_.~%&=.
  if (!envelope.is_sub_protocol || !message.status.is_ok()) {
    out += R"(","status":")";
    append_status_text(out, message.status, status_bytes);
  }
  out += R"(","meta":")";
  append_query(out, message.metadata);
  out += R"(","bodyCodec":)";
  out += std::to_string(static_cast<unsigned char>(message.body_codec));
  out += R"(,"body":")";
}

std::string json_end(const JsonEnvelope& envelope, const FilterPipe& filters) {
  if (!envelope.is_sub_protocol) return R"("})";
  std::string end = R"(","xferPipe":[)";
  const FilterPipe on_wire = filters.reversed();
  for (const char id : on_wire.ids()) {
    if (!end.ends_with('[')) end += ',';
    end += std::to_string(static_cast<unsigned char>(id));
  }
  return end += "]}";
}

}  // namespace parley::wire::impl
