// Streams of gRPC: client streaming, server streaming and both ways are one and the same here, a
// method of handle_stream(). One fiber reads the request, one runs the handler, and that of the
// exchange writes: each direction waits for its own other side.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/door/impl/grpc_serve.h"
#include "parley/door/impl/session_of.h"
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

// The head leaves with the first message, or when the handler waits for the client, which may wait
// for the head. `told` is what was in it. Without one take() tells how it ended.
Status begin(GrpcCall& call, ForeignStream& stream, wire::Metadata& told) {
  auto head = stream.take_head();
  if (!head || !*head) return {};
  wire::Metadata behind;
  call.part(**std::move(head), told, behind);
  if (Status s = call.begin_answer(told); !s.is_ok()) return s;
  return stream.has_some() ? Status() : call.exchange().flush();
}

Status write(GrpcCall& call, const Bytes& message) {
  if (!call.exchange().has_begun()) {  // the wait for the head was cut short
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

// Ends the call: behind the answer goes what was not in front of it.
Status end(GrpcCall& call, const Status& ended, wire::Metadata metadata,
           const wire::Metadata& told) {
  wire::Metadata behind;
  if (call.exchange().has_begun()) {
    std::vector<bool> is_used(told.size());
    for (const auto& entry : metadata) {
      std::size_t i = 0;
      for (const auto& other : told) {
        if (!is_used[i] && other == entry) break;
        ++i;
      }
      if (i == told.size()) {
        behind.add(entry.key, entry.value);
      } else {
        is_used[i] = true;
      }
    }
  } else if (ended.is_ok()) {
    wire::Metadata leading;
    call.part(std::move(metadata), leading, behind);
    if (Status s = call.begin_answer(leading); !s.is_ok()) return s;
  } else {
    behind = std::move(metadata);
  }
  return call.end(ended, behind);
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
  wire::Metadata told;
  Status ended;
  Status status = begin(call, stream, told);
  if (status.is_ok()) status = take_all(call, stream, ended);
  if (!status.is_ok()) {
    stream.cancel(status);
    return status;
  }
  reader.cancel();
  reader.join();
  auto metadata = stream.end_metadata();
  return end(call, told_of(std::move(ended), session),
             metadata ? *std::move(metadata) : wire::Metadata(), told);
}

}  // namespace parley::door::impl
