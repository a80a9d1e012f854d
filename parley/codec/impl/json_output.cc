#include "parley/codec/impl/json_output.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "parley/codec/impl/json_escape.h"
#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/json_scan.h"
#include "parley/codec/impl/utf8.h"

namespace parley::codec::impl {

static_assert(JsonOutput::slack >= max_number_chars + static_cast<std::size_t>(chunk_bytes));

// Not the whole capacity, whatever it is: resize() clears what it adds, and a reused string may
// have far more room than this value needs.
void JsonOutput::grow(std::size_t count) {
  const std::size_t used = written();
  const std::size_t needed = used + count + slack;
  std::size_t size = std::max(needed + needed / 2, likely_size(used, progress_));
  const std::size_t capacity = out_.capacity() - start_;
  if (capacity < size && capacity >= needed) size = capacity;
  out_.resize(start_ + size);
  char* const begin = out_.data() + start_;
  if (begin_ == room_) std::memcpy(begin, room_, used);
  begin_ = begin;
  at_ = begin + used;
  limit_ = begin + (size - slack);
}

char* JsonOutput::write_float64(double value, char* at) {
  if (!std::isfinite(value)) {
    fail_finite(value);
    return nullptr;
  }
  return ensure(impl::write_float64(at, value));
}

char* JsonOutput::write_string(std::string_view text, char* at) {
  at = ensure(at, text.size());
  *at++ = '"';
  const char* from = text.data();
  const char* const end = from + text.size();
  bool has_high = false;
  for (; end - from >= block_bytes && is_plain_block(from, has_high); from += block_bytes) {
    std::memcpy(at, from, block_bytes);
    at += block_bytes;
  }
  for (; end - from >= chunk_bytes; from += chunk_bytes) {
    const ChunkMasks masks = masks_of(from);
    if (masks.high != 0) has_high = true;
    copy_chunk(at, from);
    if (masks.special == 0) {
      at += chunk_bytes;
    } else {
      const auto left = static_cast<std::size_t>(end - from - chunk_bytes);
      at = write_escaped(from, static_cast<std::size_t>(chunk_bytes), left, at);
    }
  }
  const auto rest = static_cast<std::size_t>(end - from);
  at = copy_short(at, from, rest, has_high) ? at + rest : write_escaped(from, rest, 0, at);
  *at++ = '"';
  if (has_high && !is_utf8(text)) {
    fail_utf8();
    return nullptr;
  }
  return ensure(at);
}

// `size` bytes of which some need escapes. Without a branch for each byte: where escapes are dense
// nothing could foresee it. `left` more bytes of the text follow.
char* JsonOutput::write_escaped(const char* from, std::size_t size, std::size_t left, char* at) {
  at = ensure(at, 6 * size + left);
  for (std::size_t i = 0; i < size; ++i) at = append_byte(at, from[i]);
  return at;
}

bool JsonOutput::fail_depth() { return failure_.set_depth(limits_.max_depth); }

bool JsonOutput::fail_utf8() {
  return failure_.set(Code::invalid_argument,
                      "a string that is not UTF-8 cannot be written as JSON");
}

bool JsonOutput::fail_finite(double value) {
  const char* const name = std::isnan(value) ? "NaN" : value < 0 ? "-infinity" : "infinity";
  return failure_.set(Code::invalid_argument, std::string(name) +
                                                  " cannot be written as JSON: use std::optional "
                                                  "for a number that may be missing");
}

}  // namespace parley::codec::impl
