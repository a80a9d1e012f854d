#include "parley/cli/call.h"

#include <algorithm>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/cli/duration.h"
#include "parley/cli/text.h"
#include "parley/codec/json.h"
#include "parley/peer/peer.h"
#include "parley/rt/runtime.h"

namespace parley::cli {
namespace {

// What came of a plan, filled in inside the runtime and told after it: writing to a terminal
// blocks.
struct Report {
  Status status;
  bool is_connected = false;
  std::string answer;
  Duration dial_time{};
  Duration call_time{};
  wire::Metadata reply_metadata;
};

// How long the other side may take to close its half of the connection once all is said.
constexpr Duration farewell_timeout = std::chrono::milliseconds(200);
// What is left of the time travels with the call, in whole microseconds.
constexpr Duration lost_on_the_way = std::chrono::microseconds(1);

CallOptions options_of(const CallPlan& plan, Duration spent, Report& report) {
  CallOptions options;
  // At least a moment, so that a slow dial ends in this call's own deadline and not in a bug.
  options.timeout = std::max<Duration>(plan.timeout - spent, std::chrono::milliseconds(1));
  for (const auto& [key, value] : plan.metadata) options.metadata.add(key, value);
  options.reply_metadata = &report.reply_metadata;
  return options;
}

void exchange(const CallPlan& plan, Report& report) {
  PeerOptions options;
  options.dial_timeout = std::min(plan.timeout, options.dial_timeout);
  options.call_timeout = plan.timeout;
  options.write_timeout = plan.timeout;
  // Nothing is left to wait for at the end but the other side's good bye; a service still busy with
  // a call we gave up must not hold the terminal.
  options.drain_timeout = Duration::zero();
  options.close_timeout = farewell_timeout;
  Peer peer(options);
  const Instant start = rt::now();
  auto session = peer.dial(plan.address);
  report.dial_time = rt::now() - start;
  if (!session) {
    report.status = session.error();
    return;
  }
  report.is_connected = true;
  const CallOptions call_options = options_of(plan, report.dial_time, report);
  const Instant sent = rt::now();
  const auto codec = plan.body.empty() ? wire::BodyCodec::none : wire::BodyCodec::json;
  Bytes body = Bytes::copy_of(plan.body);
  if (plan.verb == Verb::push) {
    report.status = session->push_raw(call_options, plan.method, codec, std::move(body));
  } else {
    auto answer = session->call_raw(call_options, plan.method, codec, std::move(body));
    report.status = answer.error();
    if (answer) report.answer = answer->to_string();
  }
  report.call_time = rt::now() - sent;
  // The other side knows how long we wait, and may be quicker to say that it is over.
  const bool is_over = report.call_time + lost_on_the_way >= *call_options.timeout;
  if (is_over && report.status.is_remote() && report.status.code() == Code::deadline_exceeded) {
    report.status = Status(Code::deadline_exceeded, report.status.message());
  }
  session->close();
}

void tell_details(const CallPlan& plan, const Report& report, Console& console) {
  if (!report.is_connected) return;
  console.say("connected to " + plan.address + " in " + show_duration(report.dial_time));
  console.say("sent " + std::to_string(plan.body.size()) + " bytes to " + plan.method);
  if (plan.verb == Verb::push) return;
  const std::string how =
      report.status.is_ok() ? std::to_string(report.answer.size()) + " bytes" : "an error";
  console.say("after " + show_duration(report.call_time) + ": " + how);
  for (const auto& [key, value] : report.reply_metadata) {
    console.say("reply metadata: " + std::string(key) + "=" + std::string(value));
  }
}

// The answer as it is to be shown. What is not JSON (a service may answer anything) stays as it is
// for a program, and cannot harm the terminal of a person.
std::string laid_out(const CallPlan& plan, const std::string& answer, bool is_terminal) {
  if (answer.empty()) return "";
  const bool is_pretty =
      plan.layout == Layout::pretty || (plan.layout == Layout::by_terminal && is_terminal);
  const bool is_json = codec::validate_json(answer).is_ok();
  std::string text = is_pretty && is_json ? codec::indent_json(answer) : answer;
  if (is_terminal && !is_json) text = printable(text);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

// dial() names the address in its message and again in the cause; a reader wants it once.
std::string not_reached(const CallPlan& plan, const Status& status) {
  if (status.code() == Code::invalid_argument) return status.message();
  std::string_view why = status.cause().empty() ? status.message() : status.cause();
  const std::string prefix = "dial " + plan.address + ": ";
  if (why.starts_with(prefix)) why.remove_prefix(prefix.size());
  return "cannot reach " + excerpt(plan.address) + ": " + std::string(why) +
         "\n  Is the service running? Compare the address with the one it printed when it started.";
}

// Whether there were more or fewer arguments than the function has parameters.
bool is_of_their_count(const std::string& message) {
  const auto says = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  return says("arguments are expected") ||
         (says("$: expected ") && (says("expected an array of ") || says(", got array")));
}

std::string advice_for_answer(const CallPlan& plan, const Status& status) {
  if (status.business_code() != 0) return "";
  switch (status.code()) {
    case Code::not_found:
      if (status.message().find("did you mean") != std::string::npos) return "";
      if (!plan.method.starts_with('/')) {
        return "Method names begin with a slash: try " + shell_quoted("/" + plan.method);
      }
      return "Method names are exact, capital letters included.";
    case Code::invalid_argument:
      if (!is_of_their_count(status.message())) return "";
      return "One parameter is sent as its value, several as an array: compare the arguments with "
             "the function's parameters.";
    case Code::internal:
      return "The fault is on the other side; its log tells more.";
    default:
      return "";
  }
}

std::string advice_for_silence(const CallPlan& plan, const Status& status) {
  if (status.code() == Code::not_sent) return "The other side has not seen it: try again.";
  if (exit_code_of(status) == ExitCode::not_sent) return "It was not sent.";
  if (status.code() == Code::deadline_exceeded) {
    return "It may have run all the same. Give it longer with --timeout (now " +
           show_duration(plan.timeout) + ").";
  }
  return "It may or may not have run: call again only what may run twice.";
}

}  // namespace

std::string failure_text(const CallPlan& plan, const Status& status, bool is_connected) {
  if (!is_connected) return "parley: " + not_reached(plan, status);
  const bool was_answered = exit_code_of(status) == ExitCode::answered_with_error;
  const std::string advice =
      was_answered ? advice_for_answer(plan, status) : advice_for_silence(plan, status);
  std::string text = "parley: " + excerpt(plan.method);
  text += was_answered ? " answered with an error: " : ": ";
  text += status.to_string();
  if (!advice.empty()) text += "\n  " + advice;
  return text;
}

ExitCode carry_out(const CallPlan& plan, Console& console) {
  Report report;
  parley::run([&] { exchange(plan, report); });
  if (plan.is_verbose) tell_details(plan, report, console);
  if (!report.status.is_ok()) {
    console.say(failure_text(plan, report.status, report.is_connected));
    if (report.is_connected) return exit_code_of(report.status);
    return report.status.code() == Code::invalid_argument ? ExitCode::usage : ExitCode::not_sent;
  }
  const std::string text = laid_out(plan, report.answer, console.is_terminal());
  const Status written = console.write(text);
  if (written.is_ok()) return ExitCode::ok;
  // Whoever closed the pipe knows; nothing is to be said.
  if (written.code() != Code::out_of_range) console.say("parley: " + written.message());
  return ExitCode::output_lost;
}

}  // namespace parley::cli
