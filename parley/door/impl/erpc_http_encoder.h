// The writing side of erpc's http framing. Private to door; it remembers nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/door/impl/erpc_http_terms.h"
#include "parley/wire/framing.h"

namespace parley::door::impl {

class ErpcHttpEncoder final : public wire::Encoder {
 public:
  explicit ErpcHttpEncoder(std::shared_ptr<const ErpcHttpTerms> terms) : terms_(std::move(terms)) {}

  // Calls and answers; there is no PUSH.
  [[nodiscard]] bool has(wire::MessageType type) const noexcept override;
  [[nodiscard]] std::size_t max_body_bytes() const noexcept override;
  [[nodiscard]] bool remembers() const noexcept override { return false; }
  Status encode_answer(std::int32_t seq, wire::BodyCodec codec, std::string_view body,
                       std::string& out) const override;
  Status encode_apart(const wire::Message& message, std::string& out, Bytes& tail) override;

 protected:
  Status encode_pieces(const wire::Message& message, std::span<const std::string_view> body,
                       std::string& out) override;

 private:
  Status put_filtered(const wire::Message& message, Bytes body, std::string& out,
                      Bytes& tail) const;
  Status put_head(const wire::Message& message, std::size_t body_bytes, std::string& out) const;
  Status put_error(const wire::Message& message, std::string& out) const;

  const std::shared_ptr<const ErpcHttpTerms> terms_;
};

}  // namespace parley::door::impl
