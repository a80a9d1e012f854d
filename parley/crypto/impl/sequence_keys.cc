#include "parley/crypto/impl/sequence_keys.h"

#include <array>
#include <string>
#include <utility>

#include "parley/crypto/hkdf.h"

namespace parley::crypto::impl {
namespace {

constexpr std::string_view label = "parley sealed 1 ";
constexpr std::size_t link_bytes = 32;
constexpr std::size_t min_shared = 16;

std::string big_endian(std::uint64_t number) {
  std::string bytes;
  for (unsigned shift = 64; shift > 0;) {
    shift -= 8;
    bytes += static_cast<char>(number >> shift & 0xFFU);
  }
  return bytes;
}

Result<Link> link_of(Secret secret, const SequenceOptions& options) {
  const Result<Secret> material = hkdf_expand(
      secret, {.info = std::string(label) + "key", .size = aead_key_bytes + Nonce::size});
  if (!material) return material.error();
  const std::string_view bytes = material->reveal();
  const Result<Secret> key_bytes = Secret::copy_of(bytes.substr(0, aead_key_bytes));
  if (!key_bytes) return key_bytes.error();
  Result<AeadKey> key = AeadKey::create(
      options.algorithm, *key_bytes,
      {.max_sealed = options.messages_per_key, .max_message_bytes = options.max_message_bytes});
  if (!key) return key.error();
  const Result<Nonce> start = Nonce::from_bytes(bytes.substr(aead_key_bytes));
  if (!start) return start.error();
  return Link{.secret = std::move(secret),
              .key = std::make_shared<const SequenceKey>(SequenceKey{*std::move(key), *start})};
}

Status wrong(const std::string& what) {
  return {Code::invalid_argument, "SequenceOptions::" + what};
}

}  // namespace

Nonce SequenceKey::nonce_of(std::uint64_t number) const {
  Nonce nonce = start;
  for (std::size_t i = 0; i < 8; ++i) {
    char& byte = nonce.bytes.at(Nonce::size - 1 - i);
    byte = static_cast<char>(byte ^ static_cast<char>(number >> (8 * i) & 0xFFU));
  }
  return nonce;
}

Result<Link> first_link(const Secret& shared, Side sealer, const SequenceOptions& options) {
  if (shared.size() < min_shared) {
    return Status(Code::invalid_argument, "a shared secret of " + std::to_string(shared.size()) +
                                              " bytes can be guessed: it takes at least " +
                                              std::to_string(min_shared));
  }
  const Result<Secret> key = hkdf_extract(shared, {.salt = options.salt});
  if (!key) return key.error();
  std::string info(label);
  info += name_of(options.algorithm);
  info += sealer == Side::dialer ? " dialer" : " listener";
  info += '\0';
  info += big_endian(options.messages_per_key);
  info += options.context;
  Result<Secret> secret = hkdf_expand(*key, {.info = info, .size = link_bytes});
  if (!secret) return secret.error();
  return link_of(*std::move(secret), options);
}

Result<Link> next_link(const Link& link, const SequenceOptions& options) {
  Result<Secret> secret =
      hkdf_expand(link.secret, {.info = std::string(label) + "next", .size = link_bytes});
  if (!secret) return secret.error();
  return link_of(*std::move(secret), options);
}

Status check_options(const SequenceOptions& options) {
  using Limits = SequenceOptions;
  if (options.salt.size() < Limits::min_salt || options.salt.size() > Limits::max_context) {
    return wrong("salt has 16 to 512 bytes, random ones of both sides, not " +
                 std::to_string(options.salt.size()));
  }
  if (options.context.size() > Limits::max_context) {
    return wrong("context has at most 512 bytes, not " + std::to_string(options.context.size()) +
                 ": give a digest of it");
  }
  if (options.max_message_bytes == 0 || options.messages_per_key == 0 ||
      options.max_message_bytes > std::size_t{1} << 30 ||
      options.messages_per_key > Limits::max_bytes_per_key / options.max_message_bytes) {
    return wrong(
        "messages_per_key and max_message_bytes (1 GiB at most) are each at least 1, and "
        "together no more than 2^40 bytes");
  }
  if (options.window > Limits::max_window || options.window > options.messages_per_key) {
    return wrong("window is at most 65536 and at most messages_per_key");
  }
  if (options.max_messages == 0 || options.max_forged == 0) {
    return wrong("max_messages and max_forged are at least 1");
  }
  return {};
}

}  // namespace parley::crypto::impl
