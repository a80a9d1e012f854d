// The golden vectors of docs/protocols/erpc-json.md. For tests only.
#pragma once

#include <string_view>

namespace parley::wire::testing {

// What erpc v7.2.2 wrote: CALL, seq 1295, "/math/add", metadata author = "an d&=y", json body
// {"a":"x"}. Four bytes of length (138) and the filter count, then this text.
inline constexpr std::string_view golden_json_head = "0000008a 00";
inline constexpr std::string_view golden_json_text =
    R"({"seq":1295,"mtype":1,"serviceMethod":"/math/add","status":"code=0",)"
    R"("meta":"author=an%20d%26%3Dy","bodyCodec":106,"body":"{\"a\":\"x\"}"})";

}  // namespace parley::wire::testing
