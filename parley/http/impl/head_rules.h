// What the head of a message says of its body and its connection, and which heads are refused since
// two readers could take them differently (RFC 9112 3.2, 6, 9). One table of rules for what is read
// and what is written. Private to http; pure functions.
//
//   Framing framing;
//   if (!frame_request(request, limits, framing, fault)) return refused(fault);
#pragma once

#include "parley/http/framing.h"
#include "parley/http/impl/fault.h"
#include "parley/http/message.h"

namespace parley::http::impl {

// False, and `fault` says why, when the head is refused. Also looks at the target and at Host.
bool frame_request(const Request& request, const Http1Limits& limits, Framing& framing,
                   Fault& fault);

// `version`: what it is sent as. `expected`: what is known of the request.
bool frame_response(const Response& response, Version version, const Expected& expected,
                    const Http1Limits& limits, Framing& framing, Fault& fault);

// Whether a field may come behind the body: not one that says how the message is framed, where it
// goes or what becomes of its connection (RFC 9110 6.5.1).
bool may_be_trailer(std::string_view name) noexcept;

}  // namespace parley::http::impl
