// The byte formats that the shop speaks, all on one port, and its customers one by one.
//
// `shop_client --framings` and `shop_service --framings` name them: ./dev compat goes by that.
#pragma once

#include <parley/parley.h>
#include <parley/wire/json_framing.h>
#include <parley/wire/parley_framing.h>
#include <parley/wire/pb_framing.h>
#include <parley/wire/raw_framing.h>

#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

namespace shop {

using Framings = std::vector<std::shared_ptr<const parley::wire::Framing>>;

// Our own first.
inline Framings all_framings() {
  return {
      std::make_shared<parley::wire::ParleyFraming>(), std::make_shared<parley::wire::RawFraming>(),
      std::make_shared<parley::wire::JsonFraming>(), std::make_shared<parley::wire::PbFraming>()};
}

// The one of that name; empty when there is none.
inline Framings framing_named(std::string_view name) {
  for (const auto& framing : all_framings()) {
    if (framing->name() == name) return {framing};
  }
  return {};
}

// One a line. Returns the exit code.
inline int print_framings() {
  for (const auto& framing : all_framings()) std::puts(std::string(framing->name()).c_str());
  return 0;
}

}  // namespace shop
