#include "parley/wire/impl/pb_envelope.h"

#include <array>
#include <limits>

#include "parley/wire/impl/erpc_frame.h"
#include "parley/wire/impl/varint.h"
#include "parley/wire/query.h"
#include "parley/wire/status_text.h"

namespace parley::wire::impl {
namespace {

constexpr std::uint32_t seq_number = 1;
constexpr std::uint32_t type_number = 2;
constexpr std::uint32_t method_number = 3;

// How a value looks, the low three bits of a tag. 3 and 4, groups, are none of proto3's.
enum Wire : std::uint8_t { as_varint = 0, as_fixed64 = 1, as_bytes = 2, as_fixed32 = 5 };

class EnvelopeReader {
 public:
  EnvelopeReader(std::string_view bytes, const PbEnvelope& envelope, const ErpcLimits& limits,
                 Message& message)
      : left_(bytes),
        size_(bytes.size()),
        envelope_(envelope),
        limits_(limits),
        message_(message) {}

  // Of fields that occur several times the last one counts, so texts are read at the end.
  Status read(std::string_view& body) {
    while (!left_.empty() && error_.is_ok()) read_field();
    if (!error_.is_ok()) return error_;
    const std::string_view name = envelope_.frame_name;
    if (!filters_.empty()) {
      const Result<FilterPipe> pipe = read_filters(name, filters_);
      if (!pipe) return pipe.error();
      message_.filters = *pipe;
    }
    if (Status bad = read_type(name, type_, message_); !bad.is_ok()) return bad;
    if (codec_ < 0 || codec_ > std::numeric_limits<unsigned char>::max()) {
      return malformed(name, "bodyCodec " + std::to_string(codec_) + " is no byte");
    }
    message_.body_codec = static_cast<BodyCodec>(static_cast<unsigned char>(codec_));
    body = body_;
    if (Status bad = read_method(name, method_, message_); !bad.is_ok()) return bad;
    if (Status bad = read_status(name, status_, message_); !bad.is_ok()) return bad;
    if (metadata_.empty()) return {};
    return read_metadata(name, metadata_, limits_, message_);
  }

 private:
  void fail(std::string_view what) {
    if (!error_.is_ok()) return;
    error_ = malformed(envelope_.frame_name,
                       std::string(what) + " at offset " + std::to_string(size_ - left_.size()));
  }

  // Ten bytes at most. Others than get_varint()'s: it may be longer than it has to be.
  std::uint64_t read_varint() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < longest_varint && i < left_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(left_[i]);
      if (i + 1 == longest_varint && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
      if (byte >= 0x80) continue;
      left_.remove_prefix(i + 1);
      return value;
    }
    fail(left_.size() < longest_varint ? "the frame ends within a number"
                                       : "a number of more than 64 bits");
    return 0;
  }

  // As protobuf has it: of an int32 the low 32 bits count.
  std::int32_t read_int32(Wire wire, std::string_view field) {
    if (wire != as_varint) {
      fail(std::string(field) + " is no number");
      return 0;
    }
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(read_varint()));
  }

  std::string_view take(std::uint64_t size) {
    if (size > left_.size()) {
      fail("a field of " + std::to_string(size) + " bytes, but only " +
           std::to_string(left_.size()) + " are left in the frame,");
      return {};
    }
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(size));
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view read_bytes(Wire wire, std::string_view field) {
    if (wire != as_bytes) {
      fail(std::string(field) + " is not of bytes");
      return {};
    }
    const std::uint64_t size = read_varint();
    return error_.is_ok() ? take(size) : std::string_view();
  }

  void skip(Wire wire) {
    switch (wire) {
      case as_varint:
        (void)read_varint();
        return;
      case as_fixed64:
        (void)take(8);
        return;
      case as_bytes:
        (void)read_bytes(wire, "");
        return;
      case as_fixed32:
        (void)take(4);
        return;
    }
    fail("a field of wire type " + std::to_string(static_cast<int>(wire)));
  }

  void read_field() {
    const std::uint64_t tag = read_varint();
    if (!error_.is_ok()) return;
    const std::uint64_t number = tag >> 3U;
    const auto wire = static_cast<Wire>(tag & 7U);
    if (number == 0 || tag > std::numeric_limits<std::uint32_t>::max()) {
      return fail("a field number that is none");
    }
    if (number == seq_number) {
      message_.seq = read_int32(wire, "seq");
    } else if (number == type_number) {
      type_ = read_int32(wire, "mtype");
    } else if (number == method_number) {
      method_ = read_bytes(wire, "serviceMethod");
    } else if (number == envelope_.status) {
      status_ = read_bytes(wire, "status");
    } else if (number == envelope_.metadata) {
      metadata_ = read_bytes(wire, "meta");
    } else if (number == envelope_.body_codec) {
      codec_ = read_int32(wire, "bodyCodec");
    } else if (number == envelope_.body) {
      body_ = read_bytes(wire, "body");
    } else if (number == envelope_.filters) {
      filters_ = read_bytes(wire, "xfer_pipe");
    } else {
      skip(wire);
    }
  }

  std::string_view left_;
  std::size_t size_;
  const PbEnvelope& envelope_;
  const ErpcLimits& limits_;
  Message& message_;
  Status error_;
  std::int32_t type_ = 0;
  std::int32_t codec_ = 0;
  std::string_view method_;
  std::string_view status_;
  std::string_view metadata_;
  std::string_view body_;
  std::string_view filters_;
};

void put_varint(std::string& out, std::uint64_t value) {
  std::array<char, longest_varint> room{};
  out.append(room.data(), impl::put_varint(room.data(), value));
}

// What is zero or empty is left out, as proto3 has it. A negative number has ten bytes.
void put_int32(std::string& out, std::uint32_t number, std::int32_t value) {
  if (value == 0) return;
  put_varint(out, number << 3U | as_varint);
  put_varint(out, static_cast<std::uint64_t>(std::int64_t{value}));
}

void put_length(std::string& out, std::uint32_t number, std::size_t size) {
  if (size == 0) return;
  put_varint(out, number << 3U | as_bytes);
  put_varint(out, size);
}

}  // namespace

Status read_pb_envelope(std::string_view bytes, const PbEnvelope& envelope,
                        const ErpcLimits& limits, Message& message, std::string_view& body) {
  return EnvelopeReader(bytes, envelope, limits, message).read(body);
}

void put_pb_head(std::string& out, const PbEnvelope& envelope, const Message& message,
                 std::size_t status_bytes, std::size_t body_bytes) {
  put_int32(out, seq_number, message.seq);
  put_int32(out, type_number, static_cast<std::int32_t>(message.type));
  put_length(out, method_number, message.method.size());
  out += message.method;
  // Its length is known once it is written; most lengths have one byte.
  const auto put_status = [&](std::uint32_t number) {
    put_varint(out, number << 3U | as_bytes);
    const std::size_t at = out.size();
    out += '\0';
    append_status_text(out, message.status, status_bytes);
    const std::size_t size = out.size() - at - 1;
    out.insert(at, varint_size(size) - 1, '\0');
    impl::put_varint(out.data() + at, size);
  };
  const auto put_metadata = [&] {
    if (message.metadata.empty()) return;
    put_length(out, envelope.metadata, query_size(message.metadata));
    append_query(out, message.metadata);
  };
  const bool has_status = !envelope.leaves_out_ok || !message.status.is_ok();
  if (has_status && envelope.status < envelope.metadata) put_status(envelope.status);
  put_metadata();
  put_int32(out, envelope.body_codec, static_cast<unsigned char>(message.body_codec));
  if (has_status && envelope.status > envelope.metadata) put_status(envelope.status);
  put_length(out, envelope.body, body_bytes);
}

void put_pb_filters(std::string& out, const PbEnvelope& envelope, const FilterPipe& filters) {
  const FilterPipe on_wire = filters.reversed();
  const std::string_view ids = on_wire.ids();
  put_length(out, envelope.filters, ids.size());
  out += ids;
}

}  // namespace parley::wire::impl
