// Controllers: a class whose methods are served under names made from one description of them, and
// groups of methods under one prefix.
//
// A description is a constant of the class; the objects must outlive the peer.
//
//   struct Math {
//     int add(int a, int b);
//     static constexpr auto parley_methods = methods<"Math">(
//         method<"Add", "a", "b">(&Math::add, "Adds two numbers."));
//   };
//   Math math;
//   peer.handle_controller(math);                       // "/math/add"
//   peer.group("/v2").handle("/ping", [] { return 1; });  // "/v2/ping"
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "parley/codec/signature.h"

namespace parley {

// One method of a class: its name, those of its parameters (all or none), and what schemas say.
template <codec::Name name, class Member, codec::Name... parameters>
struct ControllerMethod {
  Member member;
  std::string_view description;
};

template <codec::Name name, codec::Name... parameters, class Member>
constexpr ControllerMethod<name, Member, parameters...> method(Member member,
                                                               std::string_view description = {}) {
  return {member, description};
}

// Those of a class, under its own name; an empty one adds nothing to theirs.
template <codec::Name name, class... Methods>
struct ControllerMethods {
  std::tuple<Methods...> all;
};

template <codec::Name name, class... Methods>
constexpr ControllerMethods<name, Methods...> methods(Methods... all) {
  return {std::tuple<Methods...>(all...)};
}

}  // namespace parley
