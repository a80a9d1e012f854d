#include "parley/http/server.h"

#include <mutex>
#include <utility>

#include "parley/http/http1_servant.h"
#include "parley/http/http2_servant.h"
#include "parley/http/impl/either_servant.h"
#include "parley/net/tls.h"

namespace parley::http {

std::unique_ptr<net::Servant> make_servant(net::Stream& stream,
                                           const std::shared_ptr<Service>& service,
                                           std::string_view read_before) {
  const auto* tls = dynamic_cast<const net::TlsStream*>(&stream);
  Versions versions = service->options().versions;
  if (tls != nullptr && versions == Versions::all) {
    if (tls->info().alpn == "h2") versions = Versions::http_2;
    if (tls->info().alpn.starts_with("http/1.")) versions = Versions::http_1;
  }
  if (versions == Versions::http_1) {
    return std::make_unique<Http1Servant>(stream, service, read_before);
  }
  return std::make_unique<impl::EitherServant>(stream, service, versions, read_before,
                                               tls != nullptr);
}

Server::Server(net::Listener& listener, Handler handler, ServerOptions options)
    : listener_(listener), service_(Service::make(std::move(handler), std::move(options))) {
  if (!service_) return;
  const ServerOptions& own = (*service_)->options();
  server_.emplace(listener_, net::Server::MakeServant([service = *service_](net::Stream& stream) {
                    return make_servant(stream, service);
                  }),
                  net::ServeOptions{.max_connections = own.max_connections,
                                    .max_handlers = own.max_handlers,
                                    .open = own.open,
                                    .on_error = own.on_error});
}

Server::~Server() = default;

Status Server::serve() {
  has_begun_ = true;
  Status status = service_.error();
  if (server_) {
    auto [context, cancel] = rt::Context::current().with_cancel();
    set_cut(&cancel);
    const rt::WithContext bound(context);
    status = server_->serve();
    set_cut(nullptr);
    if (has_cut_ && status.code() == Code::cancelled) {
      status = Status(Code::cancelled, "http::Server::serve(): shutdown() cut what had not ended")
                   .with_cause(status.message());
    }
  }
  done_.set();
  return status;
}

void Server::set_cut(const rt::Cancel* cut) {
  const std::lock_guard lock(lock_);
  cut_ = cut;
}

Status Server::shutdown(rt::Deadline deadline) {
  listener_.close();
  if (!server_) return {};
  (*service_)->drain();
  server_->drain();
  if (!has_begun_) return {};  // nor will it: it accepts nobody any more
  const Status status = done_.wait(deadline);
  if (status.is_ok()) return status;
  const std::size_t left = server_->counts().connections;
  {
    const std::lock_guard lock(lock_);
    has_cut_ = true;
    if (cut_ != nullptr) (*cut_)();
  }
  const rt::WithContext whatever_happens(rt::Context::background());
  (void)done_.wait();
  return Status(status.code(), "http::Server::shutdown(): " + std::to_string(left) +
                                   " connections had not ended and were cut; give it more time, "
                                   "or have their handlers look at their context")
      .with_cause(status.message());
}

ServerCounts Server::counts() const {
  if (!server_) return {};
  ServerCounts counts = (*service_)->counts();
  const net::ServeCounts below = server_->counts();
  counts.accepted = below.accepted;
  counts.connections = below.connections;
  counts.handlers += below.handlers;
  return counts;
}

}  // namespace parley::http
