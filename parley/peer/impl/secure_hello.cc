#include "parley/peer/impl/secure_hello.h"

#include <algorithm>
#include <span>
#include <utility>

#include "parley/crypto/digest.h"
#include "parley/crypto/hkdf.h"
#include "parley/crypto/hmac.h"
#include "parley/crypto/random_bytes.h"

namespace parley::impl {
namespace {

using crypto::HashAlgorithm;
using crypto::Secret;

constexpr std::string_view magic = "PSE1";
constexpr unsigned char with_proof = 0x01;
constexpr unsigned char with_signature = 0x02;
constexpr unsigned char is_always = 0x04;
constexpr unsigned char all_flags = with_proof | with_signature | is_always;

constexpr std::size_t count_bytes = 8;
constexpr std::size_t core_bytes =
    magic.size() + 2 + count_bytes + SecureHello::random_bytes + crypto::X25519PublicKey::size;

char number_of(crypto::AeadAlgorithm algorithm) {
  return algorithm == crypto::AeadAlgorithm::aes256_gcm ? '\1' : '\2';
}

// What proof and signature are of.
std::string claim_of(std::string_view before, std::string_view core, std::string_view identity) {
  std::string claim = before.empty() ? "parley secure 1 dialer" : "parley secure 1 listener";
  claim += '\0';
  claim.append(before).append(core).append(identity);
  return claim;
}

std::string core_of(const SecureHello& hello, unsigned char flags) {
  std::string core(magic);
  core += static_cast<char>(flags);
  core += number_of(hello.terms.algorithm);
  for (std::size_t i = count_bytes; i-- > 0;) {
    core += static_cast<char>(hello.terms.messages_per_key >> (8 * i) & 0xFFU);
  }
  return core.append(hello.random).append(hello.public_key);
}

Status no_hello(const char* what) {
  return {Code::invalid_argument,
          std::string("this is no beginning of a secure session: ") + what +
              "; does the other side have the secure plugin, in the same place of its list?"};
}

Status not_trusted(std::string what) { return {Code::unauthenticated, std::move(what)}; }

Status check_signature(const SecureHello& theirs, const SecureIdentity& identity,
                       std::string_view claim) {
  if (theirs.identity.empty()) {
    return identity.trusted.empty()
               ? Status()
               : not_trusted("the other side shows no key of its own, and only some are trusted");
  }
  const auto key = crypto::VerifyingKey::from_bytes(theirs.identity);
  if (!key) return key.error();
  const bool is_known = std::ranges::any_of(identity.trusted, [&](const auto& each) {
    return each.bytes() == std::string_view(theirs.identity);
  });
  if (!is_known && !identity.trusted.empty()) {
    return not_trusted("the key of the other side is none of those that are trusted");
  }
  if (!key->verify(claim, theirs.signature).is_ok()) {
    return not_trusted("the other side does not have the key that it shows");
  }
  return {};
}

}  // namespace

Result<SecureHello> SecureHello::make(const SecureTerms& terms, const SecureIdentity& identity,
                                      const crypto::X25519PublicKey& public_key,
                                      std::string_view before) {
  auto random = crypto::random_bytes(random_bytes);
  if (!random) return random.error();
  SecureHello hello{
      .terms = terms, .random = *std::move(random), .public_key = std::string(public_key.bytes())};
  if (identity.own_key) hello.identity = identity.own_key->public_key().bytes();
  unsigned char flags = terms.is_always ? is_always : 0;
  if (!identity.shared_key.empty()) flags |= with_proof;
  if (identity.own_key) flags |= with_signature;
  const std::string core = core_of(hello, flags);
  const std::string claim = claim_of(before, core, hello.identity);
  if (!identity.shared_key.empty()) {
    const auto proof = crypto::hmac(HashAlgorithm::sha256, identity.proof_key, claim);
    if (!proof) return proof.error();
    hello.proof = proof->bytes();
  }
  if (identity.own_key) {
    const auto signature = identity.own_key->sign(claim);
    if (!signature) return signature.error();
    hello.signature = signature->bytes();
  }
  hello.bytes = core + hello.proof + hello.identity + hello.signature;
  return hello;
}

Result<SecureHello> SecureHello::parse(std::string_view bytes) {
  if (bytes.size() < core_bytes || !bytes.starts_with(magic)) return no_hello("other bytes");
  SecureHello hello{.bytes = std::string(bytes)};
  const auto take = [&bytes](std::size_t size) {
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(taken.size());
    return std::string(taken);
  };
  (void)take(magic.size());
  const auto flags = static_cast<unsigned char>(take(1).front());
  const char algorithm = take(1).front();
  if ((flags & ~all_flags) != 0) return no_hello("unknown flags");
  if (algorithm != '\1' && algorithm != '\2') return no_hello("an unknown algorithm");
  hello.terms.is_always = (flags & is_always) != 0;
  hello.terms.algorithm = algorithm == '\1' ? crypto::AeadAlgorithm::aes256_gcm
                                            : crypto::AeadAlgorithm::chacha20_poly1305;
  for (const char byte : take(count_bytes)) {
    hello.terms.messages_per_key =
        hello.terms.messages_per_key << 8U | static_cast<unsigned char>(byte);
  }
  hello.random = take(random_bytes);
  hello.public_key = take(crypto::X25519PublicKey::size);
  if ((flags & with_proof) != 0) hello.proof = take(proof_bytes);
  if ((flags & with_signature) != 0) {
    hello.identity = take(crypto::VerifyingKey::size);
    hello.signature = take(crypto::Signature::size);
  }
  const bool is_short =
      ((flags & with_proof) != 0 && hello.proof.size() != proof_bytes) ||
      ((flags & with_signature) != 0 && hello.signature.size() != crypto::Signature::size);
  if (is_short) return no_hello("it ends too early");
  if (!bytes.empty()) return no_hello("more than there should be");
  return hello;
}

Status check_hello(const SecureHello& theirs, const SecureIdentity& identity,
                   const SecureTerms& terms, std::string_view before) {
  const std::string claim =
      claim_of(before, std::string_view(theirs.bytes).substr(0, core_bytes), theirs.identity);
  if (theirs.proof.empty() != identity.shared_key.empty()) {
    return not_trusted(theirs.proof.empty()
                           ? "the other side has no pre-shared key, and this one asks for it"
                           : "the other side has a pre-shared key, and this one has none");
  }
  if (!theirs.proof.empty() &&
      !crypto::verify_hmac(HashAlgorithm::sha256, identity.proof_key, claim, theirs.proof)
           .is_ok()) {
    return not_trusted("the other side has another pre-shared key");
  }
  if (Status s = check_signature(theirs, identity, claim); !s.is_ok()) return s;
  if (theirs.terms == terms) return {};
  return {Code::failed_precondition,
          "the two sides want other things of a secure session: SecureOptions::algorithm, "
          "SecureOptions::when and SecureOptions::messages_per_key must be the same on both"};
}

Result<Secret> proof_key_of(const Secret& shared_key) {
  return crypto::hkdf(shared_key, {.info = "parley secure 1 proof"});
}

Result<crypto::SealedSequences> derive_secure(const crypto::X25519Pair& mine,
                                              const SecureHello& theirs, const SecureHello& first,
                                              const SecureHello& second,
                                              const SecureIdentity& identity,
                                              crypto::SequenceOptions options) {
  const auto their_key = crypto::X25519PublicKey::from_bytes(theirs.public_key);
  if (!their_key) return their_key.error();
  auto agreed = mine.agree(*their_key);
  if (!agreed) return agreed.error();
  Secret shared = Secret::zeros(agreed->size() + identity.shared_key.size());
  const std::span<char> room = shared.writable();
  std::ranges::copy(agreed->reveal(), room.begin());
  std::ranges::copy(identity.shared_key.reveal(),
                    room.begin() + static_cast<std::ptrdiff_t>(agreed->size()));
  const auto digest = crypto::digest(HashAlgorithm::sha256, first.bytes + second.bytes);
  if (!digest) return digest.error();
  options.salt = first.random + second.random;
  options.context = "parley secure 1 ";
  options.context += digest->bytes();
  return crypto::derive_sequences(shared, options);
}

}  // namespace parley::impl
