// The transfer filter zstd: RFC 8878, by libzstd, with the content's size and a checksum in each
// frame. Smaller and several times quicker than gzip; Teleport does not know it.
//
// A filter keeps nothing between two calls: any number of fibers may use it at once. A body of a
// megabyte keeps its fiber's worker busy for some 8 ms when it is compressed, 2 when it is undone.
//
//   filters->add(zstd_filter({.level = 1}));
#pragma once

#include <cstddef>
#include <memory>

#include "parley/wire/filter.h"

namespace parley::wire {

struct ZstdOptions {
  char id = 'z';
  // From 1, quick, to 19, small. From 16 up it takes tens of megabytes while it works.
  int level = 3;
  // A smaller content is stored in a zstd frame (at most 16 bytes, 3 more for each further 128 KiB)
  // instead of being compressed: see GzipOptions::min_bytes.
  std::size_t min_bytes = 1024;
};

// Undoing takes several frames behind each other for their contents behind each other, and skips
// those that RFC 8878 calls skippable. What is cut, damaged, or followed by something else is
// data_loss. A frame whose window does not fit the limit, as a power of two, is resource_exhausted,
// however small its content is, and so is judged alike however it was cut. While it works it takes
// that window besides what comes out. A level that is none is a bug.
std::unique_ptr<const Filter> zstd_filter(const ZstdOptions& options = {});

}  // namespace parley::wire
