// What the shop and its customers say to each other: plain structs and a few numbers.
#pragma once

#include <cstdint>
#include <string>

namespace shop {

struct Item {
  std::string sku;
  std::int64_t price_cents = 0;
  std::int64_t stock = 0;
};

struct Order {
  std::string sku;
  std::int32_t quantity = 0;
};

struct Receipt {
  std::int64_t number = 0;  // 1 for the first order this shop accepted
  std::string sku;
  std::int32_t quantity = 0;
  std::int64_t total_cents = 0;
};

// The business errors of the shop.
inline constexpr std::int32_t out_of_stock = 1001;
inline constexpr std::int32_t unknown_sku = 1002;
inline constexpr std::int32_t bad_quantity = 1003;
inline constexpr std::int32_t not_confirmed = 1004;

// From this total on the shop CALLs the customer back before it accepts an order, and PUSHes the
// receipt as well.
inline constexpr std::int64_t big_order_cents = 15'000;
// Beyond this total our customer declines.
inline constexpr std::int64_t credit_cents = 100'000;

}  // namespace shop
