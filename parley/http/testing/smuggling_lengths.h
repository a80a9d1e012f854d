// The table of request smuggling, first half: what one hop might take in one way and the next in
// another, case by case, with the verdict and its reason. Lengths and codings; the rest of it, and
// how to go through all of it, is in smuggling_cases.h. For tests only.
#pragma once

#include <array>
#include <string_view>

#include "parley/http/message.h"

namespace parley::http::testing::smuggling {

using std::string_view_literals::operator""sv;

inline constexpr StatusCode ok = 0;

struct Case {
  std::string_view name;
  std::string_view bytes;
  StatusCode answer;  // ok: accepted
  std::string_view body;
  std::string_view why;
  std::string_view rest = {};  // accepted: the part of `bytes` that is not of this message
};

inline constexpr std::string_view good = "GET /good HTTP/1.1\r\nHost: shop.example\r\n\r\n";
inline constexpr std::string_view post = "POST /tea HTTP/1.1\r\nHost: shop.example\r\n";

// Behind the first line and Host: lengths and codings.
inline constexpr std::array length_cases = {
    Case{"no length", "\r\n", ok, "", "9112 6.3: a request without a length has no body"},
    Case{"no length, then bytes", "\r\nGET /x", ok, "",
         "9112 6.3: what follows is the next request, never a body", "GET /x"},
    Case{"a length", "Content-Length: 5\r\n\r\nhello", ok, "hello", "9112 6.2: as it says"},
    Case{"a length shorter than what follows", "Content-Length: 4\r\n\r\nhelloGET", ok, "hell",
         "9112 6.3: exactly so many bytes", "oGET"},
    Case{"a length of 0", "Content-Length: 0\r\n\r\nG", ok, "", "9112 6.2: an empty body", "G"},
    Case{"leading zeros", "Content-Length: 005\r\n\r\nhello", ok, "hello",
         "9110 8.6: digits, always decimal"},
    Case{"blanks around a length", "Content-Length: \t 5 \t\r\n\r\nhello", ok, "hello",
         "9110 5.5: blanks around a value are no part of it"},
    Case{"a length in other letters", "CONTENT-length: 5\r\n\r\nhello", ok, "hello",
         "9110 5.1: names have no case"},
    Case{"two equal lengths", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, "",
         "9112 6.3 lets a recipient refuse it; a hop before may have gone by one of others"},
    Case{"two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400, "",
         "9112 6.3: nobody can know which one"},
    Case{"two lengths in other letters", "Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello!",
         400, "", "9110 5.1: the same name"},
    Case{"a list of lengths", "Content-Length: 5, 6\r\n\r\nhello!", 400, "",
         "9112 6.3: two lengths, joined by a hop"},
    Case{"a list of equal lengths", "Content-Length: 5, 5\r\n\r\nhello", 400, "",
         "9112 6.3 allows it; no sound sender needs it"},
    Case{"an empty list element", "Content-Length: 5,\r\n\r\nhello", 400, "",
         "9110 8.6: digits only"},
    Case{"a plus", "Content-Length: +5\r\n\r\nhello", 400, "", "9110 8.6: no sign"},
    Case{"a minus", "Content-Length: -5\r\n\r\nhello", 400, "", "9110 8.6: no sign"},
    Case{"minus zero", "Content-Length: -0\r\n\r\n", 400, "", "9110 8.6: no sign"},
    Case{"hexadecimal", "Content-Length: 0x5\r\n\r\nhello", 400, "", "9110 8.6: decimal"},
    Case{"a hex digit", "Content-Length: a\r\n\r\n0123456789", 400, "", "9110 8.6: decimal"},
    Case{"a blank within", "Content-Length: 1 0\r\n\r\n0123456789", 400, "",
         "9110 8.6: some readers stop at the blank"},
    Case{"a fraction", "Content-Length: 5.0\r\n\r\nhello", 400, "", "9110 8.6: digits only"},
    Case{"an exponent", "Content-Length: 1e1\r\n\r\n0123456789", 400, "", "9110 8.6: digits only"},
    Case{"quotes", "Content-Length: \"5\"\r\n\r\nhello", 400, "", "9110 8.6: digits only"},
    Case{"underscores", "Content-Length: 1_0\r\n\r\n0123456789", 400, "",
         "9110 8.6: some languages' numbers have them"},
    Case{"digits above ASCII", "Content-Length: \xef\xbc\x95\r\n\r\nhello", 400, "",
         "9110 8.6: digits of ASCII only"},
    Case{"no value", "Content-Length:\r\n\r\n", 400, "", "9110 8.6: at least one digit"},
    Case{"only blanks", "Content-Length:  \r\n\r\n", 400, "", "9110 8.6: at least one digit"},
    Case{"2^64 + 5", "Content-Length: 18446744073709551621\r\n\r\nhello", 413, "",
         "9110 8.6: it overflows to 5 in careless readers"},
    Case{"2^63", "Content-Length: 9223372036854775808\r\n\r\nhello", 413, "",
         "9110 8.6: negative in careless readers, and beyond the limit"},
    Case{"a length with a vertical tab", "Content-Length: \v5\r\n\r\nhello", 400, "",
         "9110 5.5: a control in a value"},
    Case{"a length with NUL", "Content-Length: 5\0\r\n\r\nhello"sv, 400, "",
         "9110 5.5: some readers stop at NUL"},
    Case{"an underscore in the name", "Content_Length: 5\r\n\r\nhello", ok, "",
         "9110 5.1: another name; it gives no length", "hello"},
    Case{"both, length first", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, "", "9112 6.1: the classic; hops differ in which one they follow"},
    Case{"both, coding first", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
         400, "", "9112 6.1: the classic, the other way round"},
    Case{"both, length of 0", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, "", "9112 6.1: both, whatever they say"},
    Case{"both, a coding nobody knows", "Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\nhello",
         400, "", "9112 6.1: a reader that ignores the coding takes the length"},
    Case{"both, an empty coding", "Content-Length: 5\r\nTransfer-Encoding:\r\n\r\nhello", 400, "",
         "9112 6.1: a field without a value is still there"},
};

inline constexpr std::array coding_cases = {
    Case{"chunked", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ok, "hello",
         "9112 7.1: as it says"},
    Case{"chunked in capitals", "Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\nG", ok,
         "hello", "9112 7: names of codings have no case", "G"},
    Case{"chunked twice in a list", "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 6.1: never applied twice"},
    Case{"two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, "", "9112 6.1: never applied twice"},
    Case{"chunked and identity in two lines",
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, "",
         "9112 6.3: each reader follows the one it knows"},
    Case{"identity", "Transfer-Encoding: identity\r\n\r\n", 400, "",
         "9112 6.3: not chunked at the end; taken out of HTTP long ago"},
    Case{"gzip before chunked", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "",
         "9112 6.1: a coding that is not spoken here"},
    Case{"gzip only", "Transfer-Encoding: gzip\r\n\r\n", 400, "",
         "9112 6.3: a request whose end nobody can tell"},
    Case{"chunked not last", "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400, "",
         "9112 6.3: a request whose end nobody can tell"},
    Case{"xchunked", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 7: another name, which careless readers find chunked in"},
    Case{"chunkedx", "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", 400, "",
         "9112 7: another name"},
    Case{"chunked with a parameter", "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400, "",
         "9112 7.1: it has none"},
    Case{"an empty element before", "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 6.1: exactly chunked, no list"},
    Case{"an empty element behind", "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 400, "",
         "9112 6.1: exactly chunked, no list"},
    Case{"quotes", "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400, "",
         "9112 7: a token, no text in quotes"},
    Case{"empty", "Transfer-Encoding:\r\n\r\n", 400, "", "9112 6.3: not chunked at the end"},
    Case{"a vertical tab", "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400, "",
         "9110 5.5: a control that some readers trim"},
    Case{"a form feed", "Transfer-Encoding: chunked\f\r\n\r\n0\r\n\r\n", 400, "",
         "9110 5.5: a control that some readers trim"},
    Case{"a blank before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 5.1: hops drop, keep or trim such a name"},
    Case{"a tab before the colon", "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 5.1: hops drop, keep or trim such a name"},
    Case{"folded", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 5.2: folded lines"},
    Case{"folded behind another header", "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, "", "9112 5.2: a value here, a header there"},
    Case{"folded by a tab", "X: y\r\n\tContent-Length: 5\r\n\r\nhello", 400, "",
         "9112 5.2: a value here, a header there"},
    Case{"behind a bare LF", "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 2.2: a line for some, a value for others"},
    Case{"behind a bare CR", "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "",
         "9112 2.2: a line for some, a value for others"},
    Case{"CR CR LF", "X: y\r\r\n\r\n", 400, "", "9112 2.2: a bare CR"},
    Case{"LF CR", "X: y\n\r\n", 400, "", "9112 2.2: a bare LF"},
    Case{"only LFs", "\n", 400, "", "9112 2.2: the end of the head for some"},
    Case{"CR, then bytes", "\rX: y\r\n\r\n", 400, "", "9112 2.2: a bare CR"},
    Case{"NUL in a name", "Transfer\0-Encoding: chunked\r\n\r\n"sv, 400, "",
         "9110 5.1: no name may have it"},
    Case{"an empty name", ": chunked\r\n\r\n", 400, "", "9110 5.1: at least one byte"},
    Case{"no colon", "Transfer-Encoding\r\n\r\n", 400, "", "9112 5: a name and a colon"},
    Case{"a name in quotes", "\"Content-Length\": 5\r\n\r\nhello", 400, "", "9110 5.6.2: no token"},
    Case{"a name above ASCII", "Content-Length\xc2\xa0: 5\r\n\r\nhello", 400, "",
         "9110 5.6.2: no token"},
    Case{"NUL in a value", "X: a\0b\r\n\r\n"sv, 400, "", "9110 5.5: dangerous to pass on"},
    Case{"DEL in a value", "X: a\x7f\r\n\r\n", 400, "", "9110 5.5: a control"},
    Case{"bytes above ASCII in a value", "X: caf\xc3\xa9\r\n\r\n", ok, "",
         "9110 5.5: opaque, but allowed"},
    Case{"an empty value", "X:\r\n\r\n", ok, "", "9110 5.5: values may be empty"},
    Case{"Connection names Content-Length",
         "Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello", 400, "",
         "9110 7.6.1: the next hop would lose the length"},
    Case{"Connection names Host", "Connection: close, host\r\n\r\n", 400, "",
         "9110 7.6.1: the next hop would lose the host"},
    Case{"Connection with a bad name", "Connection: a b\r\n\r\n", 400, "",
         "9110 7.6.1: names only"},
    Case{"an unknown expectation", "Expect: tea\r\n\r\n", 417, "", "9110 10.1.1: not 100-continue"},
};

}  // namespace parley::http::testing::smuggling
