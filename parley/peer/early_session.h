// EarlySession and ClosedSession: what a plugin sees of a session that does not serve yet, and of
// one that has ended. They have no call(): what is not possible at that moment is not there.
//
// Each belongs to the fiber it is handed to, until that returns.
//
//   .after_accept = [](EarlySession& session) -> Status {
//     auto first = session.receive({.timeout = 2s});
//     if (!first) return first.error();
//     auto user = user_of(first->body);
//     if (!user) return user.error();                  // which who dialled is told
//     if (Status s = session.set_id(user->name); !s.is_ok()) return s;
//     return session.send({.seq = first->seq, .type = wire::MessageType::auth_reply});
//   }
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/peer/envelope.h"
#include "parley/peer/options.h"
#include "parley/peer/session.h"
#include "parley/peer/session_values.h"
#include "parley/wire/message.h"

namespace parley {

namespace impl {
struct Early;
}

// Of EarlySession::send and receive.
struct EarlyOptions {
  // Within what is left of PeerOptions::early_timeout.
  Duration timeout = std::chrono::seconds(5);
  // Of receive: so much may come before the message is whole. Whoever is there has not said yet who
  // it is.
  std::size_t max_bytes = std::size_t{64} << 10U;
};

// What any moment of a session has.
class SessionView {
 public:
  [[nodiscard]] SessionNumber number() const;
  [[nodiscard]] std::string local_address() const;
  [[nodiscard]] std::string remote_address() const;
  // See Session.
  [[nodiscard]] std::string real_ip() const;
  [[nodiscard]] Instant since() const;
  [[nodiscard]] Duration age() const;

  SessionView(const SessionView&) = delete;
  SessionView& operator=(const SessionView&) = delete;

 protected:
  explicit SessionView(impl::Connection& connection) : connection_(connection) {}
  ~SessionView() = default;

  impl::Connection& connection_;
};

// Before it can be found, and before a message is looked at. What is given to it here it has from
// its first moment on.
class EarlySession : public SessionView {
 public:
  [[nodiscard]] Side side() const { return side_; }
  // Dialled again after it was cut: what the other side was told before has to be said again.
  [[nodiscard]] bool is_redial() const { return is_redial_; }

  [[nodiscard]] SessionValues& values() const;
  // As Session::set_id, from the moment it can be found: then it takes the id from who has it.
  Status set_id(std::string_view id);
  [[nodiscard]] const std::string& wanted_id() const { return id_; }
  Status set_real_ip(const std::string& ip);

  // The connection, for what its options are; neither read from nor write to it.
  [[nodiscard]] net::Stream& stream() const;
  // Puts what `wrap` makes of the stream in its place, a TLS stream around it, say; its error (or
  // internal, when it threw or made none) ends the session: from then on stream() is closed, and
  // send(), receive() and this return that error. The addresses stay as they were.
  // failed_precondition once send() or receive() was called.
  using Wrap = std::function<Result<std::unique_ptr<net::Stream>>(std::unique_ptr<net::Stream>)>;
  Status replace_stream(const Wrap& wrap);

  // What all messages of this connection travel in from here on (envelope.h), those of the next
  // plugin's exchange too. Who is dialled again has to set one again. failed_precondition when
  // there is one.
  Status set_envelope(std::shared_ptr<Envelope> envelope);

  // One exchange of each plugin before everything else: a message of type auth_call by who dialled,
  // answered by auth_reply. Both sides make theirs in the order of their plugins. Each is sent, and
  // received, once: failed_precondition the second time, and when who accepted sends before it has
  // received (until then it does not know what is spoken).
  // unimplemented in a framing without such messages; not_sent when it cannot be sent in time: the
  // session cannot go on then, as after an error of receive().
  Status send(const wire::Message& message, const EarlyOptions& options = {});
  // The first message of the other side. unauthenticated when it is of another type: the session
  // cannot go on. deadline_exceeded after the timeout; resource_exhausted at max_bytes; unavailable
  // when the other side closed; the context's status when that came first. Its `method` is valid
  // until the hook returns.
  Result<wire::Message> receive(const EarlyOptions& options = {});

 private:
  friend struct impl::Early;
  EarlySession(impl::Connection& connection, Side side, bool is_redial)
      : SessionView(connection), side_(side), is_redial_(is_redial) {}

  const Side side_;
  const bool is_redial_;
  std::string id_;
  Status broken_;               // why it cannot go on, whatever the plugins say
  bool has_no_stream_ = false;  // it could not be replaced, which `broken_` says
  bool has_sent_ = false;
  bool has_received_ = false;
  bool has_begun_ = false;  // by any plugin
};

class ClosedSession : public SessionView {
 public:
  [[nodiscard]] const SessionValues& values() const;
  // What it was called by.
  [[nodiscard]] std::string id() const;
  // As Session::wait_closed() returns it; of one that never was to be found, who refused it.
  [[nodiscard]] const Status& reason() const { return reason_; }

 private:
  friend struct impl::Early;
  ClosedSession(impl::Connection& connection, const Status& reason)
      : SessionView(connection), reason_(reason) {}

  const Status& reason_;
};

}  // namespace parley
