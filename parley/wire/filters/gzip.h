// The transfer filter gzip: RFC 1952, by zlib, as Teleport's erpc (v6 and v7) has it. What either
// writes the other reads.
//
// A filter keeps nothing between two calls: any number of fibers may use it at once. A body of a
// megabyte keeps its fiber's worker busy for some 50 ms when it is compressed, 6 when it is undone.
//
//   filters->add(gzip_filter({.level = 1, .min_bytes = 4096}));
#pragma once

#include <cstddef>
#include <memory>

#include "parley/wire/filter.h"

namespace parley::wire {

struct GzipOptions {
  // Teleport's, unless its other side was registered under another.
  char id = 'g';
  // From 1, quick, to 9, small.
  int level = 5;
  // A smaller content is stored in a gzip frame (18 bytes, and 5 for each 65,535 of it) instead of
  // being compressed: that costs next to nothing, every reader of gzip takes it, and the answer,
  // which goes through the same pipe, is compressed if it is large.
  std::size_t min_bytes = 1024;
};

// Undoing takes all members of a file of several, as RFC 1952 has it. What is cut, damaged, or
// followed by something else is data_loss. A level that is none is a bug.
std::unique_ptr<const Filter> gzip_filter(const GzipOptions& options = {});

}  // namespace parley::wire
