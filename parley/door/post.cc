#include "parley/door/post.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "parley/codec/codec.h"
#include "parley/codec/json.h"
#include "parley/peer/body.h"
#include "parley/peer/foreign_session.h"
#include "parley/wire/message.h"

namespace parley::door {
namespace {

using http::Method;
using http::ServerExchange;
using wire::BodyCodec;

constexpr std::string_view metadata_prefix = "parley-meta-";
constexpr std::string_view json_type = "application/json";
constexpr std::chrono::hours most_hours{24 * 365 * 100};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// Of a path; a '+' is a plus there.
std::string unescaped(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? hex_digit(path[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(path[i + 2]) : -1;
    if (low < 0) {
      out += path[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// As a JSON text; what is no UTF-8 has ? in place of its bytes.
void append_text(std::string& out, std::string text) {
  if (codec::encode_json_to(out, text).is_ok()) return;
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x80) byte = '?';
  }
  (void)codec::encode_json_to(out, text);
}

std::string error_body(const Status& status) {
  std::string out = R"({"code":)";
  append_text(out, std::string(name_of(status.code())));
  out += R"(,"message":)";
  append_text(out, std::string(status.message()));
  if (!status.cause().empty()) {
    out += R"(,"cause":)";
    append_text(out, std::string(status.cause()));
  }
  if (status.business_code() != 0) {
    out += R"(,"business_code":)" + std::to_string(status.business_code());
  }
  return out + "}\n";
}

bool looks_like_json(std::string_view body) {
  const std::string_view text = trimmed(body);
  if (text.empty()) return false;
  return text.front() == '[' || text.front() == '{' || text.front() == '"' ||
         text.find('=') == std::string_view::npos;
}

// In thousandths, as the q of Accept has it; 0 for what is none.
int quality_of(std::string_view parameters) {
  const std::string text = lower(parameters);
  const std::size_t at = text.find("q=");
  if (at == std::string::npos) return 1000;
  const std::string_view q = trimmed(std::string_view(text).substr(at + 2));
  int value = q.starts_with('1') ? 1000 : 0;
  if (!q.starts_with("0.")) return value;
  int weight = 100;
  for (const char c : q.substr(2, 3)) {
    if (c < '0' || c > '9') break;
    value += (c - '0') * weight;
    weight /= 10;
  }
  return value;
}

class Post {
 public:
  Post(Peer& peer, PostOptions options)
      : peer_(peer),
        codecs_(impl::codecs_of(peer.options())),
        options_(std::move(options)),
        max_body_(std::min(options_.max_body, peer.options().max_frame_bytes)) {}

  Status serve(ServerExchange& exchange) const {
    const http::Request& request = exchange.request();
    const std::string_view path = request.path();
    if (!path.starts_with(options_.prefix) || path.size() == options_.prefix.size()) {
      return refuse(exchange, 404,
                    Status(Code::not_found, "no method is there: paths are " + options_.prefix +
                                                "/ and the name of one"));
    }
    const bool is_get = request.method == Method::get || request.method == Method::head;
    if (request.method != Method::post && !(is_get && options_.allow_get)) {
      return refuse_method(exchange);
    }
    ForeignCall call;
    std::string method = unescaped(path.substr(options_.prefix.size()));
    if (Status s = take_timeout(request, call); !s.is_ok()) return refuse(exchange, 400, s);
    take_metadata(request, call.metadata);
    if (is_get) {
      call.codec = BodyCodec::form;
      call.body = Bytes::copy_of(request.query());
    } else {
      if (!request.query().empty()) method.append("?").append(request.query());
      auto refused = take_body(exchange, call);
      if (!refused) return refused.error();
      if (*refused != 0) return {};
    }
    call.method = method;
    call.accept = accepted(request, call.codec);
    ForeignAnswer answer;
    const Status status = run(exchange, std::move(call), answer);
    return give(exchange, status, answer);
  }

 private:
  Status refuse(ServerExchange& exchange, http::StatusCode number, const Status& why) const {
    return exchange.answer(number, error_body(why), json_type);
  }

  Status refuse_method(ServerExchange& exchange) const {
    const std::string_view allowed = options_.allow_get ? "GET, HEAD, POST" : "POST";
    if (Status s = exchange.response().headers.set("Allow", allowed); !s.is_ok()) return s;
    return refuse(exchange, 405,
                  Status(Code::unimplemented, std::string(exchange.request().method_name()) +
                                                  " calls no method: POST its arguments"));
  }

  Status take_timeout(const http::Request& request, ForeignCall& call) const {
    auto text = request.headers.get("Parley-Timeout");
    if (!text) text = request.headers.get("grpc-timeout");
    Duration timeout = options_.timeout;
    if (text) {
      auto said = parse_timeout(*text);
      if (!said) return said.error();
      timeout = *said;
    }
    call.deadline = rt::Deadline::after(timeout);
    return {};
  }

  void take_metadata(const http::Request& request, wire::Metadata& metadata) const {
    for (const auto [name, value] : request.headers) {
      if (name.size() <= metadata_prefix.size()) continue;
      std::string key = lower(name);
      if (!key.starts_with(metadata_prefix)) continue;
      metadata.add(key.substr(metadata_prefix.size()), std::string(value));
    }
    for (const std::string& name : options_.metadata_fields) {
      if (const auto value = request.headers.get(name)) metadata.add(name, std::string(*value));
    }
  }

  // The number that it was refused with, or 0.
  Result<int> take_body(ServerExchange& exchange, ForeignCall& call) const {
    const http::Request& request = exchange.request();
    const auto refused = [&](http::StatusCode number, const Status& why) -> Result<int> {
      if (Status s = refuse(exchange, number, why); !s.is_ok()) return s;
      return number;
    };
    const auto coding = request.headers.get("Content-Encoding");
    if (coding && lower(*coding) != "identity") {
      return refused(415,
                     Status(Code::invalid_argument,
                            "no body is taken in a Content-Encoding of " + std::string(*coding)));
    }
    const auto type = request.headers.get("Content-Type");
    const codec::Codec* const codec = type ? codecs_.find_content_type(*type) : nullptr;
    if (type && codec == nullptr) {
      return refused(
          415, Status(Code::invalid_argument, "no codec of this peer reads " + std::string(*type) +
                                                  ": send application/json, say"));
    }
    if (Status s = exchange.limit_body(max_body_); !s.is_ok()) return refused(413, s);
    auto body = exchange.read_all(max_body_);
    if (!body && body.error().code() == Code::resource_exhausted) {
      return refused(413, body.error());
    }
    if (!body) return body.error();
    call.codec = codec == nullptr ? peer_.options().body_codec : BodyCodec{codec->id};
    if (call.codec == BodyCodec::form && looks_like_json(*body)) call.codec = BodyCodec::json;
    if (body->empty()) call.codec = BodyCodec::none;
    call.body = Bytes::from(*std::move(body));
    return 0;
  }

  // Nothing: as the arguments are written.
  std::optional<BodyCodec> accepted(const http::Request& request, BodyCodec own) const {
    std::optional<BodyCodec> best;
    int best_quality = 0;
    for (const auto [name, value] : request.headers) {
      if (lower(name) != "accept") continue;
      for (std::string_view left = value; !left.empty();) {
        const std::size_t comma = std::min(left.find(','), left.size());
        const std::string_view each = trimmed(left.substr(0, comma));
        left.remove_prefix(std::min(comma + 1, left.size()));
        const std::size_t semicolon = std::min(each.find(';'), each.size());
        const codec::Codec* const codec = codecs_.find_content_type(each.substr(0, semicolon));
        const int quality = quality_of(each.substr(semicolon));
        if (codec == nullptr || quality <= best_quality) continue;
        best = BodyCodec{codec->id};
        best_quality = quality;
      }
    }
    if (best) return best;
    if (own == BodyCodec::form || own == BodyCodec::none) return BodyCodec::json;
    return {};
  }

  Status run(ServerExchange& exchange, ForeignCall call, ForeignAnswer& answer) const {
    Status failed;
    const auto make = [&]() -> std::shared_ptr<ForeignSession> {
      auto session = ForeignSession::open(
          peer_, {.remote = exchange.remote_address(),
                  .protocol = std::string(http::name_of(exchange.protocol()))});
      if (!session) failed = session.error();
      return session ? *std::move(session) : nullptr;
    };
    http::Kept* const kept = exchange.kept();
    std::shared_ptr<ForeignSession> session;
    if (kept != nullptr) {
      session = kept->get<ForeignSession>(
          make, [](const ForeignSession& each) { return each.is_open(); });
    }
    if (session == nullptr && failed.is_ok()) session = make();
    if (session == nullptr) return failed;
    return session->call(std::move(call), answer);
  }

  Status give(ServerExchange& exchange, const Status& status, ForeignAnswer& answer) const {
    http::Headers& headers = exchange.response().headers;
    std::string name;
    for (const auto& [key, value] : answer.metadata) {
      (name = metadata_prefix).append(key);
      (void)headers.add(name, value);  // some texts cannot stand in a field
    }
    if (!status.is_ok()) return refuse(exchange, http_status(status, options_.rule), status);
    const std::string bytes =
        answer.body.bytes.empty() ? std::string() : answer.body.bytes.to_string();
    const std::string_view body =
        answer.body.bytes.empty() ? answer.body.text_or_number() : std::string_view(bytes);
    const codec::Codec* const codec = codecs_.find(static_cast<char>(answer.body.codec));
    const std::string_view type = codec == nullptr || codec->content_types.empty()
                                      ? std::string_view("application/octet-stream")
                                      : std::string_view(codec->content_types.front());
    return exchange.answer(200, body, type);
  }

  Peer& peer_;
  const codec::CodecRegistry& codecs_;
  const PostOptions options_;
  const std::size_t max_body_;
};

}  // namespace

http::Handler make_post(Peer& peer, PostOptions options) {
  return [post = std::make_shared<const Post>(peer, std::move(options))](ServerExchange& exchange) {
    return post->serve(exchange);
  };
}

Result<Duration> parse_timeout(std::string_view text) {
  constexpr std::size_t most_digits = 8;
  const auto wrong = [&] {
    return Status(Code::invalid_argument,
                  "\"" + std::string(text.substr(0, 20)) +
                      "\" is no timeout: up to 8 digits and one of H, M, S, m, u, n, as in 250m");
  };
  if (text.size() < 2 || text.size() > most_digits + 1) return wrong();
  std::int64_t count = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return wrong();
    count = count * 10 + (c - '0');
  }
  switch (text.back()) {
    case 'H':
      // More than that is more nanoseconds than a Duration has.
      return Duration(std::min(std::chrono::hours(count), most_hours));
    case 'M':
      return Duration(std::chrono::minutes(count));
    case 'S':
      return Duration(std::chrono::seconds(count));
    case 'm':
      return Duration(std::chrono::milliseconds(count));
    case 'u':
      return Duration(std::chrono::microseconds(count));
    case 'n':
      return Duration(std::chrono::nanoseconds(count));
    default:
      return wrong();
  }
}

}  // namespace parley::door
