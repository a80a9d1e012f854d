// The messages of `./dev bench codec`: plain structs, and one of each filled with what such a
// message holds in practice. Every contestant reads and writes exactly these. The same on every
// machine and in every run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace parley::bench {

// The arguments of a call: 115 bytes of JSON.
struct Args {
  std::int64_t account = 0;
  std::string reference;
  double amount = 0;
  bool urgent = false;
  std::vector<std::int32_t> lines;

  friend bool operator==(const Args&, const Args&) = default;
};

struct Address {
  std::string name;
  std::string street;
  std::string city;
  std::string postcode;
  std::string country;

  friend bool operator==(const Address&, const Address&) = default;
};

struct Line {
  std::int64_t sku = 0;
  std::string name;
  double price = 0;
  std::int32_t quantity = 0;
  bool gift = false;
  std::vector<std::string> labels;

  friend bool operator==(const Line&, const Line&) = default;
};

// 1.6 KB of JSON.
struct Order {
  std::int64_t id = 0;
  std::string customer;
  Address ship_to;
  Address bill_to;
  std::vector<Line> lines;
  std::map<std::string, std::string> notes;
  std::optional<std::string> coupon;
  double total = 0;
  std::int64_t placed_at = 0;

  friend bool operator==(const Order&, const Order&) = default;
};

struct Product {
  std::int64_t sku = 0;
  std::string name;
  std::string description;
  double price = 0;
  double rating = 0;
  std::int32_t stock = 0;
  bool listed = false;
  std::vector<std::string> tags;

  friend bool operator==(const Product&, const Product&) = default;
};

// 500 products, 93 KB of JSON.
struct Catalogue {
  std::string name;
  std::int64_t version = 0;
  std::vector<Product> products;

  friend bool operator==(const Catalogue&, const Catalogue&) = default;
};

// The adverse bodies: what fast paths do not help with.
struct Doubles {
  std::vector<double> values;

  friend bool operator==(const Doubles&, const Doubles&) = default;
};
struct Texts {
  std::vector<std::string> values;

  friend bool operator==(const Texts&, const Texts&) = default;
};

Args make_args();
Order make_order();
Catalogue make_catalogue();
Doubles make_doubles();  // each needs all of its 17 digits
Texts make_escapes();    // every third character needs an escape
Texts make_non_ascii();  // characters of two and three bytes

}  // namespace parley::bench
