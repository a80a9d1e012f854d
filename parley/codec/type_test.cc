#include "parley/codec/type.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
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
  ASSERT_EQ(members.fields().size(), 26u);
  EXPECT_EQ(members.fields()[3].name, "i32");
  EXPECT_EQ(members.fields()[3].key, "\"i32\":");
  EXPECT_EQ(reinterpret_cast<char*>(&sample) + members.fields()[3].offset,
            reinterpret_cast<char*>(&sample.i32));
  EXPECT_EQ(reinterpret_cast<char*>(&sample) + members.fields()[25].offset,
            reinterpret_cast<char*>(&sample.anything));
  EXPECT_EQ(static_cast<const Sample*>(members.defaults())->text, "default");
}

TEST(Type, offsets_are_the_compilers_also_where_alignment_is_forced) {
  struct Spread {
    std::int8_t first;
    alignas(32) std::int8_t second;
    std::int8_t third;
  };
  const auto fields = type_of<Spread>().members().fields();
  EXPECT_EQ(fields[1].offset, 32u);
  EXPECT_EQ(fields[2].offset, 33u);
}

TEST(Type, a_type_may_hold_itself) {
  const auto fields = type_of<Tree>().members().fields();
  EXPECT_EQ(fields[1].type->kind, Kind::list);
  EXPECT_EQ(fields[1].type->element, &type_of<Tree>());
}

TEST(Type, the_elements_of_a_tuple_have_places_and_no_names) {
  using Three = std::tuple<int, std::string, bool>;
  Three three;
  const auto fields = type_of<Three>().members().fields();
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[1].name, "");
  EXPECT_EQ(reinterpret_cast<char*>(&three) + fields[1].offset,
            reinterpret_cast<char*>(&std::get<1>(three)));
  EXPECT_TRUE(type_of<std::tuple<>>().members().fields().empty());
}

TEST(Type, an_array_is_so_many_elements_side_by_side) {
  const Type& grid = type_of<short[2][3]>();
  EXPECT_EQ(grid.kind, Kind::array);
  EXPECT_EQ(grid.count, 2u);
  EXPECT_EQ(grid.element->count, 3u);
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

int* insert(const MapOperations& operations, void* map, std::string key, bool& is_new,
            MapSpare* spare = nullptr) {
  const Fill fill = [](void* context, void* place) {
    *static_cast<std::string*>(place) = *static_cast<std::string*>(context);
    return !static_cast<std::string*>(place)->empty();
  };
  return static_cast<int*>(operations.insert(map, spare, fill, &key, is_new));
}

template <class Map>
void walk_a_map() {
  Map map;
  const MapOperations& operations = *type_of<Map>().map;
  Cursor cursor;
  bool is_new = false;
  EXPECT_FALSE(operations.first(&map, cursor));
  *insert(operations, &map, "one", is_new) = 1;
  EXPECT_TRUE(is_new);
  *insert(operations, &map, "two", is_new) = 2;
  EXPECT_EQ(*insert(operations, &map, "one", is_new), 1);
  EXPECT_FALSE(is_new);
  EXPECT_EQ(insert(operations, &map, "", is_new), nullptr) << "fill gave up";
  std::map<std::string, int> seen;
  for (bool some = operations.first(&map, cursor); some; some = operations.next(&map, cursor)) {
    seen[*static_cast<const std::string*>(cursor.key)] = *static_cast<const int*>(cursor.value);
  }
  EXPECT_EQ(seen, (std::map<std::string, int>{{"one", 1}, {"two", 2}}));
  operations.clear(&map, nullptr);
  EXPECT_EQ(operations.size(&map), 0u);
}

TEST(Type, maps_are_filled_and_walked_through_their_operations) {
  walk_a_map<std::map<std::string, int>>();
  walk_a_map<std::unordered_map<std::string, int>>();
}

TEST(Type, a_map_that_is_read_anew_takes_its_entries_again) {
  using Map = std::map<std::string, int>;
  Map map = {{"one", 1}, {"two", 2}};
  const void* const entry = &map.begin()->second;
  const MapOperations& operations = *type_of<Map>().map;
  bool is_new = false;
  {
    MapSpare spare;
    operations.clear(&map, &spare);
    EXPECT_EQ(operations.size(&map), 0u);
    EXPECT_EQ(insert(operations, &map, "three", is_new, &spare), entry);
    EXPECT_TRUE(is_new);
    EXPECT_EQ(insert(operations, &map, "three", is_new, &spare), entry);
    EXPECT_FALSE(is_new);
    EXPECT_NE(insert(operations, &map, "four", is_new, &spare), nullptr) << "nothing is left over";
    EXPECT_EQ(insert(operations, &map, "", is_new, &spare), nullptr) << "fill gave up";
  }
  EXPECT_EQ(operations.size(&map), 2u);
}

template <class List>
std::vector<int> walked(const List& list) {
  const ListOperations& operations = *type_of<List>().list;
  Cursor cursor;
  std::vector<int> seen;
  for (bool some = operations.first(&list, cursor); some; some = operations.next(&list, cursor)) {
    seen.push_back(static_cast<int>(*static_cast<const typename List::value_type*>(cursor.value)));
  }
  return seen;
}

TEST(Type, lists_whose_elements_lie_apart_are_walked) {
  EXPECT_EQ(walked(std::deque<int>{3, 1, 2}), (std::vector<int>{3, 1, 2}));
  EXPECT_EQ(walked(std::set<int>{3, 1, 2}), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(walked(std::unordered_set<int>{7}), std::vector<int>{7});
  EXPECT_EQ(walked(std::vector<bool>{true, false, true}), (std::vector<int>{1, 0, 1}));
  EXPECT_EQ(walked(std::deque<int>{}), std::vector<int>{});
}

TEST(Type, a_field_is_found_by_its_name_among_many) {
  const Members& members = type_of<Sample>().members();
  for (std::size_t i = 0; i < members.fields().size(); ++i) {
    EXPECT_EQ(members.find(members.fields()[i].name), i);
  }
  EXPECT_EQ(members.find("i3"), Members::npos);
  EXPECT_EQ(members.find(""), Members::npos);
}

TEST(Type, times_are_seconds_and_nanoseconds_whatever_their_unit) {
  using std::chrono::milliseconds;
  const auto get = [](const auto& time) {
    Seconds seconds;
    EXPECT_TRUE(type_of<decltype(time)>().time->get(&time, seconds));
    return std::pair(seconds.seconds, seconds.nanoseconds);
  };
  EXPECT_EQ(get(milliseconds(-1'500)), std::pair(std::int64_t{-1}, -500'000'000));
  EXPECT_EQ(get(std::chrono::hours(2)), std::pair(std::int64_t{7'200}, 0));
  EXPECT_EQ(get(std::chrono::duration<double>(0.25)), std::pair(std::int64_t{0}, 250'000'000));
  const std::chrono::sys_time<milliseconds> before_1970(milliseconds(-1));
  EXPECT_EQ(get(before_1970), std::pair(std::int64_t{-1}, 999'000'000));

  milliseconds cut{};
  EXPECT_TRUE(type_of<milliseconds>().time->set(&cut, {1, 1'999'999}));
  EXPECT_EQ(cut, milliseconds(1'001)) << "downwards";
  EXPECT_TRUE(type_of<milliseconds>().time->set(&cut, {0, -1}));
  EXPECT_EQ(cut, milliseconds(-1)) << "downwards";
  std::chrono::nanoseconds small{};
  EXPECT_FALSE(type_of<std::chrono::nanoseconds>().time->set(&small, {10'000'000'000, 0}));
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
