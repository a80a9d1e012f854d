// Where the writer of JSON and the unrolled code of hot types (hot.h) put their text.
//
// The position is handed on in a register: whoever writes takes it as `at` and returns the new one,
// null on failure. In between at_ is anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/growth.h"
#include "parley/codec/impl/json_scan.h"
#include "parley/codec/json.h"

namespace parley::codec::impl {

// Writes `"text"` and returns its end when it is short and needs neither an escape nor a look at
// its characters; null otherwise, and what is behind `at` is anything. Takes a chunk of room.
inline char* write_short(const std::string& text, char* at) {
#if defined(__GLIBCXX__) && _GLIBCXX_USE_CXX11_ABI
  // A std::string has sixteen bytes, whether inside or on the heap, and the text may be shorter.
  static_assert(sizeof(std::string) == 2 * static_cast<std::size_t>(chunk_bytes));
  if (text.size() >= static_cast<std::size_t>(chunk_bytes)) return nullptr;
  const ChunkMasks masks = masks_of(text.data());
  const std::uint32_t there = (1U << text.size()) - 1;
  if (((masks.special | masks.high) & there) != 0) return nullptr;
  *at = '"';
  copy_chunk(at + 1, text.data());
  at += text.size() + 1;
  *at = '"';
  return at + 1;
#else
  (void)text, (void)at;
  return nullptr;
#endif
}
inline constexpr std::size_t short_room = static_cast<std::size_t>(chunk_bytes) + 2;

class JsonOutput {
 public:
  // Room that is there whenever something is written, so that a number, a bracket, a comma, a whole
  // chunk or an escape needs no look.
  static constexpr std::size_t slack = 64;
  // What is put together before the string is needed for it: most messages.
  static constexpr std::size_t room_bytes = 2048;

  // Appends behind what `out` holds; finish() or undo() must be the last call.
  JsonOutput(std::string& out, const Limits& limits, const JsonOptions& options)
      : out_(out), start_(out.size()), limits_(limits), options_(options) {}
  JsonOutput(const JsonOutput&) = delete;
  JsonOutput& operator=(const JsonOutput&) = delete;

  void finish() {
    if (begin_ == room_) {
      out_.append(room_, written());
    } else {
      out_.resize(start_ + written());
    }
  }
  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

  // `at`, or where it is after growing: with room for `count` more characters and the slack.
  char* ensure(char* at, std::size_t count = 0) {
    if (static_cast<std::ptrdiff_t>(count) <= limit_ - at) return at;
    at_ = at;
    grow(count);
    return at_;
  }
  // One more opened; false, with the reason, beyond max_depth.
  bool go_deeper() {
    if (depth_ >= limits_.max_depth) return fail_depth();
    ++depth_;
    return true;
  }
  void come_up() { --depth_; }

  // While the elements of a list are written, `done` is counted up, for a guess at the whole size.
  // Lists inside of another are no part of it.
  void begin_list(Progress& progress, const char* at) {
    if (progress_ != nullptr) return;
    progress.before = static_cast<std::size_t>(at - begin_);
    progress_ = &progress;
  }
  void end_list(const Progress& progress) {
    if (progress_ == &progress) progress_ = nullptr;
  }

  [[gnu::noinline]] char* write_string(std::string_view text, char* at);
  [[gnu::noinline]] char* write_float64(double value, char* at);
  // What no unrolled code is made for; only while a JsonWriter writes.
  [[gnu::noinline]] char* write_other(const Type& type, const void* object, char* at);
  Failure& failure() { return failure_; }

 protected:
  [[nodiscard]] std::size_t written() const { return static_cast<std::size_t>(at_ - begin_); }
  [[gnu::noinline]] void grow(std::size_t count);
  [[gnu::noinline]] char* write_escaped(const char* from, std::size_t size, std::size_t left,
                                        char* at);
  [[gnu::cold]] bool fail_depth();
  [[gnu::cold]] bool fail_utf8();
  [[gnu::cold]] bool fail_finite(double value);

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  const JsonOptions& options_;
  // Of the text: in room_ first, then at the end of out_.
  char* begin_ = room_;
  char* at_ = room_;
  char* limit_ = room_ + (room_bytes - slack);  // the end of the room, less the slack
  std::size_t depth_ = 0;
  Failure failure_;

 private:
  const Progress* progress_ = nullptr;  // of the outermost list
  char room_[room_bytes];
};

}  // namespace parley::codec::impl
