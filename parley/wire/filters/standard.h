// The transfer filters that Parley brings, all at once: gzip 'g', zstd 'z', md5 'm', crc32c 'c'.
//
//   auto filters = standard_filters();
//   RawFraming framing({.filters = filters});
//   message.filters = FilterPipe("zc");
//
// A registry of your own choice: make a Filters and add() what it shall know.
#pragma once

#include <memory>

#include "parley/wire/filter.h"
#include "parley/wire/filters/gzip.h"
#include "parley/wire/filters/zstd.h"

namespace parley::wire {

// To be shared by framings and peers, on any threads.
std::shared_ptr<const Filters> standard_filters(const GzipOptions& gzip = {},
                                                const ZstdOptions& zstd = {});

}  // namespace parley::wire
