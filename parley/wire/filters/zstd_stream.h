// ZstdEncoder and ZstdDecoder: a stream of zstd frames (RFC 8878), piece by piece, for contents of
// HTTP; a message's transfer filter is zstd.h.
//
// Sans-I/O. Belong to one fiber at a time. They take no memory before their first byte; then an
// encoder of level 3 some 3.5 MiB, a decoder the window that the frame wants and 300 KiB.
//
//   ZstdEncoder encoder;
//   if (Status s = encoder.append(piece, out, Flush::sync); !s.is_ok()) return s;
//   ZstdDecoder decoder({.max_output = 1'000'000});
//   while (!in.empty() || decoder.holds_more()) {
//     const auto size = decoder.read(in, room);
//     if (!size) return size.error();                           // data_loss, resource_exhausted
//     use(room.first(*size));
//   }
//   if (!decoder.is_whole()) return cut();
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/wire/filters/flush.h"

namespace parley::wire {

// What a receiver of the content coding zstd must be able to take (RFC 9659), as a power of two,
// and the largest that an encoder here makes.
inline constexpr int usual_zstd_window_bits = 23;

struct ZstdEncoderOptions {
  // From 1, quick, to 19, small.
  int level = 3;
  // How far back it looks, as a power of two: from 10 to 23. 0: as far as the level has it.
  int window_bits = 0;
  // Ends each frame with a checksum of its content.
  bool checksum = false;
};

class ZstdEncoder {
 public:
  // An option out of its range is a bug.
  explicit ZstdEncoder(const ZstdEncoderOptions& options = {});
  ~ZstdEncoder();
  ZstdEncoder(ZstdEncoder&& other) noexcept;
  ZstdEncoder& operator=(ZstdEncoder&& other) noexcept;

  // Appends what `in` becomes to `out`. Finish ends the frame; what is appended later begins
  // another one. resource_exhausted when there is no memory.
  Status append(std::string_view in, std::string& out, Flush flush = Flush::none);

  // What is not finished is forgotten. Keeps its memory.
  void reset();
  // The same, and gives its memory back.
  void let_go() noexcept;

 private:
  struct State;
  ZstdEncoderOptions options_;
  std::unique_ptr<State> state_;
};

struct ZstdDecoderOptions {
  // Of a frame, as a power of two, from 10 to 27: one that wants more is resource_exhausted before
  // there is memory for it.
  int window_bits = usual_zstd_window_bits;
  // Bytes that may come out since the stream began.
  std::uint64_t max_output = std::uint64_t{16} << 20U;
};

class ZstdDecoder {
 public:
  // An option out of its range is a bug.
  explicit ZstdDecoder(const ZstdDecoderOptions& options = {});
  ~ZstdDecoder();
  ZstdDecoder(ZstdDecoder&& other) noexcept;
  ZstdDecoder& operator=(ZstdDecoder&& other) noexcept;

  // Takes from the front of `in` until that is used up or `out`, which must not be empty, is full;
  // returns how many bytes of `out` it wrote. Frames behind each other are one content; those that
  // RFC 8878 calls skippable are passed over. data_loss for what is damaged or no zstd;
  // resource_exhausted for a byte more than max_output, a larger window, or no memory. After an
  // error it returns that for ever, until reset().
  Result<std::size_t> read(std::string_view& in, std::span<char> out);
  // All of `in`, appended to `out`, which grows by at most 64 KiB beyond what is written. Errors
  // as for read().
  Status append(std::string_view in, std::string& out);

  // The last read() filled its room: there may be more, also where nothing is left to be taken.
  [[nodiscard]] bool holds_more() const noexcept { return is_full_; }
  // A frame has just ended, and its checksum, if it has one, was right.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }

  // A new stream begins. Keeps its memory.
  void reset();
  // The same, and gives its memory back.
  void let_go() noexcept;

 private:
  struct State;

  Status decode_some(std::string_view& in, std::span<char> out, std::size_t& written);
  [[nodiscard]] Status failure(std::size_t code) const;

  ZstdDecoderOptions options_;
  std::unique_ptr<State> state_;
  std::uint64_t count_ = 0;
  bool is_full_ = false;
  bool is_whole_ = false;
  Status failed_;
};

}  // namespace parley::wire
