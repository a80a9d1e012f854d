// What --parley_opt may say.
//
// One thread; nothing is kept.
#pragma once

#include <string>

namespace parley::protoc {

struct Options {
  // unknown_fields=keep: each message has a member for the fields it does not know.
  bool keeps_unknown_fields = false;
  // times=chrono: google.protobuf.Timestamp and Duration are points in time and durations of
  // std::chrono in nanoseconds, which go from 1677 to 2262, and no structs with the whole range.
  bool has_chrono_times = false;
  // namespace=a::b: around the namespace of each package.
  std::string outer_namespace;
};

// Reads `name=value,name=value`. False, with a sentence in `error`, on what is not known.
bool parse_options(const std::string& parameter, Options& options, std::string& error);

}  // namespace parley::protoc
