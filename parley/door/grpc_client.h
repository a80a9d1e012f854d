// GrpcChannel: calls the methods of any gRPC server, over HTTP/2 connections that it dials when
// they are needed and again when they are lost or the server sends it away (GOAWAY). What is under
// way on an old connection is finished there.
//
// Fiber-safe; any number of calls at once. Over TLS: give it a net::TlsNetwork whose client offers
// "h2" by ALPN.
//
//   door::GrpcChannel channel(network, *net::Address::parse("tcp://shop.example:50051"));
//   auto receipt = channel.call<Receipt>("/shop.Orders/Place", order, {.timeout = 2s});
//   auto watch = channel.open("/shop.Orders/Watch");              // streams: grpc_call.h
//
// Messages are whatever codec/protobuf.h takes: structs, or with codec/google/google_protobuf.h the
// classes that protoc makes. What the server certainly has not looked at is sent once more by
// itself; fails that too, the error is not_sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/codec/protobuf.h"
#include "parley/door/grpc_call.h"
#include "parley/door/grpc_framing.h"
#include "parley/http/http2_options.h"
#include "parley/net/address.h"
#include "parley/net/network.h"
#include "parley/wire/metadata.h"

namespace parley::door {

struct GrpcChannelOptions {
  // Used in turns, each dialled when its turn first comes. At least 1.
  std::size_t connections = 1;
  // :authority; empty: host and port of the target.
  std::string authority{};
  std::string user_agent = "grpc-c++-parley";
  // Of calls that say nothing. Zero: as long as the calling fiber's context lets them.
  Duration timeout{};
  Duration dial_timeout = std::chrono::seconds(20);
  // After a dial that failed the next one waits so long, and twice as long after each further one,
  // up to max_interval; by up to the part `jitter` of itself, at random, each wait is shorter.
  // Meanwhile calls fail at once (GrpcCallOptions::wait_for_ready).
  Duration interval = std::chrono::milliseconds(100);
  Duration max_interval = std::chrono::seconds(10);
  double jitter = 0.5;
  // Bytes of a message.
  std::size_t max_receive = default_grpc_message_bytes;
  std::size_t max_send = default_grpc_message_bytes;
  // Keep-alive is ping_after. Servers may send away who asks often; of gRPC C++ that is, if they
  // say nothing else, who asks more than once in five minutes. A body has no limit besides those of
  // its messages: max_body_bytes is passed over.
  http::Http2Options http2{};
};

struct GrpcCallOptions {
  // None: GrpcChannelOptions::timeout. The earlier of this and the calling fiber's deadline is told
  // to the server.
  std::optional<Duration> timeout{};
  wire::Metadata metadata{};
  GrpcCoding coding = GrpcCoding::identity;
  // While the server cannot be reached the call waits until it can, instead of failing.
  bool wait_for_ready = false;
};

// What came beside the message.
struct GrpcAnswerMetadata {
  wire::Metadata initial{};
  wire::Metadata trailing{};
};

// A GrpcCall whose messages are Out and In.
template <class Out, class In>
class GrpcStream;

class GrpcChannel {
 public:
  // Inside a fiber. Dials nothing yet. `network` must outlive it and its calls.
  GrpcChannel(net::Network& network, net::Address target, GrpcChannelOptions options = {});
  // close(), and waits for its fibers.
  ~GrpcChannel();
  GrpcChannel(const GrpcChannel&) = delete;
  GrpcChannel& operator=(const GrpcChannel&) = delete;

  // Begins a call of any kind. `method`: "/package.Service/Method", the slash in front may be left
  // out. Errors: not_sent when the server cannot be reached, or the channel is closed;
  // deadline_exceeded or the context's status; invalid_argument for a method or metadata that
  // cannot travel; failed_precondition, as cause of not_sent, when TLS did not agree on h2. The
  // call may outlive the channel, whose end then ends it.
  Result<std::unique_ptr<GrpcCall>> open(std::string_view method,
                                         const GrpcCallOptions& options = {});
  template <class Out, class In>
  Result<GrpcStream<Out, In>> open(std::string_view method, const GrpcCallOptions& options = {});

  // A unary call. Errors as for open() and GrpcCall::read(). `metadata`, where it is given, is
  // filled whatever the outcome is.
  Result<Bytes> call_bytes(std::string_view method, std::string_view request,
                           const GrpcCallOptions& options = {},
                           GrpcAnswerMetadata* metadata = nullptr);
  // The same with messages. Also invalid_argument for a request that protobuf cannot say, internal
  // for an answer that is no R.
  template <class R, class A>
  Result<R> call(std::string_view method, const A& request, const GrpcCallOptions& options = {},
                 GrpcAnswerMetadata* metadata = nullptr);

  // Takes no more calls and ends those under way, on whichever connection, with outcome_unknown.
  // Twice is fine.
  void close();

  // Dials so far that succeeded.
  [[nodiscard]] std::size_t dialled() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

namespace impl {

// Not qualified, and with an argument of codec's: so functions of headers that are included later
// are found as well.
template <class A>
Status encode_message(std::string& out, const A& message) {
  using codec::encode_protobuf_to;
  return encode_protobuf_to(out, message, codec::default_limits);
}

template <class R>
Result<R> decode_message(Bytes bytes) {
  using codec::decode_protobuf_into;
  R message{};
  codec::ProtobufOptions options;
  options.refuse_views = true;  // the bytes go
  const Status status =
      decode_protobuf_into(bytes.flatten(), message, codec::default_limits, options);
  if (status.is_ok()) return message;
  return Status(Code::internal, "the answer is not the message that was expected")
      .with_cause(status.message());
}

}  // namespace impl

template <class Out, class In>
class GrpcStream {
 public:
  explicit GrpcStream(std::unique_ptr<GrpcCall> call) : call_(std::move(call)) {}

  // As those of GrpcCall.
  Status write(const Out& message) {
    std::string bytes;
    if (Status s = impl::encode_message(bytes, message); !s.is_ok()) return s;
    return call_->write(bytes);
  }
  Status done_writing() { return call_->done_writing(); }
  Result<std::optional<In>> read() {
    auto bytes = call_->read();
    if (!bytes) return bytes.error();
    if (!bytes->has_value()) return std::optional<In>();
    auto message = impl::decode_message<In>(**std::move(bytes));
    if (!message) return message.error();
    return std::optional<In>(*std::move(message));
  }
  Result<In> read_only() {
    auto bytes = call_->read_only();
    if (!bytes) return bytes.error();
    return impl::decode_message<In>(*std::move(bytes));
  }
  Status finish() { return call_->finish(); }
  void cancel() { call_->cancel(); }

  [[nodiscard]] GrpcCall& raw() { return *call_; }

 private:
  std::unique_ptr<GrpcCall> call_;
};

template <class Out, class In>
Result<GrpcStream<Out, In>> GrpcChannel::open(std::string_view method,
                                              const GrpcCallOptions& options) {
  auto call = open(method, options);
  if (!call) return call.error();
  return GrpcStream<Out, In>(*std::move(call));
}

template <class R, class A>
Result<R> GrpcChannel::call(std::string_view method, const A& request,
                            const GrpcCallOptions& options, GrpcAnswerMetadata* metadata) {
  std::string bytes;
  if (Status s = impl::encode_message(bytes, request); !s.is_ok()) return s;
  auto answer = call_bytes(method, bytes, options, metadata);
  if (!answer) return answer.error();
  return impl::decode_message<R>(*std::move(answer));
}

}  // namespace parley::door
