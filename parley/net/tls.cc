#include "parley/net/tls.h"

namespace parley::net {

std::string_view name_of(TlsVersion version) noexcept {
  return version == TlsVersion::tls1_2 ? "TLS 1.2" : "TLS 1.3";
}

}  // namespace parley::net
