// Makes a handler of a function that serves a stream.
//
//   Handler chat = make_stream_handler([](Stream<Said, Shown>& chat) -> Status {...});
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/base/result.h"
#include "parley/codec/signature.h"
#include "parley/peer/context.h"
#include "parley/peer/guarded_handler.h"
#include "parley/peer/handler.h"
#include "parley/peer/stream.h"

namespace parley {

namespace impl {

// How a function takes its stream: (Stream&) or (Context&, Stream&).
template <class... P>
struct TakesStream {
  static constexpr bool is = false;
};
template <class S>
  requires StreamParameter<S>::is
struct TakesStream<S> {
  static constexpr bool is = true;
  static constexpr bool takes_context = false;
  using Parameter = StreamParameter<S>;
};
template <class S>
  requires StreamParameter<S>::is
struct TakesStream<Context&, S> {
  static constexpr bool is = true;
  static constexpr bool takes_context = true;
  using Parameter = StreamParameter<S>;
};

template <class Return>
inline constexpr bool ends_stream = std::is_void_v<Return> || std::is_same_v<Return, Status> ||
                                    std::is_same_v<Return, Result<void>>;

// make_stream_handler() for a function whose signature will do.
template <class Takes, class Return, class F>
Handler make_servable_stream(F function) {
  return [function = std::move(function)](Context& context, const wire::Message&,
                                          Answer&) mutable -> Status {
    auto stream = Takes::Parameter::make(context.stream(), context);
    if constexpr (!Takes::Parameter::is_raw) {
      Status known = require_known(context.options(), context.body_codec());
      if (!known.is_ok()) return known;
    }
    Status ended;
    const auto call = [&]() -> Return {
      if constexpr (Takes::takes_context) {
        return function(context, stream);
      } else {
        return function(stream);
      }
    };
    const Status threw = impl::guarded_handler(context, [&] {
      if constexpr (std::is_void_v<Return>) {
        call();
      } else if constexpr (std::is_same_v<Return, Status>) {
        ended = call();
      } else {
        if (Result<void> returned = call(); !returned) ended = returned.error();
      }
    });
    return threw.is_ok() ? ended : threw;
  };
}

}  // namespace impl

// `function`: (Stream<In, Out>&) or (RawStream&), behind an optional Context&; it returns Status,
// Result<void> or nothing, and the stream ends with that. What it throws becomes internal, and is
// logged. All streams use one copy of it, in parallel.
template <class F>
Handler make_stream_handler(F function) {
  static_assert(!std::is_member_function_pointer_v<F>,
                "parley: a member function needs its object: member_function(object, &T::f) has "
                "it");
  static_assert(impl::HasSignature<F> || std::is_member_function_pointer_v<F>,
                "parley: handle_stream() takes a function or a lambda whose parameters are named "
                "types, not overloaded");
  if constexpr (impl::HasSignature<F>) {
    using Signature = codec::Signature<F>;
    using Takes = typename Signature::template Declared<impl::TakesStream>;
    static_assert(Takes::is,
                  "parley: a handler of a stream takes an optional leading parley::Context&, then "
                  "a parley::Stream<In, Out>& or a parley::RawStream&");
    using Return = typename Signature::Return;
    static_assert(!Takes::is || impl::ends_stream<Return>,
                  "parley: a handler of a stream returns a Status, a Result<void> or nothing");
    if constexpr (Takes::is && impl::ends_stream<Return>) {
      return impl::make_servable_stream<Takes, Return>(std::move(function));
    }
  }
  return {};
}

// What schemas say of such a function, but its name.
template <class F>
codec::MethodShape stream_shape() {
  using Function = std::decay_t<F>;
  if constexpr (impl::HasSignature<Function>) {
    using Takes = typename codec::Signature<Function>::template Declared<impl::TakesStream>;
    if constexpr (Takes::is) return Takes::Parameter::shape();
  }
  return {};
}

}  // namespace parley
