#include "parley/wire/filters/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "parley/base/assert.h"
#include "parley/wire/filters/impl/append_output.h"

namespace parley::wire {
namespace {

// zlib counts what it is given at once in 32 bits.
constexpr std::size_t most_at_once = std::size_t{1} << 30U;

Status no_memory() { return {Code::resource_exhausted, "zlib found no memory"}; }

// zlib only reads through it.
Bytef* input_of(std::string_view bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

int windows_of(Wrapping wrapping, int bits) {
  switch (wrapping) {
    case Wrapping::none:
      return -bits;
    case Wrapping::zlib:
      return bits;
    case Wrapping::gzip:
      return bits + 16;
  }
  return bits;
}

int flush_of(Flush flush) {
  switch (flush) {
    case Flush::none:
      return Z_NO_FLUSH;
    case Flush::sync:
      return Z_SYNC_FLUSH;
    case Flush::finish:
      return Z_FINISH;
  }
  return Z_NO_FLUSH;
}

std::string_view name_of(Wrapping wrapping) {
  return wrapping == Wrapping::gzip ? "gzip" : wrapping == Wrapping::zlib ? "zlib" : "deflate";
}

}  // namespace

// zlib remembers where its stream lies: it must not move.
struct Deflater::State {
  ~State() { (void)deflateEnd(&stream); }
  z_stream stream{};
};

Deflater::Deflater(const DeflateOptions& options) : options_(options) {
  PARLEY_ASSERT(options.level >= 1 && options.level <= 9, "deflate has levels from 1 to 9");
  PARLEY_ASSERT(
      options.window_bits >= least_deflate_window_bits && options.window_bits <= most_window_bits,
      "zlib deflates with 9 to 15 window bits");
  PARLEY_ASSERT(options.memory >= 1 && options.memory <= 9, "deflate's memory is from 1 to 9");
}
Deflater::~Deflater() = default;
Deflater::Deflater(Deflater&& other) noexcept = default;
Deflater& Deflater::operator=(Deflater&& other) noexcept = default;

Status Deflater::append(std::string_view in, std::string& out, Flush flush) {
  PARLEY_ASSERT(!is_finished_, "append() to a stream that was finished");
  if (!state_) {
    auto state = std::make_unique<State>();
    if (deflateInit2(&state->stream, options_.level, Z_DEFLATED,
                     windows_of(options_.wrapping, options_.window_bits), options_.memory,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      return no_memory();
    }
    state_ = std::move(state);
  }
  z_stream& stream = state_->stream;
  do {
    const std::string_view now = in.substr(0, most_at_once);
    in.remove_prefix(now.size());
    stream.next_in = input_of(now);
    stream.avail_in = static_cast<uInt>(now.size());
    const int how = in.empty() ? flush_of(flush) : Z_NO_FLUSH;
    do {
      const std::size_t size = out.size();
      const std::size_t room = impl::room_to_compress(stream.avail_in);
      out.resize(size + room);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
      stream.avail_out = static_cast<uInt>(room);
      (void)deflate(&stream, how);  // it can only have nothing to do
      out.resize(size + room - stream.avail_out);
    } while (stream.avail_in > 0 || stream.avail_out == 0);
  } while (!in.empty());
  is_finished_ = flush == Flush::finish;
  return {};
}

void Deflater::reset() {
  is_finished_ = false;
  if (state_) (void)deflateReset(&state_->stream);
}

void Deflater::let_go() noexcept {
  is_finished_ = false;
  state_.reset();
}

struct Inflater::State {
  ~State() { (void)inflateEnd(&stream); }
  z_stream stream{};
};

Inflater::Inflater(const InflateOptions& options) : options_(options) {
  PARLEY_ASSERT(
      options.window_bits >= least_inflate_window_bits && options.window_bits <= most_window_bits,
      "zlib inflates with 8 to 15 window bits");
  options_.max_output = std::min(options.max_output, no_limit);
}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&& other) noexcept = default;
Inflater& Inflater::operator=(Inflater&& other) noexcept = default;

Result<std::size_t> Inflater::read(std::string_view& in, std::span<char> out) {
  PARLEY_ASSERT(!out.empty(), "read() into no room");
  if (!failed_.is_ok()) return failed_;
  if (!state_) {
    if (in.empty()) return std::size_t{0};
    auto state = std::make_unique<State>();
    if (inflateInit2(&state->stream, windows_of(options_.wrapping, options_.window_bits)) != Z_OK) {
      return failed_ = no_memory();
    }
    state_ = std::move(state);
  }
  z_stream& stream = state_->stream;
  // One byte beyond the limit tells that it is exceeded.
  const std::uint64_t left = options_.max_output - count_ + 1;
  const auto room =
      static_cast<std::size_t>(std::min<std::uint64_t>({out.size(), left, most_at_once}));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(room);
  Status bad = inflate_some(in);
  const std::size_t written = room - stream.avail_out;
  count_ += written;
  is_full_ = stream.avail_out == 0 && !is_whole_;
  // Before what is damaged: it came out before that, however the input is cut.
  if (count_ > options_.max_output) {
    return failed_ = Status(Code::resource_exhausted,
                            "more than max_output (" + std::to_string(options_.max_output) +
                                " bytes) comes out: send less, or raise the limit");
  }
  if (!bad.is_ok()) return failed_ = std::move(bad);
  return written;
}

// Until the input is used up or the room is.
Status Inflater::inflate_some(std::string_view& in) {
  z_stream& stream = state_->stream;
  for (;;) {
    const bool is_behind_another = is_whole_;
    if (is_whole_) {
      if (in.empty()) return {};
      if (Status bad = begin_another(); !bad.is_ok()) return bad;
    }
    const std::string_view now = in.substr(0, most_at_once);
    stream.next_in = input_of(now);
    stream.avail_in = static_cast<uInt>(now.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    in.remove_prefix(now.size() - stream.avail_in);
    if (code == Z_STREAM_END) {
      is_whole_ = true;
    } else if (code == Z_BUF_ERROR) {
      return {};  // it needs more input or room
    } else if (code == Z_MEM_ERROR) {
      return no_memory();
    } else if (code != Z_OK) {
      return {Code::data_loss, "what came is damaged or no " +
                                   std::string(name_of(options_.wrapping)) +
                                   (is_behind_another ? " behind its end" : "") + ": " +
                                   (stream.msg != nullptr ? stream.msg : "a dictionary")};
    }
    if (stream.avail_out == 0 || in.empty()) return {};
  }
}

Status Inflater::begin_another() {
  if (options_.wrapping != Wrapping::gzip && !options_.goes_on) {
    return {Code::data_loss,
            "bytes follow the end of what came as " + std::string(name_of(options_.wrapping))};
  }
  is_whole_ = false;
  z_stream& stream = state_->stream;
  if (options_.wrapping == Wrapping::gzip) {
    (void)inflateReset(&stream);
    return {};
  }
  // Unlike inflateReset() it leaves the window, and unlike a copy of that it costs nothing: who
  // sends ends of streams and nothing else makes no work.
  (void)inflateResetKeep(&stream);
  return {};
}

bool Inflater::is_between_blocks() const noexcept {
  constexpr int behind_block = 128;  // of what inflate() leaves in data_type
  return is_whole_ || (state_ && (state_->stream.data_type & behind_block) != 0);
}

Status Inflater::append(std::string_view in, std::string& out) {
  return impl::append_output(*this, in, out, [this] { return is_full_; });
}

void Inflater::reset() {
  count_ = 0;
  is_full_ = is_whole_ = false;
  failed_ = {};
  if (state_) (void)inflateReset(&state_->stream);
}

void Inflater::let_go() noexcept {
  count_ = 0;
  is_full_ = is_whole_ = false;
  failed_ = {};
  state_.reset();
}

}  // namespace parley::wire
