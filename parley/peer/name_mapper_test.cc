#include "parley/peer/name_mapper.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(NameMapper, http_names_are_teleports) {
  EXPECT_EQ(http_name("AaBb"), "/aa_bb");
  EXPECT_EQ(http_name("ABcXYz"), "/abc_xyz");
  EXPECT_EQ(http_name("Aa__Bb"), "/aa_bb");
  EXPECT_EQ(http_name("aa__bb"), "/aa_bb");
  EXPECT_EQ(http_name("ABC__XYZ"), "/abc_xyz");
  EXPECT_EQ(http_name("Aa_Bb"), "/aa/bb");
  EXPECT_EQ(http_name("aa_bb"), "/aa/bb");
  EXPECT_EQ(http_name("ABC_XYZ"), "/abc/xyz");
}

TEST(NameMapper, rpc_names_are_teleports) {
  EXPECT_EQ(rpc_name("AaBb"), "AaBb");
  EXPECT_EQ(rpc_name("Aa__Bb"), "Aa_Bb");
  EXPECT_EQ(rpc_name("Aa_Bb"), "Aa.Bb");
}

TEST(NameMapper, what_stands_at_the_ends_separates_nothing) {
  EXPECT_EQ(http_name("_Add_"), "/add");
  EXPECT_EQ(rpc_name("_Add_"), "Add");
  EXPECT_EQ(http_name("Add2Numbers"), "/add2_numbers");
  EXPECT_EQ(http_name(""), "/");
  EXPECT_EQ(rpc_name(""), "");
}

}  // namespace
}  // namespace parley
