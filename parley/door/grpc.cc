#include "parley/door/grpc.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "parley/door/impl/grpc_call.h"
#include "parley/door/impl/grpc_serve.h"
#include "parley/door/impl/session_of.h"
#include "parley/http/syntax.h"
#include "parley/peer/body.h"

namespace parley::door {

using impl::GrpcCall;
using wire::BodyCodec;

namespace {

constexpr std::string_view grpc_type = "application/grpc";

// "shop.v1.Orders", "PlaceOrder" as one name whose parts '_' joins: what a NameMapper takes.
void join_parts(std::string& out, std::string_view path) {
  for (const char c : path) {
    if (c == '_') out += '_';
    out += c == '.' || c == '/' ? '_' : c;
  }
}

struct Found {
  std::string method;
  MethodKind kind = MethodKind::none;
};

class Grpc {
 public:
  Grpc(Peer& peer, GrpcOptions options)
      : peer_(peer),
        codecs_(parley::impl::codecs_of(peer.options())),
        options_(std::move(options)) {
    options_.max_message = std::min(options_.max_message, peer.options().max_frame_bytes);
  }

  Status serve(http::ServerExchange& exchange) const {
    GrpcCall call(exchange, options_, codecs_);
    const auto refused = call.begin();
    if (!refused) return call.fail(refused.error());
    if (*refused != 0) return {};
    const auto session = impl::session_of(peer_, exchange);
    if (!session) return call.fail(session.error());
    ForeignRoom room(**session);
    call.count_in(room);
    const Found found = find(**session, exchange.request().path());
    switch (found.kind) {
      case MethodKind::none:
        return call.fail(Status(Code::unimplemented,
                                "no method " + http::quoted(exchange.request().path()) + " here"));
      case MethodKind::stream:
        return impl::serve_grpc_stream(call, **session, found.method);
      case MethodKind::call:
      case MethodKind::other:
        break;
    }
    return impl::serve_grpc_unary(call, **session, found.method);
  }

 private:
  Found find(const ForeignSession& session, std::string_view path) const {
    Found exact{.method = std::string(path), .kind = session.kind_of(path)};
    if (exact.kind == MethodKind::call || exact.kind == MethodKind::stream) return exact;
    if (path.size() < 2 || path.size() > Router::max_method_bytes) return exact;
    path.remove_prefix(1);
    const std::size_t service_end = std::min(path.rfind('/'), path.size());
    const std::size_t package_end = path.substr(0, service_end).rfind('.');
    for (const std::string_view each :
         {path, package_end == std::string_view::npos ? std::string_view()
                                                      : path.substr(package_end + 1)}) {
      if (each.empty()) continue;
      std::string joined;
      join_parts(joined, each);
      Found mapped{.method = peer_.options().name_mapper(joined)};
      mapped.kind = session.kind_of(mapped.method);
      if (mapped.kind == MethodKind::call || mapped.kind == MethodKind::stream) return mapped;
    }
    return exact;
  }

  Peer& peer_;
  const codec::CodecRegistry& codecs_;
  GrpcOptions options_;
};

// The message that a result is.
Result<std::string> message_of(const ForeignAnswer& answer, const GrpcCall& call) {
  std::string bytes = answer.body.bytes.empty() ? std::string(answer.body.text_or_number())
                                                : answer.body.bytes.to_string();
  if (bytes.empty() && call.codec() == BodyCodec::json) return std::string("{}");
  if (bytes.empty() || answer.body.codec == call.codec()) return bytes;
  return Status(Code::internal,
                "the method answered in " + std::string(wire::name_of(answer.body.codec)) +
                    ", where the caller reads only " + std::string(wire::name_of(call.codec())));
}

}  // namespace

namespace impl {

Status serve_grpc_unary(GrpcCall& call, ForeignSession& session, std::string_view method) {
  auto message = call.read_only();
  if (!message) return call.fail(message.error());
  ForeignAnswer answer;
  Status status = session.call({.method = method,
                                .codec = call.codec(),
                                .body = Bytes::from(*std::move(message)),
                                .metadata = std::move(call.metadata),
                                .accept = call.codec(),
                                .deadline = call.deadline()},
                               answer);
  if (!status.is_ok()) return call.end(status, answer.metadata);
  const auto result = message_of(answer, call);
  if (!result) return call.end(result.error(), answer.metadata);
  wire::Metadata leading;
  wire::Metadata trailing;
  call.part(std::move(answer.metadata), leading, trailing);
  if (Status s = call.begin_answer(leading); !s.is_ok()) return s;
  if (Status s = call.write(*result); !s.is_ok()) return s;
  return call.end({}, trailing);
}

}  // namespace impl

http::Handler make_grpc(Peer& peer, GrpcOptions options) {
  return [grpc = std::make_shared<const Grpc>(peer, std::move(options))](
             http::ServerExchange& exchange) { return grpc->serve(exchange); };
}

bool is_grpc(const http::Request& request) noexcept {
  const auto type = request.headers.get("Content-Type");
  return type && http::same_name(type->substr(0, grpc_type.size()), grpc_type);
}

}  // namespace parley::door
