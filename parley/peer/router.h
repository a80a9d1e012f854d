// Router: from the name of a method to its handler.
//
// Belongs to one peer. Methods may be added while sessions run; none is ever taken away.
//
//   Router router;
//   router.add("/math/add", make_handler(&add));
//   Result<Bytes> answer = router.serve(context, request);
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "parley/base/result.h"
#include "parley/peer/handler.h"

namespace parley {

class Router {
 public:
  // Longest name of a method, as the raw framing carries it.
  static constexpr std::size_t max_method_bytes = 255;

  // An empty or too long name, and one that is there already, are bugs.
  void add(std::string_view method, Handler handler);

  // Runs the handler of the request's method. not_found when there is none, with the nearest name
  // there is; else what the handler gives.
  Result<Bytes> serve(Context& context, const wire::Message& request);

  [[nodiscard]] std::size_t size() const { return handlers_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  [[nodiscard]] Status not_found(std::string_view method, bool suggest) const;

  std::unordered_map<std::string, Handler, Hash, std::equal_to<>> handlers_;
};

}  // namespace parley
