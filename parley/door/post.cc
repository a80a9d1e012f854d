#include "parley/door/post.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "parley/codec/codec.h"
#include "parley/door/impl/gather.h"
#include "parley/door/impl/json_text.h"
#include "parley/door/impl/lower_case.h"
#include "parley/door/impl/session_of.h"
#include "parley/http/accept.h"
#include "parley/http/syntax.h"
#include "parley/http/url.h"
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

std::string error_body(const Status& status) {
  std::string out = R"({"code":)";
  impl::append_json_text(out, std::string(name_of(status.code())));
  out += R"(,"message":)";
  impl::append_json_text(out, std::string(status.message()));
  if (!status.cause().empty()) {
    out += R"(,"cause":)";
    impl::append_json_text(out, std::string(status.cause()));
  }
  if (status.business_code() != 0) {
    out += R"(,"business_code":)" + std::to_string(status.business_code());
  }
  return out + "}\n";
}

bool looks_like_json(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  return std::string_view("[{\"").find(body[first]) != std::string_view::npos ||
         body.find('=') == std::string_view::npos;
}

class Post {
 public:
  Post(Peer& peer, PostOptions options)
      : peer_(peer),
        codecs_(parley::impl::codecs_of(peer.options())),
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
    const std::string_view escaped = path.substr(options_.prefix.size());
    std::string method = http::percent_decoded(escaped).value_or(std::string(escaped));
    if (Status s = take_timeout(request, call); !s.is_ok()) return refuse(exchange, 400, s);
    take_metadata(request, call.metadata);
    const auto session = impl::session_of(peer_, exchange);
    if (!session) {
      return refuse(exchange, http_status(session.error(), options_.rule), session.error());
    }
    if (is_get) {
      call.codec = BodyCodec::form;
      call.body = Bytes::copy_of(request.query());
    } else {
      if (!request.query().empty()) method.append("?").append(request.query());
      auto refused = take_body(exchange, **session, call);
      if (!refused) return refused.error();
      if (*refused != 0) return {};
    }
    call.method = method;
    call.accept = accepted(request, call.codec);
    ForeignAnswer answer;
    const Status status = impl::told_of((*session)->call(std::move(call), answer), **session);
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
      std::string key = impl::lower_case(name);
      if (!key.starts_with(metadata_prefix)) continue;
      metadata.add(key.substr(metadata_prefix.size()), std::string(value));
    }
    for (const std::string& name : options_.metadata_fields) {
      if (const auto value = request.headers.get(name)) metadata.add(name, std::string(*value));
    }
  }

  // The number that it was refused with, or 0.
  Result<int> take_body(ServerExchange& exchange, ForeignSession& session,
                        ForeignCall& call) const {
    const http::Request& request = exchange.request();
    const auto refused = [&](http::StatusCode number, const Status& why) -> Result<int> {
      if (Status s = refuse(exchange, number, why); !s.is_ok()) return s;
      return number;
    };
    const auto coding = request.headers.get("Content-Encoding");
    if (coding && !http::same_name(*coding, "identity")) {
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
    if (Status s = exchange.limit_body(max_body_); !s.is_ok()) {
      return refused(413, s.with_context(max_body_options));
    }
    ForeignRoom room(session);
    auto body = impl::gather(exchange, &room, max_body_);
    if (room.was_full()) return refused(http_status(body.error(), options_.rule), body.error());
    if (!body && body.error().code() == Code::resource_exhausted) {
      return refused(413, body.error().with_context(max_body_options));
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
    int best_weight = 0;
    const auto wanted = http::preferences_of(request.headers, "Accept");
    for (const http::Preference& each : wanted ? *wanted : std::vector<http::Preference>()) {
      const codec::Codec* const codec = codecs_.find_content_type(each.value);
      if (codec == nullptr || each.weight <= best_weight) continue;
      best = BodyCodec{codec->id};
      best_weight = each.weight;
    }
    if (best) return best;
    if (own == BodyCodec::form || own == BodyCodec::none) return BodyCodec::json;
    return {};
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
  static constexpr std::string_view max_body_options =
      "PostOptions::max_body, or PeerOptions::max_frame_bytes";
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
