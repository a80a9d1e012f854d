// What the tests of crypto read published vectors with. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/testing/hex.h"
#include "parley/crypto/aead.h"
#include "parley/crypto/secret.h"

namespace parley::crypto::testing {

using parley::testing::from_hex;
using parley::testing::to_hex;

inline Secret secret(std::string_view bytes) { return Secret::copy_of(bytes).value(); }
inline Secret secret_hex(std::string_view text) { return secret(from_hex(text)); }
inline Nonce nonce_hex(std::string_view text) { return Nonce::from_bytes(from_hex(text)).value(); }

// The bytes first, first + 1, ...
inline std::string counting(unsigned first, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(first + i);
  return bytes;
}

// The same text in pieces of this size, the last one shorter.
inline Bytes in_pieces(std::string_view text, std::size_t size) {
  Bytes bytes;
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    bytes.append(Bytes::copy_of(text.substr(0, size)));
  }
  return bytes;
}

}  // namespace parley::crypto::testing
