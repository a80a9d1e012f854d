// MemoryExchange: a ServerExchange without a connection, for tests of handlers. The request and the
// pieces of its body go in, the answer is recorded as it comes out. It keeps the rules of the
// interface: begin() once, the told size, no body to HEAD, 204 and 304.
//
//   MemoryExchange exchange(Method::get, "/tea");
//   EXPECT_TRUE(exchange.run(handler).is_ok());
//   EXPECT_EQ(exchange.answered().status, 200);
//   EXPECT_EQ(exchange.body(), "green");
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/exchange.h"

namespace parley::http::testing {

class MemoryExchange final : public ServerExchange {
 public:
  explicit MemoryExchange(Method method = Method::get, std::string target = "/");

  // Before run(). Another field of the request.
  MemoryExchange& with(std::string_view name, std::string_view value);
  // A body that is read in these pieces.
  MemoryExchange& sends(std::vector<std::string> pieces);
  // Its trailers; shown from the start.
  MemoryExchange& sends_trailers(Headers trailers);
  // read() gives this once the pieces are read, in place of the end.
  MemoryExchange& breaks_with(Status status);
  MemoryExchange& speaks(Protocol protocol);
  // Called with each piece before it is taken; what is not ok is what write() returns.
  MemoryExchange& on_write(std::function<Status(std::string_view)> hook);

  // What a server does around a handler: calls it and ends the answer. Its status, that of end()
  // behind it; what hand_over() was given is not called (then()).
  Status run(const Handler& handler);

  // What was answered: response() as it was at begin().
  [[nodiscard]] const Response& answered() const noexcept { return answered_; }
  // One field of it, "" where there is none.
  [[nodiscard]] std::string field(std::string_view name) const;
  // What went out to the client: nothing for HEAD, 204 and 304.
  [[nodiscard]] const std::string& body() const noexcept { return body_; }
  [[nodiscard]] const std::vector<std::string>& pieces_written() const noexcept { return written_; }
  // Bytes that write() was given, sent or not.
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_; }
  [[nodiscard]] std::optional<BodySize> size() const noexcept { return size_; }
  [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }
  [[nodiscard]] std::size_t flushes() const noexcept { return flushes_; }
  [[nodiscard]] const Headers& sent_trailers() const noexcept { return sent_trailers_; }
  [[nodiscard]] const std::vector<Response>& informed() const noexcept { return informed_; }
  // What hand_over() was given.
  [[nodiscard]] const std::function<void(std::unique_ptr<net::Stream>)>& then() const noexcept {
    return then_;
  }

  Result<std::string_view> read(rt::Deadline deadline = {}) override;
  [[nodiscard]] const Headers& trailers() const noexcept override { return trailers_; }
  Status write(std::string_view piece, rt::Deadline deadline = {}) override;
  Status flush(rt::Deadline deadline = {}) override;
  [[nodiscard]] Protocol protocol() const noexcept override { return protocol_; }
  [[nodiscard]] const net::Address& remote_address() const noexcept override { return remote_; }
  [[nodiscard]] bool is_secure() const noexcept override { return false; }
  [[nodiscard]] Request& request() noexcept override { return request_; }
  [[nodiscard]] BodySize request_size() const noexcept override;
  Status limit_body(std::uint64_t bytes) override;
  [[nodiscard]] Response& response() noexcept override { return response_; }
  Status inform(const Response& informational, rt::Deadline deadline = {}) override;
  Status begin(BodySize size) override;
  [[nodiscard]] bool has_begun() const noexcept override { return size_.has_value(); }
  Status hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) override;

 protected:
  Status finish(const Headers* trailers, rt::Deadline deadline) override;

 private:
  // Whether the answer has a body at all.
  [[nodiscard]] bool has_body() const noexcept;

  Request request_;
  std::deque<std::string> pieces_;
  std::string current_;
  Headers trailers_;
  Status broken_;
  std::uint64_t limit_ = UINT64_MAX;
  std::uint64_t read_ = 0;
  Protocol protocol_ = Protocol::http_1_1;
  net::Address remote_;

  Response response_;
  Response answered_;
  std::optional<BodySize> size_;
  std::string body_;
  std::vector<std::string> written_;
  std::uint64_t bytes_ = 0;
  std::size_t flushes_ = 0;
  bool has_ended_ = false;
  Headers sent_trailers_;
  std::vector<Response> informed_;
  std::function<Status(std::string_view)> on_write_;
  std::function<void(std::unique_ptr<net::Stream>)> then_;
};

}  // namespace parley::http::testing
