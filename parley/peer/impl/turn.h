// Turn: what a fiber has at hand while it runs a Connection. Private to peer, and to it.
//
// Belongs to that fiber.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/workplace.h"
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

  Connection& of;
  std::optional<rt::StandIn> stand_in;  // while calls are run
  std::unique_ptr<Workplace> place;
  std::size_t next = 0;           // of place->arrived
  ServedCall* serving = nullptr;  // its handler runs
  bool is_reader = false;
  bool is_late = false;       // what it serves has waited for others
  bool has_returned = false;  // the run it is in has returned early
};

}  // namespace parley::impl
