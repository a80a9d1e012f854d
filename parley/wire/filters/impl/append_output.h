// What decompressing streams append to a string: room for it, as much as what comes in may need.
// Private to the filters. Belongs to the fiber of the stream.
//
//   Status Inflater::append(std::string_view in, std::string& out) {
//     return impl::append_output(*this, in, out, [this] { return is_full_; });
//   }
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"

namespace parley::wire::impl {

// Of what is written at once.
inline constexpr std::size_t least_room = 256;
inline constexpr std::size_t most_room = std::size_t{64} << 10U;

// Room for what `bytes` become when they are compressed, and when they are not any more.
inline std::size_t room_to_compress(std::size_t bytes) noexcept {
  return std::clamp(bytes / 2, least_room, most_room);
}
inline std::size_t room_to_undo(std::size_t bytes) noexcept {
  return std::clamp(4 * std::min(bytes, most_room), least_room, most_room);
}

// read() of `stream` until all of `in` is used and nothing more comes out. `is_full` says whether
// the last one used all of its room. What came before an error stands in `out`.
template <typename Stream, typename IsFull>
Status append_output(Stream& stream, std::string_view in, std::string& out, const IsFull& is_full) {
  do {
    const std::size_t size = out.size();
    out.resize(size + room_to_undo(in.size()));
    const Result<std::size_t> written = stream.read(in, std::span(out).subspan(size));
    out.resize(size + (written ? *written : 0));
    if (!written) return written.error();
  } while (!in.empty() || is_full());
  return {};
}

}  // namespace parley::wire::impl
