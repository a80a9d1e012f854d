#include "parley/door/impl/grpc_files.h"

#include <algorithm>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/codec/protobuf.h"
#include "parley/door/impl/grpc_names.h"

namespace parley::door::impl {

using codec::ProtoField;
using codec::ProtoFile;
using codec::ProtoMessage;
using codec::ProtoService;

namespace {

bool is_among(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

// Whether it takes or gives bytes as they come, so that nobody knows its messages.
bool is_opaque(const codec::MethodShape& shape) {
  if (shape.is_stream) return shape.parameters == nullptr || shape.result == nullptr;
  const codec::Type* const bytes = &codec::type_of<Bytes>();
  return codec::body_type(shape.parameters) == bytes || shape.result == bytes;
}

// Whether `name` lies in `around`: "a.b.c" in "a.b", and everything in nothing.
bool lies_in(std::string_view name, std::string_view around) {
  return around.empty() ||
         (name.size() > around.size() && name.starts_with(around) && name[around.size()] == '.');
}

// The part of `name` that follows `around`, in which it lies.
std::string next_part(std::string_view name, std::string_view around) {
  if (!around.empty()) name.remove_prefix(around.size() + 1);
  return std::string(name.substr(0, name.find('.')));
}

std::string joined(const std::string& around, const std::string& name) {
  return around.empty() ? name : around + "." + name;
}

ProtoFile file_of_package(const std::string& package,
                          const std::map<std::string, ProtoService>& services,
                          std::vector<std::string> reserved) {
  std::vector<ProtoService> all;
  for (const auto& [name, service] : services) all.push_back(service);
  return codec::proto_file(
      {}, all,
      {.package = package,
       .name = package.empty() ? "parley.proto" : "parley/" + package + ".proto",
       .reserved = std::move(reserved)});
}

}  // namespace

GrpcFiles::GrpcFiles(std::span<const codec::MethodShape> methods, NameMapper mapper,
                     const GrpcReflectionOptions& options) {
  std::set<std::string> names;
  for (const codec::MethodShape& each : methods) names.insert(each.name);
  Packages packages;
  for (const codec::MethodShape& each : methods) {
    const auto name = grpc_name_of(each.name);
    if (!name || is_opaque(each)) continue;
    const auto meant = methods_of_path(name->path(), mapper);
    const auto first = std::ranges::find_if(
        meant, [&](const std::string& method) { return names.contains(method); });
    if (first == meant.end() || *first != each.name) continue;
    services_.insert(name->full_service());
    if (known_file(name->full_service()) != nullptr) continue;
    ProtoService& service = packages[name->package][name->service];
    service.name = name->service;
    service.methods.push_back({.name = name->method,
                               .shape = each,
                               .takes_one = is_among(options.takes_one, each.name),
                               .gives_one = is_among(options.gives_one, each.name)});
  }
  // No package has the name of a service.
  const std::set<std::string> wanted = services_;
  for (const std::string& service : wanted) {
    const bool is_hidden = std::ranges::any_of(
        wanted, [&](const std::string& other) { return lies_in(service, other); });
    if (!is_hidden) continue;
    services_.erase(service);
    const std::size_t dot = service.rfind('.');
    packages[service.substr(0, dot)].erase(service.substr(dot + 1));
  }
  std::erase_if(packages, [](const auto& each) { return each.second.empty(); });
  std::vector<ProtoFile> made;
  do {
    made.clear();
    for (const auto& [package, services] : packages) {
      std::vector<std::string> reserved;
      for (const std::string& other : services_) {
        if (lies_in(other, package)) reserved.push_back(next_part(other, package));
      }
      for (const auto& [symbol, file] : symbols_) {
        if (lies_in(symbol, package)) reserved.push_back(next_part(symbol, package));
      }
      if (package.empty()) reserved.emplace_back("google");
      std::erase_if(reserved, [&](const std::string& name) { return services.contains(name); });
      made.push_back(file_of_package(package, services, std::move(reserved)));
    }
  } while (drop_described(packages, made));
  for (const ProtoFile& file : made) {
    if (auto bytes = codec::encode_protobuf(file)) add(file, *std::move(bytes));
  }
  add_known();
  add_needs();
}

// Takes in the files that came with messages, and leaves them the services that they declare. True
// when there were some that were not known before: what was made without them is not to be used.
bool GrpcFiles::drop_described(Packages& packages, const std::vector<ProtoFile>& made) {
  bool is_changed = false;
  for (const ProtoFile& each : made) {
    for (const auto& [name, bytes] : each.described) {
      if (files_.contains(name)) continue;
      const auto file = codec::decode_protobuf<ProtoFile>(bytes);
      if (!file) continue;
      is_changed = true;
      add(*file, bytes);
      const auto at = packages.find(file->package);
      if (at == packages.end()) continue;
      for (const auto& service : file->service) at->second.erase(service.name);
    }
  }
  std::erase_if(packages, [](const auto& each) { return each.second.empty(); });
  return is_changed;
}

void GrpcFiles::add_known() {
  for (const std::string& service : services_) {
    const ProtoFile* const file = known_file(service);
    if (file == nullptr) continue;
    if (auto bytes = codec::encode_protobuf(*file)) add(*file, *std::move(bytes));
  }
}

void GrpcFiles::add(const ProtoFile& file, std::string bytes) {
  files_.insert_or_assign(file.name, File{.bytes = std::move(bytes), .needs = file.dependency});
  for (const ProtoMessage& each : file.message_type) add_message(file.package, each, file.name);
  for (const auto& each : file.enum_type) symbols_[joined(file.package, each.name)] = file.name;
  for (const auto& service : file.service) {
    const std::string name = joined(file.package, service.name);
    symbols_[name] = file.name;
    for (const auto& method : service.method) symbols_[name + "." + method.name] = file.name;
  }
  for (const ProtoField& each : file.extension) {
    symbols_[joined(file.package, each.name)] = file.name;
  }
  add_extensions(file.extension, file.name);
}

// protobuf's own, where nobody brought them.
void GrpcFiles::add_needs() {
  std::set<std::string> missing;
  for (const auto& [name, file] : files_) {
    for (const std::string& each : file.needs) {
      if (!files_.contains(each)) missing.insert(each);
    }
  }
  for (const std::string& each : missing) {
    const auto file = codec::well_known_proto_file(each);
    if (!file) continue;
    if (auto bytes = codec::encode_protobuf(*file)) add(*file, *std::move(bytes));
  }
}

void GrpcFiles::add_message(const std::string& around, const ProtoMessage& message,
                            const std::string& file) {
  const std::string name = joined(around, message.name);
  symbols_[name] = file;
  messages_.insert(name);
  for (const ProtoMessage& each : message.nested_type) add_message(name, each, file);
  for (const auto& each : message.enum_type) symbols_[joined(name, each.name)] = file;
  for (const ProtoField& each : message.extension) symbols_[joined(name, each.name)] = file;
  add_extensions(message.extension, file);
}

void GrpcFiles::add_extensions(std::span<const ProtoField> fields, const std::string& file) {
  for (const ProtoField& each : fields) {
    if (each.extendee.empty()) continue;
    extensions_[each.extendee.substr(1)][each.number] = file;
  }
}

std::string_view GrpcFiles::file_of(const std::string& symbol) const {
  const auto at = symbols_.find(symbol);
  return at == symbols_.end() ? std::string_view() : at->second;
}

const GrpcFiles::Extensions* GrpcFiles::extensions_of(const std::string& message) const {
  static const Extensions none;
  const auto at = extensions_.find(message);
  if (at != extensions_.end()) return &at->second;
  return messages_.contains(message) ? &none : nullptr;
}

std::vector<std::string> GrpcFiles::with_needs(std::string_view file) const {
  std::vector<std::string> bytes;
  std::vector<std::string> names = {std::string(file)};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto at = files_.find(names[i]);
    if (at == files_.end()) continue;
    bytes.push_back(at->second.bytes);
    for (const std::string& each : at->second.needs) {
      if (!is_among(names, each)) names.push_back(each);
    }
  }
  return bytes;
}

}  // namespace parley::door::impl
