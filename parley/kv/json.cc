#include "parley/kv/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <ratio>
#include <string_view>
#include <utility>

#include "parley/kv/impl/utf8.h"

namespace parley::kv {
namespace {

class Writer {
 public:
  [[nodiscard]] std::string take() { return std::move(out_); }

  void open(char bracket) {
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void comma() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void name(std::string_view name) {
    comma();
    out_.append("\"").append(name).append("\":");
  }
  void field(std::string_view its_name, std::string_view text) {
    name(its_name);
    string(text);
  }
  template <class Integer>
  void number(std::string_view its_name, Integer value) {
    name(its_name);
    std::array<char, 24> digits{};
    out_.append(digits.data(), std::to_chars(digits.data(), digits.end(), value).ptr);
  }
  void truth(std::string_view its_name) {
    name(its_name);
    out_ += "true";
  }
  void string(std::string_view text);

 private:
  void control(char c);

  std::string out_;
  bool first_ = true;
};

void Writer::control(char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out_ += "\\u00";
  out_ += hex[byte >> 4];
  out_ += hex[byte & 15];
}

void Writer::string(std::string_view text) {
  out_ += '"';
  while (!text.empty()) {
    const std::size_t length = impl::utf8_length(text);
    const std::string_view character = text.substr(0, std::max(length, std::size_t{1}));
    const char c = character.front();
    if (length == 0) {
      out_ += "\\ufffd";
    } else if (character == "\xE2\x80\xA8") {
      out_ += "\\u2028";
    } else if (character == "\xE2\x80\xA9") {
      out_ += "\\u2029";
    } else if (length > 1) {
      out_ += character;
    } else if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out_ += '\\';
      out_ += c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
    } else if (static_cast<unsigned char>(c) < ' ' || c == '<' || c == '>' || c == '&') {
      control(c);
    } else {
      out_ += c;
    }
    text.remove_prefix(character.size());
  }
  out_ += '"';
}

void append_padded(std::string& out, std::int64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  out.append(width - std::min(width, digits.size()), '0').append(digits);
}

// RFC 3339 in UTC, with as many decimals as it takes.
std::string date_of(WallTime time) {
  // Not floor(), which for the first and last second that there is counts beyond them.
  constexpr std::int64_t second = std::nano::den;
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t rest = (count % second + second) % second;
  const std::chrono::sys_seconds seconds(
      std::chrono::seconds(count / second - (count % second < 0 ? 1 : 0)));
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  std::string out;
  append_padded(out, static_cast<int>(date.year()), 4);
  append_padded(out += '-', static_cast<unsigned>(date.month()), 2);
  append_padded(out += '-', static_cast<unsigned>(date.day()), 2);
  append_padded(out += 'T', clock.hours().count(), 2);
  append_padded(out += ':', clock.minutes().count(), 2);
  append_padded(out += ':', clock.seconds().count(), 2);
  if (rest != 0) {
    append_padded(out += '.', rest, 9);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out += 'Z';
}

void write_node(Writer& to, const NodeView& node, WallTime now) {
  to.open('{');
  if (node.key != "/") to.field("key", node.key);
  if (node.value) to.field("value", *node.value);
  if (node.dir) to.truth("dir");
  if (node.expiration) to.field("expiration", date_of(*node.expiration));
  if (const std::int64_t ttl = node.ttl(now); ttl != 0) to.number("ttl", ttl);
  if (!node.nodes.empty()) {
    to.name("nodes");
    to.open('[');
    for (const NodeView& child : node.nodes) {
      to.comma();
      write_node(to, child, now);
    }
    to.close(']');
  }
  if (node.modified_index != 0) to.number("modifiedIndex", node.modified_index);
  if (node.created_index != 0) to.number("createdIndex", node.created_index);
  to.close('}');
}

}  // namespace

std::string json_of(const Event& event) { return json_of(event, event.at); }

std::string json_of(const Event& event, WallTime now) {
  Writer to;
  to.open('{');
  to.field("action", name_of(event.action));
  to.name("node");
  write_node(to, event.node, now);
  if (event.previous) {
    to.name("prevNode");
    write_node(to, *event.previous, now);
  }
  to.close('}');
  return to.take();
}

std::string json_of(const Error& error) {
  Writer to;
  to.open('{');
  to.number("errorCode", static_cast<std::int32_t>(error.code));
  to.field("message", message_of(error.code));
  if (!error.cause.empty()) to.field("cause", error.cause);
  to.number("index", error.index);
  to.close('}');
  return to.take();
}

std::string json_of(const Statistics& s) {
  Writer to;
  to.open('{');
  to.number("getsSuccess", s.get_success);
  to.number("getsFail", s.get_fail);
  to.number("setsSuccess", s.set_success);
  to.number("setsFail", s.set_fail);
  to.number("deleteSuccess", s.delete_success);
  to.number("deleteFail", s.delete_fail);
  to.number("updateSuccess", s.update_success);
  to.number("updateFail", s.update_fail);
  to.number("createSuccess", s.create_success);
  to.number("createFail", s.create_fail);
  to.number("compareAndSwapSuccess", s.compare_and_swap_success);
  to.number("compareAndSwapFail", s.compare_and_swap_fail);
  to.number("compareAndDeleteSuccess", s.compare_and_delete_success);
  to.number("compareAndDeleteFail", s.compare_and_delete_fail);
  to.number("expireCount", s.expire_count);
  to.number("watchers", s.watchers);
  to.close('}');
  return to.take();
}

}  // namespace parley::kv
