// The session of a peer that stands for the connection of a request. Private to door.
#pragma once

#include <memory>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/peer/foreign_session.h"
#include "parley/peer/peer.h"

namespace parley::door::impl {

// One for each connection, where the exchange keeps something; else one for this request. Errors as
// of ForeignSession::open(). Never null.
Result<std::shared_ptr<ForeignSession>> session_of(Peer& peer, http::ServerExchange& exchange);

// How a call ended, as the other side is told it: what our own end has cut is unavailable, for
// cancelled would be its own doing.
Status told_of(Status status, const ForeignSession& session);

}  // namespace parley::door::impl
