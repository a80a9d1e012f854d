#include "parley/peer/plugins/auth.h"

#include <optional>
#include <utility>

#include "parley/base/guard.h"

namespace parley {
namespace {

using wire::Message;
using wire::MessageType;

Message message_of(MessageType type, std::int32_t seq, Credentials credentials) {
  return {.seq = seq,
          .type = type,
          .metadata = std::move(credentials.metadata),
          .body_codec = credentials.codec,
          .body = std::move(credentials.body)};
}

Credentials credentials_in(Message message) {
  return {.body = std::move(message.body),
          .codec = message.body_codec,
          .metadata = std::move(message.metadata)};
}

Status show_who(EarlySession& session, const ShowCredentials& show,
                const CredentialsAnswered& answered, const EarlyOptions& options) {
  auto shown = show(session);
  if (!shown) return shown.error();
  constexpr std::int32_t seq = 1;
  const Message question = message_of(MessageType::auth_call, seq, *std::move(shown));
  if (Status s = session.send(question, options); !s.is_ok()) return s;
  auto reply = session.receive(options);
  if (reply.error().code() == Code::unavailable) {
    return Status(Code::unavailable,
                  "the other side closed the connection when it was told who is there: does its "
                  "peer have an auth_checker?")
        .with_cause(reply.error().message());
  }
  if (!reply) return reply.error();
  if (!reply->status.is_ok()) return reply->status;
  if (reply->seq != seq) return {Code::unauthenticated, "the answer is to another question"};
  return answered ? answered(session, credentials_in(*std::move(reply))) : Status();
}

Status check_who(EarlySession& session, const CheckCredentials& check,
                 const EarlyOptions& options) {
  auto question = session.receive(options);
  if (!question) return question.error();
  const std::int32_t seq = question->seq;
  const Credentials shown = credentials_in(*std::move(question));
  std::optional<Result<Credentials>> checked;
  const Status thrown = guarded([&] { checked.emplace(check(session, shown)); });
  // What it threw is for the log here, and not for who has shown nothing yet.
  Status refused = thrown.is_ok() ? checked->error() : thrown;
  if (refused.is_ok()) {
    return session.send(message_of(MessageType::auth_reply, seq, *std::move(*checked)), options);
  }
  const Status told = thrown.is_ok() ? refused : Status(Code::internal, "the check has failed");
  (void)session.send({.seq = seq, .type = MessageType::auth_reply, .status = told}, options);
  return refused;
}

}  // namespace

Plugin auth_bearer(ShowCredentials show, CredentialsAnswered answered,
                   const EarlyOptions& options) {
  return {.name = "auth_bearer",
          .after_dial = [show = std::move(show), answered = std::move(answered),
                         options](EarlySession& session) {
            return show_who(session, show, answered, options);
          }};
}

Plugin auth_bearer(const Credentials& credentials) {
  return auth_bearer([credentials](EarlySession&) -> Result<Credentials> { return credentials; });
}

Plugin auth_checker(CheckCredentials check, const EarlyOptions& options) {
  return {.name = "auth_checker",
          .after_accept = [check = std::move(check), options](EarlySession& session) {
            return check_who(session, check, options);
          }};
}

}  // namespace parley
