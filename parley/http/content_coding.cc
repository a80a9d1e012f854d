// Answers that leave compressed. Bodies that arrive so: content_decoding.cc.
#include "parley/http/content_coding.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <memory>
#include <utility>

#include "parley/base/assert.h"
#include "parley/http/accept.h"
#include "parley/http/impl/wrapped_exchange.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

// As much of a large piece as is compressed at a time.
constexpr std::size_t slice_bytes = 64 * 1024;

using Encoder = std::variant<std::monostate, wire::Deflater, wire::ZstdEncoder>;

// A window that holds the whole body is as good as a larger one.
int window_for(BodySize size, int least, int most) {
  if (!size.is_known()) return most;
  return std::clamp(static_cast<int>(std::bit_width(size.bytes())), least, most);
}

Encoder encoder_of(ContentCoding coding, const CompressionOptions& options, BodySize size) {
  if (coding == ContentCoding::zstd) {
    const bool is_small = size.is_known() && size.bytes() < (std::uint64_t{1} << 20U);
    return wire::ZstdEncoder(
        {.level = options.zstd_level, .window_bits = is_small ? window_for(size, 10, 20) : 0});
  }
  return wire::Deflater(
      {.wrapping = coding == ContentCoding::gzip ? wire::Wrapping::gzip : wire::Wrapping::zlib,
       .level = options.level,
       .window_bits = window_for(size, wire::least_deflate_window_bits, wire::most_window_bits)});
}

bool is_listed(std::string_view type, const std::vector<std::string>& types) {
  type = trimmed(type.substr(0, type.find(';')));
  return std::ranges::any_of(types, [&](std::string_view entry) {
    if (entry.starts_with("*+")) {
      entry.remove_prefix(1);
      return type.size() > entry.size() &&
             same_name(type.substr(type.size() - entry.size()), entry);
    }
    if (!entry.ends_with("/*")) return same_name(type, entry);
    entry.remove_suffix(1);
    return type.size() > entry.size() && same_name(type.substr(0, entry.size()), entry);
  });
}

// Whether an answer with this head may be compressed for those who ask for it.
bool is_compressible(const Response& head, const CompressionOptions& options) {
  const StatusCode status = head.status;
  if (status < 200 || status == 204 || status == 205 || status == 206 || status == 304)
    return false;
  for (const std::string_view name :
       {"Content-Encoding", "Content-Range", "Content-Length", "Transfer-Encoding", "Content-MD5",
        "Digest", "Content-Digest", "Repr-Digest"}) {
    if (head.headers.get(name)) return false;
  }
  if (head.headers.has_element("Cache-Control", "no-transform")) return false;
  const auto type = head.headers.get("Content-Type");
  return type && is_listed(*type, options.types);
}

Status say_that_it_varies(Headers& headers) {
  if (headers.has_element("Vary", "Accept-Encoding") || headers.has_element("Vary", "*")) return {};
  return headers.add("Vary", "Accept-Encoding");
}

std::optional<ContentCoding> chosen(const Headers& headers, const CompressionOptions& options) {
  std::vector<std::string_view> offers;
  offers.reserve(options.codings.size());
  for (const ContentCoding coding : options.codings) offers.push_back(name_of(coding));
  const auto best = choose_coding(headers, offers);
  if (!best) return std::nullopt;
  return options.codings[*best];
}

class CompressedExchange final : public impl::WrappedExchange {
 public:
  CompressedExchange(ServerExchange& inner, const CompressionOptions& options)
      : WrappedExchange(inner), options_(&options) {}

  Status begin(BodySize size) override;
  [[nodiscard]] bool has_begun() const noexcept override {
    return is_pending_ || inner().has_begun();
  }
  Status write(std::string_view piece, rt::Deadline deadline) override;
  Status flush(rt::Deadline deadline) override;
  Status inform(const Response& informational, rt::Deadline deadline) override;
  Status hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) override;

  // Behind the handler.
  Status conclude() { return has_begun() && is_ours() ? end() : Status(); }

 protected:
  Status finish(const Headers* trailers, rt::Deadline deadline) override;

 private:
  [[nodiscard]] bool is_ours() const noexcept { return coding_.has_value(); }
  [[nodiscard]] bool is_head() const { return inner().request().method == Method::head; }
  Status begin_coded(BodySize size);
  Status begin_whole(std::string_view body, rt::Deadline deadline);
  Status begin_pending();
  Status append(std::string_view piece, wire::Flush flush);
  Status pass(rt::Deadline deadline);

  const CompressionOptions* options_;
  std::optional<ContentCoding> coding_;  // of an answer that is compressed, else all is passed on
  Encoder encoder_;
  BodySize told_ = BodySize::none();
  std::uint64_t written_ = 0;
  std::string out_;
  bool is_pending_ = false;  // begun here, not yet there
  bool is_dirty_ = false;    // the encoder may hold something back
  bool has_ended_ = false;
  Status failed_;
};

Status misuse(std::string_view what) {
  return {Code::failed_precondition, "compressed answer: " + std::string(what)};
}

Status CompressedExchange::begin(BodySize size) {
  if (has_begun()) return misuse("begin() comes once");
  Response& head = response();
  const Method method = inner().request().method;
  if (head.status == 304 && (method == Method::get || method == Method::head)) {
    if (Status bad = say_that_it_varies(head.headers); !bad.is_ok()) return bad;
  }
  const bool is_small =
      size.is_known() && size.bytes() < std::max<std::size_t>(options_->min_bytes, 1);
  if (is_small || method == Method::connect || options_->codings.empty() ||
      !is_compressible(head, *options_)) {
    return inner().begin(size);
  }
  if (Status bad = say_that_it_varies(head.headers); !bad.is_ok()) return bad;
  coding_ = chosen(inner().request().headers, *options_);
  if (!coding_) return inner().begin(size);
  told_ = size;
  if (size.is_known() && size.bytes() <= options_->max_whole_bytes && !is_head()) {
    is_pending_ = true;
    return {};
  }
  Status begun = begin_coded(BodySize::unknown());
  if (!begun.is_ok()) coding_.reset();
  return begun;
}

Status CompressedExchange::inform(const Response& informational, rt::Deadline deadline) {
  if (is_pending_) return misuse("inform() comes before begin()");
  return inner().inform(informational, deadline);
}

Status CompressedExchange::hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) {
  if (is_pending_) return misuse("hand_over() comes before begin()");
  return inner().hand_over(std::move(then));
}

// The head of what is compressed.
Status CompressedExchange::begin_coded(BodySize size) {
  Headers& headers = response().headers;
  if (const auto tag = headers.get("ETag"); tag && tag->starts_with('"')) {
    const std::string weak = "W/" + std::string(*tag);
    if (Status bad = headers.set("ETag", weak); !bad.is_ok()) return bad;
  }
  headers.remove("Accept-Ranges");
  if (Status bad = headers.set("Content-Encoding", name_of(*coding_)); !bad.is_ok()) return bad;
  Status begun = inner().begin(size);
  // Who answers something else then must not be taken for compressed.
  if (!begun.is_ok()) headers.remove("Content-Encoding");
  return begun;
}

Status CompressedExchange::begin_pending() {
  is_pending_ = false;
  encoder_ = encoder_of(*coding_, *options_, told_);
  return begin_coded(BodySize::unknown());
}

Status CompressedExchange::begin_whole(std::string_view body, rt::Deadline deadline) {
  is_pending_ = false;
  encoder_ = encoder_of(*coding_, *options_, told_);
  if (Status status = append(body, wire::Flush::finish); !status.is_ok()) return status;
  written_ = body.size();
  const bool is_smaller = out_.size() < body.size();
  const std::string_view sent = is_smaller ? std::string_view(out_) : body;
  const BodySize size = BodySize::of(sent.size());
  Status status = is_smaller ? begin_coded(size) : inner().begin(size);
  if (status.is_ok()) status = inner().write(sent, deadline);
  out_ = {};
  encoder_ = {};
  is_dirty_ = false;
  return status;
}

Status CompressedExchange::append(std::string_view piece, wire::Flush flush) {
  if (std::holds_alternative<std::monostate>(encoder_)) {
    encoder_ = encoder_of(*coding_, *options_, told_);
  }
  is_dirty_ = flush == wire::Flush::none;
  if (auto* deflater = std::get_if<wire::Deflater>(&encoder_)) {
    return deflater->append(piece, out_, flush);
  }
  return std::get<wire::ZstdEncoder>(encoder_).append(piece, out_, flush);
}

Status CompressedExchange::pass(rt::Deadline deadline) {
  if (out_.empty()) return {};
  Status status = inner().write(out_, deadline);
  out_.clear();
  return status;
}

Status CompressedExchange::write(std::string_view piece, rt::Deadline deadline) {
  if (!is_ours()) return inner().write(piece, deadline);
  if (!has_begun() || has_ended_) return misuse("write() comes between begin() and end()");
  if (!failed_.is_ok()) return failed_;
  if (told_.is_known() && piece.size() > told_.bytes() - written_) {
    return {Code::invalid_argument, "the body was told to have " + std::to_string(told_.bytes()) +
                                        " bytes, and more were written"};
  }
  if (piece.empty()) return {};
  if (is_pending_ && piece.size() == told_.bytes()) return failed_ = begin_whole(piece, deadline);
  if (is_pending_) failed_ = begin_pending();
  written_ += piece.size();
  if (is_head()) return failed_;
  while (failed_.is_ok() && !piece.empty()) {
    failed_ = append(piece.substr(0, slice_bytes), wire::Flush::none);
    piece.remove_prefix(std::min(piece.size(), slice_bytes));
    if (failed_.is_ok()) failed_ = pass(deadline);
  }
  return failed_;
}

Status CompressedExchange::flush(rt::Deadline deadline) {
  if (!is_ours()) return inner().flush(deadline);
  if (!failed_.is_ok()) return failed_;
  if (is_pending_) failed_ = begin_pending();
  if (failed_.is_ok() && is_dirty_) {
    failed_ = append({}, wire::Flush::sync);
    if (failed_.is_ok()) failed_ = pass(deadline);
  }
  return failed_.is_ok() ? inner().flush(deadline) : failed_;
}

Status CompressedExchange::finish(const Headers* trailers, rt::Deadline deadline) {
  if (!is_ours()) return WrappedExchange::finish(trailers, deadline);
  if (!failed_.is_ok()) return failed_;
  if (has_ended_) return {};
  if (told_.is_known() && trailers != nullptr && !trailers->empty()) {
    return misuse("trailers come behind a body of unknown size only");
  }
  if (told_.is_known() && written_ < told_.bytes() && !is_head()) {
    // Nobody may take what there is for whole: the error of conclude() cuts it.
    return failed_ = misuse("the body was told to have " + std::to_string(told_.bytes()) +
                            " bytes, and has " + std::to_string(written_));
  }
  const bool is_streamed = !std::holds_alternative<std::monostate>(encoder_) || written_ == 0;
  if (is_streamed && !is_head()) {
    failed_ = append({}, wire::Flush::finish);
    if (failed_.is_ok()) failed_ = pass(deadline);
    if (!failed_.is_ok()) return failed_;
  }
  has_ended_ = true;
  encoder_ = {};
  return WrappedExchange::finish(trailers, deadline);
}

}  // namespace

std::string_view name_of(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::gzip:
      return "gzip";
    case ContentCoding::deflate:
      return "deflate";
    case ContentCoding::zstd:
      return "zstd";
  }
  return "";
}

std::optional<ContentCoding> content_coding_of(std::string_view name) noexcept {
  for (const auto coding : {ContentCoding::gzip, ContentCoding::deflate, ContentCoding::zstd}) {
    if (same_name(name, name_of(coding))) return coding;
  }
  if (same_name(name, "x-gzip")) return ContentCoding::gzip;
  return std::nullopt;
}

Handler with_compression(Handler handler, CompressionOptions options) {
  PARLEY_ASSERT(options.level >= 1 && options.level <= 9, "CompressionOptions::level is 1 to 9");
  PARLEY_ASSERT(options.zstd_level >= 1 && options.zstd_level <= 19,
                "CompressionOptions::zstd_level is 1 to 19");
  // Shared: a Handler is copied, and its options need not be.
  const auto kept = std::make_shared<const CompressionOptions>(std::move(options));
  return [handler = std::move(handler), kept](ServerExchange& exchange) -> Status {
    CompressedExchange compressed(exchange, *kept);
    if (Status handled = handler(compressed); !handled.is_ok()) return handled;
    return compressed.conclude();
  };
}

}  // namespace parley::http
