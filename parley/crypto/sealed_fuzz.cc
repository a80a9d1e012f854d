// Fuzzes what opens sealed messages. The first byte says how the rest is cut and which number it
// claims to have. Every input has a key of its own: with one key for all, the fuzzer need only send
// back what another input had sealed. Then
//  - bytes that nobody sealed are never opened, and the sequence goes on as if they had not come;
//  - it makes no difference how they are cut into pieces;
//  - a sealed message with a part of it replaced is refused, and opened when nothing was changed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/crypto/aead.h"
#include "parley/crypto/sealed_sequence.h"

namespace {

using namespace parley;
using namespace parley::crypto;

Bytes in_two(std::string_view bytes, std::size_t cut) {
  Bytes whole = Bytes::copy_of(bytes.substr(0, cut));
  whole.append(Bytes::copy_of(bytes.substr(cut)));
  return whole;
}

SealedSequences sequences(Side side, AeadAlgorithm algorithm, std::size_t window,
                          std::string_view salt) {
  SequenceOptions options;
  options.side = side;
  options.algorithm = algorithm;
  options.salt = "random bytes of both sides: ";
  options.salt += salt;
  options.window = window;
  options.messages_per_key = 4;
  return derive_sequences(Secret::copy_of("sixteen bytes and more").value(), options).value();
}

// What was made of a message by laying `bytes` over it somewhere.
std::string changed(std::string message, std::string_view bytes, std::size_t at) {
  for (std::size_t i = 0; i < bytes.size() && at + i < message.size(); ++i) {
    message[at + i] = bytes[i];
  }
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto algorithm =
      data[0] % 2 == 0 ? AeadAlgorithm::aes256_gcm : AeadAlgorithm::chacha20_poly1305;
  const std::size_t window = data[0] / 2 % 2 * 3;
  const std::size_t cut = bytes.size() * (data[0] / 4) / 64;

  SealedSequences dialer = sequences(Side::dialer, algorithm, window, bytes);
  SealedSequences listener = sequences(Side::listener, algorithm, window, bytes);
  const auto opened = listener.opening.open(in_two(bytes, 0), bytes.substr(0, cut));
  const auto opened_in_two = listener.opening.open(in_two(bytes, cut), bytes.substr(0, cut));
  PARLEY_ASSERT(!opened && !opened_in_two, "bytes that nobody sealed were opened");
  PARLEY_ASSERT(opened.error() == opened_in_two.error(), "a cut makes a difference");
  PARLEY_ASSERT(!opened.error().message().empty(), "no reason is given");

  for (int i = 0; i < 6; ++i) {
    const std::string sealed = dialer.sealing.seal(in_two(bytes, cut))->to_string();
    const std::string other = changed(sealed, bytes, cut);
    if (other != sealed) {
      PARLEY_ASSERT(!listener.opening.open(Bytes::copy_of(other)), "a change was not noticed");
    }
    const auto back = listener.opening.open(in_two(sealed, cut));
    PARLEY_ASSERT(back && *back == bytes, "a sealed message did not come back");
  }

  static const AeadKey key =
      AeadKey::create(AeadAlgorithm::aes256_gcm, Secret::zeros(aead_key_bytes)).value();
  PARLEY_ASSERT(!key.open_alone("", in_two(bytes, cut)), "bytes that nobody sealed were opened");
  return 0;
}
