// The typed reader: walks a table of types and the message side by side. Scalars and texts are read
// in msgpack_reader.cc, what holds other values in msgpack_reader_containers.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/impl/msgpack_cursor.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/members.h"
#include "parley/codec/msgpack.h"

namespace parley::codec::impl {

class MsgpackReader : public MsgpackCursor {
 public:
  MsgpackReader(std::string_view bytes, const Limits& limits, const MsgpackOptions& options)
      : MsgpackCursor(bytes, limits), options_(options) {}

  // The whole message as one value.
  bool read_message(const Type& type, void* object) { return read(type, object) && expect_end(); }

 private:
  static constexpr std::size_t unknown_field = Members::npos;
  static constexpr std::size_t no_field = Members::npos - 1;  // the failure is set

  // A value to be read in a call back.
  struct Target {
    MsgpackReader* reader;
    const Type* type;
  };

  // The value under the cursor.
  bool read(const Type& type, void* object);
  static bool read_target(void* target, void* object);

  // Each stands alone: inlined into read(), which calls itself, all their locals would lie on the
  // stack once per level.
  [[gnu::noinline]] bool read_boolean(bool& value);
  [[gnu::noinline]] bool read_integer(const Type& type, void* object);
  [[gnu::noinline]] bool read_float64(double& value);
  [[gnu::noinline]] bool read_float32(float& value);
  [[gnu::noinline]] bool read_string(std::string& value);
  [[gnu::noinline]] bool read_bytes(const BytesOperations& bytes, void* object);
  [[gnu::noinline]] bool read_json(std::string& text);
  [[gnu::noinline]] bool read_enumeration(const Type& type, void* object);
  [[gnu::noinline]] bool read_instant(const Type& type, void* object);
  [[gnu::noinline]] bool read_duration(const Type& type, void* object);
  [[gnu::noinline]] bool read_list(const Type& type, void* object);
  [[gnu::noinline]] bool read_apart(const Type& type, void* object, std::size_t count);
  [[gnu::noinline]] bool read_array(const Type& type, void* object);
  [[gnu::noinline]] bool read_tuple(const Type& type, void* object);
  [[gnu::noinline]] bool read_map(const Type& type, void* object);
  [[gnu::noinline]] bool read_variant(const Type& type, void* object);
  [[gnu::noinline]] const Alternative* read_alternative(const VariantOperations& variant,
                                                        void*& object);
  [[gnu::noinline]] bool read_represented(const Type& type, void* object);
  [[gnu::noinline]] bool read_structure(const Type& type, void* object);

  // The head of an array or a map and a level: how many elements or entries follow.
  [[gnu::noinline]] bool enter_elements(MsgpackForm form, std::size_t& count);
  [[gnu::noinline]] bool enter_exactly(std::size_t count);
  [[gnu::noinline]] bool take_seconds(Seconds& time);
  bool store(const Type& type, const MsgpackHead& head, void* object);
  std::size_t find_field(const Members& members, std::size_t expected);
  [[gnu::noinline]] std::size_t find_any_field(const Members& members);
  [[gnu::noinline]] bool read_unknown_member(const Members& members, void* object);
  [[gnu::cold]] bool fail_invalid(std::string message);
  [[gnu::cold]] bool fail_inexact(const MsgpackHead& head, std::string_view type);
  [[gnu::cold]] bool fail_time(const Type& type);
  [[gnu::cold]] bool fail_duplicate(const char* key);

  const MsgpackOptions& options_;
  bool is_represented_ = false;  // what is read is taken over while the message is there
  const char* key_ = nullptr;    // where the last key starts that was no field's
  std::string_view key_text_;
  std::vector<std::uint64_t> more_seen_;
};

}  // namespace parley::codec::impl
