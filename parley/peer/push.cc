#include "parley/peer/push.h"

#include <algorithm>
#include <string>
#include <vector>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/plugged.h"
#include "parley/peer/impl/pushing.h"
#include "parley/peer/impl/terms.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"

namespace parley {

namespace impl {

const PeerOptions& options_of(std::span<const Session> sessions) {
  static const PeerOptions usual;
  return sessions.empty() ? usual : sessions.front().options();
}

}  // namespace impl

namespace {

using impl::Pushing;

// So long one session is waited for; then it is looked which of the others have room by now.
constexpr Duration longest_wait_for_one = std::chrono::milliseconds(2);

bool is_over(rt::Deadline deadline) {
  return deadline.is_over() || rt::Context::current().is_done();
}

// What plugins made of it for one session.
struct Own {
  impl::Outgoing push{};
  std::string method{};
  bool is_plugged = false;
  bool is_refused = false;
};

// One message on its way to many sessions.
class ManyPushes {
 public:
  explicit ManyPushes(impl::Outgoing push) : push_(std::move(push)) {}

  // Where there are plugins, each session has a message of its own.
  void go_through_plugins(std::span<const Session> sessions) {
    first_ = sessions.data();
    for (const Session& session : sessions) {
      Pushing::with(session, [&](impl::Connection& connection) {
        if (!impl::Plugged::calls(connection)) return;
        own_.resize(sessions.size());
        Own& own = own_[static_cast<std::size_t>(&session - first_)];
        own.is_plugged = true;
        own.push = push_;
        own.is_refused = !impl::Plugged::prepare_push(connection, own.push, own.method).is_ok();
      });
    }
  }

  // False when there is no room.
  bool push_to_one(const Session& session, WhenFull when_full) {
    switch (try_push(session, when_full)) {
      case impl::Tried::sent:
        ++pushed_.sent;
        return true;
      case impl::Tried::cut:
        ++pushed_.closed;
        return true;
      case impl::Tried::failed:
        ++pushed_.failed;
        return true;
      case impl::Tried::no_room:
        break;
    }
    return false;
  }

  // Those that are full are waited for by turns.
  void push_in_time(std::vector<const Session*>& full, rt::Deadline deadline) {
    for (std::size_t turn = 0; !full.empty() && !is_over(deadline); ++turn) {
      const auto one = full.begin() + static_cast<std::ptrdiff_t>(turn % full.size());
      const auto turn_ends = std::min(deadline, rt::Deadline::after(longest_wait_for_one));
      (void)Pushing::with(**one, [&](impl::Connection& connection) {
        return connection.await_room(message_to(**one), turn_ends);
      });
      std::erase_if(full, [&](const Session* each) { return push_to_one(*each, WhenFull::wait); });
    }
    drop(full.size());
  }

  void drop(std::size_t count) { pushed_.dropped += count; }
  [[nodiscard]] const Pushed& pushed() const { return pushed_; }

 private:
  // Plugins may have made it larger: then it waits for what a smaller one need not wait for.
  [[nodiscard]] const wire::Message& message_to(const Session& session) const {
    if (own_.empty()) return push_.message;
    const Own& own = own_[static_cast<std::size_t>(&session - first_)];
    return own.is_plugged ? own.push.message : push_.message;
  }

  impl::Tried try_push(const Session& session, WhenFull when_full) {
    return Pushing::with(session, [&](impl::Connection& connection) {
      if (!own_.empty()) [[unlikely]] {
        const Own& own = own_[static_cast<std::size_t>(&session - first_)];
        if (own.is_refused) return impl::Tried::failed;
        if (own.is_plugged) {
          impl::Outgoing push = own.push;
          impl::FilteredBody not_shared;
          return connection.try_push(push, not_shared, when_full);
        }
      }
      if (push_.message.filters.empty()) return connection.try_push(push_, once_, when_full);
      // What travels instead of the body is not the same for every session.
      impl::Outgoing own = push_;
      return connection.try_push(own, once_, when_full);
    });
  }

  impl::Outgoing push_;
  impl::FilteredBody once_;
  const Session* first_ = nullptr;
  std::vector<Own> own_;  // one for each session, or none
  Pushed pushed_;
};

}  // namespace

Pushed push_raw_to(std::span<const Session> sessions, const PushOptions& options,
                   std::string_view method, wire::BodyCodec codec, const Bytes& body) {
  ManyPushes pushes({.message = {.type = wire::MessageType::push,
                                 .method = method,
                                 .metadata = options.metadata,
                                 .body_codec = codec,
                                 .filters = options.filters,
                                 .body = body}});
  const auto deadline = rt::Deadline::after(options.timeout);
  pushes.go_through_plugins(sessions);
  std::vector<const Session*> full;
  for (const Session& session : sessions) {
    if (!pushes.push_to_one(session, options.when_full)) full.push_back(&session);
  }
  if (options.when_full == WhenFull::wait) {
    pushes.push_in_time(full, deadline);
  } else {
    pushes.drop(full.size());
  }
  return pushes.pushed();
}

}  // namespace parley
