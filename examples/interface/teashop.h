// What both sides agree on, in C++. `parley gen` makes client and server of it.
#pragma once

#include <string>

#include "parley/base/result.h"

namespace tea {

struct Order {
  std::string sku;
  int quantity = 0;
};

// A shop that sells tea.
class TeaShop {
 public:
  virtual ~TeaShop() = default;
  // Places an order; returns its price in pence.
  virtual parley::Result<int> place(const Order& order, bool urgent = false) = 0;
};

}  // namespace tea
