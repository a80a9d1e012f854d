#include "parley/wire/filters/checksums.h"

#include <cstddef>
#include <string>
#include <utility>

#include "parley/base/crc32c.h"
#include "parley/crypto/digest.h"

namespace parley::wire {
namespace {

constexpr std::size_t md5_bytes = 16;
constexpr std::size_t crc_bytes = 4;

Result<std::string> md5_of(const Bytes& content) {
  const Result<crypto::Digest> sum = crypto::digest(crypto::HashAlgorithm::md5, content);
  if (!sum) return sum.error().with_context("use crc32c");
  return std::string(sum->bytes());
}

Result<std::string> crc32c_of(const Bytes& content) {
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < content.piece_count(); ++i) {
    crc = crc32c(content.piece(i), crc);
  }
  std::string checksum;
  for (std::size_t i = crc_bytes; i-- > 0;) checksum += static_cast<char>(crc >> (8 * i) & 0xFFU);
  return checksum;
}

class ChecksumFilter final : public Filter {
 public:
  using Sum = Result<std::string> (*)(const Bytes&);
  ChecksumFilter(char id, std::string_view name, std::size_t bytes, Sum sum)
      : id_(id), name_(name), bytes_(bytes), sum_(sum) {}

  [[nodiscard]] char id() const noexcept override { return id_; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }

  [[nodiscard]] Result<Bytes> apply(Bytes content) const override {
    Result<std::string> sum = sum_(content);
    if (!sum) return sum.error();
    content.append(Bytes::from(*std::move(sum)));
    return content;
  }

  [[nodiscard]] Result<Bytes> undo(Bytes content, const FilterLimit& limit) const override {
    if (content.size() < bytes_) {
      return Status(Code::data_loss, std::to_string(content.size()) +
                                         " bytes have no room for a checksum of " +
                                         std::to_string(bytes_));
    }
    const std::size_t size = content.size() - bytes_;
    if (size > limit.bytes) return limit.exceeded();
    const Bytes claimed = content.slice(size, bytes_);
    content = content.slice(0, size);
    const Result<std::string> sum = sum_(content);
    if (!sum) return sum.error();
    if (claimed == *sum) return content;
    return Status(Code::data_loss,
                  "the checksum is wrong: the content was damaged on its way, or the sender does "
                  "something else under this id");
  }

 private:
  char id_;
  std::string_view name_;
  std::size_t bytes_;
  Sum sum_;
};

}  // namespace

std::unique_ptr<const Filter> md5_filter(char id) {
  return std::make_unique<ChecksumFilter>(id, "md5", md5_bytes, md5_of);
}

std::unique_ptr<const Filter> crc32c_filter(char id) {
  return std::make_unique<ChecksumFilter>(id, "crc32c", crc_bytes, crc32c_of);
}

}  // namespace parley::wire
