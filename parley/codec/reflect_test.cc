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

struct Widest {
  int w000, w001, w002, w003, w004, w005, w006, w007, w008, w009, w010, w011, w012, w013, w014,
      w015;
  int w016, w017, w018, w019, w020, w021, w022, w023, w024, w025, w026, w027, w028, w029, w030,
      w031;
  int w032, w033, w034, w035, w036, w037, w038, w039, w040, w041, w042, w043, w044, w045, w046,
      w047;
  int w048, w049, w050, w051, w052, w053, w054, w055, w056, w057, w058, w059, w060, w061, w062,
      w063;
  int w064, w065, w066, w067, w068, w069, w070, w071, w072, w073, w074, w075, w076, w077, w078,
      w079;
  int w080, w081, w082, w083, w084, w085, w086, w087, w088, w089, w090, w091, w092, w093, w094,
      w095;
  int w096, w097, w098, w099, w100, w101, w102, w103, w104, w105, w106, w107, w108, w109, w110,
      w111;
  int w112, w113, w114, w115, w116, w117, w118, w119, w120, w121, w122, w123, w124, w125, w126,
      w127;
  int w128, w129, w130, w131, w132, w133, w134, w135, w136, w137, w138, w139, w140, w141, w142,
      w143;
  int w144, w145, w146, w147, w148, w149, w150, w151, w152, w153, w154, w155, w156, w157, w158,
      w159;
  int w160, w161, w162, w163, w164, w165, w166, w167, w168, w169, w170, w171, w172, w173, w174,
      w175;
  int w176, w177, w178, w179, w180, w181, w182, w183, w184, w185, w186, w187, w188, w189, w190,
      w191;
  int w192, w193, w194, w195, w196, w197, w198, w199, w200, w201, w202, w203, w204, w205, w206,
      w207;
  int w208, w209, w210, w211, w212, w213, w214, w215, w216, w217, w218, w219, w220, w221, w222,
      w223;
  int w224, w225, w226, w227, w228, w229, w230, w231, w232, w233, w234, w235, w236, w237, w238,
      w239;
  int w240, w241, w242, w243, w244, w245, w246, w247, w248, w249, w250, w251, w252, w253, w254,
      w255;
};

// Three rungs of the wide part: its first, and both ends of a group.
struct Wide65 {
  Wide first;
  int m64, m65, m66, m67, m68, m69, m70, m71, m72, m73, m74, m75, m76, m77, m78, m79, m80, m81;
  int n00, n01, n02, n03, n04, n05, n06, n07, n08, n09, n10, n11, n12, n13, n14, n15, n16, n17;
  int o00, o01, o02, o03, o04, o05, o06, o07, o08, o09, o10, o11, o12, o13, o14, o15, o16, o17;
  int p00, p01, p02, p03, p04, p05, p06, p07, p08;
  std::string last;
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

TEST(Reflect, reaches_two_hundred_and_fifty_six_members) {
  static_assert(field_count<Wide65> == 65);
  EXPECT_EQ(field_names<Wide65>[64], "last");
  static_assert(std::is_same_v<FieldType<Wide65, 64>, std::string>);
  static_assert(field_count<Widest> == 256);
  EXPECT_EQ(field_names<Widest>[0], "w000");
  EXPECT_EQ(field_names<Widest>[255], "w255");
  Widest widest{};
  int next = 0;
  for_each_field(widest, [&next](std::string_view, int& member) { member = next++; });
  EXPECT_EQ(widest.w128, 128);
  EXPECT_EQ(widest.w255, 255);
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
