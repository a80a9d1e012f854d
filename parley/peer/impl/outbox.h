// Outbox: encoded frames on their way out, in order. Private to peer.
//
// Small frames are gathered in one piece of memory, so that many leave in one write; a large one
// stays where it was encoded. No fiber-safety of its own: a session has two, one that its lock
// guards and one that belongs to its writer, and swaps them.
//
//   outbox.add(std::move(frame));
//   std::array<std::string_view, 16> pieces;
//   auto written = stream.write_some_of(outbox.front(pieces));
//   outbox.drop(*written);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

class Outbox {
 public:
  void add(std::string&& frame);
  // The same with a small message, encoded in place. On an error nothing is added.
  Status encode(const wire::Message& message, const wire::Framing& framing);

  [[nodiscard]] bool is_empty() const { return bytes_ == 0; }
  // Bytes added and not dropped.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // The first pieces of what is there, as many as `room` holds; they lie in `room`.
  [[nodiscard]] std::span<const std::string_view> front(std::span<std::string_view> room) const;
  // Takes the first `count` bytes away. With the last of them, memory that a burst took is given
  // back.
  void drop(std::size_t count);

 private:
  std::string& gathering_piece();
  void gathered();

  std::vector<std::string> pieces_;
  std::size_t bytes_ = 0;
  std::size_t first_ = 0;      // pieces before this one are dropped
  std::size_t offset_ = 0;     // bytes of that one which are
  bool is_gathering_ = false;  // the last piece takes further small frames
};

}  // namespace parley::impl
