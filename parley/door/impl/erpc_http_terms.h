// What both directions of erpc's http framing go by: its headers, media types and settings. Private
// to door. Pure functions; the terms are shared by all connections.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "parley/codec/codec.h"
#include "parley/wire/filter.h"
#include "parley/wire/message.h"

namespace parley::door::impl {

inline constexpr std::string_view seq_field = "X-Seq";
inline constexpr std::string_view type_field = "X-Mtype";
inline constexpr std::string_view coding_field = "X-Content-Encoding";
inline constexpr int business_error = 299;
inline constexpr std::size_t longest_erpc_method = 255;

struct ErpcHttpTerms {
  std::size_t max_bytes = 0;
  std::size_t max_entries = 0;
  std::shared_ptr<const wire::Filters> filters{};
  std::string gzip_name{};
  char gzip_id = 0;
  const codec::CodecRegistry* codecs = nullptr;
};

// Of a Content-Type; none for one that nobody knows.
wire::BodyCodec codec_of(const ErpcHttpTerms& terms, std::string_view content_type);
// As erpc writes it; empty for a codec that has none.
std::string_view content_type_of(const ErpcHttpTerms& terms, wire::BodyCodec codec);

// Fields that say how a message is framed and where it goes, or that this framing writes itself:
// none of them carries metadata when it is written.
[[nodiscard]] bool is_own_field(std::string_view name) noexcept;

}  // namespace parley::door::impl
