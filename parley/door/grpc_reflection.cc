#include "parley/door/grpc_reflection.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "parley/codec/fields.h"
#include "parley/codec/reflect.h"
#include "parley/door/impl/grpc_files.h"
#include "parley/door/status_table.h"
#include "parley/rt/mutex.h"

namespace parley::door {

// As protobuf has them; what is a oneof there is some optional ones here.
struct AskedExtension {
  std::string containing_type;
  std::int32_t extension_number = 0;
};
struct AskedReflection {
  std::string host;
  std::optional<std::string> file_by_filename;
  std::optional<std::string> file_containing_symbol;
  std::optional<AskedExtension> file_containing_extension;
  std::optional<std::string> all_extension_numbers_of_type;
  std::optional<std::string> list_services;
};
struct ToldFiles {
  std::vector<std::vector<std::byte>> file_descriptor_proto;
};
struct ToldExtensions {
  std::string base_type_name;
  std::vector<std::int32_t> extension_number;
};
struct ToldService {
  std::string name;
};
struct ToldServices {
  std::vector<ToldService> service;
};
struct ToldError {
  std::int32_t error_code = 0;
  std::string error_message;
};
struct ToldReflection {
  std::string valid_host;
  std::optional<AskedReflection> original_request;
  std::optional<ToldFiles> file_descriptor_response;
  std::optional<ToldExtensions> all_extension_numbers_response;
  std::optional<ToldServices> list_services_response;
  std::optional<ToldError> error_response;
};

}  // namespace parley::door

template <>
inline constexpr auto parley::fields<parley::door::AskedReflection> =
    parley::codec::field_rules<parley::door::AskedReflection>(
        parley::codec::field<&parley::door::AskedReflection::file_by_filename>().number(3),
        parley::codec::field<&parley::door::AskedReflection::file_containing_symbol>().number(4),
        parley::codec::field<&parley::door::AskedReflection::file_containing_extension>().number(5),
        parley::codec::field<&parley::door::AskedReflection::all_extension_numbers_of_type>()
            .number(6),
        parley::codec::field<&parley::door::AskedReflection::list_services>().number(7));
template <>
inline constexpr auto parley::fields<parley::door::ToldReflection> =
    parley::codec::field_rules<parley::door::ToldReflection>(
        parley::codec::field<&parley::door::ToldReflection::file_descriptor_response>().number(4),
        parley::codec::field<&parley::door::ToldReflection::all_extension_numbers_response>()
            .number(5),
        parley::codec::field<&parley::door::ToldReflection::list_services_response>().number(6),
        parley::codec::field<&parley::door::ToldReflection::error_response>().number(7));

namespace parley::door {
namespace {

using impl::GrpcFiles;

class Reflection {
 public:
  Reflection(const Peer& peer, GrpcReflectionOptions options)
      : peer_(peer), options_(std::move(options)) {}

  Status serve(Stream<AskedReflection, ToldReflection>& stream) {
    const auto files = current();
    for (;;) {
      auto asked = stream.receive();
      if (!asked) return asked.error();
      if (!*asked) return {};
      ToldReflection told = answer(*files, **asked);
      told.valid_host = (*asked)->host;
      told.original_request = **std::move(asked);
      if (Status s = stream.send(told); !s.is_ok()) return s;
    }
  }

 private:
  // Made anew when methods have been added: none ever goes.
  std::shared_ptr<const GrpcFiles> current() {
    std::vector<codec::MethodShape> all = peer_.methods();
    std::ranges::move(peer_.stream_methods(), std::back_inserter(all));
    const std::lock_guard lock(mutex_);
    if (files_ == nullptr || known_ != all.size()) {
      files_ = std::make_shared<GrpcFiles>(all, peer_.options().name_mapper, options_);
      known_ = all.size();
    }
    return files_;
  }

  static ToldReflection error(Code code, std::string message) {
    ToldReflection told;
    told.error_response =
        ToldError{.error_code = grpc_number(code), .error_message = std::move(message)};
    return told;
  }

  static ToldReflection file(const GrpcFiles& files, std::string_view name,
                             const std::string& what) {
    ToldReflection told;
    ToldFiles& all = told.file_descriptor_response.emplace();
    for (const std::string& each : files.with_needs(name)) {
      const auto bytes = std::as_bytes(std::span(each));
      all.file_descriptor_proto.emplace_back(bytes.begin(), bytes.end());
    }
    if (all.file_descriptor_proto.empty()) return error(Code::not_found, what + " is not known");
    return told;
  }

  static ToldReflection extension(const GrpcFiles& files, const AskedExtension& asked) {
    const auto* const all = files.extensions_of(asked.containing_type);
    const std::string what = "extension " + std::to_string(asked.extension_number) + " of \"" +
                             asked.containing_type + "\"";
    if (all == nullptr || !all->contains(asked.extension_number)) {
      return error(Code::not_found, what + " is not known");
    }
    return file(files, all->at(asked.extension_number), what);
  }

  static ToldReflection extensions(const GrpcFiles& files, const std::string& type) {
    const auto* const all = files.extensions_of(type);
    if (all == nullptr) return error(Code::not_found, "message \"" + type + "\" is not known");
    ToldReflection told;
    ToldExtensions& list = told.all_extension_numbers_response.emplace();
    list.base_type_name = type;
    for (const auto& [number, file] : *all) list.extension_number.push_back(number);
    return told;
  }

  static ToldReflection answer(const GrpcFiles& files, const AskedReflection& asked) {
    if (asked.list_services) {
      ToldReflection told;
      ToldServices& list = told.list_services_response.emplace();
      for (const std::string& each : files.services()) list.service.push_back({each});
      return told;
    }
    if (asked.file_by_filename) {
      return file(files, *asked.file_by_filename, "file \"" + *asked.file_by_filename + "\"");
    }
    if (asked.file_containing_symbol) {
      const std::string& symbol = *asked.file_containing_symbol;
      return file(files, files.file_of(symbol), "symbol \"" + symbol + "\"");
    }
    if (asked.file_containing_extension) return extension(files, *asked.file_containing_extension);
    if (asked.all_extension_numbers_of_type) {
      return extensions(files, *asked.all_extension_numbers_of_type);
    }
    return error(Code::unimplemented, "the request asks for nothing that is known here");
  }

  const Peer& peer_;
  const GrpcReflectionOptions options_;
  rt::Mutex mutex_;
  std::size_t known_ = 0;
  std::shared_ptr<const GrpcFiles> files_;
};

}  // namespace

void handle_grpc_reflection(Peer& peer, GrpcReflectionOptions options) {
  const bool v1 = options.v1;
  const bool v1alpha = options.v1alpha;
  const auto reflection = std::make_shared<Reflection>(peer, std::move(options));
  for (const auto& [is_wanted, version] : {std::pair(v1, "v1"), std::pair(v1alpha, "v1alpha")}) {
    if (!is_wanted) continue;
    peer.handle_stream(
        "/grpc.reflection." + std::string(version) + ".ServerReflection/ServerReflectionInfo",
        [reflection](Stream<AskedReflection, ToldReflection>& stream) {
          return reflection->serve(stream);
        });
  }
}

}  // namespace parley::door
