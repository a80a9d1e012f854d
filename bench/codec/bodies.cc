#include "bodies.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "parley/base/random.h"

namespace parley::bench {
namespace {

constexpr std::uint64_t seed = 7;
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";

std::string word(Random& random, std::size_t least, std::size_t most) {
  std::string text;
  const std::uint64_t size = random.between(least, most);
  while (text.size() < size) text += letters[random.below(letters.size())];
  return text;
}

std::string sentence(Random& random, std::size_t words) {
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    if (i > 0) text += ' ';
    text += word(random, 2, 9);
  }
  return text;
}

std::int32_t small(Random& random, std::int32_t limit) {
  return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(limit)));
}

double price(Random& random) { return small(random, 20'000) / 100.0; }

Address make_address(Random& random) {
  return {.name = sentence(random, 2),
          .street = sentence(random, 2) + " 12",
          .city = word(random, 5, 12),
          .postcode = std::to_string(random.between(10'000, 89'999)),
          .country = "DE"};
}

Line make_line(Random& random) {
  return {.sku = 1'000'000 + small(random, 9'000'000),
          .name = sentence(random, 3),
          .price = price(random),
          .quantity = 1 + small(random, 5),
          .gift = random.chance(0.5),
          .labels = {word(random, 3, 8), word(random, 3, 8)}};
}

std::size_t digits_of(double number) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed).ptr;
  return static_cast<std::size_t>(end - text.data()) - 1;  // the point
}

}  // namespace

Args make_args() {
  return {.account = 4'711'001'234,
          .reference = "invoice 2024-11-07",
          .amount = 1249.5,
          .urgent = true,
          .lines = {1, 22, 333, 4444, 55555}};
}

Order make_order() {
  Random random(seed);
  Order order{.id = 90'071'992'547,
              .customer = sentence(random, 2),
              .ship_to = make_address(random),
              .bill_to = make_address(random),
              .lines = {},
              .notes = {{"door", sentence(random, 4)}, {"gift card", sentence(random, 6)}},
              .coupon = "WELCOME-10",
              .total = 0,
              .placed_at = 1'731'000'000'123};
  for (int i = 0; i < 10; ++i) {
    order.lines.push_back(make_line(random));
    order.total += order.lines.back().price * order.lines.back().quantity;
  }
  order.total = std::round(order.total * 100) / 100;
  return order;
}

Catalogue make_catalogue() {
  Random random(seed);
  Catalogue catalogue{.name = "autumn", .version = 20'241'107, .products = {}};
  for (int i = 0; i < 500; ++i) {
    catalogue.products.push_back({.sku = 1'000'000 + i,
                                  .name = sentence(random, 3),
                                  .description = sentence(random, 7),
                                  .price = price(random),
                                  .rating = small(random, 50) / 10.0,
                                  .stock = small(random, 1'000),
                                  .listed = random.chance(0.9),
                                  .tags = {word(random, 3, 8), word(random, 3, 8)}});
  }
  return catalogue;
}

Doubles make_doubles() {
  Random random(seed);
  Doubles doubles;
  while (doubles.values.size() < 1'000) {
    const double number = static_cast<double>(random.next()) / 1.7e10 * std::sqrt(2.0);
    if (digits_of(number) == 17) doubles.values.push_back(number);
  }
  return doubles;
}

Texts make_escapes() {
  Random random(seed);
  Texts texts;
  for (int i = 0; i < 100; ++i) {
    std::string text;
    for (int k = 0; k < 30; ++k) {
      text += word(random, 2, 2);
      text += std::string_view("\n\"\\\t")[random.below(4)];
    }
    texts.values.push_back(std::move(text));
  }
  return texts;
}

Texts make_non_ascii() {
  constexpr std::array<std::string_view, 8> parts{"ä", "ß", "é", "茶", "お", "ж", "я", " "};
  Random random(seed);
  Texts texts;
  for (int i = 0; i < 100; ++i) {
    std::string text;
    for (int k = 0; k < 60; ++k) text += parts[random.below(parts.size())];
    texts.values.push_back(std::move(text));
  }
  return texts;
}

}  // namespace parley::bench
