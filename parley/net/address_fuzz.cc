// Fuzzes Address::parse: any text gives an address or an error, and an address that was read is
// written and read again as the same one, within its limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/net/address.h"
#include "parley/net/impl/socket.h"

namespace {

using parley::net::Address;

void check_limits(const Address& address) {
  if (address.network == "unix") {
    PARLEY_ASSERT(address.host.size() >= 2 && address.host.size() <= parley::net::max_unix_path,
                  "a Unix address of an impossible length");
    PARLEY_ASSERT(!address.is_numeric() && address.port == 0, "a Unix address is no number");
  } else if (address.network == "inproc") {
    PARLEY_ASSERT(!address.host.empty() && address.host.size() <= parley::net::max_in_process_name,
                  "a name within a process of an impossible length");
    PARLEY_ASSERT(!address.is_numeric() && address.port == 0, "such a name is no number");
  } else {
    PARLEY_ASSERT(address.network == "tcp" || address.network == "udp", "an unknown network");
    PARLEY_ASSERT(!address.host.empty() && address.host.size() <= parley::net::max_host_name + 1,
                  "a host of an impossible length");
  }
  PARLEY_ASSERT(address.host.find('\0') == std::string::npos, "a zero byte in a host");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto address = Address::parse(text);
  if (!address) {
    PARLEY_ASSERT(address.error().code() == parley::Code::invalid_argument, "another error");
    PARLEY_ASSERT(address.error().message().size() < 3000, "an error without an end");
    return 0;
  }
  check_limits(*address);
  const auto again = Address::parse(address->to_string());
  PARLEY_ASSERT(again && *again == *address, "an address changed on its way out and in");
  if (address->network == "unix" || address->is_numeric()) {
    const auto back = parley::net::impl::address_of(parley::net::impl::socket_address_of(*address),
                                                    address->network);
    PARLEY_ASSERT(back == *address, "an address changed on its way to the kernel's form and back");
  }
  return 0;
}
