// secure: what two peers say to each other is sealed between them, over any framing: bodies,
// metadata, errors and the messages of streams, by AES-256-GCM or ChaCha20-Poly1305
// (docs/protocols/secure.md). Whoever is in between sees who talks to whom, the names of methods
// and how much is said; what he changes, repeats, moves or takes from another session is refused.
// TLS (net/tls.h) hides names as well; this one goes through whatever ends TLS on the way.
//
// The keys of a connection are agreed on anew each time, when it begins, and change while it lasts:
// who learns a key of a peer later cannot read what was said before.
//
// A plugin for any number of peers, and both sides need it; its functions are called by fibers of
// any worker at once. Put it first: what later plugins exchange (auth_bearer) is sealed, too.
//
//   auto key = crypto::Secret::from_file(files, "/etc/shop/key", crypto::SecretForm::hex);
//   SecureOptions options{.shared_key = std::make_shared<const crypto::Secret>(*std::move(key))};
//   parley::Peer server({.plugins = {secure(options)}});
//   parley::Peer client({.plugins = {secure(options)}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/crypto/aead.h"
#include "parley/crypto/secret.h"
#include "parley/crypto/signature.h"
#include "parley/peer/early_session.h"
#include "parley/peer/plugin.h"

namespace parley {

// In the metadata of a CALL, PUSH or OPEN, as Teleport has them, where SecureWhen is asked:
// "true": it is sealed, and so is its answer, unless ...
inline constexpr std::string_view secure_key = "X-Secure";
// ... this says otherwise: "true" or "false". All that is said on a stream is sealed as its OPEN
// is.
inline constexpr std::string_view accept_secure_key = "X-Accept-Secure";

enum class SecureWhen : std::uint8_t {
  always,  // what comes in clear is refused (unauthenticated), whatever it is
  // What its metadata says: other calls go in clear, and are served. This keeps what is sealed from
  // who listens; it does not keep who is in between from calling in clear himself. What a handler
  // gets with "X-Secure: true" was sealed: a middleware may ask for that.
  asked,
};

struct SecureOptions {
  // Whom this side believes: one of these three at least, or nothing is listened to or dialled
  // (invalid_argument).
  // The other side has the same key: at least 32 bytes nobody can guess.
  std::shared_ptr<const crypto::Secret> shared_key{};
  // It has one of these keys, as its own_key. Together with shared_key both are asked for.
  std::vector<crypto::VerifyingKey> trusted{};
  // Anybody. Who is in between can be that, too, and then reads all. Not with any of the two above.
  bool trust_anybody = false;

  // Who this side is, for those that trust some.
  std::optional<crypto::SigningKey> own_key{};

  SecureWhen when = SecureWhen::always;
  crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::aes256_gcm;
  // After so many messages of a side its key changes. These three are the same on both sides, or
  // dial() fails with failed_precondition.
  std::uint64_t messages_per_key = 65'536;
  // So many messages may overtake one that is on its way, or it is refused; no more than
  // messages_per_key, which therefore should not be small where calls run side by side. An eighth
  // as many bytes for each session.
  std::size_t window = 65'536;
  // Of a message with its metadata; times messages_per_key at most 2^40 (invalid_argument).
  std::size_t max_message_bytes = std::size_t{16} << 20U;
  // After so many messages of a side it can say nothing more, and the session ends.
  std::uint64_t max_messages = std::uint64_t{1} << 48U;
  // After so many that were not as they were sealed nothing of this session is believed any more.
  std::uint64_t max_forged = 1'000;
  // How long the other side may take to begin, and how much it may say.
  EarlyOptions early{};
  // Both believe each other. `theirs`: the key the other side has shown; null when it has shown
  // none. What is known of it is set here: an id, values. An error refuses it.
  std::function<Status(EarlySession& session, const crypto::VerifyingKey* theirs)> agreed{};
};

// dial() fails with unauthenticated when one side does not believe the other, and with unavailable
// when the other side hangs up, as one does that has no such plugin. Who accepts waits for who
// dials to begin: others are told unauthenticated and closed. Both waits end with
// EarlyOptions::timeout, PeerOptions::early_timeout or the context. Later, what was changed,
// repeated or came in clear is unauthenticated, and what is larger than max_message_bytes
// resource_exhausted. Options that make no sense are invalid_argument of listen(), dial() and
// serve().
Plugin secure(SecureOptions options);

}  // namespace parley
