#include "parley/peer/impl/early.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/reason.h"
#include "parley/peer/impl/words.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// What a shared stream goes by.
struct StreamEnd {
  bool is_taken_out = false;
  void operator()(net::Stream* stream) const {
    if (!is_taken_out) delete stream;  // NOLINT(cppcoreguidelines-owning-memory): it is the owner
  }
};

// What the other side went away with instead of its first message. Where it is not because of who
// asks, another attempt may fare better.
Status gone_with(const Status& why) {
  const bool is_for_now =
      why.is_ok() || why.code() == Code::not_sent || why.code() == Code::resource_exhausted;
  return Status(is_for_now ? Code::unavailable : why.code(),
                "the other side went away before its first message")
      .with_cause(start_of(as_cause(why)));
}

// What stands where a stream was that is being replaced, and stays there when that fails.
class Gone final : public net::Stream {
 public:
  explicit Gone(const net::Stream& stream)
      : local_address_(stream.local_address()), remote_address_(stream.remote_address()) {}

  Result<std::size_t> read(std::span<char> /*into*/, rt::Deadline /*deadline*/) override {
    return why();
  }
  Result<std::size_t> write_some(std::string_view /*from*/, rt::Deadline /*deadline*/) override {
    return why();
  }
  Status close_write() override { return why(); }
  void close() override {}
  [[nodiscard]] const net::Address& local_address() const override { return local_address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return remote_address_; }

 private:
  static Status why() { return {Code::unavailable, "the stream was taken away to be replaced"}; }

  const net::Address local_address_;
  const net::Address remote_address_;
};

}  // namespace

std::shared_ptr<net::Stream> share_stream(std::unique_ptr<net::Stream> stream) {
  return {stream.release(), StreamEnd()};
}

net::Stream& Early::stream(Connection& connection) { return *connection.stream_; }

Status Early::replace_stream(Connection& connection, const EarlySession::Wrap& wrap) {
  std::get_deleter<StreamEnd>(connection.stream_)->is_taken_out = true;
  std::unique_ptr<net::Stream> stream(connection.stream_.get());
  connection.stream_ = share_stream(std::make_unique<Gone>(*stream));
  Result<std::unique_ptr<net::Stream>> wrapped =
      Status(Code::internal, "what was to replace it threw an exception");
  const Status thrown = guarded([&] { wrapped = wrap(std::move(stream)); });
  if (!thrown.is_ok()) return wrapped.error().with_cause(thrown.cause());
  if (!wrapped) return wrapped.error();
  if (*wrapped == nullptr) return {Code::internal, "it was to be replaced by none"};
  connection.stream_ = share_stream(*std::move(wrapped));
  return {};
}

Status Early::send(Connection& connection, const Message& as_it_is, rt::Deadline deadline) {
  Message message = as_it_is;
  if (Status s = Enclosing::close_early(connection, message); !s.is_ok()) return s;
  {
    const std::lock_guard lock(connection.lock_);
    if (connection.encoder_ == nullptr) {
      return {Code::failed_precondition,
              "who accepted knows what is spoken only when something has come: receive first"};
    }
    if (!connection.encoder_->has(message.type)) {
      return {Code::unimplemented, "the framing of this session has no messages of type " +
                                       std::string(wire::name_of(message.type))};
    }
    if (Status s = connection.encode(message); !s.is_ok()) return s;
    std::swap(connection.outgoing_, connection.sending_);
  }
  const Status status = connection.send(connection.sending_, deadline);
  if (status.is_ok()) return status;
  return Status(Code::not_sent, "the first message could not be sent").with_cause(status.message());
}

Result<Message> Early::receive(Connection& connection, Side side, const EarlyOptions& options) {
  const MessageType expected =
      side == Side::dialled ? MessageType::auth_reply : MessageType::auth_call;
  const rt::Deadline deadline = rt::Deadline::after(options.timeout);
  std::size_t came = 0;
  for (;;) {
    Message message;
    const auto next = connection.reading_.decoder == nullptr
                          ? Result<bool>(false)
                          : connection.reading_.decoder->next(message);
    if (!next) return next.error();
    if (*next) connection.reading_.watch.came();
    if (*next && message.type == MessageType::hello) {
      connection.take_hello();
    } else if (*next && message.type == MessageType::go_away) {
      return gone_with(message.status);
    } else if (*next && message.type == expected) {
      if (Status s = Enclosing::open_early(connection, message); !s.is_ok()) return s;
      return message;
    } else if (*next) {
      return Status(Code::unauthenticated, "the first message has to be of type " +
                                               std::string(wire::name_of(expected)) + ", not " +
                                               std::string(wire::name_of(message.type)));
    } else if (came >= options.max_bytes) {
      return Status(Code::resource_exhausted, "max_bytes: the first message has more than " +
                                                  std::to_string(options.max_bytes) + " bytes");
    } else {
      std::array<char, 4096> room{};
      const std::size_t most = std::min(room.size(), options.max_bytes - came);
      const auto size = connection.stream_->read({room.data(), most}, deadline);
      if (!size) return size.error().with_context("no first message came");
      if (*size == 0) {
        return Status(Code::unavailable, "the other side closed before its first message");
      }
      came += *size;
      ++connection.reads_;
      if (connection.reading_.decoder != nullptr) {
        connection.reading_.decoder->feed(std::string_view(room.data(), *size));
        continue;
      }
      connection.reading_.begin.append(Bytes::copy_of({room.data(), *size}));
      if (Status s = connection.find_framing(); !s.is_ok()) return s;
      if (connection.reading_.decoder != nullptr) {
        connection.reading_.decoder->feed(std::exchange(connection.reading_.begin, {}));
      }
    }
  }
}

// To who dialled, if it has said what it speaks.
void Early::say_why(Connection& connection, const Status& status) {
  const bool can_say =
      connection.encoder_ != nullptr && connection.encoder_->has(MessageType::go_away);
  if (!can_say) return;
  const rt::WithContext bound(rt::Context::background());
  (void)send(connection, {.type = MessageType::go_away, .status = status},
             rt::Deadline::after(connection.options_->flush_timeout));
}

Status Early::ask(Connection& connection, Side side, bool is_redial, std::string& id) {
  const Plugins& plugins = *connection.extras_.plugins();
  const bool is_dialled = side == Side::dialled;
  const auto hook = is_dialled ? &Plugin::after_dial : &Plugin::after_accept;
  EarlySession session(connection, side, is_redial);
  std::size_t asked = 0;
  Status status;
  for (; status.is_ok() && asked < plugins.all().size(); ++asked) {
    session.has_sent_ = session.has_received_ = false;  // each has an exchange of its own
    status = Plugins::run_one<EarlySession&>(plugins.all()[asked], hook,
                                             is_dialled ? "after_dial" : "after_accept", session);
    if (status.is_ok()) status = session.broken_;
  }
  if (!status.is_ok()) {
    if (!is_dialled) say_why(connection, status);
    // A session that is dialled again has not ended yet, or is told of its end by its line.
    if (!is_redial) tell_of_end(connection, status, asked - 1);
    return status;
  }
  id = session.wanted_id();
  // What came behind the first message is in the decoder.
  const wire::Decoder* const decoder = connection.reading_.decoder.get();
  connection.reading_.may_be_more = decoder != nullptr && decoder->buffered() > 0;
  return {};
}

Status Early::of_silence(const Connection& connection, const Status& reason) {
  if (connection.reads_ > 0 || !connection.awaits_hello_) return reason;
  return without_a_word(reason, connection.framings_->front()->name());
}

void Early::tell_of_end(Connection& connection, const Status& reason) {
  tell_of_end(connection, reason, connection.extras_.plugins()->all().size());
}

// Whoever hears of it may wait a little, as callbacks may.
void Early::tell_of_end(Connection& connection, const Status& reason, std::size_t count) {
  const auto all_by = rt::Deadline::after(connection.options_->drain_timeout);
  const ClosedSession session(connection, reason);
  for (std::size_t i = 0; i < count; ++i) {
    const Plugin& plugin = connection.extras_.plugins()->all()[i];
    if (!plugin.on_disconnect) continue;
    std::unique_lock lock(connection.lock_);
    const std::optional<Duration>& patience = connection.ending_.patience;
    const auto by = patience ? std::min(all_by, rt::Deadline::after(*patience)) : all_by;
    const auto [context, cancel] = connection.peers_context_.with_deadline(by);
    connection.ending_.hooks = &cancel;
    lock.unlock();
    Status thrown;
    {
      const rt::WithContext bound(context);
      thrown = guarded([&] { plugin.on_disconnect(session); });
    }
    lock.lock();
    connection.ending_.hooks = nullptr;
    lock.unlock();
    if (!thrown.is_ok()) {
      connection.log(Plugins::has_thrown(plugin, "on_disconnect", thrown).to_string());
    }
  }
}

void Early::shorten(Connection& connection, std::optional<Duration> patience) {
  if (!patience) return;
  const std::lock_guard lock(connection.lock_);
  Ending& ending = connection.ending_;
  ending.patience = std::min(ending.patience.value_or(*patience), *patience);
  if (ending.hooks == nullptr || *patience > Duration::zero()) return;
  (*ending.hooks)(Status(Code::cancelled, "the peer ends at once"));
}

Status Introductions::introduce(Connection& connection, Side side, bool is_redial,
                                std::string& id) {
  const Duration timeout = connection.extras().options().early_timeout;
  const auto [context, cancel] = rt::Context::current().with_timeout(
      timeout,
      Status(Code::deadline_exceeded,
             "early_timeout: the plugins around a new session took " + in_milliseconds(timeout)));
  {
    const std::lock_guard lock(lock_);
    if (!over_.is_ok()) return over_;
    all_.emplace(&cancel, &connection);
    if (is_redial) ++redials_;
  }
  Status status;
  {
    const rt::WithContext bound(context);
    status = Early::ask(connection, side, is_redial, id);
  }
  const std::lock_guard lock(lock_);
  all_.erase(&cancel);
  if (is_redial) --redials_;
  return status;
}

void Introductions::end_all(const Status& why, std::optional<Duration> patience) {
  const std::lock_guard lock(lock_);
  over_ = why;
  for (const auto& [cancel, connection] : all_) {
    Early::shorten(*connection, patience);
    (*cancel)(why);
  }
}

std::size_t Introductions::size() const {
  const std::lock_guard lock(lock_);
  return all_.size() - redials_;
}

}  // namespace parley::impl
