// EitherServant: a connection of which the first bytes say whether HTTP/1 or HTTP/2 is spoken, and
// which may change from one to the other (h2c). Private to http.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "parley/http/http1_servant.h"
#include "parley/http/service.h"
#include "parley/net/serve.h"

namespace parley::http::impl {

class EitherServant final : public net::Servant {
 public:
  // `read_before`: what was read of the stream already.
  EitherServant(net::Stream& stream, std::shared_ptr<Service> service, Versions versions,
                std::string_view read_before, bool is_secure);
  ~EitherServant() override;

  Result<net::Next> on_readable(net::Stream& stream) override;
  void on_end(net::Stream& stream) override;
  [[nodiscard]] Instant due() override;
  Result<net::Next> on_due(net::Stream& stream) override;
  Result<net::Next> on_drain(net::Stream& stream) override;
  void take(std::unique_ptr<net::Stream> stream) override;

 private:
  Result<net::Next> look_at_first(net::Stream& stream);
  Result<net::Next> choose(net::Stream& stream, std::string_view first, bool is_http2);
  Result<net::Next> go_on(net::Stream& stream, Result<net::Next> next);

  // First, so that it goes last.
  const std::shared_ptr<Service> service_;
  std::string first_;              // too few to tell
  Instant due_;                    // until it is chosen
  Http1Servant* http1_ = nullptr;  // what is chosen, while that may change
  std::unique_ptr<net::Servant> chosen_;
  const bool is_secure_;
  bool is_draining_ = false;
};

}  // namespace parley::http::impl
