#include "parley/door/grpc.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "parley/door/grpc_head.h"
#include "parley/door/impl/grpc_call.h"
#include "parley/door/impl/grpc_names.h"
#include "parley/door/impl/grpc_serve.h"
#include "parley/door/impl/session_of.h"
#include "parley/http/syntax.h"
#include "parley/peer/body.h"

namespace parley::door {

using impl::GrpcCall;
using wire::BodyCodec;

namespace {

bool is_found(MethodKind kind) { return kind == MethodKind::call || kind == MethodKind::stream; }

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
    std::string_view method = exchange.request().path();
    MethodKind kind = (*session)->kind_of(method);
    std::string mapped;
    if (!is_found(kind)) {
      const MethodKind other = map(**session, method, mapped);
      if (is_found(other)) kind = other, method = mapped;
    }
    switch (kind) {
      case MethodKind::none:
        return call.fail(
            Status(Code::unimplemented, "no method " + http::quoted(method) + " here"));
      case MethodKind::stream:
        return impl::serve_grpc_stream(call, **session, method);
      case MethodKind::call:
      case MethodKind::other:
        break;
    }
    return impl::serve_grpc_unary(call, **session, method);
  }

 private:
  // Of the names that the path may also mean, the first one that is there.
  MethodKind map(const ForeignSession& session, std::string_view path, std::string& mapped) const {
    auto names = impl::methods_of_path(path, peer_.options().name_mapper);
    for (std::size_t i = 1; i < names.size(); ++i) {
      mapped = std::move(names[i]);
      const MethodKind kind = session.kind_of(mapped);
      if (is_found(kind)) return kind;
    }
    return MethodKind::none;
  }

  Peer& peer_;
  const codec::CodecRegistry& codecs_;
  GrpcOptions options_;
};

// The message that a result is. `kept` holds one that lies in several pieces.
Result<std::string_view> message_of(const ForeignAnswer& answer, const GrpcCall& call,
                                    std::string& kept) {
  std::string_view bytes = answer.body.text_or_number();
  if (answer.body.bytes.piece_count() == 1) {
    bytes = answer.body.bytes.piece(0);
  } else if (!answer.body.bytes.empty()) {
    bytes = kept = answer.body.bytes.to_string();
  }
  if (bytes.empty() && call.codec() == BodyCodec::json) return std::string_view("{}");
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
  if (!status.is_ok()) return call.end(told_of(std::move(status), session), answer.metadata);
  std::string kept;
  const auto result = message_of(answer, call, kept);
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
  return is_grpc_type(request.headers.get("Content-Type").value_or(""));
}

}  // namespace parley::door
