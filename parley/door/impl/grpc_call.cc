#include "parley/door/impl/grpc_call.h"

#include <algorithm>
#include <array>
#include <utility>

#include "parley/base/base64.h"
#include "parley/door/grpc_details.h"
#include "parley/door/grpc_head.h"
#include "parley/door/impl/gather.h"
#include "parley/door/post.h"
#include "parley/http/syntax.h"

namespace parley::door::impl {

using http::Method;
using http::ServerExchange;

namespace {

constexpr std::string_view plain_type = "application/grpc";
constexpr std::string_view web_type = "application/grpc-web";
constexpr std::string_view text_type = "application/grpc-web-text";

// What follows `name` in a media type, without parameters: "", "+proto". Nothing for another type.
std::optional<std::string_view> behind(std::string_view type, std::string_view name) {
  type = http::trimmed(type.substr(0, type.find(';')));
  if (!http::same_name(type.substr(0, name.size()), name)) return {};
  type.remove_prefix(name.size());
  if (!type.empty() && (type.front() != '+' || type.size() == 1)) return {};
  return type;
}

// Many clients take 8 KiB of metadata and no byte more, and see another error where there is one:
// rather than that they go without details. What is left is for the head of an answer without more.
constexpr std::size_t most_trailer_bytes = 8192 - 512;

std::size_t size_of(const http::Headers& fields) {
  std::size_t bytes = 0;
  for (const auto [name, value] : fields) bytes += name.size() + value.size() + 32;
  return bytes;
}

// A smaller message is put behind its prefix, and both are written at once; one that is larger is
// not copied for that.
constexpr std::size_t copied_below = 512;

// What nearly all calls are answered with, made once: a head that says nothing of its own, and
// trailers of success.
http::Headers make_plain_head() {
  http::Headers head;
  (void)head.add("content-type", plain_type);
  (void)head.add("grpc-accept-encoding", grpc_codings);
  return head;
}

const http::Headers& success() {
  static const http::Headers fields = [] {
    http::Headers made;
    put_grpc_status({}, made, {});
    return made;
  }();
  return fields;
}

// The fields of a request that say how it is read, found in one go; of several with one name the
// first.
struct Known {
  std::optional<std::string_view> type{};
  std::optional<std::string_view> timeout{};
  std::optional<std::string_view> encoding{};
};

Known known_of(const http::Headers& headers) {
  Known known;
  for (const auto [name, value] : headers) {
    if (name.size() == 12) {
      if (!known.type && http::same_name(name, "content-type")) known.type = value;
      if (!known.timeout && http::same_name(name, "grpc-timeout")) known.timeout = value;
    } else if (name.size() == 13) {
      if (!known.encoding && http::same_name(name, "grpc-encoding")) known.encoding = value;
    }
  }
  return known;
}

// Pieces of base64, each padded for itself, as they are sent by who sends them one by one.
bool decode_pieces(std::string_view text, std::string& out) {
  std::string bytes;
  while (!text.empty()) {
    std::size_t end = text.find('=');
    end = end == std::string_view::npos ? text.size() : std::min((end / 4 + 1) * 4, text.size());
    if (!decode_base64(text.substr(0, end), bytes)) return false;
    out += bytes;
    text.remove_prefix(end);
  }
  return true;
}

}  // namespace

GrpcCall::GrpcCall(ServerExchange& exchange, const GrpcOptions& options,
                   const codec::CodecRegistry& codecs)
    : exchange_(&exchange),
      options_(&options),
      codecs_(&codecs),
      reader_({.max_message = options.max_message}) {}

Result<int> GrpcCall::refuse(http::StatusCode number, std::string_view why) {
  if (Status s = exchange_->answer(number, why); !s.is_ok()) return s;
  return number;
}

Result<int> GrpcCall::begin() {
  const http::Request& request = exchange_->request();
  if (request.method != Method::post) {
    if (Status s = exchange_->response().headers.set("Allow", "POST"); !s.is_ok()) return s;
    return refuse(405, "gRPC is POST\n");
  }
  const Known known = known_of(request.headers);
  const std::string_view type = known.type.value_or("");
  auto rest = behind(type, plain_type);
  if (!rest) {
    rest = behind(type, web_type);
    if (rest) way_ = GrpcWay::web;
  }
  if (!rest) {
    rest = behind(type, text_type);
    if (rest) way_ = GrpcWay::web_text;
  }
  const codec::Codec* codec = nullptr;
  if (rest) {
    const std::string_view name = rest->empty() ? rest->substr(0, 0) : rest->substr(1);
    codec = codecs_->find_name(name.empty() || name == "proto" ? "protobuf" : name);
  }
  if (codec == nullptr) {
    return refuse(415, "this is gRPC: application/grpc, or with +proto or +json\n");
  }
  codec_ = wire::BodyCodec{codec->id};
  if (way_ == GrpcWay::plain && exchange_->protocol() != http::Protocol::http_2) {
    return refuse(505, "gRPC needs HTTP/2; over HTTP/1 there is gRPC-Web\n");
  }
  content_type_ = way_ == GrpcWay::plain ? plain_type : way_ == GrpcWay::web ? web_type : text_type;
  if (!rest->empty()) content_type_ = own_type_.assign(content_type_).append(*rest);
  if (Status s = take_timeout(known.timeout); !s.is_ok()) return s;
  if (Status s = take_coding(known.encoding); !s.is_ok()) return s;
  if (Status s = take_grpc_metadata(request.headers, metadata); !s.is_ok()) return s;
  return 0;
}

Status GrpcCall::take_timeout(std::optional<std::string_view> text) {
  if (text) {
    const auto timeout = parse_timeout(*text);
    if (!timeout) return {Code::internal, "grpc-timeout: " + timeout.error().message()};
    deadline_ = rt::Deadline::after(*timeout);
  } else if (options_->timeout) {
    deadline_ = rt::Deadline::after(*options_->timeout);
  }
  return {};
}

Status GrpcCall::take_coding(std::optional<std::string_view> name) {
  const http::Headers& headers = exchange_->request().headers;
  const std::string_view gzip = door::name_of(GrpcCoding::gzip);
  if (options_->compresses_first && headers.has_element("grpc-accept-encoding", gzip)) {
    answer_coding_ = GrpcCoding::gzip;
  }
  if (!name) return {};
  const auto coding = grpc_coding_named(*name);
  if (!coding) {
    return {Code::unimplemented, "grpc-encoding " + http::quoted(*name) +
                                     " is not known here: send " + std::string(grpc_codings)};
  }
  coding_ = *coding;
  if (coding_ != GrpcCoding::identity &&
      headers.has_element("grpc-accept-encoding", door::name_of(coding_))) {
    answer_coding_ = coding_;
  }
  return {};
}

Status GrpcCall::read_text() {
  has_text_ = true;
  const std::size_t most = (options_->max_message + 64) / 3 * 4 + 64;
  auto text = gather(*exchange_, room_, most, deadline_);
  if (!text) return text.error();
  if (decode_pieces(*text, text_)) {
    piece_ = text_;
    return {};
  }
  return {Code::internal, "the body of application/grpc-web-text is no base64"};
}

Status GrpcCall::count(std::size_t bytes) {
  return room_ == nullptr ? Status() : room_->hold(bytes + kept_ + text_.capacity());
}

Result<std::optional<std::string>> GrpcCall::read() {
  if (Status s = count(0); !s.is_ok()) return s;
  GrpcMessage message;
  if (way_ == GrpcWay::web_text && !has_text_) {
    if (Status s = read_text(); !s.is_ok()) return s;
  }
  for (;;) {
    const auto there = reader_.next(piece_, message);
    if (!there) return there.error();
    if (*there) break;
    if (way_ != GrpcWay::web_text) {
      if (Status s = count(reader_.held()); !s.is_ok()) return s;
      auto piece = exchange_->read(deadline_);
      if (!piece) return piece.error();
      piece_ = *piece;
    }
    if (!piece_.empty()) continue;
    if (!reader_.is_between()) {
      return Status(Code::internal, "the body ended within a message");
    }
    return std::optional<std::string>();
  }
  auto bytes = take_message(std::move(message), coding_, options_->max_message);
  if (!bytes) return bytes.error();
  if (Status s = count(bytes->capacity()); !s.is_ok()) return s;
  return std::optional(*std::move(bytes));
}

Result<std::string> GrpcCall::read_only() {
  auto first = read();
  if (!first) return first.error();
  if (!*first) return Status(Code::unimplemented, "the call has no message, and needs one");
  kept_ = (*first)->capacity();
  auto more = read();
  kept_ = 0;
  if (!more) return more.error();
  if (*more) return Status(Code::unimplemented, "the call has several messages, and takes one");
  if (Status s = count(0); !s.is_ok()) return s;  // it is a call from here on, and counts there
  return **std::move(first);
}

void GrpcCall::put_head(http::Headers& headers) const {
  if (way_ == GrpcWay::plain && own_type_.empty() && headers.empty()) {
    static const http::Headers plain_head = make_plain_head();
    headers = plain_head;
    return;
  }
  (void)headers.set("Content-Type", content_type_);
  (void)headers.set("grpc-accept-encoding", grpc_codings);
}

Status GrpcCall::begin_answer(const wire::Metadata& metadata_of_it) {
  http::Headers& headers = exchange_->response().headers;
  put_head(headers);
  if (answer_coding_ != GrpcCoding::identity) {
    (void)headers.set("grpc-encoding", door::name_of(answer_coding_));
  }
  (void)put_grpc_metadata(metadata_of_it, headers);
  return exchange_->begin(http::BodySize::unknown());
}

// Each piece of base64 is padded for itself, which who reads it knows.
Status GrpcCall::send(std::string bytes) {
  if (way_ != GrpcWay::web_text) return exchange_->write(bytes, deadline_);
  std::string text;
  append_base64(text, bytes);
  return exchange_->write(text, deadline_);
}

Status GrpcCall::write(std::string_view message) {
  const bool is_large = message.size() >= options_->compress_from;
  const GrpcCoding coding = is_large ? answer_coding_ : GrpcCoding::identity;
  if (coding == GrpcCoding::identity && way_ != GrpcWay::web_text) return write_plain(message);
  std::string out;
  if (Status s = put_grpc_message(out, message, coding); !s.is_ok()) return s;
  return send(std::move(out));
}

Status GrpcCall::write_plain(std::string_view message) {
  std::array<char, copied_below> both;
  put_grpc_prefix(both.data(), message.size(), false);
  if (message.size() <= both.size() - grpc_prefix_bytes) {
    std::copy_n(message.data(), message.size(), both.data() + grpc_prefix_bytes);
    return exchange_->write({both.data(), grpc_prefix_bytes + message.size()}, deadline_);
  }
  if (Status s = exchange_->write({both.data(), grpc_prefix_bytes}, deadline_); !s.is_ok()) {
    return s;
  }
  return exchange_->write(message, deadline_);
}

Status GrpcCall::end(const Status& status, const wire::Metadata& trailing) {
  const bool is_plain = way_ == GrpcWay::plain && exchange_->has_begun();
  if (is_plain && status.is_ok() && trailing.empty()) return exchange_->end(success());
  http::Headers fields;
  put_grpc_status(status, fields, trailing.get(grpc_details_key).value_or(""));
  (void)put_grpc_metadata(trailing, fields);
  if (!status.is_ok() && size_of(fields) > most_trailer_bytes) {
    (void)fields.remove(grpc_details_key);
  }
  if (way_ == GrpcWay::plain) {
    if (exchange_->has_begun()) return exchange_->end(fields);
    http::Headers& headers = exchange_->response().headers;
    put_head(headers);
    for (const auto [name, value] : fields) (void)headers.add(name, value);
    if (Status s = exchange_->begin(http::BodySize::unknown()); !s.is_ok()) return s;
    return exchange_->end();
  }
  if (!exchange_->has_begun()) {
    if (Status s = begin_answer({}); !s.is_ok()) return s;
  }
  std::string lines;
  for (const auto [name, value] : fields) lines.append(name).append(": ").append(value) += "\r\n";
  std::string out;
  put_grpc_web_trailers(out, lines);
  if (Status s = send(std::move(out)); !s.is_ok()) return s;
  return exchange_->end();
}

void GrpcCall::part(wire::Metadata all, wire::Metadata& leading, wire::Metadata& trailing) const {
  for (const auto& [key, value] : all) {
    const bool is_last =
        key == grpc_details_key || std::ranges::any_of(options_->trailing, [&](const auto& name) {
          return http::same_name(name, key);
        });
    (is_last ? trailing : leading).add(key, value);
  }
}

}  // namespace parley::door::impl
