// The reading side of the parley framing.
#include <algorithm>
#include <chrono>
#include <limits>
#include <source_location>
#include <utility>

#include "parley/wire/impl/frame_reader.h"
#include "parley/wire/impl/parley_frames.h"
#include "parley/wire/impl/quick_fields.h"
#include "parley/wire/impl/quick_frame.h"
#include "parley/wire/impl/varint.h"
#include "parley/wire/parley_framing.h"

namespace parley::wire {
namespace {

using impl::FrameReader;
using impl::FrameShape;

constexpr std::size_t magic_and_version = impl::parley_magic.size() + 1;
// A smaller part is copied out of the chunk it came in, behind the others like it.
constexpr std::size_t shared_part_bytes = std::size_t{16} << 10U;
// From this size on into a block of its own, so that it is copied once.
constexpr std::size_t own_part_bytes = std::size_t{32} << 10U;

// A text that is no longer than what is left of the frame.
std::string_view read_text(FrameReader& reader, std::string_view field) {
  const std::uint64_t size = reader.varint(field);
  return reader.text(static_cast<std::size_t>(size), field);
}

std::int32_t read_id(FrameReader& reader, bool may_be_none) {
  const std::uint64_t id = reader.varint("id");
  if (id > std::numeric_limits<std::int32_t>::max() || (id == 0 && !may_be_none)) {
    reader.refuse("id", std::to_string(id) + " is not one between 1 and 2147483647");
  }
  return static_cast<std::int32_t>(id);
}

Duration read_timeout(FrameReader& reader) {
  const std::uint64_t microseconds = reader.varint("deadline");
  if (microseconds > impl::longest_timeout_us) {
    reader.refuse("deadline", std::to_string(microseconds) + " microseconds are more than 2^50");
    return {};
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(microseconds));
}

Status read_status(FrameReader& reader) {
  const std::uint64_t number = reader.varint("status code");
  const std::int64_t business = impl::unzigzag(reader.varint("business code"));
  const std::string_view message = read_text(reader, "status message");
  const std::string_view cause = read_text(reader, "status cause");
  if (!reader.is_ok()) return {};
  if (business < std::numeric_limits<std::int32_t>::min() ||
      business > std::numeric_limits<std::int32_t>::max()) {
    reader.refuse("business code", std::to_string(business) + " has more than 32 bits");
    return {};
  }
  if (number == 0) {
    if (business != 0 || !message.empty() || !cause.empty()) {
      reader.refuse("status", "it is ok and says what is wrong");
    }
    return {};
  }
  // A code of a later version is an error all the same.
  const Code code = number <= static_cast<std::uint64_t>(Code::outcome_unknown)
                        ? static_cast<Code>(number)
                        : Code::unknown;
  Status status(code, std::string(message), std::source_location());
  if (!cause.empty()) status = status.with_cause(std::string(cause));
  if (business != 0) status = status.with_business_code(static_cast<std::int32_t>(business));
  return status;
}

void read_metadata(FrameReader& reader, std::size_t max_entries, Metadata& out) {
  const std::uint64_t count = reader.varint("metadata");
  if (count > max_entries) {
    reader.refuse("metadata", impl::against(count, "entries are more than max_metadata_entries (",
                                            max_entries));
  }
  for (std::uint64_t i = 0; i < count && reader.is_ok(); ++i) {
    const std::string_view key = read_text(reader, "metadata key");
    const std::string_view value = read_text(reader, "metadata value");
    if (reader.is_ok()) out.add(std::string(key), std::string(value));
  }
}

// The codec, and behind it the filters that the body has gone through.
void read_codec(FrameReader& reader, Message& message) {
  const std::uint32_t codec = reader.number(1, "codec");
  message.body_codec = static_cast<BodyCodec>(codec & ~impl::codec_filtered);
  if ((codec & impl::codec_filtered) == 0) [[likely]]
    return;
  const std::string_view ids = read_text(reader, "filters");
  if (!reader.is_ok()) return;
  const Result<FilterPipe> pipe = FilterPipe::read(ids);
  if (!pipe || pipe->empty()) {
    reader.refuse("filters", pipe ? "there are none" : pipe.error().message());
    return;
  }
  message.filters = *pipe;
  message.is_filtered = message.type != MessageType::open;
}

std::uint64_t read_ping(FrameReader& reader) {
  std::uint64_t value = 0;
  for (const char c : reader.text(impl::ping_bytes, "payload")) {
    value = value << 8U | static_cast<unsigned char>(c);
  }
  return value;
}

// What is put together in parts has a number that its two sides do not share.
std::uint64_t part_key(std::int32_t seq, bool is_own) {
  return static_cast<std::uint64_t>(seq) << 1U | static_cast<std::uint64_t>(is_own);
}

// What a message holds besides its body.
std::size_t beside_body(const Message& message) {
  std::size_t bytes = message.method_block ? message.method.size() : 0;
  for (const auto& [key, value] : message.metadata) {
    bytes += sizeof(Metadata::Entry) + key.size() + value.size();
  }
  return bytes;
}

void read_value(FrameReader& reader, Message& message) {
  switch (message.type) {
    case MessageType::credit:
    case MessageType::go_away:
      message.value = reader.varint("value");
      break;
    case MessageType::ping:
    case MessageType::pong:
      message.value = read_ping(reader);
      break;
    default:
      break;
  }
}

}  // namespace

struct ParleyDecoder::Frame {
  unsigned char first = 0;
  std::string_view payload;
  // Where it lies: in the buffer's front, `at` bytes behind its beginning, or in `joined`.
  std::size_t at = 0;
  const impl::FrameBuffer* buffer = nullptr;
  const Bytes* joined = nullptr;

  // Its last bytes, shared.
  [[nodiscard]] Bytes tail(std::size_t size) const {
    const std::size_t end = at + payload.size();
    return joined != nullptr ? joined->slice(end - size, size) : buffer->slice(end - size, end);
  }
  [[nodiscard]] const BlockRef& block() const {
    return joined != nullptr ? joined->first_block() : buffer->block();
  }
};

Status ParleyDecoder::die(Status why) {
  error_ = std::move(why);
  buffer_.clear();
  unfinished_.clear();
  return error_;
}

// How many bytes the next frame has before its payload and in it; 0 and 0 when that is not known
// yet.
Result<std::pair<std::size_t, std::size_t>> ParleyDecoder::sizes_of_next(
    std::string_view bytes) const {
  const std::size_t prefix = has_hello_ ? 1 : magic_and_version;
  if (!has_hello_) {
    const std::string_view magic = bytes.substr(0, impl::parley_magic.size());
    if (!impl::parley_magic.starts_with(magic)) {
      return Status(Code::invalid_argument,
                    "parley hello: it does not begin with F0 50 52 4C: the other side speaks "
                    "another protocol");
    }
    if (bytes.size() >= prefix && bytes[prefix - 1] == 0) {
      return Status(Code::invalid_argument, "parley hello: version 0 does not exist");
    }
  }
  if (bytes.size() <= prefix) return std::pair<std::size_t, std::size_t>();
  const impl::Varint length = impl::get_varint(bytes.substr(prefix));
  if (length.size == 0) return std::pair<std::size_t, std::size_t>();
  if (length.size < 0) {
    return Status(Code::invalid_argument,
                  "parley frame: length: it is longer than it has to be, or has more than 64 bits");
  }
  const std::uint64_t limit = has_hello_ ? limits_.takes.max_frame : impl::longest_settings;
  if (length.value > limit) {
    return Status(
        Code::resource_exhausted,
        has_hello_
            ? impl::against(length.value, "bytes of a frame are more than max_frame (", limit)
            : impl::against(length.value, "bytes of settings are more than a hello may have (",
                            limit));
  }
  return std::pair(prefix + static_cast<std::size_t>(length.size),
                   static_cast<std::size_t>(length.value));
}

// Plain CALLs of a kept name and plain REPLYs, where they lie. Whatever is in any way not as it
// should be is left to the reader proper.
std::size_t ParleyDecoder::next_plain(const MessageRow& into) {
  const std::string_view front = buffer_.front();
  if (!has_hello_ || front.empty()) return 0;
  Block& block = *buffer_.block().get();
  const std::string_view* const names = kept_.data();
  const std::size_t names_in_a_byte = std::min(kept_.size(), impl::QuickFrame::most_names);
  const char* at = front.data();
  const char* const end = at + front.size();
  MessageRow row = into;
  std::uint32_t sharing = 0;
  for (; !row.empty(); row.drop_front()) {
    Message& message = row.front();
    impl::QuickFrame frame;
    if (end - at < impl::QuickFrame::most_head || !frame.read(at, end, names_in_a_byte))
        [[unlikely]] {
      const std::size_t size = read_plain({at, end}, message, frame.body);
      if (size == 0) break;
      at += size;
    } else {
      message.seq = static_cast<std::int32_t>(frame.seq);
      message.body_codec = static_cast<BodyCodec>(frame.codec);
      message.timeout.reset();
      if (frame.is_reply) {
        message.type = MessageType::reply;
        message.method = {};
      } else {
        message.type = MessageType::call;
        message.method = names[frame.name];
        if (frame.timeout >= 0) message.timeout = std::chrono::microseconds(frame.timeout);
      }
      at = frame.end;
    }
    if (message.body.share_uncounted(block, frame.body)) ++sharing;
  }
  if (sharing > 0) block.add_owners(sharing);
  if (at != front.data()) buffer_.consume(static_cast<std::size_t>(at - front.data()));
  return into.size() - row.size();
}

// Everything but the body, of which it says where it lies. Returns the bytes of the frame; 0, and
// nothing has changed, when it is not plain or not there.
std::size_t ParleyDecoder::read_plain(std::string_view bytes, Message& message,
                                      std::string_view& body) const {
  constexpr std::uint64_t longest = 4096;  // what any side takes as a frame, and as a body
  constexpr unsigned reply = 0x02;
  constexpr unsigned call_with_deadline = 0x11;
  impl::QuickFields fields(bytes);
  const unsigned first = fields.byte();
  if (first != 0x01 && first != reply && first != call_with_deadline) return 0;
  const std::uint64_t length = fields.varint();
  if (!fields.ends_after(length) || length > longest) return 0;
  const std::uint64_t seq = fields.varint();
  std::string_view method;
  if (first != reply) {
    const std::uint64_t name = fields.varint() - impl::first_name;
    if (name >= kept_.size()) return 0;
    method = kept_[name];
  }
  const std::uint64_t microseconds = first == call_with_deadline ? fields.varint() : 0;
  const unsigned codec = fields.byte();
  if (!fields.is_ok() || seq - 1 >= std::numeric_limits<std::int32_t>::max()) return 0;
  if ((codec & impl::codec_filtered) != 0) return 0;
  message.seq = static_cast<std::int32_t>(seq);
  message.type = first == reply ? MessageType::reply : MessageType::call;
  message.method = method;
  message.body_codec = static_cast<BodyCodec>(codec);
  message.timeout.reset();
  if (first == call_with_deadline) {
    message.timeout = std::chrono::microseconds(static_cast<std::int64_t>(microseconds));
  }
  body = fields.rest();
  return bytes.size() - fields.beyond();
}

// Plain REPLYs, where they lie; of each all as in next_plain().
std::size_t ParleyDecoder::next_answers(std::span<PlainAnswer> out, Bytes& chunk) {
  constexpr std::size_t longest = 4096;
  constexpr unsigned char reply = 0x02;
  const std::string_view front = buffer_.front();
  if (!has_hello_ || front.empty() || static_cast<unsigned char>(front[0]) != reply) return 0;
  std::string_view left = front;
  std::size_t count = 0;
  for (; count < out.size(); ++count) {
    const impl::QuickReply frame(left, reply, longest);
    if (!frame.is_ok() || (frame.codec & impl::codec_filtered) != 0) break;
    out[count] = {
        .seq = frame.seq, .codec = static_cast<BodyCodec>(frame.codec), .body = frame.body};
    left.remove_prefix(static_cast<std::size_t>(frame.end - left.data()));
  }
  if (count == 0) return 0;
  chunk = buffer_.chunk();
  buffer_.consume(front.size() - left.size());
  return count;
}

Result<bool> ParleyDecoder::next(Message& message) {
  if (!error_.is_ok()) return error_;
  if (next_plain(message)) return true;
  for (;;) {
    Progress progress = Progress::frame;
    if (Status bad = advance(message, progress); !bad.is_ok()) return die(std::move(bad));
    if (progress != Progress::frame) return progress == Progress::message;
  }
}

// One frame further, if it is there.
Status ParleyDecoder::advance(Message& message, Progress& progress) {
  const std::string_view front = buffer_.front();
  const auto sizes = sizes_of_next(front);
  if (!sizes) return sizes.error();
  const auto [head, payload] = *sizes;
  if (head == 0 || front.size() < head + payload) return advance_joined(message, progress);
  const Frame frame{.first = static_cast<unsigned char>(front.front()),
                    .payload = front.substr(head, payload),
                    .at = head,
                    .buffer = &buffer_};
  if (Status bad = take(frame, message, progress); !bad.is_ok()) return bad;
  buffer_.consume(head + payload);
  return {};
}

// The same for a frame that is spread over chunks.
Status ParleyDecoder::advance_joined(Message& message, Progress& progress) {
  progress = Progress::needs_more;
  for (;;) {
    const auto sizes = sizes_of_next(buffer_.joined());
    if (!sizes) return sizes.error();
    const auto [head, payload] = *sizes;
    if (!buffer_.gather(head == 0 ? buffer_.joined().size() + 1 : head + payload)) return {};
    if (head == 0) continue;
    const Bytes joined = Bytes::from(buffer_.take_joined());
    const std::string_view bytes = joined.piece(0);
    const Frame frame{.first = static_cast<unsigned char>(bytes.front()),
                      .payload = bytes.substr(head, payload),
                      .at = head,
                      .joined = &joined};
    return take(frame, message, progress);
  }
}

Status ParleyDecoder::take(const Frame& frame, Message& message, Progress& progress) {
  progress = Progress::message;
  if (has_hello_) return take_frame(frame, message, progress);
  message.type = MessageType::hello;
  has_hello_ = true;
  return take_settings(frame.payload);
}

Status ParleyDecoder::take_settings(std::string_view payload) {
  FrameReader reader("parley hello", payload);
  std::uint64_t last = 0;
  while (reader.left() > 0 && reader.is_ok()) {
    const std::uint64_t number = reader.varint("number of a setting");
    const std::uint64_t value = reader.varint("value of a setting");
    if (!reader.is_ok()) break;
    if (number <= last) {
      reader.refuse("settings", "their numbers do not ascend");
      break;
    }
    last = number;
    if (number > impl::numbered_settings.size()) continue;  // of a later version
    std::uint64_t& setting = other_.*impl::numbered_settings[number - 1];
    if (value < setting) {
      reader.refuse(impl::setting_names[number - 1],
                    impl::against(value, "is below the least (", setting));
    }
    setting = value;
  }
  return reader.error();
}

std::string_view ParleyDecoder::read_method(FrameReader& reader, const Frame& frame,
                                            Message& message) {
  const std::uint64_t number = reader.varint("method");
  if (number >= impl::first_name) {
    if (number - impl::first_name < kept_.size()) return kept_[number - impl::first_name];
    reader.refuse("method", "no name was kept as " + std::to_string(number));
    return {};
  }
  const std::string_view text = read_text(reader, "method");
  if (text.size() > impl::longest_method) {
    reader.refuse("method", "a name of " + std::to_string(text.size()) + " bytes, at most 255");
    return {};
  }
  if (number == impl::name_as_text) {
    if (!text.empty()) message.method_block = frame.block();
    return text;
  }
  if (names_.size() >= limits_.takes.max_names) {
    reader.refuse("method", "more names are to be kept than max_names (" +
                                std::to_string(limits_.takes.max_names) + ")");
    return {};
  }
  if (!reader.is_ok()) return {};
  return kept_.emplace_back(names_.emplace_back(text));
}

Status ParleyDecoder::take_frame(const Frame& frame, Message& message, Progress& progress) {
  const unsigned kind = frame.first & impl::kind_mask;
  const unsigned flags = frame.first & ~impl::kind_mask;
  const FrameShape& shape = impl::frame_shapes[kind];
  FrameReader reader(shape.name, frame.payload);
  if (kind == impl::extension_kind) {
    progress = Progress::frame;
    (void)reader.varint("number");
    return reader.error();
  }
  if (!shape.is_known) reader.refuse("kind", "it is reserved");
  if ((flags & ~shape.flags()) != 0) reader.refuse("flags", "one that frames of this kind lack");
  message.type = shape.type;
  message.own = (flags & shape.own) != 0;
  message.more = (flags & shape.more) != 0;
  if (shape.has_id || message.more) {
    message.seq = read_id(reader, message.type == MessageType::credit && !message.own);
  }
  if (shape.has_method) message.method = read_method(reader, frame, message);
  if ((flags & shape.timeout) != 0) message.timeout = read_timeout(reader);
  if ((flags & shape.status) != 0 || message.type == MessageType::go_away) {
    message.status = read_status(reader);
  }
  if ((flags & shape.metadata) != 0) {
    read_metadata(reader, limits_.max_metadata_entries, message.metadata);
  }
  if (shape.has_codec) read_codec(reader, message);
  read_value(reader, message);
  if (!shape.has_body && reader.left() > 0) {
    reader.refuse("payload", std::to_string(reader.left()) + " bytes too many");
  }
  if (!reader.is_ok()) return reader.error();
  if ((flags & shape.auth) != 0) {
    message.type = kind == 1 ? MessageType::auth_call : MessageType::auth_reply;
  }
  if (message.type == MessageType::cancel) forget(part_key(message.seq, true));
  if (message.type == MessageType::part)
    return take_part(frame.tail(reader.left()), message, progress);
  if (message.more) return begin_parts(frame.tail(reader.left()), message, progress);
  if (reader.left() > limits_.takes.max_message) {
    refuse_body(message, reader.left());
  } else if (reader.left() > 0) {
    message.body = frame.tail(reader.left());
  }
  return {};
}

Status ParleyDecoder::begin_parts(Bytes first, Message& message, Progress& progress) {
  progress = Progress::frame;
  if (unfinished_.size() >= impl::most_unfinished) {
    return {Code::resource_exhausted, "parley frame: more than " +
                                          std::to_string(impl::most_unfinished) +
                                          " bodies are under way in parts"};
  }
  const std::uint64_t key = part_key(message.seq, is_of_own_exchange(message));
  const auto [at, is_new] = unfinished_.try_emplace(key);
  if (!is_new) {
    return {Code::invalid_argument, "parley frame: another body of id " +
                                        std::to_string(message.seq) +
                                        " is still under way in parts"};
  }
  Unfinished& begun = at->second;
  begun.serial = ++last_serial_;
  begun.message = std::exchange(message, Message());
  begun.message.more = false;
  // A name that is not kept must not keep the chunk it came in.
  if (begun.message.method_block) {
    const Bytes name = Bytes::copy_of(begun.message.method);
    begun.message.method = name.piece(0);
    begun.message.method_block = name.first_block();
  }
  begun.held = beside_body(begun.message);
  unfinished_bytes_ += begun.held;
  add_part(begun, std::move(first));
  return {};
}

Status ParleyDecoder::take_part(Bytes part, Message& message, Progress& progress) {
  const std::uint64_t key = part_key(message.seq, message.own);
  const auto found = unfinished_.find(key);
  if (found == unfinished_.end()) {
    return {Code::invalid_argument, "parley PART: id: no body of " + std::to_string(message.seq) +
                                        " is under way in parts"};
  }
  add_part(found->second, std::move(part));
  if (std::exchange(message, Message()).more) {
    progress = Progress::frame;
    return {};
  }
  Unfinished& whole = found->second;
  if (whole.is_refused) {
    refuse_body(whole.message, whole.bytes);
  } else {
    whole.message.body.append(Bytes::from(std::move(whole.small)));
  }
  message = std::move(whole.message);
  forget(key);
  return {};
}

// A body that grows too large is let go of: its exchange ends with an error, the session does not.
void ParleyDecoder::add_part(Unfinished& unfinished, Bytes part) {
  unfinished.bytes += part.size();
  if (unfinished.is_refused) return;
  unfinished.held += part.size();
  unfinished_bytes_ += part.size();
  const bool is_alone = unfinished_bytes_ == unfinished.held;
  if (unfinished.bytes > limits_.takes.max_message ||
      (!is_alone && unfinished_bytes_ > limits_.max_unfinished_bytes)) {
    unfinished.is_refused = true;
    unfinished_bytes_ -= std::exchange(unfinished.held, 0);
    unfinished.message.metadata.clear();
    unfinished.message.body = {};
    unfinished.small = {};
    return;
  }
  // A part keeps the chunk it came in only where it is most of that.
  const bool is_most = !part.empty() && 2 * part.size() >= part.first_block()->capacity();
  if (part.size() < (is_most ? shared_part_bytes : own_part_bytes)) {
    for (std::size_t i = 0; i < part.piece_count(); ++i) unfinished.small += part.piece(i);
    return;
  }
  if (!is_most && part.piece_count() == 1) part = Bytes::copy_of(part.piece(0));
  unfinished.message.body.append(Bytes::from(std::exchange(unfinished.small, {})));
  unfinished.message.body.append(std::move(part));
}

void ParleyDecoder::refuse_body(Message& message, std::size_t bytes) const {
  const bool is_too_large = bytes > limits_.takes.max_message;
  message.body = {};
  message.value = bytes;
  message.is_filtered = false;
  message.is_refused = true;
  message.status = Status(
      Code::resource_exhausted,
      is_too_large
          ? impl::against(bytes, "bytes are more than max_message (", limits_.takes.max_message)
          : impl::against(bytes,
                          "bytes in parts did not fit beside others into max_unfinished_bytes (",
                          limits_.max_unfinished_bytes));
}

std::uint64_t ParleyDecoder::oldest_unfinished() const noexcept {
  std::uint64_t oldest = 0;
  for (const auto& [key, unfinished] : unfinished_) {
    if (oldest == 0 || unfinished.serial < oldest) oldest = unfinished.serial;
  }
  return oldest;
}

void ParleyDecoder::forget(std::uint64_t key) {
  const auto found = unfinished_.find(key);
  if (found == unfinished_.end()) return;
  unfinished_bytes_ -= found->second.held;
  unfinished_.erase(found);
}

}  // namespace parley::wire
