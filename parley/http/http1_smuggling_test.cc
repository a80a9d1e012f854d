// The table of request smuggling: what one hop might take in one way and the next in another, case
// by case, with the verdict and its reason. A request is accepted with its body, and nothing of
// what follows; or refused, and then nothing behind it is a request. Each case is read whole, byte
// by byte, and between two good requests.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "parley/http/http1_parser.h"
#include "parley/http/testing/http1_reading.h"

namespace parley::http {
namespace {

using testing::bytewise;
using testing::Seen;
using Reads = Http1Parser::Reads;
using namespace std::string_view_literals;

constexpr StatusCode ok = 0;

struct Case {
  std::string_view name;
  std::string_view bytes;
  StatusCode answer;  // ok: accepted
  std::string_view body;
  std::string_view why;
  std::string_view rest = {};  // accepted: the part of `bytes` that is not of this message
};

constexpr std::string_view good = "GET /good HTTP/1.1\r\nHost: shop.example\r\n\r\n";
constexpr std::string_view post = "POST /tea HTTP/1.1\r\nHost: shop.example\r\n";

// Behind the first line and Host: lengths and codings.
constexpr std::array length_cases = {
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

constexpr std::array coding_cases = {
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

constexpr std::string_view chunked = "Transfer-Encoding: chunked\r\n\r\n";

// Behind the head above: chunks.
constexpr std::array chunk_cases = {
    Case{"two chunks and bytes behind", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET", ok, "hello!",
         "9112 7.1: up to the empty line", "GET"},
    Case{"leading zeros", "00000005\r\nhello\r\n000\r\n\r\n", ok, "hello", "9112 7.1: hex digits"},
    Case{"hex in both cases", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", ok,
         "01234567890123456789", "9112 7.1: hex digits have no case"},
    Case{"extensions", "5;a;b=c;d=\"e;\\\"\t\"\r\nhello\r\n0;x\r\n\r\n", ok, "hello",
         "9112 7.1.1: known by nobody, passed over"},
    Case{"a plus", "+5\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: no sign"},
    Case{"a minus", "-5\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: no sign"},
    Case{"0x", "0x5\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: 0 for some, 5 for others"},
    Case{"no size", "\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: at least one digit"},
    Case{"an extension without a size", ";a\r\n\r\n", 400, "", "9112 7.1: at least one digit"},
    Case{"a letter beyond f", "g\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: hex digits only"},
    Case{"a blank before", " 5\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: hex digits only"},
    Case{"a blank behind", "5 \r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: the size, then CR LF"},
    Case{"a tab behind", "5\t\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1: the size, then CR LF"},
    Case{"a blank before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n", 400, "",
         "9112 7.1.1: senders must not; nothing needs it"},
    Case{"a blank within", "1 0\r\n0123456789abcdef\r\n0\r\n\r\n", 400, "",
         "9112 7.1: 1 for some, 16 for others"},
    Case{"2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", 413, "",
         "9112 7.1: it overflows to 5 in careless readers"},
    Case{"17 digits of 0", "00000000000000000\r\n\r\n", 413, "",
         "9112 7.1: cut at 16 digits by some readers"},
    Case{"2^64 - 1", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", 413, "",
         "9112 7.1: -1 in careless readers, and beyond the limit"},
    Case{"a bare LF behind the size", "5\nhello\r\n0\r\n\r\n", 400, "", "9112 2.2, 7.1: CR LF"},
    Case{"a bare CR behind the size", "5\rhello\r\n0\r\n\r\n", 400, "", "9112 2.2, 7.1: CR LF"},
    Case{"a bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n", 400, "",
         "9112 7.1.1: the end of the line for some"},
    Case{"a line break in quotes", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", 400, "",
         "9110 5.6.4: no line break in quotes"},
    Case{"a bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1.1: no CR"},
    Case{"an extension without a name", "5;=a\r\nhello\r\n0\r\n\r\n", 400, "",
         "9112 7.1.1: a name"},
    Case{"an extension without a value", "5;a=\r\nhello\r\n0\r\n\r\n", 400, "",
         "9112 7.1.1: = and a value"},
    Case{"only a semicolon", "5;\r\nhello\r\n0\r\n\r\n", 400, "", "9112 7.1.1: ; and a name"},
    Case{"NUL in an extension", "5;a=\0\r\nhello\r\n0\r\n\r\n"sv, 400, "",
         "9112 7.1.1: no control"},
    Case{"a chunk that is longer than it says", "4\r\nhello\r\n0\r\n\r\n", 400, "",
         "9112 7.1: CR LF behind its bytes"},
    Case{"a chunk that is shorter than it says", "6\r\nhello\r\n0\r\n\r\n", 400, "",
         "9112 7.1: CR LF behind its bytes"},
    Case{"two other bytes behind the bytes", "5\r\nhelloXX0\r\n\r\n", 400, "",
         "9112 7.1: some readers skip two bytes, whatever they are"},
    Case{"a blank and LF behind the bytes", "5\r\nhello \n0\r\n\r\n", 400, "", "9112 7.1: CR LF"},
    Case{"CR and a blank behind the bytes", "5\r\nhello\r 0\r\n\r\n", 400, "", "9112 7.1: CR LF"},
    Case{"nothing behind the bytes", "5\r\nhello0\r\n\r\n", 400, "", "9112 7.1: CR LF"},
    Case{"LF behind the bytes", "5\r\nhello\n0\r\n\r\n", 400, "", "9112 7.1: CR LF"},
    Case{"CR behind the bytes", "5\r\nhello\r0\r\n\r\n", 400, "", "9112 7.1: CR LF"},
    Case{"LF at the end", "0\r\n\n", 400, "", "9112 2.2, 7.1.2: CR LF"},
    Case{"trailers", "0\r\nDigest: a\r\nX:\r\n\r\nG", ok, "", "9112 7.1.2: kept apart", "G"},
    Case{"a request as trailer", "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9112 7.1.2: a line with a blank in its name"},
    Case{"Content-Length as trailer", "0\r\nContent-Length: 5\r\n\r\n", 400, "",
         "9110 6.5.1: it frames"},
    Case{"Transfer-Encoding as trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "",
         "9110 6.5.1: it frames"},
    Case{"Host as trailer", "0\r\nHost: admin.example\r\n\r\n", 400, "", "9110 6.5.1: it routes"},
    Case{"a folded trailer", "0\r\nX: a\r\n b\r\n\r\n", 400, "", "9112 5.2: folded lines"},
    Case{"a trailer that begins with a blank", "0\r\n X: a\r\n\r\n", 400, "", "9112 5.2: folded"},
};

// Whole requests: first lines and Host.
constexpr std::array line_cases = {
    Case{"an empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ok, "",
         "9112 2.2: one is passed over"},
    Case{"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9112 2.2: at least one; we take one"},
    Case{"an LF before", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "", "9112 2.2: a bare LF"},
    Case{"a blank before", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "", "9112 3: the method"},
    Case{"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "", "9112 3: one space"},
    Case{"two spaces behind the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9112 3: one space"},
    Case{"a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "",
         "9112 3: CR LF behind the version"},
    Case{"tabs", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, "", "9112 3: spaces"},
    Case{"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9112 3.2: never mended"},
    Case{"no version", "GET /\r\nHost: a\r\n\r\n", 400, "", "9112 3: HTTP/0.9"},
    Case{"HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "", "9110 15.6.6: not spoken"},
    Case{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "", "9110 15.6.6: not here"},
    Case{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", ok, "", "9110 6.2: as HTTP/1.1"},
    Case{"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, "", "9112 2.3: one digit each"},
    Case{"http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, "", "9112 2.3: case counts"},
    Case{"LF behind the first line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "", "9112 2.2: CR LF"},
    Case{"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "", "9112 3.2: no"},
    Case{"a byte above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9112 3.2: % and two digits"},
    Case{"a fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "", "9112 3.2: no part of it"},
    Case{"a method in brackets", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "", "9110 9.1: a token"},
    Case{"an asterisk with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9112 3.2.4: OPTIONS"},
    Case{"an authority with GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9112 3.2.3: CONNECT"},
    Case{"a user name in the target", "GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "",
         "9110 4.2.4: used to hide the host"},
    Case{"blanks before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "",
         "9112 2.2: no header, or part of the line before"},
    Case{"no Host", "GET / HTTP/1.1\r\n\r\n", 400, "", "9112 3.2: HTTP/1.1 requires it"},
    Case{"no Host in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", ok, "hi",
         "9112 3.2: not yet required"},
    Case{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "", "9112 3.2: one"},
    Case{"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, "",
         "9112 3.2: one"},
    Case{"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "",
         "9112 3.2: one, where there is one"},
    Case{"two Hosts in one line", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "", "9110 7.2: one"},
    Case{"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "",
         "9112 3.3: a server may refuse it; http has no empty host"},
    Case{"a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "", "9110 7.2: a host"},
    Case{"a user in Host", "GET / HTTP/1.1\r\nHost: b@a\r\n\r\n", 400, "", "9110 7.2: a host"},
    Case{"a port that is no number", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, "", "9110 7.2"},
    Case{"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, "", "9112 6.1: a hop of 1.0 saw no chunks"},
    Case{"a body of CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
         400, "", "9110 9.3.6: part of the tunnel for some"},
    Case{"a body of TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 400,
         "", "9110 9.3.8: must have none"},
    Case{"a body of GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", ok,
         "hello", "9110 9.3.1: unusual, but framed as any"},
    Case{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "",
         "9113 3.4: made to be refused"},
    Case{"TLS", "\x16\x03\x01\x02\x00\x01"sv, 400, "", "9112 3: no method"},
};

void must_be_as_said(const Case& what, std::string_view bytes) {
  SCOPED_TRACE(what.name);
  ASSERT_FALSE(what.why.empty());
  Http1Parser whole(Reads::requests);
  const Seen seen = testing::read(whole, bytes);
  Http1Parser cut(Reads::requests);
  EXPECT_TRUE(testing::read(cut, bytes, bytewise()) == seen) << seen.error;
  if (what.answer != ok) {
    EXPECT_EQ(seen.answer, what.answer) << seen.error;
    EXPECT_FALSE(seen.error.is_ok());
    const bool is_whole = !seen.messages.empty() && seen.messages.back().is_whole;
    EXPECT_FALSE(is_whole) << "a refused message has no end";
    return;
  }
  // One message and not a byte more.
  Http1Parser parser(Reads::requests);
  std::string_view in = bytes;
  std::string body;
  for (;;) {
    const Result<Event> event = parser.next(in);
    ASSERT_TRUE(event.has_value()) << event.error();
    ASSERT_NE(*event, Event::more);
    if (*event == Event::body) body += parser.body();
    if (*event == Event::end) break;
  }
  EXPECT_EQ(body, what.body);
  EXPECT_EQ(in, what.rest);
}

void must_be_as_said_between_others(const Case& what, std::string_view bytes) {
  SCOPED_TRACE(what.name);
  const std::string message(bytes.substr(0, bytes.size() - what.rest.size()));
  const std::string stream = std::string(good) + message + std::string(good);
  for (const auto& way : {testing::Cut{}, bytewise(), testing::cut_by(7)}) {
    Http1Parser parser(Reads::requests);
    const Seen seen = testing::read(parser, stream, way);
    ASSERT_FALSE(seen.messages.empty());
    EXPECT_EQ(seen.messages.front().request.target, "/good");
    EXPECT_TRUE(seen.messages.front().is_whole);
    if (what.answer != ok) {
      EXPECT_EQ(seen.answer, what.answer) << seen.error;
      ASSERT_LE(seen.messages.size(), 2u) << "nothing behind a refused request is one";
      EXPECT_TRUE(seen.messages.size() == 1 || !seen.messages[1].is_whole);
      continue;
    }
    ASSERT_GE(seen.messages.size(), 2u) << seen.error;
    EXPECT_EQ(seen.messages[1].body, what.body);
    if (!seen.messages[1].framing.keeps_alive) {
      EXPECT_FALSE(seen.error.is_ok()) << "the connection has ended";
      continue;
    }
    ASSERT_EQ(seen.messages.size(), 3u) << seen.error;
    EXPECT_TRUE(seen.messages[2] == seen.messages[0]);
    EXPECT_TRUE(seen.is_at_rest);
  }
}

template <class Check>
void each_case(const Check& check) {
  const std::string head(post);
  const std::string chunked_head = head + std::string(chunked);
  for (const Case& what : length_cases) check(what, head + std::string(what.bytes));
  for (const Case& what : coding_cases) check(what, head + std::string(what.bytes));
  for (const Case& what : chunk_cases) check(what, chunked_head + std::string(what.bytes));
  for (const Case& what : line_cases) check(what, std::string(what.bytes));
}

static_assert(length_cases.size() + coding_cases.size() + chunk_cases.size() + line_cases.size() >
              140);

TEST(Http1Smuggling, every_case_is_read_as_the_table_says_whole_and_byte_by_byte) {
  each_case(must_be_as_said);
}

TEST(Http1Smuggling, every_case_is_read_so_between_other_requests) {
  each_case(must_be_as_said_between_others);
}

struct ResponseCase {
  std::string_view name;
  std::string_view bytes;
  bool is_good;
  std::string_view body;
  std::string_view why;
  Expected expected = {};
  std::size_t messages = 1;  // with a head, also of those that are refused later
};

constexpr std::array response_cases = {
    ResponseCase{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true, "hi",
                 "9112 6.2"},
    ResponseCase{"chunks",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true,
                 "hi", "9112 7.1"},
    ResponseCase{"neither", "HTTP/1.1 200 OK\r\n\r\nhi", true, "hi", "9112 6.3: up to the end"},
    ResponseCase{"no reason, no space", "HTTP/1.1 204\r\n\r\n", true, "",
                 "9112 4: a sender must; nothing depends on it"},
    ResponseCase{"both",
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.3: response splitting by a hop",
                 {},
                 0},
    ResponseCase{"two lengths",
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
                 false,
                 "",
                 "9112 6.3",
                 {},
                 0},
    ResponseCase{"gzip, chunked",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.1: never asked for (TE)",
                 {},
                 0},
    ResponseCase{"chunks in HTTP/1.0",
                 "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.1",
                 {},
                 0},
    ResponseCase{"bytes behind", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", false, "hi",
                 "9112 9.2: they answer nothing"},
    ResponseCase{"a second answer", "HTTP/1.1 204 A\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", false, "",
                 "9112 9.2: it answers nothing"},
    ResponseCase{"a body of HEAD",
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                 false,
                 "",
                 "9112 6.3: none, whatever its length says",
                 {.method = Method::head}},
    ResponseCase{"HEAD with chunks",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                 true,
                 "",
                 "9112 6.3: none",
                 {.method = Method::head}},
    ResponseCase{"a length in 304", "HTTP/1.1 304 A\r\nContent-Length: 2\r\n\r\n", true, "",
                 "9110 8.6: that of the answer 200"},
    ResponseCase{"a body of 304", "HTTP/1.1 304 A\r\nContent-Length: 2\r\n\r\nhi", false, "",
                 "9112 6.3: none"},
    ResponseCase{"a body of 204", "HTTP/1.1 204 A\r\n\r\nhi", false, "", "9112 6.3: none"},
    ResponseCase{"a length in 204",
                 "HTTP/1.1 204 A\r\nContent-Length: 2\r\n\r\nhi",
                 false,
                 "",
                 "9110 8.6: must not be sent",
                 {},
                 0},
    ResponseCase{"a length of 0 in 204", "HTTP/1.1 204 A\r\nContent-Length: 0\r\n\r\n", true, "",
                 "9110 8.6: must not be sent, but harmless and common"},
    ResponseCase{"chunks in 204",
                 "HTTP/1.1 204 A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 false,
                 "",
                 "9112 6.1: must not be sent",
                 {},
                 0},
    ResponseCase{"chunks in 100",
                 "HTTP/1.1 100 A\r\nTransfer-Encoding: chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.1: must not be sent",
                 {},
                 0},
    ResponseCase{"a tunnel with a length",
                 "HTTP/1.1 200 A\r\nContent-Length: 2\r\n\r\n",
                 true,
                 "",
                 "9112 6.3: means nothing",
                 {.method = Method::connect}},
    ResponseCase{"a refused tunnel",
                 "HTTP/1.1 403 A\r\nContent-Length: 2\r\n\r\nhi",
                 true,
                 "hi",
                 "9112 6.3: an answer as any",
                 {.method = Method::connect}},
    ResponseCase{"an empty line before",
                 "\r\nHTTP/1.1 200 OK\r\n\r\n",
                 false,
                 "",
                 "9112 2.2: only before requests",
                 {},
                 0},
    ResponseCase{"two spaces", "HTTP/1.1  200 OK\r\n\r\n", false, "", "9112 4: one", {}, 0},
    ResponseCase{"two digits", "HTTP/1.1 20 OK\r\n\r\n", false, "", "9112 4: three", {}, 0},
    ResponseCase{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", false, "", "9112 4: three", {}, 0},
    ResponseCase{"below 100", "HTTP/1.1 099 OK\r\n\r\n", false, "", "9110 15", {}, 0},
    ResponseCase{"no status", "HTTP/1.1 OK\r\n\r\n", false, "", "9112 4", {}, 0},
    ResponseCase{"LF", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", false, "", "9112 2.2", {}, 0},
    ResponseCase{"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", false, "", "9112 4", {}, 0},
    ResponseCase{"folded", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", false, "", "9112 5.2", {}, 0},
    ResponseCase{"a request", "GET / HTTP/1.1\r\n\r\n", false, "", "9112 4: no status line", {}, 0},
    ResponseCase{"what Shoutcast says", "ICY 200 OK\r\n\r\n", false, "", "9112 4: HTTP/", {}, 0},
};

TEST(Http1Smuggling, every_response_is_read_as_the_table_says) {
  for (const ResponseCase& what : response_cases) {
    SCOPED_TRACE(what.name);
    ASSERT_FALSE(what.why.empty());
    for (const auto& way : {testing::Cut{}, bytewise()}) {
      Http1Parser parser(Reads::responses);
      const Seen seen = testing::read(parser, what.bytes, way, {what.expected});
      EXPECT_EQ(seen.error.is_ok(), what.is_good) << seen.error;
      EXPECT_EQ(seen.answer, what.is_good ? 0 : 502);
      ASSERT_EQ(seen.messages.size(), what.messages) << seen.error;
      if (what.messages == 1) {
        EXPECT_EQ(seen.messages[0].body, what.body);
      }
    }
  }
}

}  // namespace
}  // namespace parley::http
