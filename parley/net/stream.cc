#include "parley/net/stream.h"

#include <array>

#include "parley/rt/context.h"

namespace parley::net {

// A read whose deadline has passed takes what is there before it looks at the deadline.
Result<std::optional<std::size_t>> Stream::try_read(std::span<char> into) {
  const auto size = read(into, rt::Deadline::after(Duration::zero()));
  if (size) return std::optional(*size);
  if (size.error().code() != Code::deadline_exceeded) return size.error();
  if (Status context = rt::Context::current().status(); !context.is_ok()) return context;
  return std::optional<std::size_t>();
}

Result<bool> Stream::wait_readable(rt::Deadline deadline) {
  std::array<char, 1> byte{};
  const auto size = peek(byte, 1, deadline);
  if (!size) return size.error();
  return *size > 0;
}

Result<std::size_t> Stream::peek(std::span<char> /*into*/, std::size_t /*at_least*/,
                                 rt::Deadline /*deadline*/) {
  return Status(Code::unimplemented, "this stream cannot show bytes before they are read");
}

Result<std::size_t> Stream::write_some_of(std::span<const std::string_view> pieces,
                                          rt::Deadline deadline) {
  for (const std::string_view piece : pieces) {
    if (!piece.empty()) return write_some(piece, deadline);
  }
  return std::size_t{0};
}

Status Stream::write(std::string_view from, rt::Deadline deadline) {
  while (!from.empty()) {
    const auto written = write_some(from, deadline);
    if (!written) return written.error();
    from.remove_prefix(*written);
  }
  return {};
}

Status Stream::write_all_of(std::span<const std::string_view> pieces, rt::Deadline deadline) {
  while (!pieces.empty()) {
    const auto written = write_some_of(pieces, deadline);
    if (!written) return written.error();
    std::size_t rest = *written;
    while (!pieces.empty() && rest >= pieces.front().size()) {
      rest -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
    if (rest == 0) continue;
    if (Status s = write(pieces.front().substr(rest), deadline); !s.is_ok()) return s;
    pieces = pieces.subspan(1);
  }
  return {};
}

}  // namespace parley::net
