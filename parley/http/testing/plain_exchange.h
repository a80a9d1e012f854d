// The least that an opening of a WebSocket needs of an exchange: a head that came and one that
// goes, on a stream of its own. For tests of the handshake alone; belongs to one fiber.
//
//   testing::serve_plain(std::move(stream), [](ServerExchange& exchange) { ... });
//   testing::PlainClient exchange(std::move(stream), opening->request);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "parley/http/exchange.h"
#include "parley/http/http1_parser.h"
#include "parley/http/http1_writer.h"

namespace parley::http::testing {

// Byte by byte, so that nothing that follows is taken.
inline Status read_head(net::Stream& stream, Http1Parser& parser) {
  for (char byte = 0;;) {
    const auto size = stream.read({&byte, 1});
    if (!size) return size.error();
    if (*size == 0) return {Code::data_loss, "it ended within a head"};
    std::string_view in(&byte, 1);
    const auto event = parser.next(in);
    if (!event) return event.error();
    if (*event == Event::head) return {};
  }
}

class PlainServer final : public ServerExchange {
 public:
  explicit PlainServer(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}

  Status start() { return read_head(*stream_, parser_); }
  void finish_up() {
    if (then_) then_(std::move(stream_));
  }

  Result<std::string_view> read(rt::Deadline) override { return std::string_view(); }
  [[nodiscard]] const Headers& trailers() const noexcept override { return none_; }
  Status write(std::string_view piece, rt::Deadline) override { return writer_.write(piece, out_); }
  Status flush(rt::Deadline) override { return {}; }
  [[nodiscard]] Protocol protocol() const noexcept override {
    return parser_.framing().keeps_alive ? Protocol::http_1_1 : Protocol::http_1_0;
  }
  [[nodiscard]] const net::Address& remote_address() const noexcept override {
    return stream_->remote_address();
  }
  [[nodiscard]] bool is_secure() const noexcept override { return false; }
  [[nodiscard]] Request& request() noexcept override { return parser_.request(); }
  [[nodiscard]] BodySize request_size() const noexcept override { return BodySize::none(); }
  Status limit_body(std::uint64_t) override { return {}; }
  [[nodiscard]] Response& response() noexcept override { return response_; }
  Status inform(const Response&, rt::Deadline) override { return {}; }
  Status begin(BodySize size) override {
    has_begun_ = true;
    return writer_.begin(response_, size, answered(), out_);
  }
  [[nodiscard]] bool has_begun() const noexcept override { return has_begun_; }
  Status hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) override {
    if (Status bad = begin(BodySize::none()); !bad.is_ok()) return bad;
    then_ = std::move(then);
    return stream_->write(out_);
  }

 private:
  [[nodiscard]] Answered answered() {
    return {.method = parser_.request().method,
            .version = parser_.request().version,
            .asked_to_switch = parser_.framing().switches};
  }
  Status finish(const Headers*, rt::Deadline) override {
    if (Status bad = writer_.end(out_); !bad.is_ok()) return bad;
    return stream_->write(out_);
  }

  std::unique_ptr<net::Stream> stream_;
  Http1Parser parser_{Http1Parser::Reads::requests};
  Http1Writer writer_;
  Response response_;
  Headers none_;
  std::string out_;
  bool has_begun_ = false;
  std::function<void(std::unique_ptr<net::Stream>)> then_;
};

// Serves one request, and what `handler` handed over.
inline Status serve_plain(std::unique_ptr<net::Stream> stream, const Handler& handler) {
  PlainServer exchange(std::move(stream));
  if (Status bad = exchange.start(); !bad.is_ok()) return bad;
  Status status = handler(exchange);
  if (status.is_ok()) exchange.finish_up();
  return status;
}

class PlainClient final : public ClientExchange {
 public:
  PlainClient(std::unique_ptr<net::Stream> stream, const Request& request)
      : stream_(std::move(stream)) {
    std::string out;
    sent_ = Http1Writer().begin(request, BodySize::none(), out);
    if (sent_.is_ok()) sent_ = stream_->write(out);
    parser_.expect({.method = request.method, .asked_to_switch = true});
  }

  Result<Response*> response(rt::Deadline) override {
    if (sent_.is_ok() && !is_read_) sent_ = read_head(*stream_, parser_);
    is_read_ = true;
    if (!sent_.is_ok()) return sent_;
    return &parser_.response();
  }
  void cancel() noexcept override { stream_->close(); }
  Result<std::unique_ptr<net::Stream>> take_stream() override { return std::move(stream_); }

  Result<std::string_view> read(rt::Deadline) override { return std::string_view(); }
  [[nodiscard]] const Headers& trailers() const noexcept override { return none_; }
  Status write(std::string_view, rt::Deadline) override { return {}; }
  Status flush(rt::Deadline) override { return {}; }
  [[nodiscard]] Protocol protocol() const noexcept override { return Protocol::http_1_1; }
  [[nodiscard]] const net::Address& remote_address() const noexcept override {
    return stream_->remote_address();
  }
  [[nodiscard]] bool is_secure() const noexcept override { return false; }

 private:
  Status finish(const Headers*, rt::Deadline) override { return {}; }

  std::unique_ptr<net::Stream> stream_;
  Http1Parser parser_{Http1Parser::Reads::responses};
  Status sent_;
  bool is_read_ = false;
  Headers none_;
};

}  // namespace parley::http::testing
