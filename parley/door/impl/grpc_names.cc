#include "parley/door/impl/grpc_names.h"

#include <algorithm>
#include <cctype>

#include "parley/peer/router.h"

namespace parley::door::impl {
namespace {

// "shop.v1.Orders", "PlaceOrder" as one name whose parts '_' joins: what a NameMapper takes.
std::string join_parts(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '_') out += '_';
    out += c == '.' || c == '/' ? '_' : c;
  }
  return out;
}

// Whether it is names of protobuf, with dots between them.
bool is_dotted_name(std::string_view text) {
  bool begins = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '.' && !begins) {
      begins = true;
      continue;
    }
    if (c != '_' && std::isalpha(byte) == 0 && (begins || std::isdigit(byte) == 0)) return false;
    begins = false;
  }
  return !begins;
}

}  // namespace

std::vector<std::string> methods_of_path(std::string_view path, NameMapper mapper) {
  std::vector<std::string> names = {std::string(path)};
  if (path.size() < 2 || path.size() > Router::max_method_bytes) return names;
  path.remove_prefix(1);
  const std::size_t service_end = std::min(path.rfind('/'), path.size());
  const std::size_t package_end = path.substr(0, service_end).rfind('.');
  names.push_back(mapper(join_parts(path)));
  if (package_end != std::string_view::npos && package_end + 1 < path.size()) {
    names.push_back(mapper(join_parts(path.substr(package_end + 1))));
  }
  return names;
}

std::optional<GrpcName> grpc_name_of(std::string_view method) {
  if (method.starts_with('/')) method.remove_prefix(1);
  std::size_t end = method.rfind('/');
  if (end == std::string_view::npos) end = method.rfind('.');
  if (end == std::string_view::npos) return std::nullopt;
  std::string service(method.substr(0, end));
  std::ranges::replace(service, '/', '.');
  const std::string name(method.substr(end + 1));
  if (!is_dotted_name(service) || !is_dotted_name(name) || name.find('.') != std::string::npos)
    return std::nullopt;
  const std::size_t dot = service.rfind('.');
  if (dot == std::string::npos) return GrpcName{.package = {}, .service = service, .method = name};
  return GrpcName{
      .package = service.substr(0, dot), .service = service.substr(dot + 1), .method = name};
}

}  // namespace parley::door::impl
