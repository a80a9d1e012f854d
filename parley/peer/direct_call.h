// What a call is within one process, where the types of caller and handler agree: the objects
// themselves, by their addresses. Nothing is written and nothing is read; what does not agree goes
// as bytes, as ever (impl/shortcut.h decides). Internal to peer; here because both ends are
// templates.
//
//   DirectTypes types = direct_types<Signature>();          // beside the handler
//   std::optional<int> sum;
//   DirectCall call{.types = ..., .arguments = addresses, .result = &sum};
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/codec/signature.h"
#include "parley/peer/body.h"
#include "parley/wire/message.h"

namespace parley {

class Context;
struct CallOptions;

namespace impl {

class Shortcut;

// The address of a variable there is once for each T. Two libraries may have one each: then the
// types are taken for different ones.
template <class T>
struct DirectKey {
  static constexpr char at = 0;
};
template <class T>
constexpr const void* direct_key() {
  return &DirectKey<T>::at;
}

// What a function takes and gives.
struct DirectTypes {
  const void* arguments = nullptr;     // key of a tuple of them; null: it is called by bytes only
  const void* result = nullptr;        // key of what stands behind Result; null: nothing, or a view
  const codec::Type* table = nullptr;  // of the arguments
};

struct DirectCall {
  DirectTypes types{};                     // as the caller has them; no result: it wants none
  const void* const* arguments = nullptr;  // one for each
  void* result = nullptr;                  // a std::optional of it; null: it wants none
};

// Objects whose copy is certain to compile: of a vector of std::unique_ptr nobody can tell.
template <class T>
struct IsCopied : std::bool_constant<std::is_trivially_copyable_v<T> ||
                                     std::is_same_v<T, std::string> || std::is_same_v<T, Bytes>> {};
template <class T>
struct IsCopied<std::vector<T>> : IsCopied<T> {};
template <class T>
struct IsCopied<std::optional<T>> : IsCopied<T> {};

// A parameter that gets the caller's object, or a copy of it where it may change it.
template <class P>
inline constexpr bool is_direct = std::is_same_v<P, Context&> || std::is_lvalue_reference_v<P> ||
                                  IsCopied<std::decay_t<P>>::value;
template <class... P>
struct AreDirect : std::bool_constant<(is_direct<P> && ...)> {};

template <class P>
decltype(auto) direct_argument(const void* at) {
  using T = std::decay_t<P>;
  if constexpr (std::is_lvalue_reference_v<P>) {
    return *static_cast<const T*>(at);
  } else {
    return T(*static_cast<const T*>(at));
  }
}

template <class R>
constexpr const void* direct_result_key() {
  if constexpr (std::is_void_v<R>) {
    return nullptr;
  } else {
    return std::is_same_v<Shown<R>, R> ? direct_key<R>() : nullptr;
  }
}

// `Arguments`: a tuple of what the function takes behind its Context.
template <class F, class Arguments, codec::Name... names>
constexpr DirectTypes direct_types() {
  if constexpr (codec::Signature<F>::template Declared<AreDirect>::value) {
    return {.arguments = direct_key<Arguments>(),
            .result = direct_result_key<codec::ReturnedBy<F>>(),
            .table = &codec::arguments_type<Arguments, names...>()};
  } else {
    return {};
  }
}

// Where a function's result goes.
template <class R>
Status give_directly(R returned, const DirectCall& call) {
  if constexpr (std::is_same_v<R, Status>) {
    return returned;
  } else if constexpr (is_result<R>) {
    if (!returned) return returned.error();
    if constexpr (!std::is_void_v<typename R::value_type>) {
      return give_directly(*std::move(returned), call);
    }
    return {};
  } else {
    if (call.result != nullptr) {
      static_cast<std::optional<R>*>(call.result)->emplace(std::move(returned));
    }
    return {};
  }
}

// Calls the function. What it throws passes, as it does from answer_with() (handler.h).
template <class R, class Call>
Status run_directly(const DirectCall& direct, Call call) {
  if constexpr (std::is_void_v<R>) {
    call();
    return {};
  } else {
    return give_directly<R>(call(), direct);
  }
}

template <class... P>
struct DirectParameters {
  template <class R, class F, std::size_t... at>
  static Status call(F& function, Context& /*context*/, const DirectCall& direct,
                     std::index_sequence<at...> /*all*/) {
    return run_directly<R>(
        direct, [&]() -> R { return function(direct_argument<P>(direct.arguments[at])...); });
  }
  template <class R, class F>
  static Status call(F& function, Context& context, const DirectCall& direct) {
    return call<R>(function, context, direct, std::index_sequence_for<P...>());
  }
};
template <class... P>
struct DirectParameters<Context&, P...> {
  template <class R, class F, std::size_t... at>
  static Status call(F& function, Context& context, const DirectCall& direct,
                     std::index_sequence<at...> /*all*/) {
    return run_directly<R>(direct, [&]() -> R {
      return function(context, direct_argument<P>(direct.arguments[at])...);
    });
  }
  template <class R, class F>
  static Status call(F& function, Context& context, const DirectCall& direct) {
    return call<R>(function, context, direct, std::index_sequence_for<P...>());
  }
};

// An argument as a caller has it: the object itself, or, of a text of another kind, a string.
template <class T>
struct DirectArgument {
  static constexpr bool is_view = !std::is_same_v<Shown<T>, T>;
  using type = std::conditional_t<is_view, std::string, T>;

  explicit DirectArgument(const T& argument) : value(argument) {}
  [[nodiscard]] const void* at() const { return std::addressof(value); }

  std::conditional_t<is_view, std::string, const T&> value;
};

// False when the call has to go as bytes; nothing has happened then. Otherwise it is over.
bool call_by_shortcut(Shortcut& shortcut, const CallOptions& options, std::string_view method,
                      wire::BodyCodec codec, const DirectCall& call, Status& status);

// Nothing when the call has to go as bytes.
template <class R, class... Args>
std::optional<Result<R>> call_directly(Shortcut& shortcut, const CallOptions& options,
                                       std::string_view method, wire::BodyCodec codec,
                                       const Args&... args) {
  using Arguments = std::tuple<typename DirectArgument<Args>::type...>;
  const std::tuple<DirectArgument<Args>...> held(args...);
  const auto at = std::apply(
      [](const auto&... each) { return std::array<const void*, sizeof...(Args)>{each.at()...}; },
      held);
  std::optional<std::conditional_t<std::is_void_v<R>, char, R>> result;
  DirectCall call{.types = {.arguments = direct_key<Arguments>()}, .arguments = at.data()};
  if constexpr (!std::is_void_v<R>) {
    call.types.result = direct_key<R>();
    call.result = &result;
  }
  Status status;
  const wire::BodyCodec label = label_of<Args...>(codec);
  if (!call_by_shortcut(shortcut, options, method, label, call, status)) return std::nullopt;
  if (!status.is_ok()) return Result<R>(std::move(status));
  if constexpr (std::is_void_v<R>) {
    return Result<R>();
  } else {
    return Result<R>(*std::move(result));
  }
}

}  // namespace impl
}  // namespace parley
