// GrpcCall: one call of a gRPC method as its caller sees it: messages that go, messages that come,
// and the status behind them. All four kinds of methods are the same here; how many messages go
// each way is between caller and method. Made by a GrpcChannel (grpc_client.h).
//
// One fiber may read (initial_metadata, read, read_only, finish) while another writes (write,
// done_writing); cancel() may come from any. Every wait ends with the call's deadline and with the
// calling fiber's context, and then the call is over: the other side is told.
//
//   auto call = channel.open("/shop.Orders/Watch");
//   if (Status s = (*call)->write(request); !s.is_ok()) return s;
//   (*call)->done_writing();
//   while (auto message = (*call)->read()) {
//     if (!*message) break;                       // the end, and it went well
//     show(**message);
//   }
//   return (*call)->finish();
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/door/grpc_framing.h"
#include "parley/http/exchange.h"
#include "parley/rt/deadline.h"
#include "parley/rt/mutex.h"
#include "parley/wire/metadata.h"

namespace parley::door {

struct GrpcCallSettings {
  rt::Deadline deadline{};
  GrpcCoding coding = GrpcCoding::identity;  // of messages that go; the head said so
  // Bytes of a message, as it is before it is compressed or after it was unpacked.
  std::size_t max_receive = default_grpc_message_bytes;
  std::size_t max_send = default_grpc_message_bytes;
};

class GrpcCall {
 public:
  // Over an exchange that has begun with a head of gRPC. `keeps` lives as long as the exchange.
  GrpcCall(std::unique_ptr<http::ClientExchange> exchange, const GrpcCallSettings& settings,
           std::shared_ptr<void> keeps = {});
  // cancel(), if it is not over.
  ~GrpcCall();
  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;

  // Sends a message, at once. Waits while the other side takes none. resource_exhausted beyond
  // max_send, and nothing has happened; out_of_range when the call is over: finish() says how.
  Status write(std::string_view message);
  // No message follows (half-close). Twice is fine.
  Status done_writing();

  // What the other side said before its first message. Errors as for read(); empty when it said
  // nothing but a status.
  Result<const wire::Metadata*> initial_metadata();
  // The next message; nothing behind the last one when all went well. Errors: the status that the
  // other side sent; deadline_exceeded, cancelled; not_sent when it certainly has not looked at the
  // call; outcome_unknown when the connection was lost; resource_exhausted for a message beyond
  // max_receive; internal or unknown for an answer that is no gRPC, unavailable and the like for
  // what something in between answered (grpc_code_of_http). The same again when asked again.
  Result<std::optional<Bytes>> read();
  // The message of an answer that has one only. Errors as for read(); internal when there is none,
  // or another one.
  Result<Bytes> read_only();
  // How it ended: passes over all messages that still come, and ends the messages that go: a
  // write() under way still sends the whole of its message.
  Status finish();
  // What came with the status, once read() or finish() has returned it; details of an error among
  // it (grpc_details.h).
  [[nodiscard]] const wire::Metadata& trailing_metadata() const noexcept { return trailing_; }

  // Gives up: read() and finish() say cancelled, if the status had not come.
  void cancel() noexcept;

 private:
  Status take_head();
  void take_status(const http::Headers& fields);
  Result<std::optional<Bytes>> next_message();
  Status end_with(Status status);
  Status of_exchange(const Status& why) const;
  Status of_writing(const Status& why) const;
  Status send(std::string_view message);
  bool begin_write();
  Status end_write(Status status);

  const GrpcCallSettings settings_;
  const std::shared_ptr<void> keeps_;
  const std::unique_ptr<http::ClientExchange> exchange_;
  std::atomic<bool> is_over_ = false;

  // The reader's.
  bool has_head_ = false;
  GrpcCoding coding_there_ = GrpcCoding::identity;
  GrpcReader reader_;
  std::string_view in_;  // of the exchange, what the reader has not taken
  Status status_;
  wire::Metadata initial_;
  wire::Metadata trailing_;

  // The writer's.
  std::string out_;

  // finish() ends what goes while another fiber may write: never within a message. Whoever comes
  // second sends the end.
  rt::Mutex ending_;
  bool is_writing_ = false;
  bool has_ended_ = false;
};

}  // namespace parley::door
