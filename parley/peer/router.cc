#include "parley/peer/router.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/suggest.h"
#include "parley/codec/bind.h"
#include "parley/codec/signature.h"
#include "parley/codec/validate.h"
#include "parley/peer/impl/words.h"

namespace parley {
namespace {

// A power of two, as all sizes of tables.
constexpr std::size_t first_slots = 16;

// Rules are applied where bytes become arguments.
impl::DirectTypes direct_of(const impl::DirectTypes& types) {
  if (types.arguments == nullptr) return {};
  const codec::Type* const body = codec::body_type(types.table);
  const bool has_rules = body != nullptr && (codec::has_rules(*body) || codec::has_bindings(*body));
  return has_rules ? impl::DirectTypes() : types;
}

}  // namespace

Router::Method::Method(std::string_view called, Handler run, codec::MethodShape described,
                       bool stream, bool as_filtered)
    : name(called),
      handler(std::move(run)),
      shape(std::move(described)),
      is_stream(stream),
      takes_filtered(as_filtered),
      direct(stream ? impl::DirectTypes() : direct_of(handler.direct)),
      is_quick(as_filtered) {}

const Router::Method* Router::Table::find(std::size_t hash, std::string_view name) const {
  for (std::size_t at = hash;; ++at) {
    const Method* method = slots[at & (slots.size() - 1)].load(std::memory_order_acquire);
    if (method == nullptr || (method->hash == hash && method->name == name)) return method;
  }
}

void Router::Table::insert(const Method& method) {
  std::size_t at = method.hash;
  const auto slot = [&]() -> auto& { return slots[at & (slots.size() - 1)]; };
  while (slot().load(std::memory_order_relaxed) != nullptr) ++at;
  slot().store(&method, std::memory_order_release);
}

Router::Router() {
  tables_.push_back(std::make_unique<Table>(first_slots));
  table_.store(tables_.back().get(), std::memory_order_relaxed);
}

void Router::add(std::string_view method, Handler handler, codec::MethodShape shape) {
  shape.name = method;
  insert(std::make_unique<Method>(method, std::move(handler), std::move(shape)));
}

void Router::add_stream(std::string_view method, Handler handler, codec::MethodShape shape) {
  shape.name = method;
  shape.is_stream = true;
  insert(std::make_unique<Method>(method, std::move(handler), std::move(shape), true));
}

void Router::insert(std::unique_ptr<Method> method) {
  PARLEY_ASSERT(!method->name.empty() && method->name.size() <= max_method_bytes,
                "a method's name has 1 to 255 bytes");
  const std::lock_guard lock(adding_);
  if (tables_.back()->find(method->hash, method->name) != nullptr) {
    assertion_failed("", "method \"" + method->name + "\" is handled twice");
  }
  methods_.push_back(std::move(method));
  if (methods_.size() * 2 <= tables_.back()->slots.size()) {
    tables_.back()->insert(*methods_.back());
  } else {
    tables_.push_back(std::make_unique<Table>(2 * tables_.back()->slots.size()));
    for (const auto& each : methods_) tables_.back()->insert(*each);
    table_.store(tables_.back().get(), std::memory_order_release);
  }
  size_.store(methods_.size(), std::memory_order_relaxed);
}

void Router::set_unknown(wire::MessageType type, Handler handler, bool takes_filtered) {
  const std::lock_guard lock(adding_);
  std::atomic<const Method*>& unknown = unknown_[place_of(type)];
  PARLEY_ASSERT(unknown.load(std::memory_order_relaxed) == nullptr,
                "what is handled by no method is handled twice");
  kept_unknown_.push_back(
      std::make_unique<Method>(std::string_view(), std::move(handler), codec::MethodShape(),
                               type == wire::MessageType::open, takes_filtered));
  unknown.store(kept_unknown_.back().get(), std::memory_order_release);
}

std::vector<codec::MethodShape> Router::shapes(bool of_streams) const {
  std::vector<codec::MethodShape> all;
  {
    const std::lock_guard lock(adding_);
    for (const auto& each : methods_) {
      if (each->is_stream == of_streams) all.push_back(each->shape);
    }
  }
  std::ranges::sort(all, {}, &codec::MethodShape::name);
  return all;
}

const Router::Method* Router::find(std::string_view name, Recent& recent) const {
  const Method*& last = recent.at(name);
  if (last != nullptr && last->name == name) [[likely]]
    return last;
  const Method* method = find(name);
  if (method != nullptr) last = method;
  return method;
}

const Router::Method* Router::find(std::string_view name) const {
  const std::size_t hash = std::hash<std::string_view>()(name);
  return table_.load(std::memory_order_acquire)->find(hash, name);
}

Status Router::not_found(std::string_view method, bool suggest) const {
  // A wrong name costs a walk over all names; keep that bounded for whoever sends garbage.
  constexpr std::size_t most_names = 200;
  const std::string_view shown = impl::shown_name(method);
  std::string message = "no method \"" + std::string(shown) + "\" here";
  std::vector<std::string_view> names;
  if (suggest && size() <= most_names) {
    for (const auto& slot : table_.load(std::memory_order_acquire)->slots) {
      const Method* known = slot.load(std::memory_order_acquire);
      if (known != nullptr) names.push_back(known->name);
    }
  }
  if (const auto near = nearest(shown, names)) {
    message += "; did you mean \"" + std::string(*near) + "\"?";
  }
  return {Code::not_found, std::move(message)};
}

}  // namespace parley
