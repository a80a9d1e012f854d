// An interface with everything that one may have; the tests generate from it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/peer/context.h"

namespace tea {

struct Order {
  std::string sku;
  int quantity = 0;
};

struct Receipt {
  std::string sku;
  int pence = 0;
};

// What a tea shop does for
// its customers.
class Orders {
 public:
  struct Line {
    std::string text;
  };
  using Lines = std::vector<Line>;
  using Total = parley::Result<long long>;

  Orders() = default;
  Orders(const Orders&) = delete;
  Orders& operator=(const Orders&) = delete;
  virtual ~Orders() = default;

  // Places an order,
  // at once if it is urgent.
  //
  // The price is in "pence" \ each.
  virtual parley::Result<Receipt> place(const Order& order, bool urgent = false) = 0;

  // ---- what follows is no comment of cancel()

  virtual parley::Status cancel(const std::string& sku) = 0;  // nor is this of stock()
  [[nodiscard]] virtual parley::Result<std::map<std::string, int>> stock() const noexcept = 0;
  /** Lines of the ledger,
   * oldest first.
   * @route /ledger/lines */
  virtual parley::Result<Lines> ledger_lines(std::optional<int> most, Lines&& more) = 0;
  /// Who calls?
  virtual parley::Result<std::string> who_am_i(parley::Context& context, std::string name) = 0;
  // The sum of them.
  virtual Total addTotal(long long first = 0, const std::vector<int>& more = {1, 2}) = 0;
};

// Nobody calls it from afar.
// @local
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int now() = 0;
};

}  // namespace tea

// Outside any namespace.
// @route /admin
struct Admin {
  virtual ~Admin() = default;
  virtual parley::Result<void> reload() = 0;
};
