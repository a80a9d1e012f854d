#include "parley/codec/impl/type_urls.h"

#include <algorithm>
#include <string>

namespace parley::codec::impl {
namespace {

bool is_type_key(const RawString& raw) {
  constexpr std::size_t most = 6 * TypeUrls::key.size();  // each character as \u0040
  if (!raw.has_escapes || raw.text.size() > most) return raw.text == TypeUrls::key;
  std::string meaning;
  unescape_json(raw.text, meaning);
  return meaning == TypeUrls::key;
}

}  // namespace

const char* TypeUrls::find(const char* object) {
  at_ = object + 1;
  skip_space();
  RawString raw;
  if (peek() == '"' && scan_string(raw) && is_type_key(raw) && expect_colon()) return at_;
  if (object >= seen_end_) look_through(object);
  const auto found = std::ranges::lower_bound(found_, object, {}, &Found::object);
  return found != found_.end() && found->object == object ? found->url : nullptr;
}

// Only brackets and strings count: whoever reads the text sees what is wrong with the rest.
void TypeUrls::look_through(const char* object) {
  found_.clear();
  open_.clear();
  at_ = object;
  do {
    if (!step()) break;
  } while (!open_.empty());
  seen_end_ = at_;
  looked_at_ += static_cast<std::size_t>(at_ - object);
  std::ranges::sort(found_, {}, &Found::object);
}

// False when this is no JSON.
bool TypeUrls::step() {
  if (at_ == end_) return false;
  switch (*at_) {
    case '{':
    case '[':
      if (open_.size() >= limits_.max_depth) return false;
      open_.push_back({.found = {.object = at_}});
      break;
    case '}':
    case ']':
      close();
      break;
    case '"':
      return take_string();
    default:
      break;
  }
  ++at_;
  return true;
}

bool TypeUrls::take_string() {
  RawString raw;
  if (!scan_string(raw)) return false;
  skip_space();
  if (peek() != ':') return true;
  ++at_;
  skip_space();
  Open& object = open_.back();
  if (!object.is_first && object.found.url == nullptr && is_type_key(raw)) object.found.url = at_;
  object.is_first = false;
  return true;
}

void TypeUrls::close() {
  if (open_.back().found.url != nullptr) found_.push_back(open_.back().found);
  open_.pop_back();
}

}  // namespace parley::codec::impl
