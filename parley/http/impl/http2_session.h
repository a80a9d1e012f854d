// The frames of one HTTP/2 connection, of either side, over nghttp2: bytes in, events out; what is
// to be sent is gathered from it. Sans-I/O: it waits for nothing and locks nothing; who shares it
// has a lock around every call. Private to http.
//
//   session.take(bytes);                        // calls the events
//   session.gather(out, 64 * 1024);             // what is to be written
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/http/http2_options.h"
#include "parley/http/impl/http2_head.h"

struct nghttp2_session;

namespace parley::http::impl {

using StreamId = std::int32_t;

// Of RFC 9113 7, those that are used by name.
enum class Http2Error : std::uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  flow_control_error = 3,
  stream_closed = 5,
  refused_stream = 7,
  cancel = 8,
  enhance_your_calm = 11,
};

// What comes. Called in take() and gather(), and must not call these.
class Http2Events {
 public:
  // What the stream gives of its body.
  struct Pulled {
    std::size_t bytes = 0;
    bool is_end = false;                    // nothing comes after
    bool is_cut = false;                    // nothing comes, as RST_STREAM with INTERNAL_ERROR says
    const Http2Fields* trailers = nullptr;  // with the end
  };

  virtual ~Http2Events() = default;
  // A head; `length` is what it says of its body. False refuses the stream (REFUSED_STREAM).
  virtual bool on_request(StreamId id, Request& request, BodySize length, bool is_end) = 0;
  // A request with more than max_header_list: to be answered with 431.
  virtual bool on_large_request(StreamId id, bool is_end) = 0;
  virtual void on_response(StreamId id, Response& response, BodySize length, bool is_end) = 0;
  virtual void on_data(StreamId id, std::string_view data) = 0;
  virtual void on_trailers(StreamId id, Headers& trailers) = 0;
  // What came breaks a rule or a limit, and the stream is being reset.
  virtual void on_broken(StreamId id, const Status& why) = 0;
  // The other side has ended its direction.
  virtual void on_end(StreamId id) = 0;
  // Both directions are over. `error` is 0 when that is in order.
  virtual void on_close(StreamId id, std::uint32_t error) = 0;
  virtual void on_goaway(StreamId last, std::uint32_t error) = 0;
  virtual void on_ping_answer(std::uint64_t number) = 0;
  // Asked for what goes, up to `into.size()` bytes. Nothing, and no end: resume() says when again.
  virtual Pulled pull(StreamId id, std::span<char> into) = 0;
  // Our head was gathered, and the frame that ends our direction.
  virtual void on_head_sent(StreamId id) = 0;
  virtual void on_end_sent(StreamId id) = 0;
};

class Http2Session {
 public:
  enum class Role : std::uint8_t { server, client };

  // `limits` and `events` must outlive it. Its preface and settings are the first that gather()
  // gives.
  Http2Session(Role role, const Http2Limits& limits, Http2Events& events);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // A server: this connection was upgraded from HTTP/1 by a request that is now stream 1, with
  // these settings of the client (decoded). invalid_argument when they are malformed.
  Status upgrade(std::string_view settings, bool is_head);

  // Why the connection is over, once it is: resource_exhausted for what a limit ended,
  // invalid_argument for what breaks the rules. Then take() wants no more, and gather() still gives
  // the GOAWAY.
  Status take(std::string_view in);
  // Appends frames until `most` bytes are there, or a little more.
  void gather(std::string& out, std::size_t most);
  [[nodiscard]] bool wants_write() const;
  // Nothing is to be read any more: GOAWAY has been sent or received and no stream is left.
  [[nodiscard]] bool is_over() const;
  // As take() says it, also before that: nghttp2 ends a connection as well.
  [[nodiscard]] const Status& why() const noexcept { return why_; }

  // A client: the new stream, or 0 when the connection has no more of them.
  StreamId request(const Http2Fields& fields, bool has_body);
  // A server. Without a body that ends the stream.
  void respond(StreamId id, const Http2Fields& fields, bool has_body);
  void inform(StreamId id, const Http2Fields& fields);
  // pull() has something again.
  void resume(StreamId id);
  void reset(StreamId id, Http2Error error);
  // A server takes no more streams just now: REFUSED_STREAM, which counts as no fault of the other
  // side.
  void refuse(StreamId id);
  // The reader of a stream has taken so many bytes; and the connection, whoever reads them.
  void consume(StreamId id, std::size_t bytes);
  void consume_connection(std::size_t bytes);
  // The window of a stream, of which more is told at once, and that of the connection.
  void set_window(StreamId id, std::uint32_t bytes);
  void set_connection_window(std::uint32_t bytes);
  void ping(std::uint64_t number);
  // The first of two steps: no stream is refused yet. The second: those above the last that was
  // seen are.
  // Its PING, sent right behind, is answered with this number.
  void announce_end(std::uint64_t number);
  void end();
  void terminate(Http2Error error);

  // In on_close(): whether it was the other side that reset the stream.
  [[nodiscard]] bool is_reset_there(StreamId id) const noexcept { return reset_there_ == id; }

  // Whether the other side lets no byte of this stream leave; and of no stream.
  [[nodiscard]] bool is_closed_there(StreamId id) const;
  [[nodiscard]] bool is_closed_there() const;

  // What the other side allows; before its settings came, what is supposed.
  [[nodiscard]] bool has_settings_there() const noexcept { return settings_seen_; }
  [[nodiscard]] std::uint32_t max_streams_there() const;
  [[nodiscard]] bool has_extended_connect_there() const;

 private:
  friend struct Http2Callbacks;
  enum class Flood : std::uint8_t {
    resets,
    settings,
    pings,
    empty_frames,
    window_updates,
    priorities,
    unknown_frames,
  };
  static constexpr std::size_t floods = 7;

  // False, with why_, when that was one too many.
  bool count(Flood kind);
  bool count_reset();
  void count_reset_here(std::uint32_t error);
  void note_end(std::uint32_t error);
  Status end_calmly();
  bool scan(std::string_view in);
  bool look_at(std::uint32_t type, std::uint32_t flags, std::size_t size, StreamId id);
  void submit_settings();

  const Role role_;
  const Http2Limits& limits_;
  Http2Events& events_;
  nghttp2_session* session_ = nullptr;
  Http2HeadReader reader_;
  Headers trailers_;
  Request request_;
  Response response_;
  Status why_;
  Instant second_{};
  std::array<std::uint32_t, floods> counts_{};
  std::uint32_t data_sent_ = 0;  // frames in this second
  std::uint64_t opened_ = 0;
  std::uint64_t taken_back_ = 0;
  std::uint64_t refused_here_ = 0;  // and the frame has not left
  std::size_t passed_over_;         // bytes up to the head of the next frame
  std::array<char, 9> frame_head_{};
  std::size_t frame_head_size_ = 0;
  std::size_t continuations_ = 0;
  StreamId last_opened_ = 0;
  StreamId last_seen_ = 0;
  StreamId reset_there_ = 0;
  std::uint64_t ping_behind_ = 0;
  bool settings_seen_ = false;
  bool caused_too_many_ = false;
  bool terminated_ = false;
};

}  // namespace parley::http::impl
