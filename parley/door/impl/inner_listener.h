// InnerListener: gives a net::Server the connections that another one took. Private to door; any
// fiber.
//
//   listener.pass(std::move(stream));       // a fiber of one server
//   auto next = listener.accept();          // the other one
#pragma once

#include <cstddef>
#include <memory>

#include "parley/net/stream.h"
#include "parley/rt/channel.h"
#include "parley/rt/mutex.h"

namespace parley::door::impl {

class InnerListener final : public net::Listener {
 public:
  // Connections that wait to be accepted; then pass() waits.
  static constexpr std::size_t most_waiting = 64;

  // Drops it when this is closed, or the context of the fiber ends before somebody takes it.
  void pass(std::unique_ptr<net::Stream> stream);

  Result<std::unique_ptr<net::Stream>> accept(rt::Deadline deadline) override;
  // When nobody will pass anything any more.
  void close() override;
  [[nodiscard]] const net::Address& address() const override { return address_; }

 private:
  const net::Address address_{};
  rt::Mutex lock_;
  bool is_closed_ = false;
  rt::Channel<std::unique_ptr<net::Stream>> waiting_{most_waiting};
};

}  // namespace parley::door::impl
