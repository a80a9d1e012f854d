#include "parley/door/erpc_http.h"

#include <algorithm>
#include <array>
#include <utility>

#include "parley/base/assert.h"
#include "parley/door/impl/erpc_http_decoder.h"
#include "parley/door/impl/erpc_http_encoder.h"
#include "parley/door/impl/erpc_http_terms.h"
#include "parley/http/syntax.h"
#include "parley/wire/filters/gzip.h"

namespace parley::door {
namespace {

using impl::ErpcHttpTerms;
using wire::BodyCodec;
using wire::Match;

constexpr std::string_view opening_of_calls = "POST ";
constexpr std::string_view opening_of_answers = "HTTP/";

struct MediaType {
  BodyCodec codec = BodyCodec::none;
  std::string_view written{};
};

// With the parameter that erpc writes; what it reads ends before it.
constexpr std::array<MediaType, 5> media_types = {{
    {BodyCodec::protobuf, "application/x-protobuf;charset=utf-8"},
    {BodyCodec::json, "application/json;charset=utf-8"},
    {BodyCodec::form, "application/x-www-form-urlencoded;charset=utf-8"},
    {BodyCodec::plain, "text/plain;charset=utf-8"},
    {BodyCodec::xml, "text/xml;charset=utf-8"},
}};

std::string_view without_parameters(std::string_view type) {
  return http::trimmed(type.substr(0, type.find(';')));
}

Match begins_with(std::string_view bytes, std::string_view opening) {
  const std::size_t size = std::min(bytes.size(), opening.size());
  if (bytes.substr(0, size) != opening.substr(0, size)) return Match::no;
  return size == opening.size() ? Match::yes : Match::needs_more;
}

class ErpcHttpFraming final : public wire::Framing {
 public:
  explicit ErpcHttpFraming(ErpcHttpTerms terms)
      : terms_(std::make_shared<const ErpcHttpTerms>(std::move(terms))) {}

  [[nodiscard]] std::string_view name() const noexcept override { return erpc_http_name; }
  [[nodiscard]] Match matches(std::string_view first_bytes) const noexcept override {
    const Match call = begins_with(first_bytes, opening_of_calls);
    return call != Match::no ? call : begins_with(first_bytes, opening_of_answers);
  }
  [[nodiscard]] std::unique_ptr<wire::Encoder> make_encoder() const override {
    return std::make_unique<impl::ErpcHttpEncoder>(terms_);
  }
  [[nodiscard]] std::unique_ptr<wire::Decoder> make_decoder() const override {
    return std::make_unique<impl::ErpcHttpDecoder>(terms_);
  }

 private:
  const std::shared_ptr<const ErpcHttpTerms> terms_;
};

}  // namespace

std::shared_ptr<const wire::Framing> erpc_http_framing(ErpcHttpOptions options) {
  static const codec::CodecRegistry own_codecs;
  ErpcHttpTerms terms{.max_bytes = options.limits.max_frame_bytes,
                      .max_entries = options.limits.max_metadata_entries,
                      .filters = std::move(options.limits.filters),
                      .gzip_name = std::move(options.gzip_name),
                      .gzip_id = options.gzip_id,
                      .codecs = options.codecs != nullptr ? options.codecs : &own_codecs};
  PARLEY_ASSERT(http::is_token(terms.gzip_name), "gzip_name stands in a header");
  if (terms.filters == nullptr || terms.filters->find(terms.gzip_id) == nullptr) {
    auto own = std::make_shared<wire::Filters>();
    own->add(wire::gzip_filter({.id = terms.gzip_id}));
    terms.filters = std::move(own);
  }
  return std::make_shared<ErpcHttpFraming>(std::move(terms));
}

Match begins_erpc_http(std::string_view first_bytes) noexcept {
  ErpcHttpSeen seen;
  return begins_erpc_http(first_bytes, seen);
}

Match begins_erpc_http(std::string_view first_bytes, ErpcHttpSeen& seen) noexcept {
  if (const Match call = begins_with(first_bytes, opening_of_calls); call != Match::yes) {
    return call;
  }
  static_assert(most_erpc_http_head <= UINT16_MAX);
  const std::string_view head = first_bytes.substr(0, most_erpc_http_head);
  for (;;) {
    const std::size_t end = head.find('\n', seen.bytes);
    if (end == std::string_view::npos) break;
    const std::string_view line = head.substr(seen.line, end - seen.line);
    seen.line = seen.bytes = static_cast<std::uint16_t>(end + 1);
    if (line.empty() || line == "\r") return Match::no;
    const std::string_view name = line.substr(0, line.find(':'));
    seen.has_seq = seen.has_seq || http::same_name(name, impl::seq_field);
    seen.has_type = seen.has_type || http::same_name(name, impl::type_field);
    if (seen.has_seq && seen.has_type) return Match::yes;
  }
  seen.bytes = static_cast<std::uint16_t>(head.size());
  return first_bytes.size() < most_erpc_http_head ? Match::needs_more : Match::no;
}

namespace impl {

BodyCodec codec_of(const ErpcHttpTerms& terms, std::string_view content_type) {
  const std::string_view type = without_parameters(content_type);
  for (const MediaType& each : media_types) {
    if (http::same_name(type, without_parameters(each.written))) return each.codec;
  }
  const codec::Codec* const codec = terms.codecs->find_content_type(type);
  return codec == nullptr ? BodyCodec::none : BodyCodec{codec->id};
}

std::string_view content_type_of(const ErpcHttpTerms& terms, BodyCodec codec) {
  for (const MediaType& each : media_types) {
    if (each.codec == codec) return each.written;
  }
  const codec::Codec* const known = terms.codecs->find(static_cast<char>(codec));
  if (known == nullptr || known->content_types.empty()) return {};
  return known->content_types.front();
}

bool is_own_field(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 17> own = {seq_field,
                                                    type_field,
                                                    coding_field,
                                                    "Content-Length",
                                                    "Transfer-Encoding",
                                                    "Connection",
                                                    "Upgrade",
                                                    "Content-Encoding",
                                                    "Content-Type",
                                                    "Host",
                                                    "Expect",
                                                    "Trailer",
                                                    "TE",
                                                    "Keep-Alive",
                                                    "User-Agent",
                                                    "Accept-Encoding",
                                                    "Proxy-Connection"};
  return std::ranges::any_of(own,
                             [&](std::string_view each) { return http::same_name(name, each); });
}

}  // namespace impl
}  // namespace parley::door
