#include "order_book.h"

#include <fstream>

namespace shop {

using parley::Code;
using parley::Result;
using parley::Status;

Result<std::vector<PlannedOrder>> load_orders(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Status(Code::not_found, "cannot open " + path);
  std::vector<PlannedOrder> orders;
  for (std::string line; std::getline(file, line);) {
    auto order = parley::codec::decode_json<PlannedOrder>(line);
    if (!order) {
      return order.error().with_context(path + ":" + std::to_string(orders.size() + 1));
    }
    orders.push_back(*std::move(order));
  }
  if (orders.empty()) return Status(Code::invalid_argument, path + " holds no order");
  return orders;
}

std::string complaint(const PlannedOrder& plan, const Result<Receipt>& answer) {
  const std::string what = std::to_string(plan.quantity) + " " + plan.sku + ": ";
  if (plan.failure != 0) {
    if (answer) return what + "accepted, expected failure " + std::to_string(plan.failure);
    if (answer.error().business_code() == plan.failure) return "";
    return what + answer.error().to_string() + ", expected failure " + std::to_string(plan.failure);
  }
  if (!answer) return what + answer.error().to_string() + ", expected a receipt";
  if (answer->sku != plan.sku || answer->quantity != plan.quantity) {
    return what + "got the receipt of another order: " + std::to_string(answer->quantity) + " " +
           answer->sku;
  }
  if (answer->total_cents == plan.total_cents) return "";
  return what + std::to_string(answer->total_cents) + " cents, expected " +
         std::to_string(plan.total_cents);
}

}  // namespace shop
