// StrongId: a number that names one kind of thing and cannot be handed over as another kind.
//
//   struct SessionTag;
//   using SessionId = StrongId<SessionTag, std::uint64_t>;
//   close(SessionId{7});   // close(StreamId{7}) does not compile
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <ostream>

namespace parley {

template <class Tag, class Rep>
class StrongId {
 public:
  using rep = Rep;

  constexpr StrongId() noexcept = default;
  constexpr explicit StrongId(Rep value) noexcept : value_(value) {}

  [[nodiscard]] constexpr Rep value() const noexcept { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;
  friend std::ostream& operator<<(std::ostream& out, StrongId id) { return out << +id.value_; }

 private:
  Rep value_{};
};

}  // namespace parley

template <class Tag, class Rep>
struct std::hash<parley::StrongId<Tag, Rep>> {
  std::size_t operator()(parley::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>()(id.value());
  }
};
