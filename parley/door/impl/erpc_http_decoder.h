// The reading side of erpc's http framing, on the one parser of HTTP/1. Private to door; belongs to
// one fiber. Calls and answers come on the same connection: what begins with "HTTP/" is an answer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/door/impl/erpc_http_terms.h"
#include "parley/http/http1_parser.h"
#include "parley/wire/framing.h"

namespace parley::door::impl {

class ErpcHttpDecoder final : public wire::Decoder {
 public:
  explicit ErpcHttpDecoder(std::shared_ptr<const ErpcHttpTerms> terms);

  using Decoder::feed;
  void feed(Bytes chunk) override;
  using Decoder::next;
  // Errors: those of http::Http1Parser; a request that is no POST, a type or number that is none,
  // an answer without a number or without a length (invalid_argument, unimplemented).
  Result<bool> next(wire::Message& message) override;
  [[nodiscard]] std::size_t buffered() const noexcept override { return used_ + came_.size(); }

 private:
  // Of a message that is coming.
  enum class Reading : std::uint8_t { nothing, call, answer };

  Result<bool> advance(wire::Message& message);
  [[nodiscard]] http::Http1Parser& parser() {
    return reading_ == Reading::answer ? answers_ : calls_;
  }
  bool begin();
  Status take_head();
  Status take_call();
  Status take_answer();
  Status take_numbers(const http::Headers& headers, wire::MessageType otherwise);
  void take_fields(const http::Headers& headers);
  void take_coding(const http::Headers& headers);
  Status take_body();
  void take_error();
  void refuse(Status why);
  Status die(Status why);

  const std::shared_ptr<const ErpcHttpTerms> terms_;
  http::Http1Parser calls_;
  http::Http1Parser answers_;
  Reading reading_ = Reading::nothing;
  bool has_number_ = false;
  bool is_error_ = false;  // an answer of 299, whose body says what it is
  Bytes came_;
  std::size_t used_ = 0;  // bytes of the message that is coming
  wire::Message message_;
  std::string body_;
  Status error_;
};

}  // namespace parley::door::impl
