#include "parley/http/impl/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/rt/deadline.h"

namespace parley::http::impl {
namespace {

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // it only reads them
}

// Fields as nghttp2 takes them, most of them without memory of their own.
class Pairs {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): those that are used are set
  explicit Pairs(const Http2Fields& fields) : size_(fields.size()) {
    if (size_ > few_.size()) many_.resize(size_);
    nghttp2_nv* next = const_cast<nghttp2_nv*>(data());
    fields.each([&](std::string_view name, std::string_view value) {
      *next++ = {.name = bytes_of(name),
                 .value = bytes_of(value),
                 .namelen = name.size(),
                 .valuelen = value.size(),
                 .flags = NGHTTP2_NV_FLAG_NONE};
    });
  }
  [[nodiscard]] const nghttp2_nv* data() const {
    return many_.empty() ? few_.data() : many_.data();
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  const std::size_t size_;
  std::array<nghttp2_nv, 16> few_;
  std::vector<nghttp2_nv> many_;
};

constexpr std::uint64_t number_of(const std::uint8_t* opaque) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8U | opaque[i];
  return number;
}

}  // namespace

// What nghttp2 calls. A failure here ends the connection; why_ says why.
struct Http2Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }

  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Session& it = self(user);
    it.reader_.begin();
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      it.last_seen_ = std::max(it.last_seen_, frame->hd.stream_id);
      // In turns with all others, whatever the other side would like.
      const nghttp2_extpri fair = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1};
      (void)nghttp2_session_change_extpri_stream_priority(session, frame->hd.stream_id, &fair, 1);
    }
    return 0;
  }

  // nghttp2 has looked at the name and the value (RFC 9113 8.2.1; blanks at the ends since 1.50).
  static_assert(NGHTTP2_VERSION_NUM >= 0x013200, "an older nghttp2 passes values with blanks on");
  static int header(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/,
                    const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                    std::size_t value_size, std::uint8_t /*flags*/, void* user) {
    self(user).reader_.take_sound(text_of(name, name_size), text_of(value, value_size));
    return 0;
  }

  // nghttp2 would pass over a field with a bad name or value; here the message is malformed.
  static int invalid_header(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/,
                            const std::uint8_t* name, std::size_t name_size,
                            const std::uint8_t* value, std::size_t value_size,
                            std::uint8_t /*flags*/, void* user) {
    self(user).reader_.take(text_of(name, name_size), text_of(value, value_size));
    return 0;
  }

  static int frame_received(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    Http2Session& it = self(user);
    const StreamId id = frame->hd.stream_id;
    const bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        return head_received(it, *frame, is_end);
      case NGHTTP2_DATA:
        if (is_end) it.events_.on_end(id);
        return 0;
      case NGHTTP2_SETTINGS:
        it.settings_seen_ = true;
        return 0;
      case NGHTTP2_GOAWAY:
        it.events_.on_goaway(frame->goaway.last_stream_id, frame->goaway.error_code);
        return 0;
      case NGHTTP2_RST_STREAM:
        it.reset_there_ = id;
        return 0;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
          it.events_.on_ping_answer(number_of(frame->ping.opaque_data));
        }
        return 0;
      default:
        return 0;
    }
  }

  static int head_received(Http2Session& it, const nghttp2_frame& frame, bool is_end) {
    const StreamId id = frame.hd.stream_id;
    Http2HeadReader& reader = it.reader_;
    if (it.role_ == Http2Session::Role::server && frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
      bool taken = true;
      if (reader.is_too_large()) {
        taken = it.events_.on_large_request(id, is_end);
      } else if (!reader.end_request(it.request_)) {
        it.reset(id, Http2Error::protocol_error);
        return 0;
      } else {
        const BodySize length = is_end ? BodySize::none() : reader.length();
        taken = it.events_.on_request(id, it.request_, length, is_end);
      }
      if (!taken) it.refuse(id);
    } else if (reader.has_status()) {
      if (!reader.end_response(it.response_)) return refuse_message(it, id);
      const BodySize length = is_end ? BodySize::none() : reader.length();
      it.events_.on_response(id, it.response_, length, is_end);
    } else {
      if (!reader.end_trailers(it.trailers_)) return refuse_message(it, id);
      it.events_.on_trailers(id, it.trailers_);
    }
    if (is_end) it.events_.on_end(id);
    return 0;
  }

  static int refuse_message(Http2Session& it, StreamId id) {
    const bool is_large = it.reader_.is_too_large();
    it.events_.on_broken(
        id, Status(is_large ? Code::resource_exhausted : Code::invalid_argument,
                   "what the other side sent was refused, and the stream reset: " +
                       it.reader_.says() + (is_large ? "" : "; it has to be mended there")));
    it.reset(id, Http2Error::protocol_error);
    return 0;
  }

  static int data(nghttp2_session* /*session*/, std::uint8_t /*flags*/, StreamId id,
                  const std::uint8_t* bytes, std::size_t size, void* user) {
    self(user).events_.on_data(id, text_of(bytes, size));
    return 0;
  }

  static int closed(nghttp2_session* /*session*/, StreamId id, std::uint32_t error, void* user) {
    self(user).events_.on_close(id, error);
    return 0;
  }

  static int frame_sent(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    Http2Session& it = self(user);
    if (frame->hd.type == NGHTTP2_DATA) ++it.data_sent_;
    // Not before: nghttp2 would send it in front.
    if (frame->hd.type == NGHTTP2_GOAWAY && it.ping_behind_ != 0) {
      it.ping(std::exchange(it.ping_behind_, 0));
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) it.note_end(frame->goaway.error_code);
    if (frame->hd.type == NGHTTP2_RST_STREAM) it.count_reset_here(frame->rst_stream.error_code);
    if (frame->hd.type == NGHTTP2_HEADERS) it.events_.on_head_sent(frame->hd.stream_id);
    const bool ends = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (ends && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      it.events_.on_end_sent(frame->hd.stream_id);
    }
    return 0;
  }

  static ssize_t pull(nghttp2_session* session, StreamId id, std::uint8_t* into, std::size_t size,
                      std::uint32_t* flags, nghttp2_data_source* /*source*/, void* user) {
    const Http2Events::Pulled pulled =
        self(user).events_.pull(id, {reinterpret_cast<char*>(into), size});
    if (pulled.is_cut) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // a reset follows
    if (pulled.is_end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (pulled.trailers != nullptr && pulled.trailers->size() > 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const Pairs pairs(*pulled.trailers);
        (void)nghttp2_submit_trailer(session, id, pairs.data(), pairs.size());
      }
    } else if (pulled.bytes == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(pulled.bytes);
  }

  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* made = nullptr;
    PARLEY_ASSERT(nghttp2_session_callbacks_new(&made) == 0, "no memory for the callbacks");
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
    return made;
  }
};

Http2Session::Http2Session(Role role, const Http2Limits& limits, Http2Events& events)
    : role_(role),
      limits_(limits),
      events_(events),
      reader_(limits),
      passed_over_(role == Role::server ? NGHTTP2_CLIENT_MAGIC_LEN : 0) {
  // Made once and kept: they are the same for all.
  static nghttp2_session_callbacks* const callbacks = Http2Callbacks::make();
  nghttp2_option* option = nullptr;
  PARLEY_ASSERT(nghttp2_option_new(&option) == 0, "no memory for the options");
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  // Counted in look_at(): nghttp2 counts the reads that a frame's head takes, not the frames.
  nghttp2_option_set_max_continuations(option, SIZE_MAX);
  nghttp2_option_set_max_deflate_dynamic_table_size(option, 4096);
  nghttp2_option_set_max_send_header_block_length(option, 1024UL * 1024);
  const int made = role == Role::server
                       ? nghttp2_session_server_new2(&session_, callbacks, this, option)
                       : nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  PARLEY_ASSERT(made == 0, "no memory for a session");
  submit_settings();
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

void Http2Session::submit_settings() {
  std::vector<nghttp2_settings_entry> entries = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.first_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.max_header_list)},
      {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits_.max_header_table},
  };
  if (role_ == Role::server) {
    entries.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.max_streams});
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
    entries.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  } else {
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  const int done = nghttp2_submit_settings(session_, 0, entries.data(), entries.size());
  PARLEY_ASSERT(done == 0, "Http2Limits cannot be told as settings: see RFC 9113 6.5.2");
}

Status Http2Session::upgrade(std::string_view settings, bool is_head) {
  const int done =
      nghttp2_session_upgrade2(session_, reinterpret_cast<const std::uint8_t*>(settings.data()),
                               settings.size(), is_head ? 1 : 0, nullptr);
  if (done == 0) {
    last_seen_ = 1;
    return {};
  }
  return {Code::invalid_argument,
          "HTTP2-Settings of an upgrade are refused: " + std::string(nghttp2_strerror(done))};
}

bool Http2Session::count(Flood kind) {
  static constexpr std::array<std::string_view, floods> names = {
      "max_resets",         "max_settings",   "max_pings",         "max_empty_frames",
      "max_window_updates", "max_priorities", "max_unknown_frames"};
  const std::array<std::uint32_t, floods> most = {
      limits_.max_resets,
      limits_.max_settings,
      limits_.max_pings,
      limits_.max_empty_frames,
      limits_.max_window_updates + 10 * std::min(data_sent_, 1'000'000U),
      limits_.max_priorities,
      limits_.max_unknown_frames};
  const auto index = static_cast<std::size_t>(kind);
  if (++counts_[index] <= most[index]) return true;
  why_ = Status(Code::resource_exhausted,
                "the other side sent or caused more than " + std::to_string(most[index]) +
                    " frames in a second (Http2Limits::" + std::string(names[index]) +
                    "); it has to slow down, or raise the limit");
  return false;
}

bool Http2Session::count_reset() {
  ++taken_back_;
  if (!count(Flood::resets)) return false;
  if (role_ == Role::client || opened_ < limits_.resets_counted_from ||
      taken_back_ * 100 <= opened_ * limits_.max_resets_in_hundred) {
    return true;
  }
  why_ = Status(Code::resource_exhausted,
                "the other side took back " + std::to_string(taken_back_) + " of " +
                    std::to_string(opened_) +
                    " streams (Http2Limits::max_resets_in_hundred); ask for less at a time");
  return false;
}

// Of a stream that the other side made us reset; what handlers and callers reset is theirs. Counted
// as it leaves, for nghttp2 resets by itself as well; what does not leave meets max_queued.
void Http2Session::count_reset_here(std::uint32_t error) {
  if (error == NGHTTP2_REFUSED_STREAM && refused_here_ > 0) {
    --refused_here_;
    return;
  }
  const bool is_ours =
      error == NGHTTP2_NO_ERROR || error == NGHTTP2_INTERNAL_ERROR || error == NGHTTP2_CANCEL;
  if (!is_ours && !caused_too_many_) caused_too_many_ = !count(Flood::resets);
}

// GOAWAY has left. Where it says more than an end, and no limit was named, it is from nghttp2.
void Http2Session::note_end(std::uint32_t error) {
  if (error == NGHTTP2_NO_ERROR || !why_.is_ok()) return;
  why_ = Status(Code::invalid_argument,
                "the other side broke the rules of HTTP/2 (RFC 9113 5.4.1); the connection ended "
                "with GOAWAY and error " +
                    std::to_string(error));
  terminated_ = true;
}

// With GOAWAY, and the error that goes with why_.
Status Http2Session::end_calmly() {
  const bool calm = why_.code() == Code::resource_exhausted;
  terminate(calm ? Http2Error::enhance_your_calm : Http2Error::protocol_error);
  return why_;
}

// The heads of the frames in what comes, wherever it is cut. nghttp2 tells of most frames, but not
// of all.
bool Http2Session::scan(std::string_view in) {
  while (!in.empty()) {
    if (passed_over_ > 0) {
      const std::size_t size = std::min(passed_over_, in.size());
      passed_over_ -= size;
      in.remove_prefix(size);
      continue;
    }
    const std::size_t size = std::min(frame_head_.size() - frame_head_size_, in.size());
    std::copy_n(in.begin(), size, frame_head_.begin() + frame_head_size_);
    frame_head_size_ += size;
    in.remove_prefix(size);
    if (frame_head_size_ < frame_head_.size()) return true;
    frame_head_size_ = 0;
    const auto byte = [this](std::size_t at) {
      return std::uint32_t{static_cast<unsigned char>(frame_head_[at])};
    };
    passed_over_ = byte(0) << 16U | byte(1) << 8U | byte(2);
    const auto id =
        static_cast<StreamId>((byte(5) & 0x7fU) << 24U | byte(6) << 16U | byte(7) << 8U | byte(8));
    if (!look_at(byte(3), byte(4), passed_over_, id)) return false;
  }
  return true;
}

bool Http2Session::look_at(std::uint32_t type, std::uint32_t flags, std::size_t size, StreamId id) {
  if (type != NGHTTP2_CONTINUATION) continuations_ = 0;
  switch (type) {
    case NGHTTP2_SETTINGS:
      return (flags & NGHTTP2_FLAG_ACK) != 0 || count(Flood::settings);
    case NGHTTP2_PING:
      return (flags & NGHTTP2_FLAG_ACK) != 0 || count(Flood::pings);
    case NGHTTP2_DATA:
      return size > 0 || (flags & NGHTTP2_FLAG_END_STREAM) != 0 || count(Flood::empty_frames);
    case NGHTTP2_WINDOW_UPDATE:
      return count(Flood::window_updates);
    case NGHTTP2_PRIORITY:
      if (id != 0) return count(Flood::priorities);
      why_ = Status(Code::invalid_argument, "PRIORITY has no stream (RFC 9113 6.3)");
      return false;
    case NGHTTP2_PRIORITY_UPDATE:
      return count(Flood::priorities);
    case NGHTTP2_RST_STREAM:
      return count_reset();
    case NGHTTP2_HEADERS:
      if (id > last_opened_) {
        last_opened_ = id;
        ++opened_;
      }
      return true;
    case NGHTTP2_CONTINUATION:
      if (++continuations_ <= limits_.max_continuations) return true;
      why_ = Status(Code::resource_exhausted,
                    "a head came in more than " + std::to_string(limits_.max_continuations) +
                        " frames CONTINUATION (Http2Limits::max_continuations)");
      return false;
    case NGHTTP2_PUSH_PROMISE:
    case NGHTTP2_GOAWAY:
      return true;
    default:
      return count(Flood::unknown_frames);
  }
}

Status Http2Session::take(std::string_view in) {
  if (terminated_) return why_;
  const Instant now = rt::now();
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    counts_ = {};
    data_sent_ = 0;
  }
  if (caused_too_many_ || !scan(in)) return end_calmly();
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(in.data()), in.size());
  if (taken >= 0) {
    if (nghttp2_session_get_outbound_queue_size(session_) >
        limits_.max_queued + limits_.max_streams) {
      why_ = Status(Code::resource_exhausted,
                    "more frames than " + std::to_string(limits_.max_queued) +
                        " wait for the other side to read (Http2Limits::max_queued)");
      return end_calmly();
    }
    return {};
  }
  const bool flood = taken == NGHTTP2_ERR_FLOODED;
  if (why_.is_ok()) {
    why_ = Status(flood ? Code::resource_exhausted : Code::invalid_argument,
                  "the other side does not speak HTTP/2 as it should: " +
                      std::string(nghttp2_strerror(static_cast<int>(taken))));
  }
  return end_calmly();
}

void Http2Session::gather(std::string& out, std::size_t most) {
  while (out.size() < most) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) return;
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

bool Http2Session::wants_write() const { return nghttp2_session_want_write(session_) != 0; }

bool Http2Session::is_over() const {
  return terminated_ || nghttp2_session_want_read(session_) == 0;
}

StreamId Http2Session::request(const Http2Fields& fields, bool has_body) {
  const Pairs pairs(fields);
  const nghttp2_data_provider body = {.source = {}, .read_callback = Http2Callbacks::pull};
  const StreamId id = nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(),
                                             has_body ? &body : nullptr, nullptr);
  return id > 0 ? id : 0;
}

void Http2Session::respond(StreamId id, const Http2Fields& fields, bool has_body) {
  const Pairs pairs(fields);
  const nghttp2_data_provider body = {.source = {}, .read_callback = Http2Callbacks::pull};
  (void)nghttp2_submit_response(session_, id, pairs.data(), pairs.size(),
                                has_body ? &body : nullptr);
}

void Http2Session::inform(StreamId id, const Http2Fields& fields) {
  const Pairs pairs(fields);
  (void)nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, pairs.data(), pairs.size(),
                               nullptr);
}

void Http2Session::resume(StreamId id) { (void)nghttp2_session_resume_data(session_, id); }

void Http2Session::reset(StreamId id, Http2Error error) {
  (void)nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id,
                                  static_cast<std::uint32_t>(error));
}

void Http2Session::refuse(StreamId id) {
  ++refused_here_;
  reset(id, Http2Error::refused_stream);
}

void Http2Session::consume(StreamId id, std::size_t bytes) {
  (void)nghttp2_session_consume_stream(session_, id, bytes);
}

void Http2Session::consume_connection(std::size_t bytes) {
  (void)nghttp2_session_consume_connection(session_, bytes);
}

void Http2Session::set_window(StreamId id, std::uint32_t bytes) {
  (void)nghttp2_session_set_local_window_size(session_, 0, id, static_cast<std::int32_t>(bytes));
}

void Http2Session::set_connection_window(std::uint32_t bytes) {
  (void)nghttp2_session_set_local_window_size(session_, 0, 0, static_cast<std::int32_t>(bytes));
}

void Http2Session::ping(std::uint64_t number) {
  std::array<std::uint8_t, 8> opaque{};
  for (std::size_t i = 0; i < 8; ++i) opaque[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  (void)nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, opaque.data());
}

void Http2Session::announce_end(std::uint64_t number) {
  ping_behind_ = number;
  (void)nghttp2_submit_shutdown_notice(session_);
}

void Http2Session::end() {
  (void)nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_seen_, NGHTTP2_NO_ERROR, nullptr,
                              0);
}

void Http2Session::terminate(Http2Error error) {
  terminated_ = true;
  (void)nghttp2_session_terminate_session2(session_, last_seen_, static_cast<std::uint32_t>(error));
}

bool Http2Session::is_closed_there(StreamId id) const {
  return nghttp2_session_get_stream_remote_window_size(session_, id) <= 0;
}

bool Http2Session::is_closed_there() const {
  return nghttp2_session_get_remote_window_size(session_) <= 0;
}

std::uint32_t Http2Session::max_streams_there() const {
  if (role_ == Role::client && !settings_seen_) return limits_.max_before_settings;
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Http2Session::has_extended_connect_there() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) ==
         1;
}

}  // namespace parley::http::impl
