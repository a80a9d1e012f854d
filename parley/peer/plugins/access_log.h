// access_log: a line for each CALL, PUSH and stream, served or made, in the form that Teleport's
// users know:
//
//   CALL<- 127.0.0.1:5020(real:10.0.0.7) 1.204ms(fast) "/order/place" RECV({"size":21})
//   SEND({"size":2})
//
// `<-` came from the other side, `->` went there. RECV is what came and SEND what was sent, in the
// order in which that was; sizes are of bodies, before transfer filters. An error is in the part
// that brought it: "status":{"code":..,"message":..,"cause":..}. Of a stream the line comes when it
// was opened (->) or when its handler has returned (<-). What belongs to a trace (trace.h) has
// trace:<its id> behind the method.
//
// A plugin for one peer, or, with a sink of its own, for any number. The sink is called by fibers
// of any worker at once. Put it first: what others refuse is then logged, too. What the other side
// chose is written so that it can forge no line.
//
//   parley::Peer peer({.plugins = {access_log({.slow_after = 100ms})}, .log = &print_line});
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/peer/plugin.h"

namespace parley {

struct AccessLine {
  std::string_view text;
  // It took slow_after or longer: worth a warning.
  bool is_slow = false;
  bool is_error = false;
};

struct AccessLogOptions {
  // Null: the text goes to PeerOptions::log.
  std::function<void(const AccessLine& line)> sink = {};
  // From how long on a call is slow; zero: none is.
  Duration slow_after = Duration::zero();
  // False: "(-)" in place of the time, and no clock is read. Nothing is slow then.
  bool shows_time = true;
  // Metadata of both directions, up to max_detail_bytes each.
  bool shows_metadata = false;
  // So much of each body, as text; zero: none of it.
  std::size_t max_body_bytes = 0;
  std::size_t max_detail_bytes = 1'024;
  // False: what is made here is not logged, or what is served.
  bool logs_made = true;
  bool logs_served = true;
};

Plugin access_log(AccessLogOptions options = {});

}  // namespace parley
