// Connection: the engine behind a Session: one reader fiber, one writer fiber, a fiber for each
// call it serves. Private to peer.
//
// Everything that is to be sent is appended to one buffer; the writer, woken by the first of it,
// runs after the fibers that were runnable before it, so the answers to all frames of one read
// leave in one write.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/peer/options.h"
#include "parley/peer/router.h"
#include "parley/peer/session.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/wire/raw_framing.h"

namespace parley::impl {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<net::Stream> stream, SessionId id,
             std::shared_ptr<const PeerOptions> options, std::shared_ptr<Router> router);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves the session to its end; one fiber of the peer runs it.
  void run();

  // See Session.
  Result<wire::Message> call(const CallOptions& options, std::string_view method,
                             wire::BodyCodec codec, Bytes body);
  Status push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
              Bytes body);
  void close();
  Status wait_closed(rt::Deadline deadline);

  [[nodiscard]] bool is_open() const { return phase_ == Phase::open; }
  [[nodiscard]] SessionId id() const { return id_; }
  [[nodiscard]] const std::string& local_address() const { return local_address_; }
  [[nodiscard]] const std::string& remote_address() const { return remote_address_; }

 private:
  enum class Phase {
    open,
    closing,  // no new calls either way; those under way may end
    ended,    // nothing can come any more; what is queued may still leave
  };

  // A call that waits for its answer; lives on the stack of the fiber that made it.
  struct Pending {
    rt::Event done;
    wire::Message reply;
    Status failure;
    std::uint64_t frame_end = 0;  // position in the outgoing stream right after its frame
  };

  Status read_loop();
  Status read_frames(bool& frame_completed);
  Status accept_message(wire::Message message);
  void accept_request(wire::Message request);
  void serve(const wire::Message& request);
  void reply(std::int32_t seq, Result<Bytes> answer, wire::Metadata metadata);
  void refuse(wire::MessageType type, std::int32_t seq, const std::string& method, Status why);
  [[nodiscard]] Status reason_to_refuse(std::size_t body_bytes) const;

  Status enqueue(const wire::Message& message, rt::Deadline deadline, std::uint64_t* frame_end);
  void write_loop();
  Status flush();

  void end(const Status& why, bool in_order);
  void finish_writing();
  void fail_pending(const Status& why, std::uint64_t sent);
  [[nodiscard]] Status not_sent() const;
  bool wait_quiet(rt::Deadline deadline);
  [[nodiscard]] bool in_own_handler() const;
  std::int32_t next_seq();
  void log(const std::string& line) const;

  std::unique_ptr<net::Stream> stream_;  // null once the session has ended
  const std::string local_address_;
  const std::string remote_address_;
  const SessionId id_;
  const std::shared_ptr<const PeerOptions> options_;
  std::shared_ptr<Router> router_;
  const wire::RawFraming framing_;
  const std::unique_ptr<wire::Decoder> decoder_;

  Phase phase_ = Phase::open;
  Status reason_;  // why it is no longer open
  rt::Scope* scope_ = nullptr;
  rt::Event closed_;

  std::unordered_map<std::int32_t, Pending*> pending_;
  std::int32_t last_seq_ = 0;
  std::size_t handlers_ = 0;
  std::size_t handler_bytes_ = 0;     // of the bodies they hold
  std::size_t closing_handlers_ = 0;  // those of them that wait in close()
  rt::Event quiet_;                   // set when the last handler or the last pending call ends

  std::string outgoing_;         // encoded frames the writer has not taken yet
  std::string writing_;          // what the writer is sending
  std::uint64_t enqueued_ = 0;   // bytes ever appended to outgoing_
  std::uint64_t written_ = 0;    // bytes ever handed to the network
  bool can_send_ = true;         // false once the writer has failed or finished
  bool finish_writing_ = false;  // the writer ends when it has sent everything
  rt::Event has_output_;
  rt::Event has_room_;
  rt::Event writer_done_;
};

}  // namespace parley::impl
