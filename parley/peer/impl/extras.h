// Extras: what a session keeps beside its conversation. Private to peer.
//
// Fiber-safe, inside a fiber only. Small until something is kept: most sessions keep nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/peer/envelope.h"
#include "parley/peer/options.h"
#include "parley/peer/session_values.h"
#include "parley/rt/deadline.h"

namespace parley::impl {

class Line;
class Plugins;
class Shortcut;

// Called with the reason.
using OnClosed = std::function<void(const Status&)>;

class Extras {
 public:
  // Both must outlive it.
  Extras(const PeerOptions& options, const std::string& remote_address,
         std::shared_ptr<Line> line = {});
  ~Extras();
  Extras(const Extras&) = delete;
  Extras& operator=(const Extras&) = delete;

  // Those of its peer; null when there are none. Set before anybody else knows of the session.
  void set_plugins(std::shared_ptr<const Plugins> plugins) { plugins_ = std::move(plugins); }
  [[nodiscard]] const Plugins* plugins() const { return plugins_.get(); }
  // What its messages travel in; null when they travel as they are. Only a plugin sets it, before
  // anybody else knows of the session: who has no plugins need not look.
  void set_envelope(std::shared_ptr<Envelope> envelope) { envelope_ = std::move(envelope); }
  [[nodiscard]] Envelope* envelope() const { return envelope_.get(); }

  [[nodiscard]] const PeerOptions& options() const { return options_; }
  // Of the session that this connection is one of, if it is dialled again; otherwise null.
  [[nodiscard]] Line* line() const { return line_.get(); }
  // To the other side, where that is in this process; otherwise null. Set before anybody else knows
  // of the session.
  void set_shortcut(std::unique_ptr<Shortcut> shortcut);
  [[nodiscard]] Shortcut* shortcut() const { return shortcut_.get(); }
  [[nodiscard]] Instant since() const { return since_; }
  [[nodiscard]] SessionValues& values();

  [[nodiscard]] std::string real_ip() const;
  Status set_real_ip(const std::string& ip);

  // See RequestLines.
  bool may_log_request(std::size_t& left_out);
  [[nodiscard]] std::size_t requests_not_logged();

  Status add_on_closed(OnClosed callback);
  // All there are; none is added from here on.
  std::vector<OnClosed> take_on_closed();
  // From here on there are no values.
  void end_values();

 private:
  struct Kept;
  Kept& kept();

  const Instant since_ = rt::now();
  std::shared_ptr<const Plugins> plugins_;
  std::shared_ptr<Envelope> envelope_;
  const PeerOptions& options_;
  const std::string& remote_address_;
  const std::shared_ptr<Line> line_;
  std::unique_ptr<Shortcut> shortcut_;
  std::atomic<bool> has_closed_ = false;
  std::atomic<bool> has_no_values_ = false;
  std::atomic<Kept*> kept_ = nullptr;  // made when it is needed, and never taken away
};

}  // namespace parley::impl
