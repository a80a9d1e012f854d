// Batch: calls of one session that are written together and waited for together: many answers for
// the price of about one wait.
//
// Belongs to one fiber at a time, inside a fiber only.
//
//   Batch<int> batch(session);
//   for (const Order& order : orders) batch.add("/order/price", order);
//   std::vector<Result<int>> prices = batch.call();
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/peer/body.h"
#include "parley/peer/options.h"
#include "parley/peer/session.h"
#include "parley/wire/message.h"

namespace parley {

namespace impl {

// One with an error from the start is not sent.
struct BatchedCall {
  std::string method;
  wire::BodyCodec codec = wire::BodyCodec::none;
  Bytes body{};
  Result<wire::Message> reply = wire::Message();
  bool is_refused = false;  // the other side says that it did not run it
};

}  // namespace impl

template <class R>
class Batch {
 public:
  // `options` are those of call() where it is given none.
  explicit Batch(Session session, BatchOptions options = {})
      : session_(std::move(session)), options_(std::move(options)) {}

  // One more call, written in the codec that the batch was made with. Arguments that cannot be
  // written are told by its result.
  template <class... Args>
  void add(std::string_view method, const Args&... args) {
    impl::BatchedCall& call = calls_.emplace_back();
    call.method = method;
    const wire::BodyCodec codec = session_.codec_for(options_);
    impl::Written<Args...> body;
    Status status = encode_arguments(session_.options(), codec, body, args...);
    if (status.is_ok()) {
      call.body = impl::as_body(std::move(body));
      call.codec = label_of<Args...>(codec);
    } else {
      call.reply = std::move(status);
    }
  }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }

  // Sends all calls, waits for all of them, and returns their results in the order in which they
  // were added, each with an error of its own, as those of Session::call. What is beyond
  // PeerOptions::max_calls is not sent. Waits while there is no room for more. When the time is
  // over or the fiber's context ends, those without an answer are given up. The batch is empty
  // afterwards.
  std::vector<Result<R>> call() { return call(options_); }
  // The same with other options; their body_codec comes too late.
  std::vector<Result<R>> call(const BatchOptions& options) {
    std::vector<impl::BatchedCall> calls = std::move(calls_);
    calls_.clear();
    session_.call_all(options, calls);
    std::vector<Result<R>> results;
    results.reserve(calls.size());
    for (impl::BatchedCall& each : calls) {
      if (each.reply) {
        results.push_back(decode_result<R>(session_.options(), *each.reply, each.method));
      } else {
        results.push_back(each.reply.error());
      }
    }
    return results;
  }

 private:
  Session session_;
  BatchOptions options_;
  std::vector<impl::BatchedCall> calls_;
};

}  // namespace parley
