#include "parley/cli/plan.h"

#include <span>

#include "parley/cli/body.h"
#include "parley/cli/duration.h"
#include "parley/cli/text.h"

namespace parley::cli {
namespace {

Status missing(std::string_view what, std::string_view how) {
  return Status(Code::invalid_argument,
                "the " + std::string(what) + " is missing; write " + std::string(how));
}

Status read_target(const Flags& flags, CallPlan& plan) {
  const auto& arguments = flags.arguments();
  if (arguments.empty()) {
    return missing("address", "where the service listens, such as tcp://127.0.0.1:4711");
  }
  if (arguments.size() < 2) return missing("method", "its name after the address, like /math/add");
  plan.address = arguments[0];
  if (plan.address.starts_with("inproc:")) {
    return Status(Code::invalid_argument,
                  "\"" + excerpt(plan.address) +
                      "\": inproc: names are within one process; write where the service listens "
                      "for others, such as tcp://127.0.0.1:4711");
  }
  plan.method = arguments[1];
  if (plan.method.empty()) return missing("method", "its name after the address, like /math/add");
  if (plan.method.find("://") != std::string::npos) {
    return Status(Code::invalid_argument, "the method comes after the address, but \"" +
                                              excerpt(plan.method) + "\" is an address");
  }
  return {};
}

Status read_body(const Flags& flags, CallPlan& plan) {
  const auto arguments = std::span(flags.arguments()).subspan(2);
  const auto file = flags.value("--body-file");
  if (file && !arguments.empty()) {
    return Status(Code::invalid_argument,
                  "the body comes from --body-file or from ARGS; leave one of them out");
  }
  auto body = file ? body_from_file(*file) : body_of(arguments);
  if (!body) return file ? body.error().with_context("--body-file") : body.error();
  plan.body = std::move(*body);
  return {};
}

Status read_timeout(const Flags& flags, CallPlan& plan) {
  const auto text = flags.value("--timeout");
  if (!text) return {};
  const auto timeout = parse_duration(*text);
  if (!timeout) return timeout.error().with_context("--timeout");
  plan.timeout = *timeout;
  return {};
}

Status read_metadata(const Flags& flags, CallPlan& plan) {
  for (const std::string& pair : flags.values("--meta")) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status(Code::invalid_argument,
                    "--meta: \"" + excerpt(pair) + "\" is not KEY=VALUE; write --meta user=ada");
    }
    plan.metadata.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return {};
}

Status read_layout(const Flags& flags, CallPlan& plan) {
  if (flags.has("--pretty") && flags.has("--compact")) {
    return Status(Code::invalid_argument, "--pretty and --compact exclude each other");
  }
  if (flags.has("--pretty")) plan.layout = Layout::pretty;
  if (flags.has("--compact")) plan.layout = Layout::compact;
  return {};
}

}  // namespace

Result<CallPlan> plan_call(Verb verb, const Flags& flags) {
  CallPlan plan;
  plan.verb = verb;
  plan.is_verbose = flags.has("--verbose");
  for (const auto read : {read_target, read_timeout, read_metadata, read_layout, read_body}) {
    const Status status = read(flags, plan);
    if (!status.is_ok()) return status;
  }
  return plan;
}

}  // namespace parley::cli
