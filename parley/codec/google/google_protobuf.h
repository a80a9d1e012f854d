// Messages of libprotobuf, the classes protoc makes with --cpp_out, in Parley's protobuf codec:
// encode_protobuf() and decode_protobuf() take them like any struct, and structs may have them as
// members. For code that moves over step by step; new code has protoc-gen-parley. Needs the target
// parley::codec_google, which links libprotobuf.
//
// libprotobuf does the work, by its own rules: of the limits max_bytes and max_depth hold, when
// decoding only, and for a member with their defaults; refuse_unknown_fields looks at the whole
// message, also at what it holds. As a
// member, and in a CodecRegistry, such a message stands in protobuf as it does on the wire (when it
// comes twice the last one holds; what proto2 requires is not asked for when it is written); in
// other formats it is its bytes. A member of more than 2 GiB, which libprotobuf does not write, is
// written as an empty message, without an error: where one may be so large, look at ByteSizeLong().
//
// Pure functions: safe on every thread and fiber, as far as libprotobuf's stack goes, which takes
// some hundred bytes for each level.
//
//   Result<std::string> bytes = codec::encode_protobuf(their_order);
//   Result<shop::Order> order = codec::decode_protobuf<shop::Order>(*bytes);
#pragma once

// Users of this header have libprotobuf. tidy-allow(public-includes): its types are what it is for.
#include <google/protobuf/message.h>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/protobuf.h"

namespace parley::codec {

template <class M>
concept GoogleMessage = std::derived_from<M, google::protobuf::Message>;

// For callers that do not know the type. Appends to `out`; invalid_argument when a required field
// of proto2 is missing, resource_exhausted beyond 2 GiB. On an error `out` is as it was.
Status encode_google(std::string& out, const google::protobuf::Message& message);
// What schemas say of such a message: the file that declares it, and those that one imports.
DescribedMessage describe_google(const google::protobuf::Descriptor& type);
// Nothing of the old content is left.
Status decode_google(std::string_view bytes, google::protobuf::Message& message,
                     const Limits& limits = {}, const ProtobufOptions& options = {});

template <GoogleMessage M>
Status encode_protobuf_to(std::string& out, const M& message, const Limits& = {}) {
  return encode_google(out, message);
}

template <GoogleMessage M>
Result<std::string> encode_protobuf(const M& message, const Limits& = {}) {
  std::string out;
  Status status = encode_google(out, message);
  if (!status.is_ok()) return status;
  return out;
}

template <GoogleMessage M>
Status decode_protobuf_into(std::string_view bytes, M& message, const Limits& limits = {},
                            const ProtobufOptions& options = {}) {
  return decode_google(bytes, message, limits, options);
}

template <GoogleMessage M>
Result<M> decode_protobuf(std::string_view bytes, const Limits& limits = {},
                          const ProtobufOptions& options = {}) {
  M message;
  Status status = decode_google(bytes, message, limits, options);
  if (!status.is_ok()) return status;
  return message;
}

namespace impl {

// A message M as its fields on the wire.
template <class M>
struct GoogleBytes {
  std::string fields;
};

template <class M>
struct Describe<GoogleBytes<M>> {
  using Bytes = GoogleBytes<M>;
  static constexpr BytesOperations operations = {
      .is_text = false,
      .is_view = false,
      .is_message = true,
      .get = [](const void* object, std::string&) -> std::string_view {
        return static_cast<const Bytes*>(object)->fields;
      },
      .set = [](void* object,
                std::string_view text) { static_cast<Bytes*>(object)->fields = text; },
      .describe = [] { return describe_google(*M::descriptor()); },
  };
  static constexpr Type make() { return bytes_type<Bytes>(operations); }
};

}  // namespace impl

}  // namespace parley::codec

template <parley::codec::GoogleMessage M>
struct parley::Representation<M> {
  using Bytes = parley::codec::impl::GoogleBytes<M>;
  static Bytes encode(const M& message) { return {message.SerializePartialAsString()}; }
  static Status decode(const Bytes& bytes, M& message) {
    return parley::codec::decode_google(bytes.fields, message);
  }
};
