// Fuzzes the streams of deflate and zstd. The first byte says which one and how the rest is cut,
// the second how much may come out; then
//  - undoing arbitrary bytes never makes more than the limit, and neither pieces nor room change
//    what comes out or the code it ends with;
//  - the bytes themselves come back from compressing and undoing them, with a flush in between.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/wire/filters/deflate.h"
#include "parley/wire/filters/zstd_stream.h"

namespace {

using namespace parley::wire;
using parley::Status;

struct Came {
  std::string out;
  Status status;
  bool is_whole = false;
};

template <typename Reader>
Came undo(Reader reader, std::string_view in, std::size_t piece, std::size_t room_size) {
  Came came;
  std::string room(room_size, '\0');
  while (!in.empty()) {
    std::string_view now = in.substr(0, piece);
    in.remove_prefix(now.size());
    do {
      const auto size = reader.read(now, room);
      if (!size) {
        came.status = size.error();
        return came;
      }
      came.out.append(room, 0, *size);
    } while (!now.empty() || reader.holds_more());
  }
  came.is_whole = reader.is_whole();
  return came;
}

template <typename Make>
void check_undoing(const Make& make, std::string_view bytes, std::size_t piece,
                   std::uint64_t most) {
  const Came whole = undo(make(), bytes, bytes.size(), 4096);
  const Came cut = undo(make(), bytes, piece, 1 + piece * 7 % 300);
  PARLEY_ASSERT(whole.out.size() <= most && cut.out.size() <= most, "more than the limit");
  PARLEY_ASSERT(
      whole.status.code() == cut.status.code(),
      "a cut changes the verdict: " + whole.status.to_string() + " / " + cut.status.to_string());
  PARLEY_ASSERT(whole.is_whole == cut.is_whole, "a cut changes where it ends");
  // What an error leaves behind is not kept.
  PARLEY_ASSERT(!whole.status.is_ok() || whole.out == cut.out, "a cut changes the content");
}

template <typename Writer, typename Reader>
void check_round_trip(Writer writer, Reader reader, std::string_view bytes, std::size_t cut) {
  std::string sent;
  PARLEY_ASSERT(writer.append(bytes.substr(0, cut), sent, Flush::sync).is_ok(), "no memory");
  PARLEY_ASSERT(writer.append(bytes.substr(cut), sent, Flush::finish).is_ok(), "no memory");
  std::string back;
  const Status status = reader.append(sent, back);
  PARLEY_ASSERT(status.is_ok(), "it cannot be undone: " + status.to_string());
  PARLEY_ASSERT(back == bytes && reader.is_whole(), "the content changed");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t kind = data[0] % 5;
  const std::size_t piece = 1 + data[0] / 5;
  const std::uint64_t most = std::uint64_t{data[1]} * data[1] * 4;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = std::min(piece, bytes.size());
  if (kind == 4) {
    check_undoing([&] { return ZstdDecoder({.window_bits = 17, .max_output = most}); }, bytes,
                  piece, most);
    check_round_trip(ZstdEncoder({.level = 1}), ZstdDecoder(), bytes, cut);
    return 0;
  }
  constexpr Wrapping wrappings[] = {Wrapping::none, Wrapping::none, Wrapping::zlib, Wrapping::gzip};
  const Wrapping wrapping = wrappings[kind];
  const InflateOptions options{.wrapping = wrapping, .max_output = most, .goes_on = kind == 1};
  check_undoing([&] { return Inflater(options); }, bytes, piece, most);
  check_round_trip(Deflater({.wrapping = wrapping, .level = 1}), Inflater({.wrapping = wrapping}),
                   bytes, cut);
  return 0;
}
