// The typed reader: walks a table of types and the tree of an XML text side by side. Single values
// are read in xml_reader.cc, what holds others in xml_reader_containers.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/scalar_text.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/members.h"
#include "parley/codec/xml/impl/xml_tree.h"
#include "parley/codec/xml/xml.h"

namespace parley::codec::impl {

class XmlReader {
 public:
  XmlReader(const Limits& limits, const XmlOptions& options)
      : options_(options), style_{.bytes_as_base64 = true, .limits = limits, .room = &taken_} {}
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;

  Status read_text(std::string_view text, const Type& type, void* object);

 private:
  static constexpr std::size_t no_field = Members::npos;
  static constexpr std::size_t failed_field = Members::npos - 1;

  // Where a value stands: an element, or a text of its own (an attribute) in the tag of that one.
  struct Place {
    pugi::xml_node node;
    const char* text = nullptr;
    bool is_entry = false;  // of a map: its attribute `key` has been read
  };
  struct Target {
    XmlReader* reader;
    const Type* type;
    Place place;
  };
  // How many elements of each member have been read, in memory that structs inside share.
  class Counts {
   public:
    Counts(std::size_t count, std::vector<std::uint32_t>& all) : all_(all), base_(all.size()) {
      all.resize(base_ + count);
    }
    Counts(const Counts&) = delete;
    Counts& operator=(const Counts&) = delete;
    ~Counts() { all_.resize(base_); }
    std::uint32_t& operator[](std::size_t index) { return all_[base_ + index]; }

   private:
    std::vector<std::uint32_t>& all_;
    std::size_t base_;
  };

  bool read(const Type& type, const Place& place, void* object);
  static bool read_target(void* target, void* object);

  // Each stands alone: inlined into read(), which calls itself, all their locals would lie on the
  // stack once per level.
  [[gnu::noinline]] bool read_single(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool set_single(const Type& type, std::string_view text, void* object);
  [[gnu::noinline]] bool set_view(const Type& type, std::string_view text, void* object);
  [[gnu::noinline]] bool text_of(const Type& type, const Place& place, std::string_view& text);
  [[gnu::noinline]] bool read_optional(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool read_represented(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool read_list(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool read_array(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool read_tuple(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool read_map(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool read_entry(const Type& type, pugi::xml_node entry, void* object);
  [[gnu::noinline]] bool read_variant(const Type& type, const Place& place, void* object);
  [[gnu::noinline]] bool read_structure(const Type& type, const Place& place, void* object);

  // Of a list that has `index` elements of this text so far; the others are old ones.
  bool read_element(const Type& type, std::size_t index, pugi::xml_node node, void* object);
  [[gnu::noinline]] bool read_attributes(const Members& members, const Place& place,
                                         SeenFields& seen, void* object);
  [[gnu::noinline]] bool read_own_text(const Members& members, pugi::xml_node node,
                                       SeenFields& seen, void* object);
  bool read_child(const Members& members, pugi::xml_node child, SeenFields& seen, Counts& counts,
                  void* object);
  [[gnu::noinline]] std::size_t find_child(const Members& members, pugi::xml_node child,
                                           SeenFields& seen, const void* object);
  [[gnu::noinline]] void* room_for(const Members& members, std::size_t index, SeenFields& seen,
                                   Counts& counts, void* object);
  [[gnu::noinline]] bool read_apart(const Type& type, pugi::xml_node child, void* object);
  [[gnu::noinline]] bool finish_members(const Members& members, pugi::xml_node node,
                                        SeenFields& seen, Counts& counts, void* object);
  [[gnu::noinline]] static void keep_unknown(const Members& members, const Place& place,
                                             UnknownFields& kept);
  [[gnu::noinline]] bool check_unknown(const Members& members, std::string_view name,
                                       const char* place, const void* object);

  // `child`, or the first behind it that is an element; none at the end. Only white space may
  // stand between.
  [[gnu::noinline]] bool next_element(pugi::xml_node& child);
  // All elements in `node` are <item>s: how many.
  [[gnu::noinline]] bool count_items(pugi::xml_node node, std::size_t& count);
  [[gnu::noinline]] bool check_attributes(const Place& place);

  static std::size_t find(const Members& members, std::string_view name, XmlPlace place);
  [[nodiscard]] std::size_t offset_of(const Place& place) const;
  bool fail(std::size_t offset, std::string message, Code code = Code::invalid_argument);
  bool fail(const Place& place, std::string message) {
    return fail(offset_of(place), std::move(message));
  }
  [[gnu::cold]] bool fail_name(pugi::xml_node node, std::string_view expected);
  [[gnu::cold]] bool fail_text(pugi::xml_node text);
  [[gnu::cold]] bool fail_element(const Type& type, pugi::xml_node node);
  [[gnu::cold]] bool fail_nil(const Place& place);
  [[gnu::cold]] bool fail_size(const Place& place, std::size_t size);

  const XmlOptions& options_;
  ScalarStyle style_;
  XmlTree tree_;
  std::string room_;   // of a text that stands in several pieces
  std::string taken_;  // what bytes mean
  Failure failure_;
  std::size_t failed_ = 0;
  bool is_represented_ = false;  // what is read is taken over while the text is there
  std::vector<std::uint64_t> more_seen_;
  std::vector<std::uint32_t> counts_;
};

// Whether a member of this type repeats its element.
inline bool repeats(const Field& field) {
  return field.variant == nullptr &&
         (field.type->kind == Kind::list || field.type->kind == Kind::array);
}

}  // namespace parley::codec::impl
