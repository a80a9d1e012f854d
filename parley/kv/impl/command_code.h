// A command as the log keeps it. Pure functions; the bytes may come from a broken disk.
//
//   version u8 = 1 | kind u8 | flags u8 | now i64 | expiration i64 ? | prev_index u64 ? | index u64
//   ? | path | value | prev_value, each a length u32 and its bytes
//
// Times are nanoseconds since 1970, numbers have their lowest byte first. Flags: 1 dir, 2 unique,
// 4 recursive, 8 refresh, 16, 32 and 64 that the numbers with a '?' are there, in their order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/kv/command.h"

namespace parley::kv::impl {

struct LoggedCommand {
  Command command;
  // That of the tree before it, of the first command of a batch: a tree that is somewhere else when
  // the log is replayed is not the one that was.
  std::optional<std::uint64_t> index{};

  friend bool operator==(const LoggedCommand&, const LoggedCommand&) = default;
};

std::string encode_command(const Command& command, std::optional<std::uint64_t> index);

// data_loss for what encode_command() cannot have written, unimplemented for what a newer version
// of it may have.
Result<LoggedCommand> decode_command(std::string_view bytes);

}  // namespace parley::kv::impl
