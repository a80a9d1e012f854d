#include "parley/cluster/impl/keys_request.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "parley/base/assert.h"

namespace parley::cluster::impl {
namespace {

using kv::CommandKind;
using kv::Error;
using kv::ErrorCode;

// Seconds that a ttl may have: a hundred years. etcd takes more and counts wrong with them.
constexpr std::uint64_t most_ttl = std::uint64_t{100} * 365 * 24 * 3600;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Values are bytes: what is no UTF-8 is shown as U+FFFD, as etcd does, and not refused here.
bool unescape(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        out = "invalid URL escape \"" + std::string(text.substr(i, 3)) + "\"";
        return false;
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return true;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "1" || text == "t" || text == "T" || text == "true" || text == "TRUE" ||
      text == "True") {
    return true;
  }
  if (text == "0" || text == "f" || text == "F" || text == "false" || text == "FALSE" ||
      text == "False") {
    return false;
  }
  return {};
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return out;
}

// Reads fields until the first that is wrong; that one stays.
class Fields {
 public:
  explicit Fields(const KeysForm& form) : form_(form) {}

  std::uint64_t number(std::string_view name) {
    const auto text = form_.get(name);
    if (!text) return 0;
    const auto read = parse_number(*text);
    if (!read) fail(ErrorCode::index_not_a_number, quoted(name));
    return read.value_or(0);
  }

  std::optional<bool> flag(std::string_view name) {
    const auto text = form_.get(name);
    if (!text) return {};
    const auto read = parse_bool(*text);
    if (!read) fail(ErrorCode::invalid_field, quoted(name));
    return read.value_or(false);
  }

  void fail(ErrorCode code, std::string cause) {
    if (!error_) error_ = Error{.code = code, .cause = std::move(cause)};
  }

  static std::string quoted(std::string_view name) {
    return "invalid value for \"" + std::string(name) + "\"";
  }

  [[nodiscard]] std::optional<Error>& error() { return error_; }

 private:
  const KeysForm& form_;
  std::optional<Error> error_;
};

// What the fields of a request say, each of them checked whatever the method makes of it.
struct Read {
  std::string value;
  std::string prev_value;
  std::uint64_t prev_index = 0;
  std::uint64_t wait_index = 0;
  bool recursive = false;
  bool sorted = false;
  bool wait = false;
  bool dir = false;
  bool stream = false;
  bool refresh = false;
  bool no_value_on_success = false;
  std::optional<std::uint64_t> ttl;
  std::optional<bool> prev_exist;

  [[nodiscard]] bool compares() const { return prev_index != 0 || !prev_value.empty(); }
};

// The order is etcd's: of two wrong fields it names the first.
std::optional<Error> read_fields(http::Method method, const KeysForm& form, Read& out) {
  Fields fields(form);
  out.prev_index = fields.number("prevIndex");
  out.wait_index = fields.number("waitIndex");
  out.recursive = fields.flag("recursive").value_or(false);
  out.sorted = fields.flag("sorted").value_or(false);
  out.wait = fields.flag("wait").value_or(false);
  out.dir = fields.flag("dir").value_or(false);
  // Every read here sees all that was written before it, so `quorum` asks for nothing more.
  (void)fields.flag("quorum");
  out.stream = fields.flag("stream").value_or(false);
  if (out.wait && method != http::Method::get) {
    fields.fail(ErrorCode::invalid_field, "\"wait\" can only be used with GET requests");
  }
  if (const auto previous = form.get("prevValue")) {
    if (previous->empty()) {
      fields.fail(ErrorCode::prev_value_required, "\"prevValue\" cannot be empty");
    }
    out.prev_value = *previous;
  }
  out.no_value_on_success = fields.flag("noValueOnSuccess").value_or(false);
  if (const auto ttl = form.get("ttl"); ttl && !ttl->empty()) {
    out.ttl = parse_number(*ttl);
    if (!out.ttl || *out.ttl > most_ttl) {
      fields.fail(ErrorCode::ttl_not_a_number, Fields::quoted("ttl"));
    }
  }
  for (auto [name, of] : {std::pair{"prevExist", 0}, std::pair{"refresh", 1}}) {
    const auto text = form.get(name);
    if (!text) continue;
    const auto read = parse_bool(*text);
    if (!read) fields.fail(ErrorCode::invalid_field, std::string("invalid value for ") + name);
    if (of == 0)
      out.prev_exist = read;
    else
      out.refresh = read.value_or(false);
  }
  out.value = form.get("value").value_or("");
  if (out.refresh && !out.value.empty()) {
    fields.fail(ErrorCode::value_on_refresh, "A value was provided on a refresh");
  }
  if (out.refresh && !out.ttl) {
    fields.fail(ErrorCode::ttl_required_on_refresh, "No TTL value set");
  }
  return std::move(fields.error());
}

CommandKind kind_of(http::Method method, const Read& read) {
  if (method == http::Method::post) return CommandKind::create;
  if (method == http::Method::remove) {
    return read.compares() ? CommandKind::compare_and_delete : CommandKind::remove;
  }
  if (read.prev_exist) {
    if (!*read.prev_exist) return CommandKind::create;
    return read.compares() ? CommandKind::compare_and_swap : CommandKind::update;
  }
  return read.compares() ? CommandKind::compare_and_swap : CommandKind::set;
}

}  // namespace

std::optional<kv::Error> add_pairs(std::string_view text, KeysForm& form) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (form.form.pairs.size() >= http::default_form_options.max_pairs) {
      return kv::Error{.code = ErrorCode::invalid_form, .cause = "too many fields (max_pairs)"};
    }
    if (pair.find(';') != std::string_view::npos) {
      return kv::Error{.code = ErrorCode::invalid_form,
                       .cause = "invalid semicolon separator in query"};
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    http::FormPair out;
    if (!unescape(pair.substr(0, equals), out.name)) {
      return kv::Error{.code = ErrorCode::invalid_form, .cause = std::move(out.name)};
    }
    if (!unescape(pair.substr(std::min(equals + 1, pair.size())), out.value)) {
      return kv::Error{.code = ErrorCode::invalid_form, .cause = std::move(out.value)};
    }
    form.form.pairs.push_back(std::move(out));
  }
  return {};
}

std::variant<KeysRequest, kv::Error> keys_request(http::Method method, std::string path,
                                                  const KeysForm& form, WallTime now) {
  Read read;
  if (auto error = read_fields(method, form, read)) return std::move(*error);
  if (method == http::Method::get || method == http::Method::head) {
    if (read.wait) {
      return KeysRequest(KeysWatch{.path = std::move(path),
                                   .recursive = read.recursive,
                                   .stream = read.stream,
                                   .since = read.wait_index});
    }
    return KeysRequest(
        KeysGet{.path = std::move(path), .recursive = read.recursive, .sorted = read.sorted});
  }
  PARLEY_ASSERT(
      method == http::Method::put || method == http::Method::post || method == http::Method::remove,
      "other methods are refused before");
  kv::Command command{.kind = kind_of(method, read), .path = std::move(path)};
  command.dir = read.dir;
  command.unique = method == http::Method::post;
  command.recursive = read.recursive;
  command.prev_value = std::move(read.prev_value);
  command.prev_index = read.prev_index;
  if (method != http::Method::remove) {
    command.value = std::move(read.value);
    command.refresh = read.refresh && method == http::Method::put;
    if (read.ttl) {
      command.expiration = now + std::chrono::seconds(static_cast<std::int64_t>(*read.ttl));
    }
  }
  return KeysRequest(
      KeysWrite{.command = std::move(command),
                .no_value_on_success = read.no_value_on_success && method != http::Method::remove});
}

}  // namespace parley::cluster::impl
