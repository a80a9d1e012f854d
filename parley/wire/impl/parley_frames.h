// What encoder and decoder of the parley framing have to agree on: docs/protocols/parley.md in
// numbers. Private to wire. Constants and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::wire::impl {

inline constexpr std::string_view parley_magic = "\xF0PRL";
inline constexpr unsigned char parley_version = 1;
inline constexpr std::size_t longest_settings = 1024;
inline constexpr std::size_t longest_method = 255;
inline constexpr std::size_t ping_bytes = 8;
// Bodies that come in parts at once, in one direction.
inline constexpr std::size_t most_unfinished = 64;
// A longer one is none: 35 years, in microseconds.
inline constexpr std::uint64_t longest_timeout_us = std::uint64_t{1} << 50U;
// How a method is named: its text, its text to be kept, or from here on the number it was kept as.
inline constexpr std::uint64_t name_as_text = 0;
inline constexpr std::uint64_t name_to_keep = 1;
inline constexpr std::uint64_t first_name = 2;

// Of the codec's byte: the ids of the filters follow.
inline constexpr unsigned codec_filtered = 0x80;

inline constexpr unsigned kind_mask = 0x0F;
inline constexpr unsigned extension_kind = 15;

// For errors: "9 bytes are more than max_frame (8)".
inline std::string against(std::uint64_t is, std::string_view of, std::uint64_t limit) {
  return std::to_string(is) + " " + std::string(of) + std::to_string(limit) + ")";
}

// Flags of a frame's first byte.
inline constexpr unsigned flag_timeout = 0x10;
inline constexpr unsigned flag_own = 0x10;
inline constexpr unsigned flag_metadata = 0x20;
inline constexpr unsigned flag_more = 0x40;
inline constexpr unsigned flag_auth = 0x80;

// What a frame of some kind may carry. A flag of 0 is one the kind does not have.
struct FrameShape {
  std::string_view name;  // in errors
  MessageType type = MessageType::hello;
  bool is_known = false;
  bool has_id = false;
  bool has_method = false;
  bool has_codec = false;
  bool has_body = false;
  unsigned timeout = 0;
  unsigned own = 0;
  unsigned status = 0;
  unsigned metadata = 0;
  unsigned more = 0;
  unsigned auth = 0;

  [[nodiscard]] constexpr unsigned flags() const {
    return timeout | own | status | metadata | more | auth;
  }
};

inline constexpr std::array<FrameShape, 16> frame_shapes = {{
    {.name = "parley frame"},
    {.name = "parley CALL",
     .type = MessageType::call,
     .is_known = true,
     .has_id = true,
     .has_method = true,
     .has_codec = true,
     .has_body = true,
     .timeout = flag_timeout,
     .metadata = flag_metadata,
     .more = flag_more,
     .auth = flag_auth},
    {.name = "parley REPLY",
     .type = MessageType::reply,
     .is_known = true,
     .has_id = true,
     .has_codec = true,
     .has_body = true,
     .status = 0x10,
     .metadata = flag_metadata,
     .more = flag_more,
     .auth = flag_auth},
    {.name = "parley PUSH",
     .type = MessageType::push,
     .is_known = true,
     .has_method = true,
     .has_codec = true,
     .has_body = true,
     .metadata = flag_metadata,
     .more = flag_more},
    {.name = "parley OPEN",
     .type = MessageType::open,
     .is_known = true,
     .has_id = true,
     .has_method = true,
     .has_codec = true,
     .timeout = flag_timeout,
     .metadata = flag_metadata},
    {.name = "parley DATA",
     .type = MessageType::data,
     .is_known = true,
     .has_id = true,
     .has_body = true,
     .own = flag_own,
     .more = flag_more},
    {.name = "parley END",
     .type = MessageType::end,
     .is_known = true,
     .has_id = true,
     .own = flag_own,
     .status = 0x80,
     .metadata = flag_metadata},
    {.name = "parley CANCEL", .type = MessageType::cancel, .is_known = true, .has_id = true},
    {.name = "parley CREDIT",
     .type = MessageType::credit,
     .is_known = true,
     .has_id = true,
     .own = flag_own},
    {.name = "parley PART",
     .type = MessageType::part,
     .is_known = true,
     .has_id = true,
     .has_body = true,
     .own = flag_own,
     .more = flag_more},
    {.name = "parley PING", .type = MessageType::ping, .is_known = true},
    {.name = "parley PONG", .type = MessageType::pong, .is_known = true},
    {.name = "parley GO_AWAY", .type = MessageType::go_away, .is_known = true},
    {.name = "parley frame"},
    {.name = "parley frame"},
    {.name = "parley extension"},
}};

// The kind of frame that carries messages of a type; 0 for a hello and what is no type.
constexpr std::array<unsigned char, 16> make_kinds_of_types() {
  std::array<unsigned char, 16> kinds{};
  for (std::size_t kind = 0; kind < frame_shapes.size(); ++kind) {
    if (!frame_shapes[kind].is_known) continue;
    kinds[static_cast<std::size_t>(frame_shapes[kind].type)] = static_cast<unsigned char>(kind);
  }
  kinds[static_cast<std::size_t>(MessageType::auth_call)] = 1;
  kinds[static_cast<std::size_t>(MessageType::auth_reply)] = 2;
  return kinds;
}
inline constexpr std::array<unsigned char, 16> kinds_of_types = make_kinds_of_types();

constexpr unsigned frame_kind_of(MessageType type) {
  const auto number = static_cast<std::size_t>(type);
  return number < kinds_of_types.size() ? kinds_of_types[number] : 0;
}

// The settings by their numbers, from 1.
inline constexpr std::array<std::uint64_t Settings::*, 7> numbered_settings = {
    &Settings::max_frame,     &Settings::max_message,    &Settings::max_streams,
    &Settings::stream_credit, &Settings::session_credit, &Settings::max_names,
    &Settings::features,
};
inline constexpr std::array<std::string_view, 7> setting_names = {
    "max_frame",      "max_message", "max_streams", "stream_credit",
    "session_credit", "max_names",   "features"};

}  // namespace parley::wire::impl
