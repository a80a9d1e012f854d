#include "parley/codec/type.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace {

using testing::Sample;
using testing::Tree;

TEST(Type, every_integer_has_the_kind_of_its_size_and_sign) {
  EXPECT_EQ(type_of<std::int8_t>().kind, Kind::int8);
  EXPECT_EQ(type_of<short>().kind, Kind::int16);
  EXPECT_EQ(type_of<int>().kind, Kind::int32);
  EXPECT_EQ(type_of<long>().kind, Kind::int64);
  EXPECT_EQ(type_of<long long>().kind, Kind::int64);
  EXPECT_EQ(type_of<std::uint8_t>().kind, Kind::uint8);
  EXPECT_EQ(type_of<unsigned short>().kind, Kind::uint16);
  EXPECT_EQ(type_of<unsigned>().kind, Kind::uint32);
  EXPECT_EQ(type_of<unsigned long long>().kind, Kind::uint64);
  EXPECT_EQ(type_of<bool>().kind, Kind::boolean);
  EXPECT_EQ(type_of<float>().kind, Kind::float32);
  EXPECT_EQ(type_of<double>().kind, Kind::float64);
}

TEST(Type, there_is_one_table_per_type) {
  EXPECT_EQ(&type_of<Sample>(), &type_of<const Sample&>());
  EXPECT_EQ(type_of<std::vector<Sample>>().element, &type_of<Sample>());
  EXPECT_EQ(type_of<std::optional<int>>().element, &type_of<int>());
}

TEST(Type, a_struct_lists_its_members_where_they_are) {
  const Members& members = type_of<Sample>().members();
  Sample sample;
  ASSERT_EQ(members.fields.size(), 26u);
  EXPECT_EQ(members.fields[3].name(), "i32");
  EXPECT_EQ(members.fields[3].key, "\"i32\":");
  EXPECT_EQ(reinterpret_cast<char*>(&sample) + members.fields[3].offset,
            reinterpret_cast<char*>(&sample.i32));
  EXPECT_EQ(reinterpret_cast<char*>(&sample) + members.fields[25].offset,
            reinterpret_cast<char*>(&sample.anything));
  EXPECT_EQ(static_cast<const Sample*>(members.defaults)->text, "default");
}

TEST(Type, offsets_are_the_compilers_also_where_alignment_is_forced) {
  struct Spread {
    std::int8_t first;
    alignas(32) std::int8_t second;
    std::int8_t third;
  };
  const auto fields = type_of<Spread>().members().fields;
  EXPECT_EQ(fields[1].offset, 32u);
  EXPECT_EQ(fields[2].offset, 33u);
}

TEST(Type, a_type_may_hold_itself) {
  const auto fields = type_of<Tree>().members().fields;
  EXPECT_EQ(fields[1].type->kind, Kind::list);
  EXPECT_EQ(fields[1].type->element, &type_of<Tree>());
}

TEST(Type, the_elements_of_a_tuple_have_places_and_no_names) {
  using Three = std::tuple<int, std::string, bool>;
  Three three;
  const auto fields = type_of<Three>().members().fields;
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[1].name(), "");
  EXPECT_EQ(reinterpret_cast<char*>(&three) + fields[1].offset,
            reinterpret_cast<char*>(&std::get<1>(three)));
  EXPECT_TRUE(type_of<std::tuple<>>().members().fields.empty());
}

TEST(Type, an_array_is_so_many_elements_side_by_side) {
  const Type& grid = type_of<short[2][3]>();
  EXPECT_EQ(grid.kind, Kind::array);
  EXPECT_EQ(grid.count, 2u);
  EXPECT_EQ(grid.element->count, 3u);
  const short from[2][3] = {{1, 2, 3}, {4, 5, 6}};
  short to[2][3] = {};
  grid.assign(&to, &from);
  EXPECT_EQ(to[1][2], 6);
}

TEST(Type, lists_grow_and_shrink_through_their_operations) {
  std::vector<std::string> texts = {"a"};
  const ListOperations& list = *type_of<std::vector<std::string>>().list;
  *static_cast<std::string*>(list.append(&texts)) = "b";
  EXPECT_EQ(list.size(&texts), 2u);
  EXPECT_EQ(list.data(&texts), texts.data());
  list.truncate(&texts, 1);
  list.truncate(&texts, 5);
  EXPECT_EQ(texts, std::vector<std::string>{"a"});
}

template <class Map>
void walk_a_map() {
  Map map;
  const MapOperations& operations = *type_of<Map>().map;
  MapCursor cursor;
  EXPECT_FALSE(operations.first(&map, cursor));
  *static_cast<int*>(operations.insert(&map, "one")) = 1;
  *static_cast<int*>(operations.insert(&map, "two")) = 2;
  EXPECT_EQ(operations.insert(&map, "one"), nullptr);
  std::map<std::string, int> seen;
  for (bool some = operations.first(&map, cursor); some; some = operations.next(&map, cursor)) {
    seen[*cursor.key] = *static_cast<const int*>(cursor.value);
  }
  EXPECT_EQ(seen, (std::map<std::string, int>{{"one", 1}, {"two", 2}}));
  operations.clear(&map);
  EXPECT_EQ(operations.size(&map), 0u);
}

TEST(Type, maps_are_filled_and_walked_through_their_operations) {
  walk_a_map<std::map<std::string, int>>();
  walk_a_map<std::unordered_map<std::string, int>>();
}

TEST(Type, kinds_have_the_names_of_json) {
  EXPECT_EQ(name_of(Kind::uint16), "integer");
  EXPECT_EQ(name_of(Kind::float32), "number");
  EXPECT_EQ(name_of(Kind::tuple), "array");
  EXPECT_EQ(name_of(Kind::structure), "object");
  EXPECT_EQ(name_of(Kind::json), "value");
}

}  // namespace
}  // namespace parley::codec
