#include "parley/peer/router.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "parley/base/assert.h"

namespace parley {
namespace {

// How much of an unknown name is repeated in the error.
constexpr std::size_t shown_method_bytes = 100;

// Edits (insert, drop, replace) from one text to the other; Wagner and Fischer's table, a row at a
// time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

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
  if (found == handlers_.end()) return not_found(request.method);
  return found->second(context, request);
}

Status Router::not_found(std::string_view method) const {
  // A wrong name costs a walk over all names; keep that bounded for whoever sends garbage.
  constexpr std::size_t most_names = 200;
  const std::string_view shown = method.substr(0, shown_method_bytes);
  std::string message = "no method \"" + std::string(shown) + "\" here";
  std::size_t best = shown.size() / 3 + 1;
  std::string_view nearest;
  if (handlers_.size() <= most_names) {
    for (const auto& [name, handler] : handlers_) {
      const std::size_t edits = distance(shown, name);
      if (edits < best) {
        best = edits;
        nearest = name;
      }
    }
  }
  if (!nearest.empty()) message += "; did you mean \"" + std::string(nearest) + "\"?";
  return {Code::not_found, std::move(message)};
}

}  // namespace parley
