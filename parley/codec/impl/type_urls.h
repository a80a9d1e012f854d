// Finds the types of what Anys hold in JSON as protobuf maps it. An Any must know its type before
// its other members can be read, and "@type" may stand behind them, at every level.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "parley/codec/impl/json_cursor.h"

namespace parley::codec::impl {

class TypeUrls : private JsonCursor {
 public:
  static constexpr std::string_view key = "@type";

  // Both outlive it.
  TypeUrls(std::string_view text, const Limits& limits) : JsonCursor(text, limits) {}

  // Where the value of the first "@type" in the object that begins at `object` stands; null when
  // there is none, or when the object is no JSON within the limits. To be asked from the front to
  // the back: where "@type" comes first, only that is looked at, and no other character is looked
  // at twice, however deep the objects lie in each other.
  const char* find(const char* object);

  // How many characters were looked at in search of an "@type" that does not come first.
  [[nodiscard]] std::size_t looked_at() const noexcept { return looked_at_; }

 private:
  struct Found {
    const char* object;
    const char* url = nullptr;
  };
  // An object or a list that has not ended.
  struct Open {
    Found found;
    bool is_first = true;  // no key has come yet
  };

  void look_through(const char* object);
  bool step();
  bool take_string();
  void close();

  std::vector<Open> open_;
  std::vector<Found> found_;       // by object; without those whose "@type" comes first
  const char* seen_end_ = begin_;  // what is in front of it has been looked through
  std::size_t looked_at_ = 0;
};

}  // namespace parley::codec::impl
