// BodySize: how long the body of a message is going to be. A plain value.
//
//   exchange.begin(http::BodySize::of(page.size()));
#pragma once

#include <cstdint>

namespace parley::http {

class BodySize {
 public:
  [[nodiscard]] static constexpr BodySize none() noexcept { return BodySize(Kind::none, 0); }
  [[nodiscard]] static constexpr BodySize of(std::uint64_t bytes) noexcept {
    return BodySize(Kind::known, bytes);
  }
  // Ends when it ends; the only kind that may have trailers.
  [[nodiscard]] static constexpr BodySize unknown() noexcept { return BodySize(Kind::unknown, 0); }

  [[nodiscard]] constexpr bool is_known() const noexcept { return kind_ != Kind::unknown; }
  [[nodiscard]] constexpr bool is_none() const noexcept { return kind_ == Kind::none; }
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  enum class Kind : std::uint8_t { none, known, unknown };
  constexpr BodySize(Kind kind, std::uint64_t bytes) noexcept : kind_(kind), bytes_(bytes) {}

  Kind kind_;
  std::uint64_t bytes_;
};

}  // namespace parley::http
