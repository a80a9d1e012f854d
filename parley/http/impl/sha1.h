// SHA-1 (FIPS 180-4), for the answer to a WebSocket's key, which proves nothing to anybody but that
// the server knows the protocol (RFC 6455 1.3). Private to http. A pure function.
//
// Our own, since libcrypto does not have it where it keeps to FIPS.
#pragma once

#include <string>
#include <string_view>

namespace parley::http::impl {

// The 20 bytes.
std::string sha1(std::string_view bytes);

}  // namespace parley::http::impl
