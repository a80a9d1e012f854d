// Handler: any function, made callable by a message. The one place where parameter types meet
// bytes.
//
//   Handler add = make_handler([](int a, int b) { return a + b; });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/codec/quick_json.h"
#include "parley/codec/signature.h"
#include "parley/peer/body.h"
#include "parley/peer/context.h"
#include "parley/peer/direct_call.h"
#include "parley/peer/handler_signature.h"
#include "parley/wire/message.h"

namespace parley {

// The body that a request is answered with.
struct Answer {
  // What was written; or `bytes`, when there are any, which are sent without being copied.
  std::string text{};
  Bytes bytes{};
  // `bytes` have gone through the filters of the question already.
  bool is_filtered = false;
  wire::BodyCodec codec = wire::BodyCodec::none;
  // Instead of `text`: a number costs half as much here.
  parley::codec::IntegerText number{};
  // Set where the caller is in this process and wants no body: what it has and where the result
  // goes. Only for a handler whose types are those.
  const impl::DirectCall* direct = nullptr;

  // For the next one; the memory of `text` stays.
  void clear() {
    if (!text.empty()) text.clear();
    if (!bytes.empty()) {
      bytes = {};
      is_filtered = false;
    }
    codec = wire::BodyCodec::none;
    number.size = 0;
  }
  [[nodiscard]] std::string_view text_or_number() const {
    return number.size > 0 ? number.view() : std::string_view(text);
  }
};

// Runs one request; fills in the body of the answer, which is empty before, or gives the error to
// answer with. Fibers on different threads run the same handler at the same time: it guards what it
// shares.
struct Handler : std::function<Status(Context&, const wire::Message&, Answer&)> {
  using std::function<Status(Context&, const wire::Message&, Answer&)>::function;

  // Internal: what it takes and gives where it can be called without bytes.
  impl::DirectTypes direct{};
};

namespace impl {

// Reads the arguments of the request, `type` being their table, and holds them against its rules
// (PeerOptions::validate).
Status take_arguments(const Context& context, const wire::Message& request, const codec::Type& type,
                      void* arguments);
// Writes what a function returned; internal when it cannot: the caller is not to blame.
Status put_result(const Context& context, const codec::Type& type, const void* result,
                  Answer& answer);

// What a function returned, as the body of an answer. Bytes are a body already.
template <class R>
Status encode_return(R returned, const Context& context, Answer& answer) {
  if constexpr (std::is_same_v<R, Status>) {
    return returned;
  } else if constexpr (is_result<R>) {
    if (!returned) return returned.error();
    if constexpr (std::is_void_v<typename R::value_type>) {
      return {};
    } else {
      return encode_return(*std::move(returned), context, answer);
    }
  } else if constexpr (std::is_same_v<R, Bytes>) {
    answer.bytes = std::move(returned);
    answer.codec = context.bytes_codec();
    return {};
  } else {
    if constexpr (codec::QuickInteger<R>) {
      if (context.is_answered_in_json()) {
        answer.number.write(returned);
        answer.codec = wire::BodyCodec::json;
        return {};
      }
    } else if constexpr (std::is_same_v<R, bool>) {
      if (context.is_answered_in_json()) {
        codec::append_quick(answer.text, returned);
        answer.codec = wire::BodyCodec::json;
        return {};
      }
    }
    const Shown<R>& shown = returned;
    return put_result(context, codec::type_of<Shown<R>>(), &shown, answer);
  }
}

// Calls `call()` and makes the answer of what it returns. What it throws passes: who serves a
// handler stands behind a guard (guarded_handler.h), which one more in here would only cost time.
template <class Call>
Status answer_with(const Context& context, Answer& answer, Call call) {
  using R = decltype(call());
  if constexpr (std::is_void_v<R>) {
    call();
    return {};
  } else {
    return encode_return<R>(call(), context, answer);
  }
}

// The arguments in a request. One that is Bytes is the body as it came, in whatever codec.
template <class Arguments>
Status decode_request(const Context& context, const wire::Message& request, const codec::Type& type,
                      Arguments& arguments) {
  if constexpr (std::is_same_v<Arguments, std::tuple<Bytes>>) {
    std::get<0>(arguments) = request.body;
    return {};
  } else if (read_quick_body(request.body_codec, request.body, arguments)) {
    return {};
  } else {
    return take_arguments(context, request, type, &arguments);
  }
}

}  // namespace impl

namespace impl {

// make_handler() for a function whose signature will do.
template <codec::Name... names, class F>
Handler make_servable(F function) {
  using Signature = codec::Signature<F>;
  using Split = WithoutContext<typename Signature::Parameters>;
  using Direct = typename Signature::template Declared<DirectParameters>;
  constexpr DirectTypes direct = direct_types<F, typename Split::Arguments, names...>();
  Handler handler = [function = std::move(function)](Context& context, const wire::Message& request,
                                                     Answer& answer) mutable -> Status {
    if constexpr (direct.arguments != nullptr) {
      if (answer.direct != nullptr) [[unlikely]] {
        return Direct::template call<typename Signature::Return>(function, context, *answer.direct);
      }
    }
    typename Split::Arguments arguments;
    Status status = decode_request(
        context, request, codec::arguments_type<typename Split::Arguments, names...>(), arguments);
    if (!status.is_ok()) return status;
    return std::apply(
        [&](auto&... argument) {
          return answer_with(context, answer, [&]() -> typename Signature::Return {
            if constexpr (Split::takes_context) {
              return function(context, std::move(argument)...);
            } else {
              return function(std::move(argument)...);
            }
          });
        },
        arguments);
  };
  handler.direct = direct;
  return handler;
}

}  // namespace impl

// A handler around `function`: a free function or a function object with one, not overloaded, call
// operator. What it throws is internal for the caller, with the text of the exception as cause
// (PeerOptions::tells_exceptions), and is logged. Parameters: an optional leading Context&, then
// any number of types the codec knows, by value or const reference. Returns T, void, Result<T> or
// Status. All calls use one copy of `function`, in parallel: its captures, and the members of a
// mutable one, are shared. `names`: of the parameters after the Context, so that callers may send
// them by name.
template <codec::Name... names, class F>
Handler make_handler(F function) {
  impl::refuse_signature<F>();
  if constexpr (impl::is_servable<F>) {
    return impl::make_servable<names...>(std::move(function));
  } else {
    return {};
  }
}

// What schemas say of a function that make_handler takes, or of a member function like it.
template <class F, codec::Name... names>
codec::MethodShape handler_shape(std::string_view method, std::string_view description) {
  codec::MethodShape shape{.name = std::string(method), .description = std::string(description)};
  if constexpr (impl::is_servable<F> || std::is_member_function_pointer_v<F>) {
    using Arguments =
        typename impl::WithoutContext<typename codec::Signature<F>::Parameters>::Arguments;
    if constexpr (std::tuple_size_v<Arguments> > 0) {
      shape.parameters = &codec::arguments_type<Arguments, names...>();
    }
    using Returned = codec::ReturnedBy<F>;
    if constexpr (!std::is_void_v<Returned>) shape.result = &codec::type_of<Returned>();
  }
  return shape;
}

}  // namespace parley
