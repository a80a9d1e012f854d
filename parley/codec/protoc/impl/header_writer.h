// One .proto as one C++ header.
//
// One thread; a HeaderWriter writes one header.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "parley/codec/protoc/impl/layout.h"
#include "parley/codec/protoc/impl/names.h"
#include "parley/codec/protoc/impl/options.h"
#include "parley/codec/protoc/impl/shape.h"

namespace parley::protoc {

class HeaderWriter {
 public:
  HeaderWriter(const google::protobuf::FileDescriptor& file, const Options& options)
      : file_(file),
        options_(options),
        names_(options),
        shaper_(options, names_, layout_, needs_) {}

  // False, with a sentence in `error`, for what has no C++ form. `warnings` gets lines about what
  // was left out.
  bool write(std::string& header, std::string& error, std::string& warnings);

 private:
  bool check(std::string& error) const;
  bool check_message(const google::protobuf::Descriptor& message, std::string& error) const;
  static bool check_json_names(const google::protobuf::Descriptor& message, std::string& error);
  void write_enum(const google::protobuf::EnumDescriptor& type);
  void write_message(const google::protobuf::Descriptor& message);
  void write_member(const Member& member, bool is_first);
  void write_comparison(const google::protobuf::Descriptor& message, const Shape& shape);
  void write_service(const google::protobuf::ServiceDescriptor& service, std::string& warnings);
  void write_enum_names(const google::protobuf::EnumDescriptor& type);
  void write_fields(const google::protobuf::Descriptor& message, const Shape& shape);
  void write_extensions();
  std::string head();

  const google::protobuf::FileDescriptor& file_;
  const Options& options_;
  Names names_;
  Layout layout_;
  Needs needs_;
  Shaper shaper_;
  std::vector<const google::protobuf::Descriptor*> order_;
  std::string declarations_;  // in the namespace
  std::string comparisons_;   // behind them
  std::string tables_;        // behind it
};

}  // namespace parley::protoc
