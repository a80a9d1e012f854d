// How a name in C++ becomes the name of a service method: for controllers (controller.h), whose
// methods nobody wants to name twice.
//
// Pure functions, safe anywhere.
//
//   http_name("PlaceOrder")       "/place_order"
//   http_name("Shop_PlaceOrder")  "/shop/place_order"
//   rpc_name("Shop_PlaceOrder")   "Shop.PlaceOrder"
#pragma once

#include <string>
#include <string_view>

namespace parley {

// Turns one name, or several joined by '_', into a service method.
using NameMapper = std::string (*)(std::string_view name);

// Teleport's default: words in lower case joined by '_', a single '_' begins a new part of the
// path, two of them stand for one. A run of capitals is one word up to the first small letter.
std::string http_name(std::string_view name);

// Teleport's other one: nothing but a single '_', which becomes '.', and two of them, which become
// one, is changed.
std::string rpc_name(std::string_view name);

}  // namespace parley
