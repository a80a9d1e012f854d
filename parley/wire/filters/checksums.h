// The transfer filters md5 and crc32c: they append a checksum of the content, and take it off again
// when it is right. They find what was damaged by chance, by a proxy or a disk, not what somebody
// changed on purpose: for that there is TLS.
//
// A filter keeps nothing between two calls: any number of fibers may use it at once. Content is not
// copied.
//
//   filters->add(md5_filter()).add(crc32c_filter());
#pragma once

#include <memory>

#include "parley/wire/filter.h"

namespace parley::wire {

// Appends the 16 bytes of MD5, as Teleport's erpc does. Where libcrypto may not compute it (FIPS)
// both directions fail (unimplemented). A checksum that is wrong or not there is data_loss.
std::unique_ptr<const Filter> md5_filter(char id = 'm');

// Appends the CRC of RFC 3720 (Castagnoli's polynomial), four bytes, big endian. A checksum that is
// wrong or not there is data_loss.
std::unique_ptr<const Filter> crc32c_filter(char id = 'c');

}  // namespace parley::wire
