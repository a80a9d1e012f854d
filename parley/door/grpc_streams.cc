// Streams of gRPC: client streaming, server streaming and both ways are one and the same here, a
// method of handle_stream(). One fiber reads the request, one runs the handler, and that of the
// exchange writes: each direction waits for its own other side.
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/door/impl/grpc_serve.h"
#include "parley/peer/foreign_stream.h"
#include "parley/rt/scope.h"

namespace parley::door::impl {
namespace {

// What comes goes to the handler, until there is no more or it wants no more.
void give_all(GrpcCall& call, ForeignStream& stream) {
  for (;;) {
    auto message = call.read();
    if (!message) return stream.cancel(message.error());
    if (!*message) return stream.finish();
    const Status given = stream.give(Bytes::from(**std::move(message)));
    if (given.code() == Code::cancelled) return;  // it has ended
    if (!given.is_ok()) return stream.cancel(given);
  }
}

Status write(GrpcCall& call, const Bytes& message) {
  if (!call.exchange().has_begun()) {
    if (Status s = call.begin_answer({}); !s.is_ok()) return s;
  }
  if (message.piece_count() == 1) return call.write(message.piece(0));
  return call.write(message.to_string());
}

// What the handler sends goes out, to its end, which is `ended`. An error is that of the exchange.
// Messages that are there together leave together.
Status take_all(GrpcCall& call, ForeignStream& stream, Status& ended) {
  for (;;) {
    auto message = stream.take();
    if (!message) ended = message.error();
    if (!message || !*message) return {};
    if (Status s = write(call, **message); !s.is_ok()) return s;
    if (stream.has_some()) continue;
    if (Status s = call.exchange().flush(); !s.is_ok()) return s;
  }
}

}  // namespace

Status serve_grpc_stream(GrpcCall& call, ForeignSession& session, std::string_view method) {
  const auto opened = session.open_stream({.method = method,
                                           .codec = call.codec(),
                                           .metadata = std::move(call.metadata),
                                           .deadline = call.deadline()});
  if (!opened) return call.fail(opened.error());
  ForeignStream& stream = **opened;
  // Each message has its limit, and silence is the handler's business.
  call.exchange().lift_body_limits();
  rt::Scope reader(rt::OnExit::cancel);
  if (!reader.try_go("grpc reader", [&] { give_all(call, stream); })) {
    return call.fail(Status(Code::resource_exhausted, "max_fibers: no fiber for the stream"));
  }
  Status ended;
  if (Status s = take_all(call, stream, ended); !s.is_ok()) {
    stream.cancel(s);
    return s;
  }
  reader.cancel();
  reader.join();
  const auto metadata = stream.end_metadata();
  // A stream has begun to answer where its end is ok, and then has a head and trailers.
  if (ended.is_ok() && !call.exchange().has_begun()) {
    if (Status s = call.begin_answer({}); !s.is_ok()) return s;
  }
  return call.end(ended, metadata ? *metadata : wire::Metadata());
}

}  // namespace parley::door::impl
