#include "parley/wire/impl/erpc_frame.h"

#include <algorithm>
#include <limits>

#include "parley/wire/filter.h"
#include "parley/wire/query.h"

namespace parley::wire::impl {
namespace {

constexpr std::size_t most_reserved_for_metadata = 65535;

std::string named(std::string_view frame_name) { return std::string(frame_name) + ": "; }

Status method_too_long(std::string_view frame_name, std::string_view method) {
  return malformed(frame_name, "method name of " + count_of(method.size(), "bytes") + " (\"" +
                                   std::string(method.substr(0, 32)) +
                                   "…\"); the format carries at most " +
                                   std::to_string(longest_method));
}

std::string whose(const Message& message) {
  if (message.type == MessageType::reply) return " of the answer";
  return " for method \"" + std::string(message.method) + "\"";
}

Status metadata_too_long(const ErpcFormat& format, std::size_t size, const Message& message) {
  return {Code::resource_exhausted,
          named(format.frame_name) + "metadata of " + count_of(size, "bytes") + " as query text" +
              whose(message) + "; the format carries at most " +
              std::to_string(format.longest_metadata) + ": move large values to the body"};
}

}  // namespace

std::string count_of(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun);
}

Status malformed(std::string_view frame_name, std::string_view what) {
  return {Code::invalid_argument, named(frame_name) + std::string(what)};
}

Status too_large(std::string_view frame_name, std::size_t size, std::size_t limit,
                 std::string_view begin) {
  std::string what = named(frame_name) + "a frame of " + count_of(size, "bytes") +
                     " is larger than max_frame_bytes (" + std::to_string(limit) + "); ";
  // Four printable bytes where a length should be are the beginning of a text protocol.
  const bool is_text = !begin.empty() && std::all_of(begin.begin(), begin.end(), [](char byte) {
    return byte >= ' ' && byte <= '~';
  });
  what += is_text ? "the other side does not seem to speak this protocol: its first bytes are \"" +
                        std::string(begin) + "\""
                  : "send less at once or raise the limit on both sides";
  return {Code::resource_exhausted, std::move(what)};
}

Result<FilterPipe> read_filters(std::string_view frame_name, std::string_view ids) {
  const Result<FilterPipe> pipe = FilterPipe::read(ids);
  if (!pipe) return pipe.error().with_context(frame_name);
  return pipe->reversed();
}

Result<Bytes> filtered(std::string_view frame_name, const Message& message, Bytes content,
                       const ErpcLimits& limits) {
  if (message.is_filtered) {
    return malformed(frame_name,
                     "the body went through its filters already, which this format cannot say");
  }
  Result<Bytes> applied = apply_filters(limits.filters.get(), message.filters, std::move(content));
  if (!applied) return applied.error().with_context(frame_name);
  return applied;
}

Result<Bytes> unfiltered(std::string_view frame_name, const FilterPipe& pipe, Bytes content,
                         const ErpcLimits& limits) {
  Result<Bytes> undone = undo_filters(limits.filters.get(), pipe, std::move(content),
                                      {.bytes = limits.max_frame_bytes, .name = "max_frame_bytes"});
  if (!undone) return undone.error().with_context(frame_name);
  return undone;
}

std::size_t frame_limit(const ErpcLimits& limits, std::size_t uncounted) noexcept {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  return std::min(limits.max_frame_bytes, most + uncounted);
}

Status unknown_type(std::string_view frame_name, std::int64_t number) {
  return malformed(frame_name, "unknown message type " + std::to_string(number));
}

Status read_method(std::string_view frame_name, std::string_view method, Message& out) {
  if (method.size() > longest_method) return method_too_long(frame_name, method);
  out.method = method;
  return {};
}

Status read_metadata(std::string_view frame_name, std::string_view text, const ErpcLimits& limits,
                     Message& out) {
  auto entries = decode_query(text, {.max_entries = limits.max_metadata_entries});
  if (!entries) return entries.error().with_context(named(frame_name) + "metadata");
  out.metadata = *std::move(entries);
  return {};
}

Status refuse_unwritable(std::string_view frame_name, const Message& message,
                         const ErpcLimits& limits) {
  if (!teleport_type_of(static_cast<std::uint32_t>(message.type)) || message.more) {
    return {Code::unimplemented,
            named(frame_name) + "it carries no " +
                std::string(message.more ? "body in parts" : name_of(message.type)) +
                ", only calls, pushes and their like, whole"};
  }
  if (message.method.size() > longest_method) return method_too_long(frame_name, message.method);
  if (message.metadata.size() > limits.max_metadata_entries) {
    return {Code::resource_exhausted, named(frame_name) + "metadata of " +
                                          count_of(message.metadata.size(), "entries") +
                                          whose(message) + " is more than max_metadata_entries (" +
                                          std::to_string(limits.max_metadata_entries) + ")"};
  }
  return {};
}

void make_room(const Status& status, std::size_t metadata_most, std::size_t rest,
               std::string& out) {
  const std::size_t status_most =
      status.is_ok() ? std::size_t{6} : 32 + 3 * (status.message().size() + status.cause().size());
  const std::size_t needed = out.size() + rest + std::min(status_most, max_status_text) +
                             std::min(metadata_most, most_reserved_for_metadata);
  // Never less than double: many small messages written to one buffer must not each move it.
  if (needed > out.capacity()) out.reserve(std::max(needed, 2 * out.capacity()));
}

std::size_t status_room(const Message& message, std::size_t rest, std::size_t limit) noexcept {
  if (message.status.is_ok()) return max_status_text;
  rest += query_size(message.metadata);
  return rest < limit ? std::min(limit - rest, max_status_text) : 0;
}

void let_go_of_frame(std::size_t frame_bytes, bool shows_body, Message& message) {
  constexpr std::size_t most_unused = std::size_t{16} << 10U;
  if (frame_bytes - (shows_body ? message.body.size() : 0) <= most_unused) return;
  if (shows_body) message.body = Bytes::copy_of(message.body.to_string());
  if (message.method.empty()) return;
  Bytes method = Bytes::copy_of(message.method);
  message.method = method.flatten();
  message.method_block = method.first_block();
}

Match match_frame(std::string_view first_bytes, const ErpcFormat& format,
                  const ErpcLimits& limits) noexcept {
  constexpr std::size_t needed = size_bytes + 2;
  const std::size_t limit = frame_limit(limits, format.uncounted);
  std::size_t size = 0;
  for (const char c : first_bytes.substr(0, size_bytes)) {
    size = size << 8U | static_cast<unsigned char>(c);
  }
  if (first_bytes.size() < needed) {
    // The first byte alone tells it from texts and from formats that begin with a magic number.
    const bool may_be =
        first_bytes.empty() || static_cast<unsigned char>(first_bytes.front()) <= limit >> 24U;
    return may_be ? Match::needs_more : Match::no;
  }
  if (size < format.smallest_size || size + format.uncounted > limit) return Match::no;
  const bool is_filtered = first_bytes[size_bytes] != 0;
  const auto opening = static_cast<unsigned char>(first_bytes[size_bytes + 1]);
  return is_filtered || format.may_open(opening) ? Match::yes : Match::no;
}

// The size of the frame with its length, if it is one we take.
Result<std::size_t> ErpcDecoder::claimed_size(std::string_view head) const {
  std::size_t size = 0;
  for (const char c : head.substr(0, size_bytes)) size = size << 8U | static_cast<unsigned char>(c);
  const std::size_t limit = frame_limit(limits_, format_.uncounted);
  if (size + format_.uncounted > limit) {
    return too_large(format_.frame_name, size + format_.uncounted, limit,
                     head.substr(0, size_bytes));
  }
  if (size < format_.smallest_size) {
    return malformed(format_.frame_name, "it claims a size of " + count_of(size, "bytes") +
                                             ", but the smallest frame has " +
                                             std::to_string(format_.smallest_size));
  }
  return size + format_.uncounted;
}

Status ErpcDecoder::parse_frame(std::string_view frame, Message& message,
                                std::string_view& body) const {
  FrameReader reader(format_.frame_name, frame.substr(size_bytes));
  (void)reader.number(1, "filter count");
  return parse(reader, message, body);
}

// The frame names filters, so its content has to be made first; that is what the message shows.
Status ErpcDecoder::parse_filtered(const Bytes& frame, Message& message) const {
  FrameReader outer(format_.frame_name, frame.piece(0).substr(size_bytes));
  const std::string_view ids = outer.text(outer.number(1, "filter count"), "filter list");
  if (!outer.is_ok()) return outer.error();
  const Result<FilterPipe> pipe = read_filters(format_.frame_name, ids);
  if (!pipe) return pipe.error();
  Result<Bytes> undone = unfiltered(format_.frame_name, *pipe,
                                    frame.slice(opening_bytes + ids.size(), outer.left()), limits_);
  if (!undone) return undone.error();
  const std::string_view content = undone->flatten();
  FrameReader reader(format_.frame_name, content);
  std::string_view body;
  if (Status bad = parse(reader, message, body); !bad.is_ok()) return bad;
  message.filters = *pipe;
  if (!message.method.empty() && !message.method_block) {
    message.method_block = undone->first_block();
  }
  if (!body.empty()) {
    message.body =
        undone->slice(static_cast<std::size_t>(body.data() - content.data()), body.size());
  }
  let_go_of_frame(content.size(), !body.empty(), message);
  return {};
}

Status ErpcDecoder::die(Status why) {
  error_ = std::move(why);
  buffer_.clear();
  return error_;
}

// The frame lies in one chunk: nothing is copied but what the message keeps as text.
Result<bool> ErpcDecoder::next(Message& message) {
  if (!error_.is_ok()) return error_;
  const std::string_view chunk = buffer_.front();
  if (chunk.size() < size_bytes) return next_joined(message);
  const Result<std::size_t> size = claimed_size(chunk);
  if (!size) return die(size.error());
  if (chunk.size() < *size) return next_joined(message);
  if (chunk[size_bytes] != 0) [[unlikely]] {
    Status status = parse_filtered(buffer_.slice(0, *size), message);
    if (!status.is_ok()) return die(std::move(status));
    buffer_.consume(*size);
    return true;
  }
  std::string_view body;
  Status status = parse_frame(chunk.substr(0, *size), message, body);
  if (!status.is_ok()) return die(std::move(status));
  if (!message.method.empty() && !message.method_block) message.method_block = buffer_.block();
  if (!body.empty()) {
    const auto offset = static_cast<std::size_t>(body.data() - chunk.data());
    message.body = buffer_.slice(offset, offset + body.size());
  }
  let_go_of_frame(*size, !body.empty(), message);
  buffer_.consume(*size);
  return true;
}

Result<bool> ErpcDecoder::next_joined(Message& message) {
  if (!buffer_.gather(size_bytes)) return false;
  const Result<std::size_t> size = claimed_size(buffer_.joined());
  if (!size) return die(size.error());
  if (!buffer_.gather(*size)) return false;
  const Bytes frame = Bytes::from(buffer_.take_joined());
  const std::string_view text = frame.piece(0);
  if (text[size_bytes] != 0) [[unlikely]] {
    Status status = parse_filtered(frame, message);
    if (!status.is_ok()) return die(std::move(status));
    return true;
  }
  std::string_view body;
  Status status = parse_frame(text, message, body);
  if (!status.is_ok()) return die(std::move(status));
  if (!message.method.empty() && !message.method_block) message.method_block = frame.first_block();
  if (!body.empty()) {
    message.body = frame.slice(static_cast<std::size_t>(body.data() - text.data()), body.size());
  }
  let_go_of_frame(text.size(), !body.empty(), message);
  return true;
}

bool ErpcEncoder::has(MessageType type) const noexcept {
  return teleport_type_of(static_cast<std::uint32_t>(type)).has_value();
}

std::size_t ErpcEncoder::max_body_bytes() const noexcept {
  constexpr std::size_t ok_status = 6;  // "code=0"
  return limit() - std::min(limit(), format_.most_overhead + ok_status);
}

Status ErpcEncoder::encode_head(const Message& message, const Sizes& sizes,
                                std::string& out) const {
  const std::string_view name = format_.frame_name;
  if (Status bad = refuse_unwritable(name, message, limits_); !bad.is_ok()) return bad;
  const std::size_t metadata_least = bytes_of(message.metadata);
  const std::size_t metadata_most = 3 * metadata_least + 2 * message.metadata.size();
  if (metadata_most > format_.longest_metadata) {
    const std::size_t metadata = query_size(message.metadata);
    if (metadata > format_.longest_metadata) return metadata_too_long(format_, metadata, message);
  }
  const std::size_t least =
      format_.smallest_size + format_.uncounted + sizes.method + metadata_least + sizes.body;
  if (least > limit()) return too_large(name, least, limit());
  const std::size_t overhead = format_.most_overhead + sizes.method;
  make_room(message.status, metadata_most, overhead + sizes.body_room, out);
  const std::size_t start = out.size();
  put_head(message, sizes.body, overhead + sizes.body, out);
  const std::size_t size = out.size() - start + sizes.body;
  if (size > limit()) {
    out.resize(start);
    return too_large(name, size, limit());
  }
  put_number(out.data() + start, size_bytes, size - format_.uncounted);
  return {};
}

Status ErpcEncoder::encode_answer(std::int32_t seq, BodyCodec codec, std::string_view body,
                                  std::string& out) const {
  return put({.seq = seq, .type = MessageType::reply, .body_codec = codec}, {&body, 1}, out);
}

Status ErpcEncoder::put(const Message& message, std::span<const std::string_view> body,
                        std::string& out) const {
  std::size_t size = 0;
  for (const std::string_view piece : body) size += piece.size();
  const Sizes sizes{.method = message.method.size(), .body = size, .body_room = size};
  if (Status bad = encode_head(message, sizes, out); !bad.is_ok()) return bad;
  for (const std::string_view piece : body) out += piece;
  return {};
}

Status ErpcEncoder::put_filtered(const Message& message, std::span<const std::string_view> body,
                                 std::string& out) const {
  // Written as if there were no filters, it has the content behind its opening.
  std::string plain;
  if (Status bad = put(message, body, plain); !bad.is_ok()) return bad;
  const std::size_t content_bytes = plain.size() - opening_bytes;
  Result<Bytes> content =
      filtered(format_.frame_name, message,
               Bytes::from(std::move(plain)).slice(opening_bytes, content_bytes), limits_);
  if (!content) return content.error();
  const FilterPipe on_wire = message.filters.reversed();
  const std::string_view ids = on_wire.ids();
  const std::size_t size = opening_bytes + ids.size() + content->size();
  if (size > limit()) return too_large(format_.frame_name, size, limit());
  const std::size_t start = out.size();
  out.resize(start + size);
  char* at = out.data() + start;
  put_number(at, size_bytes, size - format_.uncounted);
  at[size_bytes] = static_cast<char>(ids.size());
  at = std::copy(ids.begin(), ids.end(), at + opening_bytes);
  content->copy_to(at);
  return {};
}

Status ErpcEncoder::encode_apart(const Message& message, std::string& out, Bytes& tail) {
  if (!message.filters.empty()) [[unlikely]] {
    Status status = encode(message, out);
    if (status.is_ok()) tail = {};
    return status;
  }
  const Sizes sizes{.method = message.method.size(), .body = message.body.size()};
  if (Status bad = encode_head(message, sizes, out); !bad.is_ok()) return bad;
  tail = message.body;
  return {};
}

}  // namespace parley::wire::impl
