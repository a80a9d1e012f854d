// The golden vectors of docs/protocols/erpc-pb.md. For tests only; hex as from_hex() reads it.
#pragma once

#include <string_view>

namespace parley::wire::testing {

// What erpc v7.2.2 wrote: CALL, seq 1295, "/math/add", metadata author = "an d&=y", json body
// {"a":"x"}.
inline constexpr std::string_view golden_pb_call =
    "0000003c 00 088f0a 1001 1a092f6d6174682f616464 2206636f64653d30 "
    "2a14617574686f723d616e25323064253236253344 79 306a 3a097b2261223a2278227d";

// Made by hand from the page: REPLY, seq -1, status 1001 "bad", no body.
inline constexpr std::string_view golden_pb_reply =
    "00000021 00 08ffffffffffffffffff01 1002 2211636f64653d31303031266d73673d626164";

}  // namespace parley::wire::testing
