// HotStream: what a peer reads is there already, and what it writes is only looked at: the other
// side of a connection at no cost, so that instructions can be counted. HotNetwork hands one out.
//
// For a runtime of one worker.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "parley/net/network.h"
#include "parley/net/stream.h"
#include "parley/rt/event.h"

namespace parley::bench {

class HotStream final : public net::Stream {
 public:
  // The next bytes to be read; empty while there are none.
  using Source = std::function<std::string_view()>;
  // Is told of each write; `source` is asked again afterwards.
  using Sink = std::function<void(std::string_view written)>;

  HotStream(Source source, Sink sink) : source_(std::move(source)), sink_(std::move(sink)) {}

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    while (left_.empty()) {
      left_ = source_();
      if (!left_.empty()) break;
      if (is_closed_) return std::size_t{0};
      more_.reset();
      if (Status s = more_.wait(deadline); !s.is_ok()) return s;
    }
    const std::size_t size = std::min(into.size(), left_.size());
    std::copy_n(left_.begin(), size, into.begin());
    left_.remove_prefix(size);
    return size;
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline) override {
    sink_(from);
    more_.set();
    return from.size();
  }
  Status close_write() override {
    close();
    return {};
  }
  void close() override {
    is_closed_ = true;
    more_.set();
  }
  [[nodiscard]] const net::Address& local_address() const override { return address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return address_; }

 private:
  Source source_;
  Sink sink_;
  std::string_view left_;
  bool is_closed_ = false;
  rt::Event more_;
  const net::Address address_{.network = "tcp", .host = "192.0.2.1", .port = 1};
};

// Whoever dials or accepts gets the stream, once.
class HotNetwork final : public net::Network {
 public:
  explicit HotNetwork(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}

  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions&) override {
    return std::make_unique<HotListener>(*this, address);
  }
  Result<std::unique_ptr<net::Stream>> dial(const net::Address&, rt::Deadline,
                                            const net::DialOptions&) override {
    return std::move(stream_);
  }

 private:
  class HotListener final : public net::Listener {
   public:
    HotListener(HotNetwork& network, net::Address address)
        : network_(network), address_(std::move(address)) {}
    Result<std::unique_ptr<net::Stream>> accept(rt::Deadline deadline) override {
      if (network_.stream_ != nullptr) return std::move(network_.stream_);
      if (Status s = closed_.wait(deadline); !s.is_ok()) return s;
      return Status(Code::unavailable, "the listener is closed");
    }
    void close() override { closed_.set(); }
    [[nodiscard]] const net::Address& address() const override { return address_; }

   private:
    HotNetwork& network_;
    const net::Address address_;
    rt::Event closed_;
  };

  std::unique_ptr<net::Stream> stream_;
};

}  // namespace parley::bench
