// GrpcCall: one call of gRPC on the side that serves: what its head says, and the messages,
// metadata and status that go back, in gRPC or gRPC-Web. Private to door.
//
// Belongs to the fiber of its handler; one that reads and one that writes may be two (streams).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/codec/codec.h"
#include "parley/door/grpc.h"
#include "parley/door/grpc_framing.h"
#include "parley/http/exchange.h"
#include "parley/peer/foreign_room.h"
#include "parley/peer/foreign_session.h"
#include "parley/rt/deadline.h"
#include "parley/wire/metadata.h"

namespace parley::door::impl {

// What the body is: messages, the same with trailers as the last one, or that in base64.
enum class GrpcWay : std::uint8_t { plain, web, web_text };

class GrpcCall {
 public:
  GrpcCall(http::ServerExchange& exchange, const GrpcOptions& options,
           const codec::CodecRegistry& codecs);

  // Reads the head. A number when it was refused with that status of HTTP, and all is answered.
  // An error is for fail().
  Result<int> begin();

  // From now on messages of the request count there: those that are coming, and the one that was
  // read last until the next read(). It must be there for as long as read() is called.
  void count_in(ForeignRoom& room) { room_ = &room; }
  // The next message of the request; nothing at its end. Errors as of ServerExchange::read() and
  // take_message().
  Result<std::optional<std::string>> read();
  // The one that a unary call has.
  Result<std::string> read_only();

  // Sends the head of the answer with this metadata; messages, and end() or fail(), follow.
  Status begin_answer(const wire::Metadata& metadata);
  // Sends a message; flush() is the exchange's.
  Status write(std::string_view message);
  // Ends the call with its status; without begin_answer() by a head alone. `metadata` goes behind.
  Status end(const Status& status, const wire::Metadata& metadata);
  // The same for a call that failed before it was one.
  Status fail(const Status& status) { return end(status, {}); }

  // The two parts of reply metadata: in front of the answer and behind it.
  void part(wire::Metadata all, wire::Metadata& leading, wire::Metadata& trailing) const;

  [[nodiscard]] http::ServerExchange& exchange() const { return *exchange_; }
  [[nodiscard]] const GrpcOptions& options() const { return *options_; }
  [[nodiscard]] rt::Deadline deadline() const { return deadline_; }
  // How messages are written, both ways.
  [[nodiscard]] wire::BodyCodec codec() const { return codec_; }
  // Of the request, to be moved from.
  wire::Metadata metadata;

 private:
  Status take_timeout(std::optional<std::string_view> text);
  Status take_coding(std::optional<std::string_view> name);
  Result<int> refuse(http::StatusCode number, std::string_view why);
  void put_head(http::Headers& headers) const;
  Status write_plain(std::string_view message);
  Status send(std::string bytes);
  Status read_text();
  Status count(std::size_t bytes);

  http::ServerExchange* exchange_;
  const GrpcOptions* options_;
  const codec::CodecRegistry* codecs_;
  GrpcWay way_ = GrpcWay::plain;
  wire::BodyCodec codec_ = wire::BodyCodec::protobuf;
  std::string_view content_type_;                    // of the answer
  std::string own_type_;                             // where it names a codec
  GrpcCoding coding_ = GrpcCoding::identity;         // of what comes
  GrpcCoding answer_coding_ = GrpcCoding::identity;  // of what goes
  rt::Deadline deadline_;
  GrpcReader reader_;
  std::string_view piece_;
  std::string text_;  // of web_text: all of the body
  bool has_text_ = false;
  ForeignRoom* room_ = nullptr;
  std::size_t kept_ = 0;  // of messages that were read and are held
};

}  // namespace parley::door::impl
