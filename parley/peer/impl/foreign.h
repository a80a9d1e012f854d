// Foreign: calls that come to a Connection another way than by its stream. Private to peer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/peer/context.h"
#include "parley/peer/foreign_session.h"
#include "parley/peer/handler.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/options.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/scope.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

struct ForeignEnd;

struct Foreign {
  // As the function of ForeignSession.
  static MethodKind kind_of(Connection& connection, std::string_view method);
  // Serves `request`, whose seq is of no other that is under way, on the calling fiber, if it may
  // run. `ends`: what passes on the end of the calling fiber's context.
  static Status serve(Connection& connection, wire::Message& request, rt::Deadline deadline,
                      rt::Scope& ends, Answer& answer, wire::Metadata& metadata);
  static const PeerOptions& options_of(const Connection& connection);
  // The other side is gone.
  static void end(Connection& connection);
  // Whether the messages of the session are to be enclosed, which is for nobody else to undo.
  static bool is_sealed(Connection& connection);

  // Streams (foreign_end.cc). What the fibers of the session run under.
  static const rt::Context& context_of(Connection& connection);
  // A stream that may run: serve_stream() or drop() has to follow.
  static Result<std::shared_ptr<StreamCore>> open(Connection& connection, wire::Message& request,
                                                  rt::Deadline deadline);
  static void serve_stream(Connection& connection, StreamCore& core, wire::Message& request,
                           Instant came_at);
  static void drop(Connection& connection, StreamCore& core, const wire::Message& request);
  // As the functions of ForeignStream. give_up() is false where it has ended.
  static Status give(Connection& connection, StreamCore& core, Bytes body, rt::Deadline deadline);
  static void finish(Connection& connection, StreamCore& core);
  static Result<std::optional<Bytes>> take(Connection& connection, StreamCore& core,
                                           rt::Deadline deadline);
  static Result<std::optional<wire::Metadata>> take_head(Connection& connection, StreamCore& core,
                                                         rt::Deadline deadline);
  static bool has_some(Connection& connection, const StreamCore& core);
  static bool give_up(Connection& connection, StreamCore& core, const Status& why);
  static bool is_given_up(Connection& connection, const StreamCore& core);
  static Result<wire::Metadata> end_metadata(Connection& connection, const StreamCore& core);
  // By the handler.
  static Status send(Connection& connection, StreamCore& core, Bytes body, rt::Deadline deadline);
  // Under the lock, by who receives: from here on its metadata comes too late for the head.
  static void before_receive(StreamCore& core);

 private:
  static void set_head(ForeignEnd& end);
  static void set_given_up(Connection& connection, StreamCore& core, Status why);
  static Status admit(Connection& connection, wire::Message& request);
  static Status run(Connection& connection, Context& context, wire::Message& request,
                    Answer& answer);
  static Status route(Connection& connection, Context& context, wire::Message& request,
                      Answer& answer);
};

}  // namespace parley::impl
