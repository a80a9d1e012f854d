// The generated file: for each interface a client that calls, and a function that serves.
//
// Pure: safe everywhere. The same header gives the same text, whatever the machine.
//
//   std::string text = client_and_server(*header, "shop/orders.h");
#pragma once

#include <string>
#include <string_view>

#include "parley/gen/interface.h"

namespace parley::gen {

// The whole text. `include` is how it includes the user's header.
std::string client_and_server(const Header& header, std::string_view include);

}  // namespace parley::gen
