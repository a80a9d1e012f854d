// Foreign: calls that come to a Connection another way than by its stream. Private to peer.
#pragma once

#include <cstdint>
#include <string_view>

#include "parley/base/status.h"
#include "parley/peer/context.h"
#include "parley/peer/foreign_session.h"
#include "parley/peer/handler.h"
#include "parley/peer/impl/connection.h"
#include "parley/rt/deadline.h"
#include "parley/rt/scope.h"
#include "parley/wire/message.h"

namespace parley::impl {

struct Foreign {
  // As the function of ForeignSession.
  static MethodKind kind_of(Connection& connection, std::string_view method);
  // Serves `request`, whose seq is of no other that is under way, on the calling fiber, if it may
  // run. `ends`: what passes on the end of the calling fiber's context.
  static Status serve(Connection& connection, wire::Message& request, rt::Deadline deadline,
                      rt::Scope& ends, Answer& answer, wire::Metadata& metadata);
  // The other side is gone.
  static void end(Connection& connection);
  // Whether the messages of the session are to be enclosed, which is for nobody else to undo.
  static bool is_sealed(Connection& connection);

 private:
  static Status admit(Connection& connection, wire::Message& request);
  static Status run(Connection& connection, Context& context, wire::Message& request,
                    Answer& answer);
  static Status route(Connection& connection, Context& context, wire::Message& request,
                      Answer& answer);
};

}  // namespace parley::impl
