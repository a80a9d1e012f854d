// What `parley call` and `parley push` are asked to do, checked before anything is sent.
//
// Any thread; plan_call() may read the body from a file: use it outside fibers.
//
//   auto plan = plan_call(Verb::call, flags);
//   if (!plan) return usage_error(plan.error());
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/cli/flags.h"

namespace parley::cli {

// How long a call may take in all unless --timeout says otherwise.
inline constexpr Duration default_timeout = std::chrono::seconds(30);

enum class Verb : std::uint8_t { call, push };

enum class Layout : std::uint8_t {
  by_terminal,  // pretty for a person, compact for a program
  pretty,
  compact,
};

struct CallPlan {
  Verb verb = Verb::call;
  std::string address;
  std::string method;
  std::string body;
  Duration timeout = default_timeout;
  std::vector<std::pair<std::string, std::string>> metadata;  // in the order given
  Layout layout = Layout::by_terminal;
  bool is_verbose = false;
};

// invalid_argument (or what the file said) when the command line is not a call: the message says
// which part, why, and how to write it.
Result<CallPlan> plan_call(Verb verb, const Flags& flags);

}  // namespace parley::cli
