// The golden vectors of docs/protocols/raw.md: frames as a Teleport (erpc v7.2.2) peer writes them.
// For tests only.
#pragma once

#include <string_view>

namespace parley::wire::testing {

// CALL, seq 1295, "/math/add", metadata author = "an d&=y", json body {"a":"x"}.
inline constexpr std::string_view golden_raw_call =
    "0000003b 00 02 7a7a 01 09 2f6d6174682f616464 0006 636f64653d30 "
    "0014 617574686f723d616e25323064253236253344 79 6a 7b2261223a2278227d";

// The same with seq 1 and transfer filter md5 ('m'): the digest of what follows the ids is
// appended.
inline constexpr std::string_view golden_raw_md5_call =
    "0000004b 01 6d 01 31 01 09 2f6d6174682f616464 0006 636f64653d30 "
    "0014 617574686f723d616e2532306425323625334479 6a 7b2261223a2278227d "
    "004e7c7a3374c924a7f7ae4b9c359eb8";

// REPLY, seq -1, no method, status 1001 "bad é" with cause "cause x", the same metadata, no body.
inline constexpr std::string_view golden_raw_reply =
    "0000004d 00 02 2d31 02 00 "
    "002a 636f64653d31303031266d73673d6261642532302543332541392663617573653d636175736525323078 "
    "0014 617574686f723d616e2532306425323625334479 00";

}  // namespace parley::wire::testing
