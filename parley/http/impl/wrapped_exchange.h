// WrappedExchange: passes everything on to another exchange; who wraps overrides what differs.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "parley/http/exchange.h"

namespace parley::http::impl {

class WrappedExchange : public ServerExchange {
 public:
  explicit WrappedExchange(ServerExchange& inner) : inner_(&inner) {}

  Result<std::string_view> read(rt::Deadline deadline) override { return inner_->read(deadline); }
  [[nodiscard]] const Headers& trailers() const noexcept override { return inner_->trailers(); }
  Status write(std::string_view piece, rt::Deadline deadline) override {
    return inner_->write(piece, deadline);
  }
  Status flush(rt::Deadline deadline) override { return inner_->flush(deadline); }
  [[nodiscard]] Protocol protocol() const noexcept override { return inner_->protocol(); }
  [[nodiscard]] const net::Address& remote_address() const noexcept override {
    return inner_->remote_address();
  }
  [[nodiscard]] bool is_secure() const noexcept override { return inner_->is_secure(); }
  [[nodiscard]] Request& request() noexcept override { return inner_->request(); }
  [[nodiscard]] BodySize request_size() const noexcept override { return inner_->request_size(); }
  Status limit_body(std::uint64_t bytes) override { return inner_->limit_body(bytes); }
  void note_body_fault(Code code, StatusCode answer) noexcept override {
    inner_->note_body_fault(code, answer);
  }
  void lift_body_limits() noexcept override { inner_->lift_body_limits(); }
  [[nodiscard]] Response& response() noexcept override { return inner_->response(); }
  Status inform(const Response& informational, rt::Deadline deadline) override {
    return inner_->inform(informational, deadline);
  }
  Status begin(BodySize size) override { return inner_->begin(size); }
  [[nodiscard]] bool has_begun() const noexcept override { return inner_->has_begun(); }
  Status hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) override {
    return inner_->hand_over(std::move(then));
  }
  [[nodiscard]] Kept* kept() noexcept override { return inner_->kept(); }
  [[nodiscard]] std::shared_ptr<Draining> draining() const override { return inner_->draining(); }

 protected:
  Status finish(const Headers* trailers, rt::Deadline deadline) override {
    return trailers == nullptr ? inner_->end(deadline) : inner_->end(*trailers, deadline);
  }
  [[nodiscard]] ServerExchange& inner() const noexcept { return *inner_; }

 private:
  ServerExchange* inner_;
};

}  // namespace parley::http::impl
