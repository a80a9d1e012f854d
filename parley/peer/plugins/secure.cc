#include "parley/peer/plugins/secure.h"

#include <algorithm>
#include <string>
#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/impl/secure_envelope.h"
#include "parley/peer/impl/secure_hello.h"

namespace parley {
namespace {

using impl::SecureHello;
using impl::SecureIdentity;
using impl::SecureTerms;
using wire::Message;
using wire::MessageType;

constexpr std::size_t least_shared_key = 32;
constexpr std::int32_t seq = 1;

Message message_of(MessageType type, const std::string& hello) {
  return {.seq = seq,
          .type = type,
          .body_codec = wire::BodyCodec::plain,
          .body = Bytes::copy_of(hello)};
}

// The plugin's own, shared by its hooks.
class Secure {
 public:
  explicit Secure(SecureOptions options)
      : options_(std::move(options)),
        terms_{.algorithm = options_.algorithm,
               .is_always = options_.when == SecureWhen::always,
               .messages_per_key = options_.messages_per_key},
        why_not_(prepare()) {}

  [[nodiscard]] const Status& why_not() const { return why_not_; }
  Status dial(EarlySession& session) const;
  Status accept(EarlySession& session) const;

 private:
  Status prepare();
  [[nodiscard]] std::shared_ptr<Envelope> envelope_of(crypto::SealedSequences keys) const {
    return std::make_shared<impl::SecureEnvelope>(std::move(keys), terms_.is_always,
                                                  options_.max_message_bytes);
  }
  [[nodiscard]] crypto::SequenceOptions sequences(crypto::Side side) const;
  Status answer(EarlySession& session, const SecureHello& first, Message& reply,
                std::shared_ptr<Envelope>& envelope) const;
  Status believe(EarlySession& session, const SecureHello& theirs) const;

  const SecureOptions options_;
  const SecureTerms terms_;
  SecureIdentity identity_;
  const Status why_not_;
};

crypto::SequenceOptions Secure::sequences(crypto::Side side) const {
  crypto::SequenceOptions of;
  of.side = side;
  of.algorithm = options_.algorithm;
  of.window =
      static_cast<std::size_t>(std::min<std::uint64_t>(options_.window, options_.messages_per_key));
  of.messages_per_key = options_.messages_per_key;
  of.max_message_bytes = options_.max_message_bytes;
  of.max_messages = options_.max_messages;
  of.max_forged = options_.max_forged;
  return of;
}

Status Secure::prepare() {
  const bool has_shared = options_.shared_key != nullptr;
  const bool asks = has_shared || !options_.trusted.empty();
  if (!asks && !options_.trust_anybody) {
    return {Code::invalid_argument,
            "SecureOptions: who is to be believed? Give a shared_key or trusted keys; with "
            "trust_anybody whoever is in between may read all"};
  }
  if (asks && options_.trust_anybody) {
    return {Code::invalid_argument,
            "SecureOptions: trust_anybody together with a shared_key or trusted keys"};
  }
  if (has_shared && options_.shared_key->size() < least_shared_key) {
    return {Code::invalid_argument, "SecureOptions::shared_key has " +
                                        std::to_string(options_.shared_key->size()) +
                                        " bytes; at least 32 are needed, and at random"};
  }
  identity_.own_key = options_.own_key;
  identity_.trusted = options_.trusted;
  if (has_shared) {
    auto proof = impl::proof_key_of(*options_.shared_key);
    if (!proof) return proof.error();
    identity_.shared_key = options_.shared_key->clone();
    identity_.proof_key = *std::move(proof);
  }
  // What else is out of its range is seen by who uses it.
  crypto::SequenceOptions all = sequences(crypto::Side::dialer);
  all.salt = std::string(crypto::SequenceOptions::min_salt, 's');
  const auto tried = crypto::derive_sequences(crypto::Secret::zeros(least_shared_key), all);
  return tried ? Status() : tried.error().with_context("SecureOptions");
}

Status Secure::believe(EarlySession& session, const SecureHello& theirs) const {
  if (!options_.agreed) return {};
  if (theirs.identity.empty()) return options_.agreed(session, nullptr);
  const auto key = crypto::VerifyingKey::from_bytes(theirs.identity);
  return key ? options_.agreed(session, &*key) : key.error();
}

Status Secure::dial(EarlySession& session) const {
  const auto pair = crypto::X25519Pair::generate();
  if (!pair) return pair.error();
  const auto first = SecureHello::make(terms_, identity_, pair->public_key(), {});
  if (!first) return first.error();
  Status sent = session.send(message_of(MessageType::auth_call, first->bytes), options_.early);
  if (!sent.is_ok()) return sent;
  const auto reply = session.receive(options_.early);
  if (reply.error().code() == Code::unavailable) {
    return Status(Code::unavailable,
                  "the other side closed the connection when a secure session was begun: does its "
                  "peer have the secure plugin?")
        .with_cause(reply.error().message());
  }
  if (!reply) return reply.error();
  if (!reply->status.is_ok()) return reply->status;
  const auto second = SecureHello::parse(reply->body.to_string());
  if (!second) return second.error();
  Status status = impl::check_hello(*second, identity_, terms_, first->bytes);
  if (!status.is_ok()) return status;
  auto keys = impl::derive_secure(*pair, *second, *first, *second, identity_,
                                  sequences(crypto::Side::dialer));
  if (!keys) return keys.error();
  status = believe(session, *second);
  if (!status.is_ok()) return status;
  return session.set_envelope(envelope_of(*std::move(keys)));
}

// What is answered, and what to go on in.
Status Secure::answer(EarlySession& session, const SecureHello& first, Message& reply,
                      std::shared_ptr<Envelope>& envelope) const {
  Status status = impl::check_hello(first, identity_, terms_, {});
  if (!status.is_ok()) return status;
  const auto pair = crypto::X25519Pair::generate();
  if (!pair) return pair.error();
  const auto second = SecureHello::make(terms_, identity_, pair->public_key(), first.bytes);
  if (!second) return second.error();
  auto keys = impl::derive_secure(*pair, first, first, *second, identity_,
                                  sequences(crypto::Side::listener));
  if (!keys) return keys.error();
  envelope = envelope_of(*std::move(keys));
  reply.body = Bytes::copy_of(second->bytes);
  return believe(session, first);
}

Status Secure::accept(EarlySession& session) const {
  const auto question = session.receive(options_.early);
  if (!question) return question.error();
  Message reply = message_of(MessageType::auth_reply, {});
  std::shared_ptr<Envelope> envelope;
  Status status;
  const auto first = SecureHello::parse(question->body.to_string());
  const Status thrown = guarded([&] {
    status = first ? answer(session, *first, reply, envelope)
                   : Status(Code::unauthenticated, first.error().message());
  });
  if (!thrown.is_ok()) status = Status(Code::internal, "SecureOptions::agreed has failed");
  if (!status.is_ok()) {
    reply = {.seq = seq, .type = MessageType::auth_reply, .status = status};
    (void)session.send(reply, options_.early);
    return thrown.is_ok() ? status : thrown;
  }
  if (Status s = session.send(reply, options_.early); !s.is_ok()) return s;
  return session.set_envelope(std::move(envelope));
}

}  // namespace

Plugin secure(SecureOptions options) {
  const auto self = std::make_shared<const Secure>(std::move(options));
  return {.name = "secure",
          .before_new_peer = [self](PeerOptions&) { return self->why_not(); },
          .after_dial = [self](EarlySession& session) { return self->dial(session); },
          .after_accept = [self](EarlySession& session) { return self->accept(session); }};
}

}  // namespace parley
