// Deflater and Inflater: a stream of deflate (RFC 1951), as it is or in the wrapping of zlib
// (RFC 1950) or gzip (RFC 1952), piece by piece. For contents of HTTP and messages of WebSocket; a
// message's transfer filter is gzip.h.
//
// Sans-I/O. Belong to one fiber at a time. They take no memory before their first byte: a Deflater
// then 2^(window_bits + 2) + 2^(memory + 9) bytes, 256 KiB as it stands, an Inflater 8 KiB and
// 2^window_bits.
//
//   Deflater deflater({.wrapping = Wrapping::gzip});
//   if (Status s = deflater.append(piece, out, Flush::sync); !s.is_ok()) return s;
//   Inflater inflater({.wrapping = Wrapping::gzip, .max_output = 1'000'000});
//   while (!in.empty() || inflater.holds_more()) {
//     const auto size = inflater.read(in, room);
//     if (!size) return size.error();                           // data_loss, resource_exhausted
//     use(room.first(*size));
//   }
//   if (!inflater.is_whole()) return cut();
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/wire/filters/flush.h"

namespace parley::wire {

// What stands around the deflated bytes.
enum class Wrapping : std::uint8_t { none, zlib, gzip };

// The least and most of window_bits. zlib cannot deflate with a window of 2^8 bytes.
inline constexpr int least_inflate_window_bits = 8;
inline constexpr int least_deflate_window_bits = 9;
inline constexpr int most_window_bits = 15;

struct DeflateOptions {
  Wrapping wrapping = Wrapping::none;
  // From 1, quick, to 9, small.
  int level = 5;
  // How far back it looks, as a power of two: from 9 to 15.
  int window_bits = most_window_bits;
  // From 1 to 9: more of it is quicker and a little smaller.
  int memory = 8;
};

class Deflater {
 public:
  // An option out of its range is a bug.
  explicit Deflater(const DeflateOptions& options = {});
  ~Deflater();
  Deflater(Deflater&& other) noexcept;
  Deflater& operator=(Deflater&& other) noexcept;

  // Appends what `in` becomes to `out`. What sync ends with is 00 00 ff ff; a second one with
  // nothing between adds nothing. resource_exhausted when there is no memory. After finish, a bug
  // until reset().
  Status append(std::string_view in, std::string& out, Flush flush = Flush::none);

  // A new stream begins, which knows nothing of what went before. Keeps its memory.
  void reset();
  // The same, and gives its memory back.
  void let_go() noexcept;

 private:
  struct State;
  DeflateOptions options_;
  std::unique_ptr<State> state_;
  bool is_finished_ = false;
};

struct InflateOptions {
  Wrapping wrapping = Wrapping::none;
  // What the other side deflated with at most: from 8 to 15. What needs more may be data_loss.
  int window_bits = most_window_bits;
  // Bytes that may come out since the stream began or restart_count(), against those who send
  // little that becomes much.
  std::uint64_t max_output = std::uint64_t{16} << 20U;
  // Behind the end of a stream of Wrapping::none another one may begin, which looks back into the
  // one before it (RFC 7692 7.2.3.5). Gzip always goes on like that, with nothing to look back to
  // (RFC 1952 2.2); behind the end of the others any byte is data_loss.
  bool goes_on = false;
};

class Inflater {
 public:
  static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max() - 1;

  // An option out of its range is a bug.
  explicit Inflater(const InflateOptions& options = {});
  ~Inflater();
  Inflater(Inflater&& other) noexcept;
  Inflater& operator=(Inflater&& other) noexcept;

  // Takes from the front of `in` until that is used up or `out`, which must not be empty, is full;
  // returns how many bytes of `out` it wrote. data_loss for what is damaged, no deflate, or stands
  // behind the end; resource_exhausted for a byte more than max_output, or when there is no memory.
  // After an error it returns that for ever, until reset().
  Result<std::size_t> read(std::string_view& in, std::span<char> out);
  // All of `in`, appended to `out`, which grows by at most 64 KiB beyond what is written. Errors
  // as for read().
  Status append(std::string_view in, std::string& out);

  // The last read() filled its room: there may be more, also where nothing is left to be taken.
  [[nodiscard]] bool holds_more() const noexcept { return is_full_; }
  // The stream has just ended, by its own word, and its checksum was right.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }

  // What was taken ends where a block of deflate does, as behind a sync flush.
  [[nodiscard]] bool is_between_blocks() const noexcept;

  // max_output counts from here.
  void restart_count() noexcept { count_ = 0; }
  // A new stream begins, which knows nothing of what went before. Keeps its memory.
  void reset();
  // The same, and gives its memory back.
  void let_go() noexcept;

 private:
  struct State;

  Status inflate_some(std::string_view& in);
  Status begin_another();

  InflateOptions options_;
  std::unique_ptr<State> state_;
  std::uint64_t count_ = 0;
  bool is_full_ = false;
  bool is_whole_ = false;
  Status failed_;
};

}  // namespace parley::wire
