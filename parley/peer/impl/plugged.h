// Plugged: calls that are served and made through plugins. Private to peer.
//
//   if (connection.extras().plugins() != nullptr) [[unlikely]] {
//     return Plugged::exchange(connection, options, method, codec, body);
//   }
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/peer/impl/batch.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/outgoing.h"
#include "parley/peer/impl/plugins.h"
#include "parley/peer/impl/streams.h"
#include "parley/peer/impl/workplace.h"
#include "parley/peer/options.h"
#include "parley/peer/plugin_steps.h"
#include "parley/rt/on_park.h"
#include "parley/wire/message.h"

namespace parley::impl {

class AsyncCall;

struct Plugged {
  // Whether what is called, or opened, on this session goes through plugins.
  static bool calls(Connection& connection) {
    const Plugins* const plugins = connection.extras().plugins();
    return plugins != nullptr && (plugins->has_call() || connection.extras().envelope() != nullptr);
  }
  static bool serves(Connection& connection) {
    const Plugins* const plugins = connection.extras().plugins();
    return plugins != nullptr &&
           (plugins->has_serve() || connection.extras().envelope() != nullptr);
  }
  static bool opens(Connection& connection) {
    const Plugins* const plugins = connection.extras().plugins();
    return plugins != nullptr && plugins->has_open();
  }

  // As the functions of Session and Connection.
  static Result<wire::Message> exchange(Connection& connection, const CallOptions& options,
                                        std::string_view method, wire::BodyCodec codec, Bytes body);
  static Status push(Connection& connection, const CallOptions& options, std::string_view method,
                     wire::BodyCodec codec, Bytes body);
  static Result<OpenedStream> open(Connection& connection, const CallOptions& options,
                                   std::string_view method, wire::BodyCodec codec);
  // The same without plugins.
  static Result<OpenedStream> open_once(Connection& connection, const CallOptions& options,
                                        std::string_view method, wire::BodyCodec codec);
  static void call_all(Connection& connection, const BatchOptions& options,
                       std::span<BatchedCall> calls);
  // What is sent of a PUSH to many; the method is kept in `method`.
  static Status prepare_push(Connection& connection, Outgoing& push, std::string& method);

  // The status of a request that may run: see Connection::serve.
  static Status serve(Connection& connection, Arrived& arrived, Context& context,
                      Connection::Turn& turn, rt::OnPark& waits);

  // A body that is served, and what is answered, without their filters: for plugins that look at
  // it.
  static Status unfilter(Connection& connection, wire::Message& request, rt::OnPark& waits) {
    return connection.unfilter_request(request, waits);
  }
  static Status unfilter(const PeerOptions& options, const wire::FilterPipe& filters,
                         Answer& answer);

  // A request that is served holds more, or less.
  static void count_again(Connection& connection, std::size_t before, std::size_t after);

 private:
  static Status go_through(Connection& connection, Context& context, wire::Message& request,
                           Workplace& place, rt::OnPark& waits);
  static Status route(Connection& connection, Context& context, wire::Message& request,
                      Workplace& place, rt::OnPark& waits);
};

}  // namespace parley::impl
