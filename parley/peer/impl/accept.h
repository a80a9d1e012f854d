// What a caller would like its answer to be written in, as Teleport says it: a line of metadata
// with the decimal id of the codec. Private to peer.
//
// Pure functions, safe anywhere.
//
//   set_accepted(options.metadata, wire::BodyCodec::msgpack);   // X-Accept-Body-Codec: 109
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

inline constexpr std::string_view accept_body_codec_key = "X-Accept-Body-Codec";

inline void set_accepted(wire::Metadata& metadata, wire::BodyCodec codec) {
  const auto id = static_cast<unsigned char>(codec);
  metadata.set(accept_body_codec_key, std::to_string(id));
}

// Nothing where nothing is said, and for what is no id.
inline std::optional<wire::BodyCodec> accepted_body_codec(const wire::Metadata& metadata) {
  const auto text = metadata.get(accept_body_codec_key);
  if (!text) return {};
  unsigned char id = 0;
  const char* const end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, id);
  if (at != end || error != std::errc() || id == 0) return {};
  return static_cast<wire::BodyCodec>(id);
}

}  // namespace parley::impl
