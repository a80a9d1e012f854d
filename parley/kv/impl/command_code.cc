#include "parley/kv/impl/command_code.h"

#include <chrono>
#include <utility>

#include "parley/kv/impl/log_format.h"

namespace parley::kv::impl {
namespace {

constexpr unsigned version = 1;

enum Flag : unsigned {
  dir_flag = 1,
  unique_flag = 2,
  recursive_flag = 4,
  refresh_flag = 8,
  expiration_flag = 16,
  prev_index_flag = 32,
  index_flag = 64,
  known_flags = 127,
};

std::uint64_t nanoseconds_of(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

WallTime time_of(std::uint64_t nanoseconds) {
  return WallTime(Duration(static_cast<Duration::rep>(nanoseconds)));
}

void append_text(std::string& out, std::string_view text) {
  append_u32(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

// Takes from the front of what is left; once something was missing, all that follows is empty.
class Taking {
 public:
  explicit Taking(std::string_view bytes) : left_(bytes) {}

  unsigned u8() { return static_cast<unsigned char>(take(1)[0]); }
  std::uint32_t u32() { return u32_at(take(4), 0); }
  std::uint64_t u64() { return u64_at(take(8), 0); }
  std::string text() {
    const std::uint32_t size = u32();
    if (size > left_.size()) failed_ = true;
    if (failed_) return {};
    std::string text(left_.substr(0, size));
    left_.remove_prefix(size);
    return text;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return left_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    constexpr std::string_view zeros("\0\0\0\0\0\0\0\0", 8);
    if (left_.size() < size) failed_ = true;
    if (failed_) return zeros;
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
  bool failed_ = false;
};

Status too_new(const std::string& what) {
  return {Code::unimplemented, "a command of the log has " + what +
                                   ", which this program does not know: use the one that wrote "
                                   "it, or a newer one"};
}

}  // namespace

std::string encode_command(const Command& command, std::optional<std::uint64_t> index) {
  unsigned flags = 0;
  if (command.dir) flags |= dir_flag;
  if (command.unique) flags |= unique_flag;
  if (command.recursive) flags |= recursive_flag;
  if (command.refresh) flags |= refresh_flag;
  if (command.expiration) flags |= expiration_flag;
  if (command.prev_index != 0) flags |= prev_index_flag;
  if (index) flags |= index_flag;

  constexpr std::size_t most_besides_texts = 48;
  std::string out;
  out.reserve(most_besides_texts + command.path.size() + command.value.size() +
              command.prev_value.size());
  out += static_cast<char>(version);
  out += static_cast<char>(command.kind);
  out += static_cast<char>(flags);
  append_u64(out, nanoseconds_of(command.now));
  if (command.expiration) append_u64(out, nanoseconds_of(*command.expiration));
  if (command.prev_index != 0) append_u64(out, command.prev_index);
  if (index) append_u64(out, *index);
  append_text(out, command.path);
  append_text(out, command.value);
  append_text(out, command.prev_value);
  return out;
}

Result<LoggedCommand> decode_command(std::string_view bytes) {
  Taking from(bytes);
  const unsigned its_version = from.u8();
  if (from.failed()) return Status(Code::data_loss, "a command of the log is empty");
  if (its_version > version) return too_new("version " + std::to_string(its_version));
  const unsigned kind = from.u8();
  const unsigned flags = from.u8();
  if (kind > static_cast<unsigned>(CommandKind::expire)) {
    return too_new("kind " + std::to_string(kind));
  }
  if ((flags & ~known_flags) != 0) return too_new("flags " + std::to_string(flags));

  LoggedCommand logged;
  Command& command = logged.command;
  command.kind = static_cast<CommandKind>(kind);
  command.dir = (flags & dir_flag) != 0;
  command.unique = (flags & unique_flag) != 0;
  command.recursive = (flags & recursive_flag) != 0;
  command.refresh = (flags & refresh_flag) != 0;
  command.now = time_of(from.u64());
  if ((flags & expiration_flag) != 0) command.expiration = time_of(from.u64());
  if ((flags & prev_index_flag) != 0) command.prev_index = from.u64();
  if ((flags & index_flag) != 0) logged.index = from.u64();
  command.path = from.text();
  command.value = from.text();
  command.prev_value = from.text();
  const bool has_zero =
      kind == 0 || its_version == 0 || ((flags & prev_index_flag) != 0 && command.prev_index == 0);
  if (from.failed() || !from.at_end() || has_zero) {
    return Status(Code::data_loss, "a command of the log is not as one is written");
  }
  return logged;
}

}  // namespace parley::kv::impl
