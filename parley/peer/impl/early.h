// Early: a session before it serves, and after it has ended, as its plugins see it. Private to
// peer.
//
//   Introductions introductions;
//   std::string id;
//   Status status = introductions.introduce(*connection, Side::accepted, false, id);
//   if (status.is_ok()) connection->begin();
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/peer/early_session.h"
#include "parley/peer/impl/plugins.h"
#include "parley/peer/options.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/mutex.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Connection;

// A stream that can be taken out of what shares it, by who knows that nobody else does.
std::shared_ptr<net::Stream> share_stream(std::unique_ptr<net::Stream> stream);

struct Early {
  // See EarlySession. By the fiber that introduces it: nobody else uses it yet.
  static Status send(Connection& connection, const wire::Message& message, rt::Deadline deadline);
  static Result<wire::Message> receive(Connection& connection, Side side,
                                       const EarlyOptions& options);
  static Status replace_stream(Connection& connection, const EarlySession::Wrap& wrap);
  static net::Stream& stream(Connection& connection);

  // Asks the hooks for that side. `id`: what it is to be called by, if that is not empty. Those
  // asked before the one that refused hear of the end, unless it is a redial.
  static Status ask(Connection& connection, Side side, bool is_redial, std::string& id);
  static void say_why(Connection& connection, const Status& status);
  // The reason, with what to look at where the other side was to speak first and has not.
  static Status of_silence(const Connection& connection, const Status& reason);
  // Tells the first `count` plugins that it has ended; each of them waits no longer than shorten()
  // has said, or drain_timeout.
  static void tell_of_end(Connection& connection, const Status& reason, std::size_t count);
  static void tell_of_end(Connection& connection, const Status& reason);
  // Also for those that are being told. Never longer than what was said before.
  static void shorten(Connection& connection, std::optional<Duration> patience);
};

// Those that are asked for at present. Fiber-safe.
class Introductions {
 public:
  // Early::ask() within early_timeout, and until end_all().
  Status introduce(Connection& connection, Side side, bool is_redial, std::string& id);
  // From here on none succeeds, and those that wait end. `patience`: how long hooks are waited for
  // that are told of that end; nothing: drain_timeout. Once more to make it shorter.
  void end_all(const Status& why, std::optional<Duration> patience);
  // Without those of sessions that are dialled again, which are counted already.
  [[nodiscard]] std::size_t size() const;

 private:
  mutable rt::Mutex lock_;  // of what follows
  std::map<const rt::Cancel*, Connection*> all_;
  std::size_t redials_ = 0;  // of these
  Status over_;
};

}  // namespace parley::impl
