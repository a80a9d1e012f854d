// The vectors of docs/protocols/erpc-ws.md: the common message by the layout of erpc's source. For
// tests only; hex as from_hex() reads it.
#pragma once

#include <string_view>

namespace parley::wire::testing {

// CALL, seq 1295, "/math/add", metadata author = "an d&=y", json body {"a":"x"}.
inline constexpr std::string_view golden_ws_json =
    R"({"seq":1295,"mtype":1,"serviceMethod":"/math/add","meta":"author=an%20d%26%3Dy",)"
    R"("bodyCodec":106,"body":"{\"a\":\"x\"}","xferPipe":[]})";
inline constexpr std::string_view golden_ws_pb =
    "088f0a 1001 1a092f6d6174682f616464 2214617574686f723d616e25323064253236253344 79 286a "
    "32097b2261223a2278227d";

}  // namespace parley::wire::testing
