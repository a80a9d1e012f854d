#include "parley/peer/router.h"

#include <vector>

#include "parley/base/assert.h"
#include "parley/base/suggest.h"

namespace parley {
namespace {

// How much of an unknown name is repeated in the error.
constexpr std::size_t shown_method_bytes = 100;

}  // namespace

void Router::add(std::string_view method, Handler handler) {
  PARLEY_ASSERT(!method.empty() && method.size() <= max_method_bytes,
                "a method's name has 1 to 255 bytes");
  const bool is_new = handlers_.try_emplace(std::string(method), std::move(handler)).second;
  if (!is_new) {
    assertion_failed("", "method \"" + std::string(method) + "\" is handled twice");
  }
}

Result<Bytes> Router::serve(Context& context, const wire::Message& request) {
  const auto found = handlers_.find(request.method);
  // Nobody reads the answer to a push: no search for what was meant.
  if (found == handlers_.end()) return not_found(request.method, !context.is_push());
  return found->second(context, request);
}

Status Router::not_found(std::string_view method, bool suggest) const {
  // A wrong name costs a walk over all names; keep that bounded for whoever sends garbage.
  constexpr std::size_t most_names = 200;
  const std::string_view shown = method.substr(0, shown_method_bytes);
  std::string message = "no method \"" + std::string(shown) + "\" here";
  std::vector<std::string_view> names;
  if (suggest && handlers_.size() <= most_names) {
    for (const auto& [name, handler] : handlers_) names.push_back(name);
  }
  if (const auto near = nearest(shown, names)) {
    message += "; did you mean \"" + std::string(*near) + "\"?";
  }
  return {Code::not_found, std::move(message)};
}

}  // namespace parley
