#include "parley/http/websocket_deflate.h"

#include <algorithm>

#include "parley/base/assert.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr int least_bits = wire::least_inflate_window_bits;
constexpr int most_bits = wire::most_window_bits;

// The parameters of one element of the list, as they were written. No optional: who is not there is
// 0 or false.
struct Parameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  int server_max_window_bits = 0;
  int client_max_window_bits = 0;
  bool may_bound_client = false;  // client_max_window_bits is there, perhaps without a value
};

Status no_list(std::string_view element) {
  return {Code::invalid_argument,
          "Sec-WebSocket-Extensions has " + quoted(element) + ", which is no extension"};
}

// Takes what stands before the next semicolon; those between quotes part nothing.
std::string_view take_part(std::string_view& rest) {
  bool is_in_quotes = false;
  std::size_t at = 0;
  for (; at < rest.size() && (is_in_quotes || rest[at] != ';'); ++at) {
    if (rest[at] == '"') is_in_quotes = !is_in_quotes;
  }
  const std::string_view part = trimmed(rest.substr(0, at));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

// `name` or `name=value`, the value a token or one between quotes (RFC 6455 9.1).
bool split(std::string_view part, std::string_view& name, std::string_view& value,
           bool& has_value) {
  const std::size_t equals = part.find('=');
  has_value = equals != std::string_view::npos;
  name = has_value ? trimmed(part.substr(0, equals)) : part;
  value = has_value ? trimmed(part.substr(equals + 1)) : std::string_view();
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return is_token(name) && (!has_value || is_token(value));
}

// 8 to 15 without a zero in front; else 0.
int bits_of(std::string_view value) {
  int bits = 0;
  if (value.empty() || value.size() > 2 || value.front() == '0') return 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return 0;
    bits = bits * 10 + (c - '0');
  }
  return bits >= least_bits && bits <= most_bits ? bits : 0;
}

bool set_flag(bool& flag, bool has_value) {
  if (flag || has_value) return false;
  return flag = true;
}

// False for a parameter that is unknown, there already, or has a wrong value.
bool read_parameter(std::string_view name, std::string_view value, bool has_value,
                    Parameters& parameters) {
  if (same_name(name, "server_no_context_takeover")) {
    return set_flag(parameters.server_no_context_takeover, has_value);
  }
  if (same_name(name, "client_no_context_takeover")) {
    return set_flag(parameters.client_no_context_takeover, has_value);
  }
  if (same_name(name, "server_max_window_bits")) {
    if (parameters.server_max_window_bits != 0) return false;
    parameters.server_max_window_bits = bits_of(value);
    return parameters.server_max_window_bits != 0;
  }
  if (same_name(name, "client_max_window_bits")) {
    if (parameters.may_bound_client) return false;
    parameters.may_bound_client = true;
    if (!has_value) return true;
    parameters.client_max_window_bits = bits_of(value);
    return parameters.client_max_window_bits != 0;
  }
  return false;
}

struct Element {
  std::string_view name;
  Parameters parameters;
  bool is_sound = true;  // all parameters are known ones, once, with values they may have
};

// invalid_argument when it does not look like an extension.
Result<Element> read_element(std::string_view text) {
  Element element;
  std::string_view rest = text;
  element.name = take_part(rest);
  if (!is_token(element.name) || (rest.empty() && text.ends_with(';'))) return no_list(text);
  const bool is_ours = same_name(element.name, extension_name);
  while (!rest.empty()) {
    const bool is_last_empty = rest.ends_with(';') && rest.find(';') == rest.size() - 1;
    std::string_view name;
    std::string_view value;
    bool has_value = false;
    if (!split(take_part(rest), name, value, has_value) || is_last_empty) return no_list(text);
    if (is_ours && element.is_sound) {
      element.is_sound = read_parameter(name, value, has_value, element.parameters);
    }
  }
  return element;
}

// The smaller one, where 0 says nothing.
int lesser(int a, int b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

void append_bits(std::string& out, std::string_view name, int bits) {
  if (bits == most_bits) return;
  out += "; ";
  out += name;
  out += '=';
  out += std::to_string(bits);
}

void append_flags(std::string& out, bool server, bool client) {
  if (server) out += "; server_no_context_takeover";
  if (client) out += "; client_no_context_takeover";
}

DeflateAgreement agreement_of(const DeflateOptions& options) {
  PARLEY_ASSERT(
      std::min(options.server_max_window_bits, options.client_max_window_bits) >= least_bits &&
          std::max(options.server_max_window_bits, options.client_max_window_bits) <= most_bits,
      "permessage-deflate has 8 to 15 window bits");
  return {.server_no_context_takeover = options.server_no_context_takeover,
          .client_no_context_takeover = options.client_no_context_takeover,
          .server_max_window_bits = options.server_max_window_bits,
          .client_max_window_bits = options.client_max_window_bits,
          .min_bytes = options.min_bytes,
          .level = options.level,
          .memory = options.memory};
}

DeflateAgreement accept(const Parameters& asked, const DeflateOptions& options,
                        std::string& answer) {
  DeflateAgreement agreed = agreement_of(options);
  agreed.server_no_context_takeover |= asked.server_no_context_takeover;
  agreed.client_no_context_takeover |= asked.client_no_context_takeover;
  agreed.server_max_window_bits =
      lesser(asked.server_max_window_bits, options.server_max_window_bits);
  // A client that does not say that it knows the parameter must not be told (RFC 7692 7.1.2.2).
  agreed.client_max_window_bits =
      asked.may_bound_client ? lesser(asked.client_max_window_bits, options.client_max_window_bits)
                             : most_bits;
  answer = extension_name;
  append_flags(answer, agreed.server_no_context_takeover, agreed.client_no_context_takeover);
  if (asked.server_max_window_bits != 0 && agreed.server_max_window_bits == most_bits) {
    answer += "; server_max_window_bits=15";  // who asks is answered
  }
  append_bits(answer, "server_max_window_bits", agreed.server_max_window_bits);
  append_bits(answer, "client_max_window_bits", agreed.client_max_window_bits);
  return agreed;
}

Status wrong_answer(std::string_view answer, std::string_view why) {
  return {Code::invalid_argument, "the server answers the extensions with " + quoted(answer, 200) +
                                      ": " + std::string(why)};
}

}  // namespace

std::string deflate_offer(const DeflateOptions& options) {
  if (!options.is_on) return {};
  const DeflateAgreement wanted = agreement_of(options);
  std::string offer(extension_name);
  append_flags(offer, wanted.server_no_context_takeover, wanted.client_no_context_takeover);
  append_bits(offer, "server_max_window_bits", wanted.server_max_window_bits);
  if (wanted.client_max_window_bits == most_bits) offer += "; client_max_window_bits";
  append_bits(offer, "client_max_window_bits", wanted.client_max_window_bits);
  return offer;
}

Result<std::optional<DeflateAgreement>> accept_deflate(std::string_view offers,
                                                       const DeflateOptions& options,
                                                       std::string& answer) {
  answer.clear();
  std::optional<DeflateAgreement> agreed;
  for (std::string_view text; next_element(offers, text);) {
    const Result<Element> element = read_element(text);
    if (!element) return element.error();
    if (agreed || !options.is_on || !element->is_sound ||
        !same_name(element->name, extension_name)) {
      continue;
    }
    agreed = accept(element->parameters, options, answer);
  }
  return agreed;
}

Result<std::optional<DeflateAgreement>> check_deflate_answer(std::string_view answer,
                                                             const DeflateOptions& offered) {
  std::optional<DeflateAgreement> agreed;
  std::string_view rest = answer;
  for (std::string_view text; next_element(rest, text);) {
    const Result<Element> element = read_element(text);
    if (!element) return element.error();
    if (!offered.is_on || !same_name(element->name, extension_name)) {
      return wrong_answer(answer, "it was not asked for that");
    }
    if (agreed) return wrong_answer(answer, "one extension comes twice");
    if (!element->is_sound) {
      return wrong_answer(answer, "a parameter is unknown, comes twice or has a wrong value");
    }
    const Parameters& told = element->parameters;
    if (offered.server_no_context_takeover && !told.server_no_context_takeover) {
      return wrong_answer(answer, "it was asked for server_no_context_takeover");
    }
    if (offered.server_max_window_bits < most_bits &&
        (told.server_max_window_bits == 0 ||
         told.server_max_window_bits > offered.server_max_window_bits)) {
      return wrong_answer(answer, "it was asked for a smaller server_max_window_bits");
    }
    // A larger window than was offered does no harm, and some servers answer so: what is sent looks
    // no further back than it wanted to.
    if (told.may_bound_client && told.client_max_window_bits == 0) {
      return wrong_answer(answer, "client_max_window_bits has no value");
    }
    agreed = agreement_of(offered);
    agreed->server_no_context_takeover = told.server_no_context_takeover;
    agreed->client_no_context_takeover |= told.client_no_context_takeover;
    agreed->server_max_window_bits = lesser(told.server_max_window_bits, most_bits);
    agreed->client_max_window_bits =
        lesser(told.client_max_window_bits, offered.client_max_window_bits);
  }
  return agreed;
}

}  // namespace parley::http
