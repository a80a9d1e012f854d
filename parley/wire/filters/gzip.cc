#include "parley/wire/filters/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/wire/filters/impl/output_blocks.h"

namespace parley::wire {
namespace {

// A gzip header and trailer, rather than zlib's own, with the largest window.
constexpr int gzip_window = 15 + 16;
constexpr int usual_memory = 8;
constexpr std::size_t header_and_trailer = 18;
constexpr std::size_t most_stored = 65535;  // in one block
// zlib counts what it is given at once in 32 bits.
constexpr std::size_t most_input = std::size_t{1} << 30U;

// Deflate without a time, a name or a hint, from an unknown system.
constexpr std::string_view plain_header("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);

Status no_memory() { return {Code::resource_exhausted, "zlib found no memory"}; }

void append_little_endian(std::string& out, std::size_t bytes, std::uint64_t number) {
  for (; bytes > 0; --bytes, number >>= 8U) out += static_cast<char>(number & 0xFFU);
}

// zlib only reads through it.
Bytef* input_of(std::string_view bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

// A stream of zlib's and its end.
class ZStream {
 public:
  using End = int (*)(z_streamp);
  explicit ZStream(End end) : end_(end) {}
  ZStream(const ZStream&) = delete;
  ZStream& operator=(const ZStream&) = delete;
  ~ZStream() { (void)end_(&stream); }

  void feed(std::string_view bytes) {
    stream.next_in = input_of(bytes);
    stream.avail_in = static_cast<uInt>(bytes.size());
  }
  // One step of `work`, whose output goes to `out`.
  template <typename Work>
  int step(impl::OutputBlocks& out, const Work& work) {
    const std::span<char> room = out.room();
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    const int code = work();
    out.used(room.size() - stream.avail_out);
    return code;
  }

  z_stream stream{};

 private:
  End end_;
};

class GzipFilter final : public Filter {
 public:
  explicit GzipFilter(const GzipOptions& options) : options_(options) {
    PARLEY_ASSERT(options.level >= 1 && options.level <= 9, "gzip has levels from 1 to 9");
  }

  [[nodiscard]] char id() const noexcept override { return options_.id; }
  [[nodiscard]] std::string_view name() const noexcept override { return "gzip"; }

  [[nodiscard]] Result<Bytes> apply(Bytes content) const override {
    return content.size() < options_.min_bytes ? stored(content) : deflated(content);
  }

  [[nodiscard]] Result<Bytes> undo(Bytes content, const FilterLimit& limit) const override {
    ZStream zlib(inflateEnd);
    const int begun = inflateInit2(&zlib.stream, gzip_window);
    if (begun != Z_OK) return no_memory();
    impl::OutputBlocks out(4 * content.size(), limit.bytes);
    bool is_whole = false;  // a member has just ended
    for (std::size_t i = 0; i < content.piece_count(); ++i) {
      for (std::string_view left = content.piece(i); !left.empty();) {
        zlib.feed(left.substr(0, most_input));
        left.remove_prefix(std::min(left.size(), most_input));
        if (Status bad = inflate_input(zlib, out, is_whole); !bad.is_ok()) return bad;
        if (out.is_over()) return limit.exceeded();
      }
    }
    if (!is_whole) {
      return Status(Code::data_loss,
                    "it ends within " + std::to_string(content.size()) + " bytes of a gzip file");
    }
    return out.take();
  }

 private:
  // Of all the input, or until too much comes out.
  static Status inflate_input(ZStream& zlib, impl::OutputBlocks& out, bool& is_whole) {
    z_stream& stream = zlib.stream;
    do {
      const bool is_behind_another = is_whole;
      if (is_whole) (void)inflateReset(&stream);
      is_whole = false;
      const int code = zlib.step(out, [&] { return inflate(&stream, Z_NO_FLUSH); });
      if (out.is_over()) return {};
      if (code == Z_STREAM_END) {
        is_whole = true;
      } else if (code == Z_BUF_ERROR) {
        return {};  // it needs more
      } else if (code == Z_MEM_ERROR) {
        return no_memory();
      } else if (code != Z_OK) {
        return {Code::data_loss, std::string("what came is damaged or no gzip") +
                                     (is_behind_another ? " behind its end" : "") + ": " +
                                     (stream.msg != nullptr ? stream.msg : "a dictionary")};
      }
    } while (stream.avail_in > 0 || (stream.avail_out == 0 && !is_whole));
    return {};
  }

  [[nodiscard]] Result<Bytes> deflated(const Bytes& content) const {
    ZStream zlib(deflateEnd);
    const int begun = deflateInit2(&zlib.stream, options_.level, Z_DEFLATED, gzip_window,
                                   usual_memory, Z_DEFAULT_STRATEGY);
    if (begun != Z_OK) return no_memory();
    impl::OutputBlocks out(content.size() / 2);
    z_stream& stream = zlib.stream;
    for (std::size_t i = 0; i < content.piece_count(); ++i) {
      for (std::string_view left = content.piece(i); !left.empty();) {
        zlib.feed(left.substr(0, most_input));
        left.remove_prefix(std::min(left.size(), most_input));
        while (stream.avail_in > 0) zlib.step(out, [&] { return deflate(&stream, Z_NO_FLUSH); });
      }
    }
    while (zlib.step(out, [&] { return deflate(&stream, Z_FINISH); }) != Z_STREAM_END) {}
    return out.take();
  }

  [[nodiscard]] static Bytes stored(const Bytes& content) {
    std::string text = content.to_string();
    std::string out;
    out.reserve(header_and_trailer + text.size() + 5 * (text.size() / most_stored + 1));
    out += plain_header;
    std::string_view left = text;
    do {
      const std::string_view block = left.substr(0, most_stored);
      left.remove_prefix(block.size());
      out += left.empty() ? '\1' : '\0';  // whether it is the last
      append_little_endian(out, 2, block.size());
      append_little_endian(out, 2, ~block.size());
      out += block;
    } while (!left.empty());
    append_little_endian(out, 4, crc32_z(0, input_of(text), text.size()));
    append_little_endian(out, 4, text.size());
    return Bytes::from(std::move(out));
  }

  GzipOptions options_;
};

}  // namespace

std::unique_ptr<const Filter> gzip_filter(const GzipOptions& options) {
  return std::make_unique<GzipFilter>(options);
}

}  // namespace parley::wire
