// The signature of a function as messages: its parameters are the elements of a tuple, and so is a
// result that is several.
//
// * No parameters: an empty body. One: its value itself. Several: a JSON or MessagePack array, a
//   protobuf message with the fields 1 to n, keys in a form.
// * Parameters may have names (the language does not give them away; `parley gen` does). They are
//   still written as an array, which every reader takes whatever it knows of names; or, where
//   the other side prefers it, as an object (named_arguments_type). Reading takes both. In an
//   object no parameter may be absent unless it is a std::optional.
//
// Compile-time values and tables: safe everywhere.
//
//   Receipt place(const Order& order, bool urgent);
//
//   using Place = codec::Signature<decltype(&place)>;
//   Place::Parameters arguments;   // std::tuple<Order, bool>
//   const codec::Type& type = codec::arguments_type<Place::Parameters, "order", "urgent">();
//   Status read = codec::decode_json_as(R"({"order":{},"urgent":true})", type, &arguments);
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/type.h"

namespace parley::codec {

namespace impl {

// The call operator of a function object.
template <class F>
struct CallOperator {
  static_assert(
      requires { &F::operator(); },
      "parley: only functions, member functions and function objects with one call "
      "operator that is no template have a signature, without volatile, && and '...': "
      "put it in a lambda whose parameters are named types");
  using type = void();
};
template <class F>
  requires requires { &F::operator(); }
struct CallOperator<F> {
  using type = decltype(&F::operator());
};

}  // namespace impl

// The return type and the parameters of a function, a pointer or reference to one, a pointer to a
// member function that a value can call, or a function object with one call operator.
template <class F>
struct Signature : Signature<typename impl::CallOperator<F>::type> {};
template <class R, class... P>
struct Signature<R(P...)> {
  using Return = R;
  using Parameters = std::tuple<std::decay_t<P>...>;
  // The parameters as they are declared, for those who must know about references.
  template <template <class...> class To>
  using Declared = To<P...>;
};
template <class R, class... P>
struct Signature<R(P...) noexcept> : Signature<R(P...)> {};
template <class R, class... P>
struct Signature<R (*)(P...)> : Signature<R(P...)> {};
template <class R, class... P>
struct Signature<R (*)(P...) noexcept> : Signature<R(P...)> {};
template <class R, class... P>
struct Signature<R (&)(P...)> : Signature<R(P...)> {};
template <class R, class... P>
struct Signature<R (&)(P...) noexcept> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...)> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...) const> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...) noexcept> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...) const noexcept> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...)&> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...) const&> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...) & noexcept> : Signature<R(P...)> {};
template <class C, class R, class... P>
struct Signature<R (C::*)(P...) const & noexcept> : Signature<R(P...)> {};

// A string as a template argument.
template <std::size_t n>
struct Name {
  char text[n]{};

  consteval Name(const char (&from)[n]) {  // NOLINT(google-explicit-constructor): "a" is a Name
    for (std::size_t i = 0; i < n; ++i) text[i] = from[i];
  }
  [[nodiscard]] constexpr std::string_view view() const { return {text, n - 1}; }
};

namespace impl {

template <Name... names>
inline constexpr std::array<std::string_view, sizeof...(names)> parameter_names = {names.view()...};
template <Name... names>
inline constexpr JoinedNames<size_of_names(parameter_names<names...>)> joined_parameter_names(
    parameter_names<names...>);

template <class Parameters, Name... names>
struct ArgumentsTable {
  static_assert(sizeof...(names) == 0 || sizeof...(names) == std::tuple_size_v<Parameters>,
                "parley: give every parameter a name, or none");

  static consteval MembersDescription describe_named() {
    MembersDescription description = TupleElements<Parameters>::describe();
    description.names = joined_parameter_names<names...>.text;
    description.are_parameters = sizeof...(names) > 0;
    return description;
  }
  static const MembersDescription& describe() {
    static constexpr MembersDescription description = describe_named();
    return description;
  }
  static constexpr Type make(Kind kind) {
    Type type = plain_type<Parameters>(kind);
    type.name = "Arguments";
    type.members_of = &members;
    return type;
  }
  static LazyMembers members;
  static constinit const Type list;
  static constinit const Type object;
};
template <class Parameters, Name... names>
constinit LazyMembers ArgumentsTable<Parameters, names...>::members{&describe};
template <class Parameters, Name... names>
constinit const Type ArgumentsTable<Parameters, names...>::list = make(Kind::tuple);
template <class Parameters, Name... names>
constinit const Type ArgumentsTable<Parameters, names...>::object = make(Kind::structure);

// What travels of a return type; void: nothing does.
template <class R>
struct Returned {
  using type = R;
};
template <>
struct Returned<Status> {
  using type = void;
};
template <class T>
struct Returned<Result<T>> : Returned<T> {};

}  // namespace impl

// The table of a tuple of parameters, with names or without; written as a list.
template <class Parameters, Name... names>
constexpr const Type& arguments_type() {
  if constexpr (sizeof...(names) == 0) {
    return type_of<Parameters>();
  } else {
    return impl::ArgumentsTable<Parameters, names...>::list;
  }
}

// The same, written as an object.
template <class Parameters, Name... names>
constexpr const Type& named_arguments_type() {
  static_assert(sizeof...(names) > 0, "parley: an object needs the names of the parameters");
  return impl::ArgumentsTable<Parameters, names...>::object;
}

// A value and what it looks like; no type: an empty body.
template <class Object>
struct Body {
  const Type* type = nullptr;
  Object* object = nullptr;
};

// What the body looks like for parameters whose table is `type` (of arguments_type; null: none).
// Null: it is empty.
inline const Type* body_type(const Type* type) {
  if (type == nullptr || type->members().fields().empty()) return nullptr;
  const std::span<const Field> fields = type->members().fields();
  return fields.size() == 1 ? fields[0].type : type;
}

// What stands in the body for these arguments, whose table is `type` (of arguments_type): nothing,
// the only one, or all of them. The second is for decoding into it.
inline Body<const void> body_of(const Type& type, const void* arguments) {
  const Type* const body = body_type(&type);
  if (body == nullptr || body == &type) return {body, arguments};
  return {body, static_cast<const char*>(arguments) + type.members().fields()[0].offset};
}
inline Body<void> body_of(const Type& type, void* arguments) {
  const Body<const void> body = body_of(type, static_cast<const void*>(arguments));
  return {body.type, const_cast<void*>(body.object)};
}

// What a function returns, behind Result and Status: void where that is all.
template <class F>
using ReturnedBy = typename impl::Returned<std::decay_t<typename Signature<F>::Return>>::type;

// A method as schemas show it (schema.h).
struct MethodShape {
  std::string name = {};             // "/order/place"
  const Type* parameters = nullptr;  // of arguments_type(); null: none
  const Type* result = nullptr;      // null: nothing
  std::string description = {};
  // Of a stream: `parameters` is a message that it reads, `result` one that it sends; null:
  // unknown.
  bool is_stream = false;
};

// The shape of a function whose parameters are all arguments.
template <class F, Name... names>
MethodShape method_shape(std::string name, std::string description = {}) {
  MethodShape shape{.name = std::move(name), .description = std::move(description)};
  using Parameters = typename Signature<F>::Parameters;
  if constexpr (std::tuple_size_v<Parameters> > 0) {
    shape.parameters = &arguments_type<Parameters, names...>();
  }
  if constexpr (!std::is_void_v<ReturnedBy<F>>) shape.result = &type_of<ReturnedBy<F>>();
  return shape;
}

}  // namespace parley::codec
