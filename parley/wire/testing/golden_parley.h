// The golden vectors of docs/protocols/parley.md. For tests only; hex as from_hex() reads it.
#pragma once

#include <string_view>

namespace parley::wire::testing {

// Without settings; and with max_frame 131072 and max_names 300.
inline constexpr std::string_view golden_parley_hello = "f0 50 52 4c 01 00";
inline constexpr std::string_view golden_parley_hello_with_settings =
    "f0 50 52 4c 01 07 01 808008 06 ac02";

// CALL 1 of "/math/add", to be kept, JSON {"a":1}; and CALL 2 of the same method.
inline constexpr std::string_view golden_parley_call =
    "01 14 01 01 09 2f6d6174682f616464 6a 7b2261223a317d";
inline constexpr std::string_view golden_parley_second_call = "01 0a 02 02 6a 7b2261223a317d";
// The same as CALL 300, 1.5 s left, metadata tag = a, tag = b.
inline constexpr std::string_view golden_parley_full_call =
    "31 1b ac02 02 e0c65b 02 03 746167 01 61 03 746167 01 62 6a 7b2261223a317d";
// REPLY 1, JSON 3; REPLY 2, not_found "no"; REPLY 3, business 1001 "bad" with cause "x".
inline constexpr std::string_view golden_parley_reply = "02 03 01 6a 33";
inline constexpr std::string_view golden_parley_error = "12 08 02 05 00 02 6e6f 00 00";
inline constexpr std::string_view golden_parley_business = "12 0b 03 09 d20f 03 626164 01 78 00";
// PUSH of "/news", its name not kept, plain "hi".
inline constexpr std::string_view golden_parley_push = "03 0a 00 05 2f6e657773 73 6869";
// CALL 1 of "/z" (not kept), JSON, its body gone through zstd and crc32c ("zc"): AABB is what came
// out of them.
inline constexpr std::string_view golden_parley_filtered_call =
    "01 0b 01 00 02 2f7a ea 02 7a63 aabb";
// A stream: OPEN 5 of "/chat" (kept), protobuf; DATA 5 of the opener, CREDIT 5 of the other side,
// END 5 of the opener, END 5 of the other side with aborted "".
inline constexpr std::string_view golden_parley_open = "04 09 05 01 05 2f63686174 70";
inline constexpr std::string_view golden_parley_data = "15 03 05 0801";
inline constexpr std::string_view golden_parley_credit = "08 04 05 808008";
inline constexpr std::string_view golden_parley_end = "16 01 05";
inline constexpr std::string_view golden_parley_end_with_status = "86 05 05 0a 00 00 00";
inline constexpr std::string_view golden_parley_cancel = "07 01 02";
inline constexpr std::string_view golden_parley_ping = "0a 08 0102030405060708";
inline constexpr std::string_view golden_parley_pong = "0b 08 0102030405060708";
// unavailable "bye", 5 s.
inline constexpr std::string_view golden_parley_go_away = "0c 09 0e 00 03 627965 00 8827";
// PUSH 7 of "/big" (not kept) with body "abc" in three frames, a PING between them.
inline constexpr std::string_view golden_parley_parts =
    "43 09 07 00 04 2f626967 00 61  59 02 07 62  0a 08 0000000000000000  19 02 07 63";
// CALL 1 of "/big" (kept) with body "abcde" and REPLY 9 with body "xyz", both JSON, in parts of two
// bytes that take turns; a PING goes between them when some have left.
inline constexpr std::string_view golden_parley_interleaved =
    "41 0a 01 01 04 2f626967 6a 6162  42 04 09 6a 7879  0a 08 0000000000000007  59 03 01 6364  "
    "09 02 09 7a  19 02 01 65";
// An extension that nobody knows.
inline constexpr std::string_view golden_parley_extension = "ff 03 2a 0102";

}  // namespace parley::wire::testing
