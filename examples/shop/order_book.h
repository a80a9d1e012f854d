// The orders of a file, each with the answer the shop owes.
#pragma once

#include <parley/parley.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shop.h"

namespace shop {

// One line of orders.jsonl. A failure of 0 means the order is accepted and costs total_cents.
struct PlannedOrder {
  std::string sku;
  std::int32_t quantity = 0;
  std::int64_t total_cents = 0;
  std::int32_t failure = 0;

  [[nodiscard]] Order order() const { return {.sku = sku, .quantity = quantity}; }
  // Accepted after the shop called back, so a receipt is pushed too.
  [[nodiscard]] bool is_big_and_good() const {
    return failure == 0 && total_cents >= big_order_cents;
  }
};

// Every line of the file; an error names the line.
parley::Result<std::vector<PlannedOrder>> load_orders(const std::string& path);

// Empty when `answer` is what `plan` says it must be, else what is wrong with it.
std::string complaint(const PlannedOrder& plan, const parley::Result<Receipt>& answer);

}  // namespace shop
