// What a function must look like for a message to call it, and the sentence for each one that does
// not. Internal to peer; here because make_handler is a template.
//
// Compile-time values: safe everywhere.
//
//   impl::refuse_signature<F>();          // does not compile, with one sentence, for a wrong F
//   if constexpr (impl::is_servable<F>) { ... }   // so that nothing is said after it
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

#include "parley/codec/signature.h"

namespace parley {

class Context;
class RawStream;
template <class In, class Out>
class Stream;
namespace rt {
class Context;
}

namespace impl {

template <class F>
concept HasSignature = (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) ||
                       requires { &F::operator(); };

// The parameters after the Context, which may be the first.
template <class Parameters>
struct WithoutContext {
  static constexpr bool takes_context = false;
  using Arguments = Parameters;
};
template <class... P>
struct WithoutContext<std::tuple<Context, P...>> {
  static constexpr bool takes_context = true;
  using Arguments = std::tuple<P...>;
};

template <class T>
inline constexpr bool is_stream = std::is_same_v<T, RawStream>;
template <class In, class Out>
inline constexpr bool is_stream<Stream<In, Out>> = true;

enum class Refusal {
  none,
  member_function,
  no_signature,
  stream,
  other_context,
  context,
  reference,
  returns_reference,
};

// Of one parameter, the `at`th. A value, or a const (or rvalue) reference to one; a Context is
// the first, by reference.
template <class P>
consteval Refusal refusal_of_parameter(std::size_t at) {
  using T = std::remove_cvref_t<P>;
  if (is_stream<T>) return Refusal::stream;
  if (std::is_same_v<T, rt::Context>) return Refusal::other_context;
  if (std::is_same_v<T, Context>) {
    return at == 0 && std::is_same_v<P, Context&> ? Refusal::none : Refusal::context;
  }
  const bool can_be_filled =
      !std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>;
  return can_be_filled ? Refusal::none : Refusal::reference;
}

template <class... P>
struct RefusedParameters {
  static consteval Refusal first() {
    [[maybe_unused]] std::size_t at = 0;
    Refusal found = Refusal::none;
    ((found = found == Refusal::none ? refusal_of_parameter<P>(at++) : found), ...);
    return found;
  }
};

template <class F>
consteval Refusal refusal_of() {
  if constexpr (std::is_member_function_pointer_v<F>) {
    return Refusal::member_function;
  } else if constexpr (!HasSignature<F>) {
    return Refusal::no_signature;
  } else {
    using Signature = codec::Signature<F>;
    const Refusal refusal = Signature::template Declared<RefusedParameters>::first();
    if (refusal != Refusal::none) return refusal;
    return std::is_reference_v<typename Signature::Return> ? Refusal::returns_reference
                                                           : Refusal::none;
  }
}

template <class F>
inline constexpr bool is_servable = refusal_of<F>() == Refusal::none;

template <class F>
consteval void refuse_signature() {
  constexpr Refusal refusal = refusal_of<F>();
  static_assert(refusal != Refusal::member_function,
                "parley: a member function needs its object: "
                "member_function(object, &T::f) has it");
  static_assert(refusal != Refusal::no_signature,
                "parley: handle() takes a function or a lambda whose parameters are named types: "
                "neither auto parameters nor overloads");
  static_assert(refusal != Refusal::stream,
                "parley: a function that takes a stream is served by handle_stream()");
  static_assert(refusal != Refusal::other_context,
                "parley: a handler takes parley::Context&, not rt::Context: that one is "
                "rt::Context::current() in it");
  static_assert(refusal != Refusal::context,
                "parley: a handler takes parley::Context& first, by reference, and once");
  static_assert(refusal != Refusal::reference,
                "parley: a handler takes values or const references, behind an optional leading "
                "parley::Context&");
  static_assert(refusal != Refusal::returns_reference,
                "parley: a handler returns by value: its result may be sent after what it refers "
                "to has gone");
}

}  // namespace impl
}  // namespace parley
