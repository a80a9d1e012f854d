// A server of both versions on a network within the process: for tests inside a fiber, also in
// virtual time.
#pragma once

#include <memory>
#include <utility>

#include "parley/http/server.h"
#include "parley/net/in_process_network.h"
#include "parley/rt/scope.h"

namespace parley::http::testing {

class InProcessServer {
 public:
  explicit InProcessServer(Handler handler, ServerOptions options = {})
      : server_(*listener_, std::move(handler), std::move(options)) {
    scope_.go("server", [this] { (void)server_.serve(); });
  }
  // Cuts what is left.
  ~InProcessServer() {
    listener_->close();
    scope_.cancel();
    scope_.join();
  }
  InProcessServer(const InProcessServer&) = delete;
  InProcessServer& operator=(const InProcessServer&) = delete;

  std::unique_ptr<net::Stream> dial() { return std::move(*network_.dial(listener_->address())); }
  Server& server() { return server_; }

 private:
  net::InProcessNetwork network_;
  const std::unique_ptr<net::Listener> listener_ =
      std::move(*network_.listen(*net::Address::parse("inproc:shop")));
  Server server_;
  rt::Scope scope_;
};

}  // namespace parley::http::testing
