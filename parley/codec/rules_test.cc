#include "parley/codec/rules.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/json.h"
#include "parley/codec/validate.h"

// What the compiler cannot see wrong in a rule ends the program when its type is first used.
namespace parley::codec::rules_test {

struct Backwards {
  int value = 0;
};
struct Longer {
  std::string value;
};
struct LowCode {
  int value = 0;
};
struct OkCode {
  int value = 0;
};
struct Grid {
  std::vector<std::vector<int>> value;
};
struct Many {
  std::vector<int> value;
};

}  // namespace parley::codec::rules_test

namespace rules_test = parley::codec::rules_test;
using parley::codec::field;
using parley::codec::field_rules;
template <>
inline constexpr auto parley::fields<rules_test::Backwards> =
    field_rules<rules_test::Backwards>(field<&rules_test::Backwards::value>().range(5, 3));
template <>
inline constexpr auto parley::fields<rules_test::Longer> =
    field_rules<rules_test::Longer>(field<&rules_test::Longer::value>().bytes(5, 3));
template <>
inline constexpr auto parley::fields<rules_test::LowCode> =
    field_rules<rules_test::LowCode>(field<&rules_test::LowCode::value>().otherwise(999, "no"));
template <>
inline constexpr auto parley::fields<rules_test::OkCode> = field_rules<rules_test::OkCode>(
    field<&rules_test::OkCode::value>().otherwise(parley::Code::ok, "no"));
template <>
inline constexpr auto parley::fields<rules_test::Grid> =
    field_rules<rules_test::Grid>(field<&rules_test::Grid::value>().from_query());
template <>
inline constexpr auto parley::fields<rules_test::Many> =
    field_rules<rules_test::Many>(field<&rules_test::Many::value>().elements(2, 1));

namespace parley::codec::rules_test {
namespace {

TEST(RulesDeathTest, a_rule_that_contradicts_itself_ends_the_program) {
  EXPECT_DEATH((void)validate(Backwards()),
               "the field 'value' of the struct 'Backwards': nothing is in its range.*: it ends "
               "before it begins");
  EXPECT_DEATH((void)validate(Longer()), "nothing is as long as it must be");
  EXPECT_DEATH((void)validate(Many()), "nothing has as many elements.* as it must");
  EXPECT_DEATH((void)validate(LowCode()), "the codes of otherwise.* begin at 1000");
  EXPECT_DEATH((void)validate(OkCode()), "otherwise.* needs an error, not ok");
}

TEST(RulesDeathTest, a_list_of_lists_has_no_source) {
  EXPECT_DEATH((void)encode_json(Grid()),
               "only single values and lists of them come from metadata");
}

// What the words refuse while compiling, in a table made without them.
template <class T>
void describe(const Rules& rules, bool is_flat = false) {
  const FieldSource field{
      .name = "value", .type = &type_of<T>(), .rules = &rules, .is_flat = is_flat};
  const std::uint32_t offset = 0;
  const Members members({.name = "Made", .fields = {&field, 1}, .offsets = &offset});
  EXPECT_EQ(members.rules(0), &rules);
}

constexpr Rules ranged{.min = {.what = Bound::What::integer, .integer = 1}};
constexpr Rules measured{.unit = Unit::characters, .max_length = 3};
constexpr Rules counted{.max_elements = 3};
constexpr Rules non_zero{.is_non_zero = true};
constexpr Rules patterned{.pattern = "a"};
constexpr Rules from_metadata{.bindings = {{{.is_there = true}}}};

TEST(Rules, a_table_takes_what_fits_its_types) {
  describe<int>(ranged);
  describe<std::optional<std::vector<std::int8_t>>>(ranged);
  describe<std::vector<std::string>>(measured);
  describe<std::map<int, int>>(counted);
  describe<bool>(non_zero);
  describe<std::string_view>(patterned);
  describe<std::array<int, 2>>(from_metadata);
}

TEST(RulesDeathTest, a_table_refuses_what_does_not_fit_its_types) {
  EXPECT_DEATH(describe<std::string>(ranged), "its type does not fit the range");
  EXPECT_DEATH(describe<double>(ranged), "its type does not fit the range");
  EXPECT_DEATH(describe<std::vector<std::byte>>(measured), "its type does not fit bytes.* or");
  EXPECT_DEATH((describe<std::array<int, 2>>(counted)), "only a list, set or map has elements");
  EXPECT_DEATH((describe<std::array<int, 2>>(non_zero)), "its type has no zero for non_zero");
  EXPECT_DEATH(describe<int>(patterned), "only a text matches.* a pattern");
  EXPECT_DEATH((describe<std::map<int, int>>(from_metadata)), "only single values and lists");
  EXPECT_DEATH(describe<Backwards>(from_metadata, true), "rules are for the members of what is");
}

TEST(Rules, sources_have_names) {
  EXPECT_EQ(name_of(Source::metadata), "metadata");
  EXPECT_EQ(name_of(Source::session), "session");
}

}  // namespace
}  // namespace parley::codec::rules_test
