// An HTTP/2 connection as the pool of a client keeps it: client_connection.h. Private to http.
#pragma once

#include <memory>
#include <string_view>

#include "parley/http/exchange_times.h"
#include "parley/http/http2_options.h"
#include "parley/http/impl/client_connection.h"
#include "parley/net/stream.h"

namespace parley::http::impl {

// Inside a fiber; as Http2Connection. Not destroyed on a fiber that calls its on_change() hook.
[[nodiscard]] std::unique_ptr<ClientConnection> http2_client_connection(
    std::unique_ptr<net::Stream> stream, std::string_view scheme, const Http2Options& options,
    const ExchangeTimes& times);

}  // namespace parley::http::impl
