// The user's own file: the class that implements an interface. It is written once; after that it
// only gains the methods it lacks, and every other byte of it stays.
//
// Pure: safe everywhere.
//
//   std::string fresh = new_service(*header, "shop/orders.h");
//   Added added = with_missing_methods(content, *classes, *header);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "parley/gen/interface.h"

namespace parley::gen {

// A file with a class `OrdersService` for each interface `Orders`. Its methods return
// unimplemented.
std::string new_service(const Header& header, std::string_view include);

struct Added {
  std::string content;
  std::size_t methods = 0;  // how many; 0: the content is what it was
};

// The content with the methods that its classes lack, before the closing brace of each.
Added with_missing_methods(std::string_view content, std::span<const ServiceClass> classes,
                           const Header& header);

}  // namespace parley::gen
