// The tree's answers as JSON, to the letter as etcd v2 gives them: names and order of the fields,
// what is left out (what is zero, empty or false; the key of the root), the escapes (<, > and & as
// well; what is no UTF-8 becomes U+FFFD), expirations in RFC 3339, times to live rounded up.
//
// Pure functions: safe on every thread and fiber. Nothing ends in a line break.
//
//   std::string body = kv::json_of(*event);
//   // {"action":"set","node":{"key":"/a","value":"1","modifiedIndex":4,"createdIndex":4}}
#pragma once

#include <string>

#include "parley/kv/error.h"
#include "parley/kv/event.h"
#include "parley/kv/statistics.h"

namespace parley::kv {

// Times to live are counted from event.at.
std::string json_of(const Event& event);
// The same, counted from `now`: for an event of the history.
std::string json_of(const Event& event, WallTime now);
std::string json_of(const Error& error);
std::string json_of(const Statistics& statistics);

}  // namespace parley::kv
