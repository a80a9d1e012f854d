// The table of request smuggling, second half: chunks and first lines, and a loop over all of it. A
// request is accepted with its body, and nothing of what follows; or refused, and then nothing
// behind it is a request. For tests only.
//
//   testing::smuggling::each_case([](const Case& what, std::string_view bytes) { ... });
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "parley/http/testing/smuggling_lengths.h"

namespace parley::http::testing::smuggling {

inline constexpr std::string_view chunked = "Transfer-Encoding: chunked\r\n\r\n";

// Behind the head above: chunks.
inline constexpr std::array chunk_cases = {
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
inline constexpr std::array line_cases = {
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

// `bytes` are those of the case, with the head in front that it needs.
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

}  // namespace parley::http::testing::smuggling
