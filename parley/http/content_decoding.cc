// Bodies that arrive compressed. Answers that leave so: content_coding.cc.
#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "parley/base/assert.h"
#include "parley/http/content_coding.h"
#include "parley/http/impl/wrapped_exchange.h"
#include "parley/http/syntax.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

constexpr std::size_t room_bytes = 16 * 1024;
// Small pieces that leave at once grow by what frames them.
constexpr std::uint64_t bytes_made_up_for = 16;

std::string names_of(const std::vector<ContentCoding>& codings) {
  std::string names;
  for (const ContentCoding coding : codings) {
    if (!names.empty()) names += ", ";
    names += name_of(coding);
  }
  return names.empty() ? "identity" : names;
}

class DecodedExchange final : public impl::WrappedExchange {
 public:
  DecodedExchange(ServerExchange& inner, ContentCoding coding, const DecompressionOptions& options)
      : WrappedExchange(inner), body_(inner, coding, options) {}

  Result<std::string_view> read(rt::Deadline deadline) override { return body_.read(deadline); }
  [[nodiscard]] BodySize request_size() const noexcept override { return BodySize::unknown(); }
  Status limit_body(std::uint64_t bytes) override {
    body_.limit(bytes);
    // What cannot be compressed becomes a little larger.
    const std::uint64_t most = UINT64_MAX / 2;
    return inner().limit_body(bytes >= most ? bytes : bytes + bytes / 16 + 1024);
  }
  [[nodiscard]] const Status& failure() const noexcept { return body_.failure(); }

 private:
  DecodedBody body_;
};

Status serve_decoded(const Handler& handler, const DecompressionOptions& options,
                     ServerExchange& exchange) {
  if (exchange.request_size().is_none() || !exchange.request().headers.get("Content-Encoding")) {
    return handler(exchange);
  }
  Headers& headers = exchange.request().headers;
  const auto coding = coding_of(headers, options.codings);
  if (!coding) {
    const std::string names = names_of(options.codings);
    if (Status bad = exchange.response().headers.set("Accept-Encoding", names); !bad.is_ok()) {
      return bad;
    }
    return exchange.answer(415, coding.error().message() + "\n");
  }
  headers.remove("Content-Encoding");
  if (!*coding) return handler(exchange);
  headers.remove("Content-Length");
  DecodedExchange decoded(exchange, **coding, options);
  Status handled = handler(decoded);
  const Status& failed = decoded.failure();
  if (handled.is_ok() || failed.is_ok() || handled.code() != failed.code() ||
      exchange.has_begun()) {
    return handled;
  }
  exchange.response().clear();
  const bool is_slow = failed.code() == Code::deadline_exceeded;
  const StatusCode otherwise = is_slow ? 408 : 400;
  return exchange.answer(failed.code() == Code::resource_exhausted ? 413 : otherwise,
                         failed.message() + "\n");
}

}  // namespace

DecodedBody::DecodedBody(Exchange& exchange, std::optional<ContentCoding> coding,
                         const DecompressionOptions& options)
    : exchange_(&exchange), coding_(coding), options_(options) {
  limit(options.max_bytes);
}

void DecodedBody::limit(std::uint64_t bytes) {
  options_.max_bytes = std::min({options_.max_bytes, bytes, wire::Inflater::no_limit});
  if (!coding_) return;
  if (*coding_ == ContentCoding::zstd) {
    decoder_.emplace<wire::ZstdDecoder>(wire::ZstdDecoderOptions{
        .window_bits = options_.zstd_window_bits, .max_output = options_.max_bytes});
    return;
  }
  const bool is_gzip = *coding_ == ContentCoding::gzip;
  decoder_.emplace<wire::Inflater>(
      wire::InflateOptions{.wrapping = is_gzip ? wire::Wrapping::gzip : wire::Wrapping::zlib,
                           .max_output = options_.max_bytes});
}

bool DecodedBody::holds_more() const noexcept {
  if (const auto* inflater = std::get_if<wire::Inflater>(&decoder_)) return inflater->holds_more();
  return std::get<wire::ZstdDecoder>(decoder_).holds_more();
}

bool DecodedBody::is_whole() const noexcept {
  if (const auto* inflater = std::get_if<wire::Inflater>(&decoder_)) return inflater->is_whole();
  return std::get<wire::ZstdDecoder>(decoder_).is_whole();
}

Result<std::size_t> DecodedBody::decode() {
  room_.resize(room_bytes);
  const std::span<char> room(room_);
  const std::size_t before = in_.size();
  auto* inflater = std::get_if<wire::Inflater>(&decoder_);
  Result<std::size_t> size = inflater != nullptr
                                 ? inflater->read(in_, room)
                                 : std::get<wire::ZstdDecoder>(decoder_).read(in_, room);
  barren_bytes_ += before - in_.size();
  if (size && *size > 0) {
    barren_bytes_ -= std::min<std::uint64_t>(barren_bytes_, *size * bytes_made_up_for);
    barren_since_.reset();
  } else if (!barren_since_) {
    barren_since_ = rt::now();
  }
  return size;
}

// Once all that came was taken, and nothing came out.
Status DecodedBody::check_barren() {
  if (barren_bytes_ > options_.max_barren_bytes) {
    exchange_->note_too_large();
    return {Code::resource_exhausted,
            "more than " + std::to_string(options_.max_barren_bytes) + " bytes of " +
                std::string(name_of(*coding_)) +
                " brought nothing (DecompressionOptions::max_barren_bytes); send content"};
  }
  if (!barren_since_ || !rt::Deadline::after(options_.max_barren_time, *barren_since_).is_over()) {
    return {};
  }
  exchange_->note_body_fault(Code::deadline_exceeded, 408);
  return {Code::deadline_exceeded, "bytes of " + std::string(name_of(*coding_)) +
                                       " came for too long and brought nothing "
                                       "(DecompressionOptions::max_barren_time); send content"};
}

Result<std::string_view> DecodedBody::read(rt::Deadline deadline) {
  if (!coding_) return exchange_->read(deadline);
  while (failed_.is_ok() && !is_over_) {
    if (!in_.empty() || holds_more()) {
      const auto size = decode();
      if (!size) {
        failed_ = size.error();
        if (failed_.code() == Code::resource_exhausted) exchange_->note_too_large();
      } else if (*size > 0) {
        return std::string_view(room_).substr(0, *size);
      }
      continue;
    }
    if (has_bytes_) failed_ = check_barren();
    if (!failed_.is_ok()) break;
    const auto piece = exchange_->read(deadline);
    if (!piece) return piece.error();
    in_ = *piece;
    has_bytes_ = has_bytes_ || !in_.empty();
    if (!in_.empty()) continue;
    is_over_ = true;
    room_ = {};
    // A body of no bytes at all is an empty one in every coding.
    if (has_bytes_ && !is_whole()) {
      failed_ = {Code::data_loss, "the body ends within its " + std::string(name_of(*coding_)) +
                                      " stream; send all of it"};
    }
  }
  if (!failed_.is_ok()) return failed_;
  return std::string_view();
}

Result<std::string> DecodedBody::read_all(std::size_t most, rt::Deadline deadline) {
  std::string all;
  for (;;) {
    const auto piece = read(deadline);
    if (!piece) return piece.error();
    if (piece->empty()) return all;
    if (piece->size() > most - all.size()) {
      exchange_->note_too_large();
      return Status(Code::resource_exhausted, "the body decodes to more than the " +
                                                  std::to_string(most) +
                                                  " bytes that read_all() was to take");
    }
    all += *piece;
  }
}

Result<std::optional<ContentCoding>> coding_of(const Headers& headers,
                                               const std::vector<ContentCoding>& codings) {
  std::optional<ContentCoding> found;
  for (const auto [name, value] : headers) {
    if (!same_name(name, "Content-Encoding")) continue;
    std::string_view rest = value;
    for (std::string_view element; next_element(rest, element);) {
      if (same_name(element, "identity")) continue;
      const auto coding = content_coding_of(element);
      if (found || !coding || std::ranges::find(codings, *coding) == codings.end()) {
        return Status(Code::unimplemented,
                      "Content-Encoding " + quoted(element) +
                          (found ? " comes on top of another one" : " is not taken here") +
                          "; send one of: " + names_of(codings));
      }
      found = coding;
    }
  }
  return found;
}

Status accept_codings(Request& request, const DecompressionOptions& options) {
  if (request.headers.get("Accept-Encoding")) return {};
  return request.headers.add("Accept-Encoding", names_of(options.codings));
}

Result<DecodedBody> read_decoded(ClientExchange& exchange, const DecompressionOptions& options,
                                 rt::Deadline deadline) {
  const auto answer = exchange.response(deadline);
  if (!answer) return answer.error();
  if ((*answer)->status == 206) return DecodedBody(exchange, std::nullopt, options);
  const auto coding = coding_of((*answer)->headers, options.codings);
  if (!coding) return coding.error();
  return DecodedBody(exchange, *coding, options);
}

Handler with_decompression(Handler handler, DecompressionOptions options) {
  PARLEY_ASSERT(options.zstd_window_bits >= 10 && options.zstd_window_bits <= 27,
                "DecompressionOptions::zstd_window_bits is 10 to 27");
  const auto kept = std::make_shared<const DecompressionOptions>(std::move(options));
  return [handler = std::move(handler), kept](ServerExchange& exchange) {
    return serve_decoded(handler, *kept, exchange);
  };
}

}  // namespace parley::http
