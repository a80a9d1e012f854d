// The part of resolv.conf(5) that c-ares 1.18 does not read: it knows the options `timeout` and
// `attempts` only under the names other systems gave them. Private to net.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace parley::net::impl {

struct ResolvConf {
  std::optional<int> timeout_s;  // capped at 30, as resolv.conf(5) has it
  std::optional<int> attempts;   // capped at 5
};

// Lines it does not understand are passed over, as every reader of that file does; of several
// values the last counts.
ResolvConf parse_resolv_conf(std::string_view text);

// Bytes of the file that are read; what stands behind is passed over.
inline constexpr std::size_t max_resolv_conf = std::size_t{64} * 1024;

// The text of `path`; empty when it cannot be read.
std::string read_resolv_conf(const std::string& path);

}  // namespace parley::net::impl
