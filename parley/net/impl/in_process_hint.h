// What to try when an address of this process comes to who knows none. Private to net. Pure.
#pragma once

#include <string>

#include "parley/net/address.h"

namespace parley::net::impl {

// Empty for all other addresses.
inline std::string hint_for(const Address& address) {
  if (address.network != "inproc") return {};
  return "; a name within a process needs an InProcessNetwork to listen and to dial by";
}

}  // namespace parley::net::impl
