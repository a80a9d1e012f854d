// How arguments and results become bodies, and back: no argument is an empty body, one argument is
// its value itself, two or more are a list of them, which may have names (codec/signature.h). In
// which codec is said where the body travels; PeerOptions::codecs knows them. Bytes as the whole
// body are the body as it is, in every codec.
//
// What depends on types is little: a table and a pointer for each value. The work is done by
// body.cc, whatever the types are; what is small and JSON has code of its own (codec/quick_json.h).
//
// Pure functions, safe anywhere.
//
//   std::string body;
//   Status status = encode_arguments(options, wire::BodyCodec::msgpack, body, order, 3);
//   Result<Order> back = decode_body<Order>(options, message.body_codec, message.body);
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/codec/argument_list.h"
#include "parley/codec/quick_json.h"
#include "parley/codec/signature.h"
#include "parley/codec/type.h"
#include "parley/peer/options.h"
#include "parley/wire/message.h"

namespace parley {

namespace impl {

// Appends what stands for these arguments; `several` is the table of more than one.
Status encode_arguments_as(const PeerOptions& options, wire::BodyCodec codec, std::string& out,
                           std::span<const void* const> arguments,
                           std::span<const codec::Type* const> types,
                           const codec::ArgumentList* several);
// The same with one value.
Status encode_value_as(const PeerOptions& options, wire::BodyCodec codec, std::string& out,
                       const codec::Type& type, const void* value);
Status decode_value_as(const PeerOptions& options, wire::BodyCodec codec, const Bytes& body,
                       const codec::Type& type, void* value);

// Fills in a tuple of arguments, whose table is `type` (codec::arguments_type).
Status decode_arguments_as(const PeerOptions& options, const wire::Message& message,
                           const codec::Type& type, void* arguments);

// PeerOptions::codecs.
const codec::CodecRegistry& codecs_of(const PeerOptions& options);
[[nodiscard]] bool is_known(const PeerOptions& options, wire::BodyCodec codec);
// What is told of an answer that is not what its caller expects.
Status unlike_result(const wire::Message& message, std::string_view method, Status status);
// Ok when bodies in that codec can be read and written, or it is none.
Status require_known(const PeerOptions& options, wire::BodyCodec codec);

// Whether a body is read quickly (codec/quick_json.h); what is not goes to the reader proper.
template <class Values>
bool read_quick_body(wire::BodyCodec codec, const Bytes& body, Values& values) {
  if constexpr (codec::are_quick<Values>) {
    return codec == wire::BodyCodec::json && body.piece_count() == 1 &&
           codec::read_quick(body.piece(0), values);
  } else {
    return false;
  }
}

// What a value travels as: a text of any kind as one.
template <class T>
using Shown = std::conditional_t<std::is_convertible_v<const T&, std::string_view> &&
                                     !std::is_same_v<T, std::string>,
                                 std::string_view, T>;

template <class... Shown>
struct ShownTypes {
  static constexpr const codec::Type* all[] = {&codec::type_of<Shown>()...};
  static constinit const codec::ArgumentList list;
};
template <class... Shown>
constinit const codec::ArgumentList ShownTypes<Shown...>::list{all};

template <class... Shown>
Status encode_shown(const PeerOptions& options, wire::BodyCodec codec, std::string& out,
                    const Shown&... arguments) {
  if constexpr (sizeof...(Shown) == 1) {
    return encode_value_as(options, codec, out, codec::type_of<Shown...>(), (&arguments, ...));
  } else {
    const void* const where[] = {&arguments...};
    using Types = ShownTypes<Shown...>;
    return encode_arguments_as(options, codec, out, where, Types::all, &Types::list);
  }
}

// Bytes as the only argument are the body already, and are shared.
template <class... Args>
using Written =
    std::conditional_t<std::is_same_v<std::tuple<Args...>, std::tuple<Bytes>>, Bytes, std::string>;
inline Bytes as_body(Bytes written) { return written; }
inline Bytes as_body(std::string written) { return Bytes::from(std::move(written)); }

}  // namespace impl

// Appends the body for these arguments. invalid_argument with the place inside it when a value
// cannot be written (a NaN in JSON, text that is not UTF-8, what the codec has no form for) and
// when nobody knows the codec; `out` is as it was then.
template <class... Args>
Status encode_arguments(const PeerOptions& options, wire::BodyCodec codec,
                        impl::Written<Args...>& out, const Args&... args) {
  if constexpr (sizeof...(Args) == 0) {
    return {};
  } else if constexpr (std::is_same_v<decltype(out), Bytes&>) {
    (out.append(args), ...);
    return {};
  } else {
    return impl::encode_shown<impl::Shown<Args>...>(options, codec, out, args...);
  }
}

// What is said of a body of so many arguments. Without any there is nothing to be written; a codec
// that is not json says in what the result is hoped for.
template <class... Args>
constexpr wire::BodyCodec label_of(wire::BodyCodec codec) {
  if (sizeof...(Args) > 0 || codec != wire::BodyCodec::json) return codec;
  return wire::BodyCodec::none;
}

// The one value that a body is. invalid_argument with the path of what does not fit, and for a
// codec that nobody knows.
template <class T>
Result<T> decode_body(const PeerOptions& options, wire::BodyCodec codec, const Bytes& body) {
  if constexpr (std::is_same_v<T, Bytes>) {
    return body;
  } else {
    T value{};
    Status status = impl::decode_value_as(options, codec, body, codec::type_of<T>(), &value);
    if (!status.is_ok()) return status;
    return value;
  }
}

// The result in a reply. With R = void the body is not looked at; R = wire::Message is all of it.
// `method`: for the error that it is none; empty where it is not known any more.
template <class R>
Result<R> decode_result(const PeerOptions& options, const wire::Message& message,
                        std::string_view method) {
  if constexpr (std::is_void_v<R>) {
    return {};
  } else if constexpr (std::is_same_v<R, wire::Message>) {
    return message;
  } else {
    if constexpr (codec::QuickValue<R>) {
      std::tuple<R> quick;
      if (impl::read_quick_body(message.body_codec, message.body, quick)) {
        return std::get<0>(std::move(quick));
      }
    }
    Result<R> result = decode_body<R>(options, message.body_codec, message.body);
    if (!result) return impl::unlike_result(message, method, result.error());
    return result;
  }
}

}  // namespace parley
