// How arguments and results become bodies, and back: no argument is an empty body, one argument is
// its value itself, two or more are an array, or an object where their names are known
// (codec/signature.h). Everything is JSON for now.
//
// Pure functions, safe anywhere.
//
//   Result<std::string> body = encode_arguments(order, 3);      // [{"sku":"tea"},3]
//   Result<std::tuple<Order, int>> back = decode_arguments<Order, int>(message);
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/base/result.h"
#include "parley/codec/json.h"
#include "parley/codec/quick_json.h"
#include "parley/codec/signature.h"
#include "parley/wire/message.h"

namespace parley {

namespace impl {

// Status of a codec that is not JSON, or of a body in one; ok otherwise.
Status require_json(wire::BodyCodec codec);
Status require_json(wire::BodyCodec codec, const Bytes& body);

// The text in one piece: in place when it is, else copied to `joined`.
std::string_view text_of(const Bytes& body, std::string& joined);

// Fills in a tuple of arguments, whose table is `type` (codec::arguments_type).
Status decode_arguments_as(const wire::Message& message, const codec::Type& type, void* arguments);

// What is decoded outlives the message it came in.
inline constexpr codec::JsonOptions body_options{.refuse_views = true};

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

template <class T>
Status append_value(std::string& out, const T& value) {
  if constexpr (codec::QuickInteger<T> || std::is_same_v<T, bool>) {
    codec::append_quick(out, value);
    return {};
  } else if constexpr (std::is_convertible_v<const T&, std::string_view> &&
                       !std::is_same_v<T, std::string>) {
    return codec::encode_json_to(out, std::string(std::string_view(value)));
  } else {
    return codec::encode_json_to(out, value);
  }
}

}  // namespace impl

// The body for these arguments. invalid_argument with the number of the argument and the path
// inside it when a value cannot be written (a NaN, text that is not UTF-8).
template <class... Args>
Result<std::string> encode_arguments(const Args&... args) {
  std::string out;
  if constexpr (sizeof...(Args) == 1) {
    if (Status s = (impl::append_value(out, args), ...); !s.is_ok()) return s;
  } else if constexpr (sizeof...(Args) > 1) {
    Status status;
    int number = 0;
    char before = '[';
    const auto append = [&](const auto& value) {
      out += std::exchange(before, ',');
      ++number;
      status = impl::append_value(out, value);
      if (!status.is_ok()) status = status.with_context("argument " + std::to_string(number));
      return status.is_ok();
    };
    if (!(append(args) && ...)) return status;
    out += ']';
  }
  return out;
}

// The arguments in `message`, of exactly these types. invalid_argument with the path of what does
// not fit (`$[1].quantity: expected integer, got string`).
template <class... Args>
Result<std::tuple<Args...>> decode_arguments(const wire::Message& message) {
  std::tuple<Args...> arguments;
  const codec::Type& type = codec::arguments_type<std::tuple<Args...>>();
  if (Status s = impl::decode_arguments_as(message, type, &arguments); !s.is_ok()) return s;
  return arguments;
}

// The one value that a body is.
template <class T>
Result<T> decode_body(wire::BodyCodec codec, const Bytes& body) {
  if constexpr (codec::QuickValue<T>) {
    std::tuple<T> quick;
    if (impl::read_quick_body(codec, body, quick)) return std::get<0>(std::move(quick));
  }
  if (Status s = impl::require_json(codec, body); !s.is_ok()) return s;
  std::string joined;
  return codec::decode_json<T>(impl::text_of(body, joined), {}, impl::body_options);
}

// The result in a reply. With R = void the body is not looked at.
template <class R>
Result<R> decode_result(const wire::Message& message) {
  if constexpr (std::is_void_v<R>) {
    return {};
  } else {
    return decode_body<R>(message.body_codec, message.body).transform_error([](const Status& s) {
      return s.with_context("the answer");
    });
  }
}

}  // namespace parley
