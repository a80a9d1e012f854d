// A member function and its object as one function, for Peer::handle and make_handler.
//
// A value; the object must outlive it.
//
//   peer.handle("/orders/place", member_function(orders, &Orders::place));
#pragma once

#include <type_traits>
#include <utility>

namespace parley {

// A function object with the parameters and the return type of `method`, which it calls on
// `object`.
template <class Object, class C, class R, class... P>
auto member_function(Object& object, R (C::*method)(P...)) {
  static_assert(std::is_base_of_v<C, Object>, "the function is not a member of this object");
  return [&object, method](P... arguments) -> R {
    return (object.*method)(std::forward<P>(arguments)...);
  };
}
template <class Object, class C, class R, class... P>
auto member_function(Object& object, R (C::*method)(P...) const) {
  static_assert(std::is_base_of_v<C, Object>, "the function is not a member of this object");
  return [&object, method](P... arguments) -> R {
    return (object.*method)(std::forward<P>(arguments)...);
  };
}

}  // namespace parley
