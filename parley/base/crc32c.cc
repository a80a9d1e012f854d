#include "parley/base/crc32c.h"

#include <array>
#include <cstddef>

namespace parley {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;  // the lowest bit first
constexpr std::size_t stride = 8;

// tables[n][b]: what byte b does to the CRC when n bytes follow it.
constexpr auto make_tables() {
  std::array<std::array<std::uint32_t, 256>, stride> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? polynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t behind = 1; behind < stride; ++behind) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[behind - 1][byte];
      tables[behind][byte] = crc >> 8U ^ tables[0][crc & 0xFFU];
    }
  }
  return tables;
}
constexpr auto tables = make_tables();

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
  std::uint32_t crc = ~before;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (; bytes.size() >= stride; bytes.remove_prefix(stride)) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < stride; ++i) {
      const std::uint32_t byte = i < 4 ? at(i) ^ (crc >> (8 * i) & 0xFFU) : at(i);
      next ^= tables[stride - 1 - i][byte];
    }
    crc = next;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    crc = crc >> 8U ^ tables[0][(crc ^ at(i)) & 0xFFU];
  }
  return ~crc;
}

}  // namespace parley
