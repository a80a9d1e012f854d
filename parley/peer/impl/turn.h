// Turn: what a fiber has at hand while it runs a Connection. Private to peer, and to it.
//
// Belongs to that fiber.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "parley/peer/context.h"
#include "parley/peer/impl/call_table.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/workplace.h"
#include "parley/peer/router.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/ready_queue.h"

namespace parley::impl {

// One fiber's turn as the reader, which a wait of a handler ends.
struct Connection::Turn {
  explicit Turn(Connection& connection) : of(connection), place(connection.workplaces_.get()) {}
  ~Turn() {
    place->arrived.clear();
    place->answer.clear();
    of.workplaces_.put(std::move(place));
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // Serving (connection_serving.cc).
  void serve_quick(rt::Deadline late_by, rt::OnPark& waits);
  void begin_quick(Arrived& arrived, std::uint64_t number);
  void end_quick(Arrived& arrived, const Router::Method& called, Status status, rt::OnPark& waits);
  void forget_quick();
  const Router::Method* find_method(std::string_view name);
  Status run_call(const Router::Method& called, Arrived& arrived, Context& context_of_call,
                  rt::OnPark& waits);
  bool gather(const wire::Message& request);
  bool gather_small(const wire::Message& request);
  void add_gathered();
  void look_for_slow(Instant start);

  Connection& of;
  std::optional<rt::StandIn> stand_in;  // while calls are run
  // What the handler runs under, of one quick call after the other.
  std::optional<rt::DeferredContext> context;
  std::optional<ServedCall> served;  // refers to that
  std::optional<parley::Context> called_with;
  const Router::Method* method = nullptr;  // what was found last, in this run of calls,
  std::string_view method_at;              // and by which text: there it is the same
  std::unique_ptr<Workplace> place;
  std::size_t next = 0;           // of place->arrived
  ServedCall* serving = nullptr;  // its handler runs
  bool is_reader = false;
  bool is_late = false;       // what it serves has waited for others
  bool has_returned = false;  // the run it is in has returned early
};

}  // namespace parley::impl
