#include "parley/http/kept.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

PARLEY_FIBER_TEST(Kept, who_asks_first_makes_it_and_all_get_the_same) {
  Kept kept;
  EXPECT_EQ(*kept.get<int>([] { return std::make_shared<int>(7); }), 7);
  EXPECT_EQ(*kept.get<int>([] { return std::make_shared<int>(8); }), 7);
  EXPECT_EQ(kept.get<std::string>([] { return std::make_shared<std::string>(); }), nullptr);
}

PARLEY_FIBER_TEST(Kept, what_is_good_no_more_is_made_anew) {
  Kept kept;
  const auto make = [] { return std::make_shared<int>(7); };
  *kept.get<int>(make) = 8;
  EXPECT_EQ(*kept.get<int>(make, [](int each) { return each == 7; }), 7);
}

PARLEY_FIBER_TEST(Kept, none_that_was_made_is_not_kept) {
  Kept kept;
  EXPECT_EQ(kept.get<int>([] { return std::shared_ptr<int>(); }), nullptr);
  EXPECT_EQ(*kept.get<std::string>([] { return std::make_shared<std::string>("x"); }), "x");
}

}  // namespace
}  // namespace parley::http
