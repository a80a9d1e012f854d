#include "parley/peer/foreign_session.h"

#include <utility>
#include <vector>

#include "parley/peer/impl/accept.h"
#include "parley/peer/impl/foreign.h"
#include "parley/peer/impl/foreign_stream.h"
#include "parley/peer/impl/pushing.h"

namespace parley {
namespace {

// A connection may have more calls than there are numbers.
std::int32_t number_after(std::atomic<std::uint32_t>& last) {
  return static_cast<std::int32_t>(last.fetch_add(1, std::memory_order_relaxed) + 1);
}

}  // namespace

Result<std::unique_ptr<ForeignSession>> ForeignSession::open(Peer& peer,
                                                             const ForeignOptions& options) {
  auto session =
      peer.serve(impl::make_foreign_stream(options.local, options.remote, options.protocol),
                 Side::accepted, {impl::make_foreign_framing(options.protocol)});
  if (!session) return session.error();
  std::unique_ptr<ForeignSession> made(new ForeignSession(*std::move(session)));
  if (!impl::Foreign::is_sealed(*impl::Pushing::connection_of(made->session_))) return made;
  return Status(Code::failed_precondition,
                "a plugin of the peer seals its messages: what comes by " + options.protocol +
                    " is not sealed; give that plugin to a peer of its own");
}

ForeignSession::ForeignSession(Session session) : session_(std::move(session)) {}

ForeignSession::~ForeignSession() { impl::Foreign::end(*impl::Pushing::connection_of(session_)); }

MethodKind ForeignSession::kind_of(std::string_view method) const {
  return impl::Foreign::kind_of(*impl::Pushing::connection_of(session_), method);
}

Status ForeignSession::call(ForeignCall call, ForeignAnswer& answer) {
  // Without a word the result is written as the arguments are.
  if (call.accept && *call.accept != call.codec) {
    impl::set_accepted(call.metadata, *call.accept);
  }
  wire::Message request{.seq = number_after(last_number_),
                        .method = call.method,
                        .metadata = std::move(call.metadata),
                        .body_codec = call.codec,
                        .body = std::move(call.body)};
  return impl::Foreign::serve(*impl::Pushing::connection_of(session_), request, call.deadline,
                              ends_, answer.body, answer.metadata);
}

Result<std::unique_ptr<ForeignStream>> ForeignSession::open_stream(ForeignCall call) {
  wire::Message request{.seq = number_after(last_number_),
                        .type = wire::MessageType::open,
                        .metadata = std::move(call.metadata),
                        .body_codec = call.codec};
  std::unique_ptr<ForeignStream> stream(new ForeignStream(
      impl::Pushing::connection_of(session_), std::string(call.method), std::move(request)));
  if (Status s = stream->begin(call.deadline); !s.is_ok()) return s;
  return stream;
}

}  // namespace parley
