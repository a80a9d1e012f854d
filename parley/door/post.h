// Post: the methods of a Peer over plain HTTP, for curl, browsers and whatever else can POST. One
// request is one call, the body its arguments, the answer's body its result.
//
//   http::Handler handler = door::make_post(peer);
//   // curl -d '[1,2]' http://host/math/add         -> 3
//   // curl -d '{"a":1,"b":2}' http://host/math/add -> 3, where the names are known
//
// What stands where:
//   path          the method; what is behind '?' is Context::query()
//   Content-Type  how the arguments are written, by the media types of PeerOptions::codecs; without
//                 one as PeerOptions::body_codec says. curl calls everything a form: a "form" that
//                 begins with [, { or ", or has no '=', is JSON.
//   Accept        what the result is written in, the first of the best that is known; else, and for
//                 who sends a form, JSON for a form and otherwise the codec of the arguments.
//   Parley-Meta-X metadata x, both ways; the name in lower case, as HTTP/2 has it. What no field
//                  may have is left out of an answer.
//   Parley-Timeout, grpc-timeout   how long the caller waits, as gRPC writes it: 250m, 2S
// An error is answered with the number of status_table.h and JSON:
//   {"code":"failed_precondition","message":"out of tea","cause":"...","business_code":1001}
// Before a method was called: 404 outside of the prefix, 405, 413, 415 in the same form. What HTTP
// refuses by itself, a wrong head, is text; and where no Door has made the handler, over HTTP/1 a
// Content-Length that is beyond max_body_bytes of ServerOptions::limits. The cause of an exception
// is its text: PeerOptions::tells_exceptions keeps it inside. 503 unavailable: the end of the peer
// or the server cut the call.
//
// Browsers send such requests from any page that they show, with the user's cookies: a peer that
// goes by cookies needs a plugin that looks at more than those.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/door/status_table.h"
#include "parley/http/exchange.h"
#include "parley/peer/peer.h"

namespace parley::door {

struct PostOptions {
  // Paths begin with it, and methods with what follows: "/api" makes /api/math/add of /math/add.
  std::string prefix{};
  // Of a request, at most PeerOptions::max_frame_bytes. Those that are still coming by one
  // connection hold together PeerOptions::max_handler_bytes (ForeignRoom): beyond it 429.
  std::size_t max_body = std::size_t{16} << 20U;
  // Of a call whose caller does not say how long it waits.
  Duration timeout = std::chrono::seconds(30);
  // GET and HEAD call methods as well, the query being a form of the arguments by name. Who only
  // follows a link calls then: for methods that change nothing.
  bool allow_get = false;
  HttpRule rule = HttpRule::canonical;
  // Fields that are metadata under these very names.
  std::vector<std::string> metadata_fields = {"traceparent", "tracestate"};
};

// Fiber-safe, as handlers are. `peer` must outlive it and the connections that it served.
http::Handler make_post(Peer& peer, PostOptions options = {});

// "250m": up to eight digits and one of H, M, S, m, u, n. invalid_argument for anything else.
Result<Duration> parse_timeout(std::string_view text);

}  // namespace parley::door
