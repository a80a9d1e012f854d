#include "parley/peer/impl/hops.h"

#include <charconv>
#include <string>
#include <system_error>

#include "parley/peer/plugins/proxy.h"

namespace parley::impl {

Status count_hop(wire::Metadata& metadata, std::size_t max_hops) {
  std::size_t hops = 0;
  if (const auto text = metadata.get(proxy_hops_key)) {
    const char* const end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, hops);
    if (at != end || error != std::errc()) {
      return {Code::invalid_argument, std::string(proxy_hops_key) + " is no number"};
    }
  }
  if (hops >= max_hops) {
    return {Code::resource_exhausted, "max_hops: the request has come through " +
                                          std::to_string(hops) +
                                          " proxies: do they send to each other in a circle?"};
  }
  metadata.set(proxy_hops_key, std::to_string(hops + 1));
  return {};
}

}  // namespace parley::impl
