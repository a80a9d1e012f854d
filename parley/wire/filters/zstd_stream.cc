#include "parley/wire/filters/zstd_stream.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <utility>

#include "parley/base/assert.h"
#include "parley/wire/filters/impl/append_output.h"
#include "parley/wire/filters/impl/zstd_head.h"

namespace parley::wire {
namespace {

constexpr int most_level = 19;
constexpr int least_window_bits = 10;
constexpr int most_window_bits_taken = 27;

struct FreeCompression {
  void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }
};
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }
};

Status no_memory() { return {Code::resource_exhausted, "libzstd found no memory"}; }

ZSTD_EndDirective directive_of(Flush flush) {
  switch (flush) {
    case Flush::none:
      return ZSTD_e_continue;
    case Flush::sync:
      return ZSTD_e_flush;
    case Flush::finish:
      return ZSTD_e_end;
  }
  return ZSTD_e_continue;
}

}  // namespace

struct ZstdEncoder::State {
  std::unique_ptr<ZSTD_CCtx, FreeCompression> context;
};

ZstdEncoder::ZstdEncoder(const ZstdEncoderOptions& options) : options_(options) {
  PARLEY_ASSERT(options.level >= 1 && options.level <= most_level,
                "a zstd encoder has levels from 1 to 19");
  PARLEY_ASSERT(options.window_bits == 0 || (options.window_bits >= least_window_bits &&
                                             options.window_bits <= usual_zstd_window_bits),
                "a zstd encoder has 10 to 23 window bits");
}
ZstdEncoder::~ZstdEncoder() = default;
ZstdEncoder::ZstdEncoder(ZstdEncoder&& other) noexcept = default;
ZstdEncoder& ZstdEncoder::operator=(ZstdEncoder&& other) noexcept = default;

Status ZstdEncoder::append(std::string_view in, std::string& out, Flush flush) {
  if (!state_) {
    auto state = std::make_unique<State>();
    state->context.reset(ZSTD_createCCtx());
    ZSTD_CCtx* context = state->context.get();
    if (context == nullptr) return no_memory();
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, options_.level);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, options_.checksum ? 1 : 0);
    if (options_.window_bits != 0) {
      (void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, options_.window_bits);
    }
    state_ = std::move(state);
  }
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  for (;;) {
    const std::size_t size = out.size();
    out.resize(size + impl::room_to_compress(in.size() - from.pos));
    ZSTD_outBuffer to{out.data(), out.size(), size};
    const std::size_t left =
        ZSTD_compressStream2(state_->context.get(), &to, &from, directive_of(flush));
    out.resize(to.pos);
    if (ZSTD_isError(left) != 0) return no_memory();  // nothing else can go wrong
    const bool is_done = flush == Flush::none || left == 0;
    if (from.pos == in.size() && is_done) return {};
  }
}

void ZstdEncoder::reset() {
  if (state_) (void)ZSTD_CCtx_reset(state_->context.get(), ZSTD_reset_session_only);
}

void ZstdEncoder::let_go() noexcept { state_.reset(); }

struct ZstdDecoder::State {
  std::unique_ptr<ZSTD_DCtx, FreeDecompression> context;
  impl::ZstdHead head;
};

ZstdDecoder::ZstdDecoder(const ZstdDecoderOptions& options) : options_(options) {
  PARLEY_ASSERT(
      options.window_bits >= least_window_bits && options.window_bits <= most_window_bits_taken,
      "a zstd decoder takes 10 to 27 window bits");
  options_.max_output = std::min(options.max_output, std::uint64_t{1} << 62U);
}
ZstdDecoder::~ZstdDecoder() = default;
ZstdDecoder::ZstdDecoder(ZstdDecoder&& other) noexcept = default;
ZstdDecoder& ZstdDecoder::operator=(ZstdDecoder&& other) noexcept = default;

Result<std::size_t> ZstdDecoder::read(std::string_view& in, std::span<char> out) {
  PARLEY_ASSERT(!out.empty(), "read() into no room");
  if (!failed_.is_ok()) return failed_;
  if (!state_) {
    if (in.empty()) return std::size_t{0};
    auto state = std::make_unique<State>();
    state->context.reset(ZSTD_createDCtx());
    if (!state->context) return failed_ = no_memory();
    // For frames of one segment; of others the head is asked.
    (void)ZSTD_DCtx_setParameter(state->context.get(), ZSTD_d_windowLogMax, options_.window_bits);
    state_ = std::move(state);
  }
  // One byte beyond the limit tells that it is exceeded.
  const std::uint64_t left = options_.max_output - count_ + 1;
  const std::span<char> room =
      out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left)));
  std::size_t written = 0;
  if (Status bad = decode_some(in, room, written); !bad.is_ok()) return failed_ = std::move(bad);
  count_ += written;
  is_full_ = written == room.size() && !is_whole_;
  if (count_ > options_.max_output) {
    return failed_ = Status(Code::resource_exhausted,
                            "more than max_output (" + std::to_string(options_.max_output) +
                                " bytes) comes out: send less, or raise the limit");
  }
  return written;
}

Status ZstdDecoder::decode_some(std::string_view& in, std::span<char> out, std::size_t& written) {
  while (written < out.size() && (!in.empty() || (is_full_ && !is_whole_))) {
    if (is_whole_) state_->head = {};
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    if (impl::ZstdHead& head = state_->head; !head.is_whole() && !in.empty()) {
      head.add(in.front());
      from.size = 1;
      const std::uint64_t most = std::uint64_t{1} << static_cast<unsigned>(options_.window_bits);
      if (head.is_whole() && head.window() > most) {
        return {Code::resource_exhausted, "a zstd frame wants a window of " +
                                              std::to_string(head.window()) + " bytes, 2^" +
                                              std::to_string(options_.window_bits) +
                                              " are taken: compress without a long window"};
      }
    }
    ZSTD_outBuffer to{out.data(), out.size(), written};
    const std::size_t code = ZSTD_decompressStream(state_->context.get(), &to, &from);
    if (ZSTD_isError(code) != 0) return failure(code);
    is_full_ = false;
    const bool is_at_rest = to.pos == written && from.pos == 0;
    written = to.pos;
    in.remove_prefix(from.pos);
    is_whole_ = code == 0;
    if (is_at_rest) break;
  }
  return {};
}

Status ZstdDecoder::failure(std::size_t code) const {
  switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
      return {Code::resource_exhausted, "a zstd frame of one segment is larger than 2^" +
                                            std::to_string(options_.window_bits) +
                                            " bytes, which is the largest window that is taken"};
    case ZSTD_error_memory_allocation:
      return no_memory();
    default:
      return {Code::data_loss,
              std::string("what came is damaged or no zstd: ") + ZSTD_getErrorName(code)};
  }
}

Status ZstdDecoder::append(std::string_view in, std::string& out) {
  return impl::append_output(*this, in, out, [this] { return is_full_; });
}

void ZstdDecoder::reset() {
  count_ = 0;
  is_full_ = is_whole_ = false;
  failed_ = {};
  if (!state_) return;
  state_->head = {};
  (void)ZSTD_DCtx_reset(state_->context.get(), ZSTD_reset_session_only);
}

void ZstdDecoder::let_go() noexcept {
  count_ = 0;
  is_full_ = is_whole_ = false;
  failed_ = {};
  state_.reset();
}

}  // namespace parley::wire
