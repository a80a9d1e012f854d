#include "parley/codec/reflect.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace parley::codec {

struct Address {
  std::string street;
  int number = 1;
};

struct Person {
  std::string name;
  Address home;
  std::vector<Person> children;
};

template <class T>
struct Boxed {
  T content;
  bool sealed;
};

namespace {

struct Hidden {
  int id;
  double weight;
};

struct Nothing {};

struct Tag {};
struct Tagged : Tag {
  int first;
  int second;
};

struct Arrays {
  int grid[2][3];
  std::string names[2];
  std::array<int, 4> row;
  std::string after;
  int one[1];
  std::string last;
};

struct LongArray {
  std::string before;
  int bytes[1000];
  std::string after;
};

struct Odd {
  const int fixed;
  std::mutex lock;
  std::unique_ptr<int> owned;
  std::optional<std::string> maybe;
  std::variant<int, std::string> either;
  const std::string text;
};

struct NoDefault {
  explicit NoDefault(int x) : value(x) {}
  int value;
};
struct Demanding {
  int first[2];
  NoDefault second;
  int third;
  NoDefault fourth;
};

struct Ünicode {
  int größe;
  int naïve_тест;
};

struct Wide {
  int m00, m01, m02, m03, m04, m05, m06, m07, m08, m09, m10, m11, m12, m13, m14, m15;
  int m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31;
  int m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44, m45, m46, m47;
  int m48, m49, m50, m51, m52, m53, m54, m55, m56, m57, m58, m59, m60, m61, m62, m63;
};

template <class T>
std::string names_of() {
  std::string all;
  for (const std::string_view name : field_names<T>) {
    if (!all.empty()) all += ' ';
    all += name;
  }
  return all;
}

TEST(Reflect, finds_the_names_and_types_of_a_struct) {
  EXPECT_EQ(names_of<Address>(), "street number");
  EXPECT_EQ(names_of<Hidden>(), "id weight");
  static_assert(field_count<Address> == 2);
  static_assert(field_names<Hidden>[1] == "weight");
  static_assert(std::is_same_v<FieldType<Address, 0>, std::string>);
  static_assert(std::is_same_v<FieldType<Hidden, 1>, double>);
}

TEST(Reflect, sees_nested_recursive_and_template_types) {
  EXPECT_EQ(names_of<Person>(), "name home children");
  static_assert(std::is_same_v<FieldType<Person, 1>, Address>);
  EXPECT_EQ(names_of<Boxed<Person>>(), "content sealed");
  EXPECT_EQ(names_of<Boxed<Boxed<int>>>(), "content sealed");
}

TEST(Reflect, sees_types_local_to_a_function) {
  struct Local {
    int here;
    struct Inner {
      int there;
    } inner;
  };
  EXPECT_EQ(names_of<Local>(), "here inner");
  EXPECT_EQ(names_of<Local::Inner>(), "there");
}

TEST(Reflect, an_array_is_one_member_whatever_its_elements) {
  EXPECT_EQ(names_of<Arrays>(), "grid names row after one last");
  static_assert(std::is_same_v<FieldType<Arrays, 0>, int[2][3]>);
  EXPECT_EQ(names_of<LongArray>(), "before bytes after");
}

TEST(Reflect, takes_const_and_immovable_members) {
  EXPECT_EQ(names_of<Odd>(), "fixed lock owned maybe either text");
  static_assert(std::is_same_v<FieldType<Odd, 0>, const int>);
}

TEST(Reflect, takes_members_without_default_constructor) {
  EXPECT_EQ(names_of<Demanding>(), "first second third fourth");
}

TEST(Reflect, an_empty_struct_has_no_members) {
  static_assert(field_count<Nothing> == 0);
  static_assert(field_names<Nothing>.empty());
  Nothing nothing;
  for_each_field(nothing, [](std::string_view, auto&) { FAIL(); });
}

TEST(Reflect, an_empty_base_is_not_a_member) { EXPECT_EQ(names_of<Tagged>(), "first second"); }

TEST(Reflect, names_may_be_written_in_any_language) {
  EXPECT_EQ(names_of<Ünicode>(), "größe naïve_тест");
}

TEST(Reflect, reaches_sixty_four_members) {
  static_assert(field_count<Wide> == 64);
  EXPECT_EQ(field_names<Wide>[0], "m00");
  EXPECT_EQ(field_names<Wide>[37], "m37");
  EXPECT_EQ(field_names<Wide>[63], "m63");
  Wide wide{};
  int next = 0;
  for_each_field(wide, [&next](std::string_view, int& member) { member = next++; });
  EXPECT_EQ(wide.m00, 0);
  EXPECT_EQ(wide.m41, 41);
  EXPECT_EQ(wide.m63, 63);
}

TEST(Reflect, every_count_of_members_binds_its_own_rung) {
  struct One {
    int a;
  };
  struct Seven {
    int a, b, c, d, e, f, g;
  };
  struct Eight {
    int a, b, c, d, e, f, g, h;
  };
  struct Nine {
    int a, b, c, d, e, f, g, h, i;
  };
  EXPECT_EQ(names_of<One>(), "a");
  EXPECT_EQ(names_of<Seven>(), "a b c d e f g");
  EXPECT_EQ(names_of<Eight>(), "a b c d e f g h");
  EXPECT_EQ(names_of<Nine>(), "a b c d e f g h i");
}

TEST(Reflect, members_are_the_objects_own) {
  Address address{.street = "Mill Lane", .number = 7};
  for_each_field(address, [](std::string_view name, auto& member) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, int>) {
      if (name == "number") member = 8;
    }
  });
  EXPECT_EQ(address.number, 8);
  const Address& fixed = address;
  const std::size_t length =
      with_fields(fixed, [](const std::string& street, const int&) { return street.size(); });
  EXPECT_EQ(length, 9u);
}

}  // namespace
}  // namespace parley::codec
