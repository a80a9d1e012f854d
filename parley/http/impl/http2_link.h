// One HTTP/2 connection that its reader, the fibers of its streams and its writer share: the
// session and all streams under one lock, and the item of a ReadyQueue that writes. What becomes
// ready to be sent while others run leaves together, since that item runs behind them. Private to
// http.
//
// take() is called by the one who reads the connection; all else may be called by any fiber. What
// is called with the lock held is marked so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "parley/base/result.h"
#include "parley/http/http2_options.h"
#include "parley/http/impl/http2_session.h"
#include "parley/http/impl/http2_stream.h"
#include "parley/net/stream.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/ready_queue.h"

namespace parley::http::impl {

using SharedStream = std::shared_ptr<Http2Stream>;

class Http2Link : public std::enable_shared_from_this<Http2Link>, private Http2Events {
 public:
  using Lock = std::unique_lock<rt::Mutex>;

  // What is done with a new stream of the other side, with the lock held: false refuses it.
  // `too_large`: of its head only the id is known.
  using OnRequest =
      std::function<bool(const SharedStream& stream, Request& request, bool too_large)>;

  // `net` must stay until close() has returned.
  Http2Link(Http2Session::Role role, const Http2Options& options, net::Stream& net, bool is_secure);
  ~Http2Link() override;

  // Begins to write in `queue`, which must outlive close(). Once. `on_request`: a server's.
  void start(rt::ReadyQueue& queue, OnRequest on_request);
  // A server's, before the first take(): see Http2Session::upgrade.
  Status upgrade(std::string_view settings, Request& request);

  // Bytes that were read. An error ends the connection: close() after drain().
  Status take(std::string_view in);
  // Nothing more is to be read.
  [[nodiscard]] bool is_over();
  // What rule or limit the other side broke, where that ended the connection or ends it.
  [[nodiscard]] Status broken();
  // Waits until what is to be said has been written.
  void drain(rt::Deadline deadline);
  // Ends the connection and all of its streams, and waits until nobody uses `net` any more and no
  // handler runs. Twice is fine.
  void close(const Status& why);
  // The same without waiting: whoever reads finds the end.
  void fail(const Status& why);
  // GOAWAY in two steps; the connection ends when its last stream has.
  void announce_end();

  // A client's. Waits while the other side allows no more streams.
  // `is_reserved`: in a place of reserve(), which is gone in any case; without waiting.
  Result<SharedStream> request(const Http2Fields& fields, bool has_body, std::uint64_t max_bytes,
                               bool is_reserved, rt::Deadline deadline);
  // Takes the place of one stream; false when there is none now.
  bool reserve();
  void unreserve();
  // Waits for the settings of the other side. failed_precondition when they do not say that it
  // takes an extended CONNECT (RFC 8441 3); ok, too, when the connection takes no more requests.
  Status await_extended_connect(rt::Deadline deadline);
  Result<Response*> response(Http2Stream& stream, rt::Deadline deadline);
  // Waits for 100 (Continue) or the answer; true: for the answer.
  Result<bool> await_continue(Http2Stream& stream, rt::Deadline deadline);
  [[nodiscard]] std::size_t streams();  // under way, and places that are reserved
  [[nodiscard]] bool takes_requests();
  // Takes requests, and one more could begin at once.
  [[nodiscard]] bool has_room();
  // Takes requests, and the other side has not said how many.
  [[nodiscard]] bool is_settling();
  // Called without the lock when one of these may have changed.
  void on_change(std::function<void()> hook);

  // Of a stream; as in exchange.h.
  Result<std::string_view> read(Http2Stream& stream, rt::Deadline deadline);
  // What has come, without a wait: as read(), or nothing when nothing has.
  Result<std::optional<std::string_view>> read_now(Http2Stream& stream);
  // Nothing when nothing has come; empty at the end.
  Result<std::optional<std::string_view>> try_read(Http2Stream& stream);
  Status wait_readable(Http2Stream& stream, rt::Deadline deadline);
  // `head`, if any, is the answer's and goes first.
  Status write(Http2Stream& stream, std::string_view piece, rt::Deadline deadline,
               const Http2Fields* head = nullptr);
  // As net::Stream::write_some(): what there is no room for in time is not lost.
  Result<std::size_t> write_some(Http2Stream& stream, std::string_view piece,
                                 rt::Deadline deadline);
  Status flush(Http2Stream& stream);
  Status finish(Http2Stream& stream, Http2Fields trailers = {});
  Status respond(Http2Stream& stream, const Http2Fields& fields, bool has_body);
  Status inform(Http2Stream& stream, const Http2Fields& fields);
  void reset(Http2Stream& stream, Http2Error error);
  // A server's: what was written leaves, and then a reset, so that nobody takes it for whole.
  void cut(Http2Stream& stream);
  // Nobody reads or writes it any more: ends what has not ended, and a handler's context is none of
  // its any longer.
  void abandon(Http2Stream& stream);

  // The same of one that was handed over: as from a socket that is closed, what a client wrote
  // still leaves, and the end behind it. It is taken back when the other side does not end it in
  // `linger`.
  void let_go(Http2Stream& stream);

  // A handler begins; false when its stream is over already. Its context is its stream's until
  // end_handler() or abandon().
  bool begin_handler(Http2Stream& stream, rt::DeferredContext& context);
  void end_handler(Http2Stream& stream);
  void count_handler_out();
  // Handlers that have not returned. With the lock held.
  [[nodiscard]] std::size_t running() const noexcept { return handlers_; }
  // It was taken back, or its connection is gone.
  [[nodiscard]] bool has_failed(Http2Stream& stream);
  // Made readable whenever something comes, from now on; null: no more.
  void tell(Http2Stream& stream, rt::Pollable* pollable);
  [[nodiscard]] net::Stream::Unread unread(Http2Stream& stream);
  // Of a stream that is handed over: write_timeout is not for it.
  void let_stall(Http2Stream& stream);

  [[nodiscard]] const net::Address& local_address() const noexcept { return local_; }
  [[nodiscard]] const net::Address& remote_address() const noexcept { return remote_; }
  [[nodiscard]] bool is_secure() const noexcept { return is_secure_; }
  [[nodiscard]] const Http2Options& options() const noexcept { return options_; }
  // The window that streams which are read may come to: the estimate.
  [[nodiscard]] std::uint32_t window();

 private:
  class Pump;
  enum class Ending : std::uint8_t { no, announced, told };

  bool on_request(StreamId id, Request& request, BodySize length, bool is_end) override;
  bool on_large_request(StreamId id, bool is_end) override;
  void on_response(StreamId id, Response& response, BodySize length, bool is_end) override;
  void on_data(StreamId id, std::string_view data) override;
  void on_trailers(StreamId id, Headers& trailers) override;
  void on_broken(StreamId id, const Status& why) override;
  void on_end(StreamId id) override;
  void on_close(StreamId id, std::uint32_t error) override;
  void on_goaway(StreamId last, std::uint32_t error) override;
  void on_ping_answer(std::uint64_t number) override;
  Pulled pull(StreamId id, std::span<char> into) override;
  void on_head_sent(StreamId id) override;
  void on_end_sent(StreamId id) override;

  Lock lock_it();
  static Status lost(const Status& why);
  // With the lock held.
  Http2Stream* find(StreamId id);
  SharedStream open(StreamId id, std::uint64_t max_bytes);
  void wake();
  static void wake_reader(Http2Stream& stream);
  static void wake_writer(Http2Stream& stream);
  template <class Ready>
  static Status wait_for(Http2Stream& stream, Lock& lock, Ready ready, rt::Deadline deadline);
  void resume(Http2Stream& stream);
  void offer(Http2Stream& stream);
  void end_stalled(Instant now);
  void leave(Http2Stream& stream);
  void tell_end();
  void fail_stream(Http2Stream& stream, const Status& why);
  void end_early(Http2Stream& stream, std::uint32_t error);
  void give_up(Http2Stream& stream);
  void take_back(Http2Stream& stream, Http2Error error);
  void fail_locked(const Status& why);
  void fail_streams(const Status& why);
  [[nodiscard]] static Status why_unread(const Http2Stream& stream);
  void take_unread(Http2Stream& stream);
  Result<std::optional<std::string_view>> take_piece(Http2Stream& stream);
  void submit_head(Http2Stream& stream, const Http2Fields& fields, bool has_body);
  void give_back(std::size_t bytes);
  void sample(std::size_t bytes);
  void widen(Http2Stream& stream);
  bool write_out(Lock& lock);
  // What the time says; when to look again.
  Instant look_at_time();
  void changed(Lock& lock);
  [[nodiscard]] bool takes_requests_now() const;
  [[nodiscard]] bool has_room_now() const;

  const Http2Options options_;
  const net::Address local_;
  const net::Address remote_;
  const bool is_secure_;
  const bool is_client_;
  rt::Mutex mutex_;
  net::Stream* net_;
  Http2Session session_;
  OnRequest on_request_;
  std::unordered_map<StreamId, SharedStream> streams_;
  Pump* pump_ = nullptr;
  bool writing_ = false;
  bool over_ = false;
  Status why_;
  std::size_t handlers_ = 0;
  rt::Cond quiet_;  // written out, or the pump or a handler has gone
  rt::Cond room_;   // a stream is over, or the other side allows more
  std::shared_ptr<const std::function<void()>> on_change_;
  bool news_ = false;          // for it
  std::uint64_t allowed_ = 0;  // streams there, when it was told last; 0: not known
  std::size_t reserved_ = 0;
  std::string out_;
  Ending ending_ = Ending::no;
  bool goaway_seen_ = false;

  // Windows: what has come since the ping that is under way, and was there to be taken.
  std::uint32_t window_;
  std::size_t sampled_ = 0;
  bool sampling_ = false;
  std::size_t granted_ = 0;   // to all streams, beyond their first windows
  std::size_t unread_ = 0;    // of all streams
  std::size_t withheld_ = 0;  // not given back to the window of the connection

  Instant last_read_{};
  Instant last_stream_{};
  Instant ping_sent_{};  // of a keep-alive; the start of the clock when none is under way
  Instant end_at_{};     // of a connection that lingers
  Instant announced_{};  // that it ends
  Instant taken_{};      // when bytes of any stream left last
  Instant look_for_stalls_ = Instant::max();
};

}  // namespace parley::http::impl
