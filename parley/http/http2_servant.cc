#include "parley/http/http2_servant.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parley/base/base64.h"
#include "parley/base/guard.h"
#include "parley/http/impl/handed_over.h"
#include "parley/http/impl/http2_link.h"
#include "parley/http/impl/http2_server_exchange.h"
#include "parley/http/impl/http2_tunnel.h"
#include "parley/http/kept.h"
#include "parley/http/service.h"
#include "parley/rt/context.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/ready_queue.h"

namespace parley::http {
namespace {

using impl::Http2Link;
using impl::SharedStream;

}  // namespace

struct Http2Service::Shared {
  // The queue lives as long as the service, whoever serves a connection of it: what ends the
  // handlers is the end of their connection.
  explicit Shared(Service& of)
      : service(of),
        options(of.options().http2),
        queue("http2 stream", rt::Context::background(),
              {.max_fibers = std::max<std::size_t>(of.options().max_handlers, 1)}),
        writers("http2 writer", rt::Context::background(),
                {.max_fibers = std::max<std::size_t>(of.options().max_connections, 1)}) {
    options.limits.max_body_bytes = of.options().limits.max_body_bytes;
    options.write_timeout = of.options().write_timeout;
    options.idle_timeout = of.options().keep_alive_timeout;
    options.ping_after = of.options().ping_after;
  }

  // Whether a connection on which so many handlers run may have one more.
  [[nodiscard]] bool has_room_for(std::size_t running) const {
    return running <= options.limits.max_running_when_scarce ||
           queue.fibers() * 2 <= service.options().max_handlers;
  }

  Service& service;
  Http2Options options;
  std::atomic<std::uint64_t> requests = 0;
  mutable rt::Mutex lock;
  std::unordered_map<const Http2Link*, std::weak_ptr<Http2Link>> links;
  rt::ReadyQueue queue;
  // Of its own: handlers that wait for their client to take something must keep nobody from
  // writing, and what several of them have said when they go on together leaves together.
  rt::ReadyQueue writers;
};

// A request that is being served. Owns itself: it goes at the end of its only run.
class Http2Serving final : public rt::ReadyItem {
 public:
  Http2Serving(Http2Service::Shared& shared, Kept& kept, std::shared_ptr<Http2Link> link,
               SharedStream stream, Request request, bool too_large)
      : service_(shared.service),
        link_(std::move(link)),
        stream_(std::move(stream)),
        exchange_(shared.service, kept, link_, stream_, std::move(request)),
        too_large_(too_large) {
    join(shared.queue);
  }

 private:
  After run() override {
    const std::shared_ptr<Http2Link> link = link_;
    serve();
    delete this;
    link->count_handler_out();
    return After::gone;
  }

  void serve() {
    if (too_large_) {
      service_.note_refused();
      (void)exchange_.answer(431);
      link_->abandon(*stream_);
      return;
    }
    const Status never_due;
    // The queue lasts: what ends the handler is its stream.
    rt::DeferredContext context({}, never_due, rt::DeferredContext::Above::lasts);
    if (!link_->begin_handler(*stream_, context)) return;
    const bool is_timed = service_.is_timed();
    const Instant began = is_timed ? rt::now() : Instant();
    const Status returned = guarded_status([&] { return service_.handler()(exchange_); },
                                           [](Status thrown) { return thrown; });
    exchange_.conclude(returned);
    if (is_timed) service_.note_answer(exchange_.answered(), rt::now() - began);
    if (const auto then = exchange_.take_then()) {
      (void)guarded([&] {
        auto tunnel = std::make_unique<impl::Http2Tunnel>(link_, stream_);
        impl::run_handed_over(service_, [&] { then(std::move(tunnel)); });
      });
      link_->end_handler(*stream_);
    }
  }

  Service& service_;
  const std::shared_ptr<Http2Link> link_;
  const SharedStream stream_;
  impl::Http2ServerExchange exchange_;
  const bool too_large_;
};

class Http2Servant final : public net::Servant {
 public:
  Http2Servant(Http2Service::Shared& shared, net::Stream& stream, std::string_view already_read,
               bool is_secure)
      : shared_(shared),
        link_(std::make_shared<Http2Link>(impl::Http2Session::Role::server, shared.options, stream,
                                          is_secure)) {
    shared_.service.note_connection(1);
    {
      const std::lock_guard lock(shared_.lock);
      shared_.links.emplace(link_.get(), link_);
    }
    link_->start(shared_.writers, [this](const SharedStream& opened, Request& request, bool large) {
      if (!shared_.has_room_for(link_->running())) return false;
      shared_.requests.fetch_add(1, std::memory_order_relaxed);
      ++served_;
      if (!large) shared_.service.note_request();
      auto* serving = new Http2Serving(shared_, kept_, link_, opened, std::move(request),
                                       large);  // owns itself
      serving->ready();
      return true;
    });
    if (!already_read.empty()) first_ = feed(already_read);
  }

  ~Http2Servant() override {
    shared_.service.note_connection(-1);
    const std::lock_guard lock(shared_.lock);
    shared_.links.erase(link_.get());
  }

  Status upgrade(std::string_view settings, Request& request) {
    return link_->upgrade(settings, request);
  }
  Status take_first(std::string_view already_read) { return feed(already_read); }

  Result<net::Next> on_readable(net::Stream& stream) override {
    Status taken = std::exchange(first_, {});
    if (taken.is_ok()) {
      std::array<char, 16384> buffer;
      const auto size = stream.try_read(buffer);
      if (!size && link_->is_over()) return ended({});
      if (!size) {
        const bool is_nothing =
            link_->streams() == 0 && shared_.service.note_cut_at_rest(size.error());
        return is_nothing ? Result<net::Next>(net::Next::end) : size.error();
      }
      if (!*size) return net::Next::rest;
      if (**size == 0) return ended({});
      taken = feed({buffer.data(), **size});
      if (taken.is_ok() && !link_->is_over()) return net::Next::rest;
    }
    link_->drain(rt::Deadline::after(shared_.options.linger));
    return ended(taken);
  }

  // What came before may have broken the rules.
  [[nodiscard]] Instant due() override { return first_.is_ok() ? Instant::max() : Instant(); }
  Result<net::Next> on_due(net::Stream& stream) override { return on_readable(stream); }

  Result<net::Next> on_drain(net::Stream& /*stream*/) override {
    link_->announce_end();
    return net::Next::rest;
  }

  void on_end(net::Stream& /*stream*/) override { link_->close({}); }

 private:
  // A client that broke the rules is counted, also where what we sent said so first.
  Result<net::Next> ended(const Status& taken) {
    const Status why = taken.is_ok() ? link_->broken() : taken;
    if (why.is_ok()) return net::Next::end;
    shared_.service.note_refused();
    return why;
  }

  Status feed(std::string_view in) {
    Status taken = link_->take(in);
    const std::uint64_t most = shared_.service.options().max_requests;
    if (most != 0 && served_ >= most) link_->announce_end();
    return taken;
  }

  Http2Service::Shared& shared_;
  Kept kept_;
  const std::shared_ptr<Http2Link> link_;
  std::uint64_t served_ = 0;  // under the lock of the link, or by who reads
  Status first_;              // of what was read before
};

Http2Service::Http2Service(Service& service) : shared_(std::make_unique<Shared>(service)) {}

Http2Service::~Http2Service() = default;

std::unique_ptr<net::Servant> Http2Service::serve(net::Stream& stream,
                                                  std::string_view already_read, bool is_secure) {
  return std::make_unique<Http2Servant>(*shared_, stream, already_read, is_secure);
}

Result<std::unique_ptr<net::Servant>> Http2Service::upgrade(net::Stream& stream,
                                                            std::string_view settings,
                                                            Request request,
                                                            std::string_view already_read) {
  std::string decoded;
  if (!decode_base64(settings, decoded)) {
    return Status(Code::invalid_argument, "HTTP2-Settings is no base64url (RFC 7540 3.2.1)");
  }
  auto servant = std::make_unique<Http2Servant>(*shared_, stream, std::string_view(), false);
  Status done = servant->upgrade(decoded, request);
  if (done.is_ok() && !already_read.empty()) done = servant->take_first(already_read);
  if (!done.is_ok()) {
    servant->on_end(stream);
    return done;
  }
  return std::unique_ptr<net::Servant>(std::move(servant));
}

void Http2Service::drain() {
  std::vector<std::shared_ptr<Http2Link>> all;
  {
    const std::lock_guard lock(shared_->lock);
    for (const auto& [key, link] : shared_->links) {
      if (auto alive = link.lock()) all.push_back(std::move(alive));
    }
  }
  for (const auto& link : all) link->announce_end();
}

Http2Counts Http2Service::counts() const {
  const std::lock_guard lock(shared_->lock);
  return {.requests = shared_->requests,
          .connections = shared_->links.size(),
          .handlers = shared_->queue.fibers()};
}

Http2Preface look_for_http2(std::string_view first_bytes) noexcept {
  constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::size_t size = std::min(first_bytes.size(), preface.size());
  if (first_bytes.substr(0, size) != preface.substr(0, size)) return Http2Preface::no;
  return size == preface.size() ? Http2Preface::yes : Http2Preface::more;
}

}  // namespace parley::http
