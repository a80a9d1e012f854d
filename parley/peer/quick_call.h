// What most calls need: a small body in JSON that is written where the call is made, no options,
// and a plain answer that is read by whoever takes it off the wire. No message is made for it at
// either end of its way. Whatever is different in any way is left to the long way (Session::call).
//
//   Quick<int, int, int> quick(connection, options);
//   if (quick.call("/add", 1, 2)) return quick.outcome();
//
// Internal: used by Session.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/codec/quick_json.h"
#include "parley/peer/body.h"
#include "parley/peer/options.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Connection;

// One call and what became of it.
struct QuickExchange {
  // Reads a plain JSON answer; false when that is not quickly done. Called once at most, by the
  // reader of the session: it must not wait.
  using Read = bool (*)(std::string_view body, void* into);

  std::string_view method;
  std::string_view body;
  std::optional<Duration> timeout;  // as in CallOptions
  Read read = nullptr;
  void* into = nullptr;

  // One of these when exchange_quickly() returned ok; neither, and nothing has happened: it has to
  // go the long way.
  bool is_read = false;
  std::unique_ptr<wire::Message> reply{};
};

// Makes the call, in JSON, and waits. Errors as those of Session::call.
Status exchange_quickly(Connection& connection, QuickExchange& exchange);

template <class R, class... Args>
inline constexpr bool can_be_quick = sizeof...(Args) > 0 && (codec::QuickArgument<Args> && ...) &&
                                     (std::is_void_v<R> || codec::QuickValue<R>);

// Whether a call with these has nothing that only the long way does.
inline bool are_plain(const CallOptions& options) {
  return options.metadata.empty() && options.reply_metadata == nullptr && options.filters.empty() &&
         !options.accept_body_codec;
}

// A call that is tried the short way.
template <class R, class... Args>
class Quick {
 public:
  // Both must outlive it.
  Quick(Connection& connection, const PeerOptions& options)
      : connection_(connection), options_(options) {}

  // False, and nothing has happened: it has to go the long way.
  bool call(const CallOptions& options, wire::BodyCodec codec, std::string_view method,
            const Args&... args) {
    return are_plain(options) && call(options.timeout, codec, method, args...);
  }
  bool call(std::string_view method, const Args&... args) {
    return call(std::optional<Duration>(), options_.body_codec, method, args...);
  }
  // Once, after that.
  Result<R> outcome() {
    if (!status_.is_ok()) [[unlikely]]
      return std::move(status_);
    if (!exchange_.is_read) [[unlikely]]
      return decode_result<R>(options_, *exchange_.reply, exchange_.method);
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return std::get<0>(std::move(value_));
    }
  }

 private:
  bool call(std::optional<Duration> timeout, wire::BodyCodec codec, std::string_view method,
            const Args&... args) {
    if (codec != wire::BodyCodec::json) return false;
    std::array<char, codec::quick_room<Args...>> room;
    const std::size_t size = codec::write_quick(room.data(), args...);
    if (size == 0) return false;
    exchange_.method = method;
    exchange_.body = {room.data(), size};
    exchange_.timeout = timeout;
    exchange_.read = [](std::string_view body, void* into) {
      if constexpr (std::is_void_v<R>) {
        return true;
      } else {
        return codec::read_quick(body, *static_cast<std::tuple<R>*>(into));
      }
    };
    exchange_.into = &value_;
    status_ = exchange_quickly(connection_, exchange_);
    return exchange_.is_read || exchange_.reply != nullptr || !status_.is_ok();
  }

  Connection& connection_;
  const PeerOptions& options_;
  QuickExchange exchange_;
  Status status_;
  std::tuple<std::conditional_t<std::is_void_v<R>, bool, R>> value_;
};

}  // namespace parley::impl
