// Inside: which peers the calling fiber is in a listen() or dial() of, hooks of plugins included.
// Private to peer.
//
// Carried by contexts, so that fibers started in there are inside as well.
//
//   return run_inside(this, [&] { return start_dialling(address, options); });
//   if (is_inside_of(this)) ...     // close() would wait for its own caller
#pragma once

#include <memory>
#include <type_traits>

#include "parley/rt/context.h"

namespace parley::impl {

struct Inside {
  const void* peer;
  std::shared_ptr<const Inside> outer;  // a hook may listen or dial with another peer
};
using InsideOf = std::shared_ptr<const Inside>;

template <class F>
std::invoke_result_t<F> run_inside(const void* peer, F f) {
  const rt::Context context = rt::Context::current();
  const auto* const outer = context.value<InsideOf>();
  const rt::WithContext bound(context.with_value(
      std::make_shared<const Inside>(peer, outer == nullptr ? nullptr : *outer)));
  return f();
}

inline bool is_inside_of(const void* peer) {
  const rt::Context context = rt::Context::current();
  const auto* const around = context.value<InsideOf>();
  const Inside* each = around == nullptr ? nullptr : around->get();
  while (each != nullptr && each->peer != peer) each = each->outer.get();
  return each != nullptr;
}

}  // namespace parley::impl
