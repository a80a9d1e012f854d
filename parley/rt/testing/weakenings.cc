#include "parley/rt/testing/weakenings.h"

#include <algorithm>
#include <map>

namespace parley::rt::testing {
namespace {

using Order = std::memory_order;

constexpr std::uint64_t runs_that_go_everywhere = 200;

std::string_view name_of(Order order) {
  switch (order) {
    case Order::relaxed:
      return "relaxed";
    case Order::consume:
    case Order::acquire:
      return "acquire";
    case Order::release:
      return "release";
    case Order::acq_rel:
      return "acq_rel";
    case Order::seq_cst:
      break;
  }
  return "seq_cst";
}

// One step weaker.
std::vector<Order> weaker(const OrderedSite& site) {
  switch (site.order) {
    case Order::seq_cst:
      if (site.operation == "load") return {Order::acquire};
      if (site.operation == "store") return {Order::release};
      if (site.operation.ends_with("fence")) return {Order::relaxed};
      return {Order::acq_rel};
    case Order::acq_rel:
      return {Order::acquire, Order::release};
    default:
      return {Order::relaxed};
  }
}

std::string name_of(const OrderedSite& site) {
  return site.function + " " + site.operation + " " + std::string(name_of(site.order));
}

std::set<OrderedSite> sites_of(const std::vector<InterleavedCheck>& checks, std::string_view file) {
  std::set<OrderedSite> sites;
  for (const InterleavedCheck& check : checks) {
    InterleavingOptions options = check.options;
    options.max_runs = runs_that_go_everywhere;
    for (const OrderedSite& site : explore(options, check.test).sites) {
      if (site.file == file) sites.insert(site);
    }
  }
  return sites;
}

bool is_noticed(const std::vector<InterleavedCheck>& checks, const Weakening& weakening) {
  return std::any_of(checks.begin(), checks.end(), [&](const InterleavedCheck& check) {
    InterleavingOptions options = check.options;
    options.weakening = weakening;
    return explore(options, check.test).failure.has_value();
  });
}

}  // namespace

Weakenings weaken_each(const std::vector<InterleavedCheck>& checks, std::string_view file) {
  Weakenings result;
  const auto sites = sites_of(checks, file);
  std::map<std::string, int> alike;
  for (const OrderedSite& site : sites) ++alike[name_of(site)];
  std::map<std::string, int> numbers;
  for (const OrderedSite& site : sites) {
    std::string name = name_of(site);
    if (alike[name] > 1) name += " #" + std::to_string(++numbers[name]);
    for (const Order order : weaker(site)) {
      const std::string what =
          name +
          (site.operation.ends_with("fence") ? " left out" : " -> " + std::string(name_of(order)));
      (is_noticed(checks, {site, order}) ? result.found : result.unnoticed).insert(what);
    }
  }
  return result;
}

}  // namespace parley::rt::testing
