// Pushing: from a Session to what is behind it. Private to peer.
//
//   std::shared_ptr<Connection> behind = Pushing::connection_of(session);
#pragma once

#include <memory>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/session.h"

namespace parley::impl {

struct Pushing {
  // The one it was made of: the first one, of a session that is dialled again.
  static const std::shared_ptr<Connection>& connection_of(const Session& session) {
    return session.connection_;
  }

  // `use` gets the connection of the moment.
  template <class Use>
  static auto with(const Session& session, Use use) {
    const Line* const line = session.connection_->extras().line();
    if (line == nullptr) return use(*session.connection_);
    const std::shared_ptr<Connection> now = line->connection_if_up();
    return use(now == nullptr ? *session.connection_ : *now);
  }
};

}  // namespace parley::impl
