#include "parley/wire/filters/standard.h"

#include "parley/wire/filters/checksums.h"

namespace parley::wire {

std::shared_ptr<const Filters> standard_filters(const GzipOptions& gzip, const ZstdOptions& zstd) {
  auto filters = std::make_shared<Filters>();
  filters->add(gzip_filter(gzip)).add(zstd_filter(zstd)).add(md5_filter()).add(crc32c_filter());
  return filters;
}

}  // namespace parley::wire
