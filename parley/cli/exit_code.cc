#include "parley/cli/exit_code.h"

namespace parley::cli {

ExitCode exit_code_of(const Status& status) noexcept {
  if (status.is_ok()) return ExitCode::ok;
  // Codes only this side of a call can know, wherever the status was made.
  if (status.code() == Code::not_sent) return ExitCode::not_sent;
  if (status.code() == Code::outcome_unknown) return ExitCode::outcome_unknown;
  if (status.is_remote()) return ExitCode::answered_with_error;
  switch (status.code()) {
    case Code::deadline_exceeded:
    case Code::cancelled:
    case Code::data_loss:
      return ExitCode::outcome_unknown;
    default:
      return ExitCode::not_sent;
  }
}

std::string_view exit_code_help() noexcept {
  return "  0  done: the answer is on standard output\n"
         "  1  the other side answered with an error\n"
         "  2  the command line is wrong; nothing was sent\n"
         "  3  not sent: no connection, or refused; safe to send again\n"
         "  4  outcome unknown: cut or out of time while waiting; it may or may not have run\n"
         "  5  the answer came, but could not be written to standard output\n";
}

}  // namespace parley::cli
