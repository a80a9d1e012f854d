#include "parley/door/impl/session_of.h"

#include <string>
#include <utility>

#include "parley/rt/context.h"

namespace parley::door::impl {

Result<std::shared_ptr<ForeignSession>> session_of(Peer& peer, http::ServerExchange& exchange) {
  Status failed;
  const auto make = [&]() -> std::shared_ptr<ForeignSession> {
    auto session =
        ForeignSession::open(peer, {.remote = exchange.remote_address(),
                                    .protocol = std::string(http::name_of(exchange.protocol()))});
    if (!session) failed = session.error();
    return session ? *std::move(session) : nullptr;
  };
  std::shared_ptr<ForeignSession> session;
  if (http::Kept* const kept = exchange.kept(); kept != nullptr) {
    session = kept->get<ForeignSession>(make, [](const auto& each) { return each.is_open(); });
  }
  if (session == nullptr && failed.is_ok()) session = make();
  if (session == nullptr) return failed;
  return session;
}

Status told_of(Status status, const ForeignSession& session) {
  if (status.code() != Code::cancelled) return status;
  // Where the other side is gone nobody hears it.
  if (session.is_open() && !rt::Context::current().is_done()) return status;
  return Status(Code::unavailable,
                "the server ends, and the call was cut; what it did until then is not known")
      .with_cause(status.message());
}

}  // namespace parley::door::impl
