// Which versions of HTTP are spoken: by a server (ServerOptions) and by a client (ClientOptions).
#pragma once

#include <cstdint>

namespace parley::http {

enum class Versions : std::uint8_t { all, http_1, http_2 };

}  // namespace parley::http
