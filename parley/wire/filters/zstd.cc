#include "parley/wire/filters/zstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/wire/filters/impl/output_blocks.h"
#include "parley/wire/filters/impl/xxh64.h"
#include "parley/wire/filters/impl/zstd_head.h"

namespace parley::wire {
namespace {

constexpr int most_level = 19;
// The frame header's first byte: one segment, a checksum, and a size of one, two or four bytes.
constexpr char size_of_one = 0x24;
constexpr char size_of_two = 0x64;
constexpr char size_of_four = static_cast<char>(0xa4);
constexpr std::size_t added_to_two = 256;
constexpr std::size_t most_in_block = std::size_t{128} << 10U;
constexpr std::size_t most_header = 9;
constexpr std::size_t checksum_bytes = 4;

struct FreeCompression {
  void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }
};
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }
};

Status no_memory() { return {Code::resource_exhausted, "libzstd found no memory"}; }

void append_little_endian(std::string& out, std::size_t bytes, std::uint64_t number) {
  for (; bytes > 0; --bytes, number >>= 8U) out += static_cast<char>(number & 0xFFU);
}

// The window that holds so many bytes, as a power of two.
int window_log(std::size_t bytes) {
  const ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
  const auto log = static_cast<int>(std::bit_width(bytes > 0 ? bytes - 1 : 0));
  return std::clamp(log, bounds.lowerBound, bounds.upperBound);
}

Status window_too_large(std::uint64_t window, const FilterLimit& limit, std::size_t most) {
  return {Code::resource_exhausted,
          "to undo it takes a window of " + std::to_string(window) +
              " bytes, which does not fit what " + std::string(limit.name) + " allows (" +
              std::to_string(most) +
              " bytes): compress at a lower level, without a long window, or raise the limit"};
}

class ZstdFilter final : public Filter {
 public:
  explicit ZstdFilter(const ZstdOptions& options) : options_(options) {
    PARLEY_ASSERT(options.level >= 1 && options.level <= most_level,
                  "the zstd filter has levels from 1 to 19");
  }

  [[nodiscard]] char id() const noexcept override { return options_.id; }
  [[nodiscard]] std::string_view name() const noexcept override { return "zstd"; }

  [[nodiscard]] Result<Bytes> apply(Bytes content) const override {
    if (content.size() < options_.min_bytes) return stored(content);
    return compressed(content);
  }

  [[nodiscard]] Result<Bytes> undo(Bytes content, const FilterLimit& limit) const override {
    const std::unique_ptr<ZSTD_DCtx, FreeDecompression> context(ZSTD_createDCtx());
    if (!context) return no_memory();
    // Of a frame that is one segment: else a header alone could claim 128 MiB.
    (void)ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, window_log(limit.bytes));
    impl::OutputBlocks out(4 * content.size(), limit.bytes);
    impl::ZstdHead head;
    bool is_whole = false;  // a frame has just ended
    for (std::size_t i = 0; i < content.piece_count(); ++i) {
      const std::string_view piece = content.piece(i);
      ZSTD_inBuffer in{piece.data(), 0, 0};
      bool is_full = false;
      while (in.pos < piece.size() || (is_full && !is_whole)) {
        if (is_whole) head = {};
        in.size = piece.size();
        if (!head.is_whole()) {
          head.add(piece[in.pos]);
          in.size = in.pos + 1;
          if (Status bad = check_window(head, limit); !bad.is_ok()) return bad;
        }
        const std::span<char> room = out.room();
        ZSTD_outBuffer to{room.data(), room.size(), 0};
        const std::size_t code = ZSTD_decompressStream(context.get(), &to, &in);
        out.used(to.pos);
        if (out.is_over()) return limit.exceeded();
        if (ZSTD_isError(code) != 0) return failed(code, limit);
        is_whole = code == 0;
        is_full = to.pos == to.size;
      }
    }
    if (!is_whole) {
      return Status(Code::data_loss,
                    "it ends within " + std::to_string(content.size()) + " bytes of zstd frames");
    }
    return out.take();
  }

 private:
  // By what the whole pipe may make: a stage's own limit is a little more, and a window is taken in
  // powers of two.
  static Status check_window(const impl::ZstdHead& head, const FilterLimit& limit) {
    if (!head.is_whole()) return {};
    const std::size_t most = limit.of_pipe > 0 ? limit.of_pipe : limit.bytes;
    const std::uint64_t window = head.window();
    if (window <= std::uint64_t{1} << static_cast<unsigned>(window_log(most))) return {};
    return window_too_large(window, limit, most);
  }

  static Status failed(std::size_t code, const FilterLimit& limit) {
    switch (ZSTD_getErrorCode(code)) {
      case ZSTD_error_frameParameter_windowTooLarge:
        return limit.exceeded();  // of one segment: the window is its content
      case ZSTD_error_memory_allocation:
        return no_memory();
      default:
        return {Code::data_loss,
                std::string("what came is damaged or no zstd: ") + ZSTD_getErrorName(code)};
    }
  }

  [[nodiscard]] Result<Bytes> compressed(const Bytes& content) const {
    const std::unique_ptr<ZSTD_CCtx, FreeCompression> context(ZSTD_createCCtx());
    if (!context) return no_memory();
    (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, options_.level);
    (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    (void)ZSTD_CCtx_setPledgedSrcSize(context.get(), content.size());
    impl::OutputBlocks out(content.size() / 2);
    const std::size_t pieces = content.piece_count();
    // Once more than there are pieces when there is none: an empty frame is one, too.
    for (std::size_t i = 0; i < std::max(pieces, std::size_t{1}); ++i) {
      const std::string_view piece = i < pieces ? content.piece(i) : std::string_view();
      const bool is_last = i + 1 >= pieces;
      ZSTD_inBuffer in{piece.data(), piece.size(), 0};
      std::size_t left = 1;
      while (in.pos < in.size || (is_last && left > 0)) {
        const std::span<char> room = out.room();
        ZSTD_outBuffer to{room.data(), room.size(), 0};
        left =
            ZSTD_compressStream2(context.get(), &to, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left) != 0) return no_memory();  // nothing else can go wrong
        out.used(to.pos);
      }
    }
    return out.take();
  }

  [[nodiscard]] static Bytes stored(const Bytes& content) {
    const std::size_t size = content.size();
    std::string out;
    out.reserve(most_header + size + 3 * (size / most_in_block + 1) + checksum_bytes);
    out += impl::zstd_magic;
    if (size < added_to_two) {
      out += size_of_one;
      append_little_endian(out, 1, size);
    } else if (size < added_to_two + 65536) {
      out += size_of_two;
      append_little_endian(out, 2, size - added_to_two);
    } else {
      out += size_of_four;
      append_little_endian(out, 4, size);
    }
    const std::string text = content.to_string();
    std::string_view left = text;
    do {
      const std::string_view block = left.substr(0, most_in_block);
      left.remove_prefix(block.size());
      // Whether it is the last, the type of stored bytes (0), the size.
      append_little_endian(out, 3, block.size() << 3U | (left.empty() ? 1U : 0U));
      out += block;
    } while (!left.empty());
    append_little_endian(out, checksum_bytes, impl::xxh64(text));
    return Bytes::from(std::move(out));
  }

  ZstdOptions options_;
};

}  // namespace

std::unique_ptr<const Filter> zstd_filter(const ZstdOptions& options) {
  return std::make_unique<ZstdFilter>(options);
}

}  // namespace parley::wire
