// The parley command: main() composes, everything else is in the floors.
#include <csignal>

#include "parley/cli/app.h"
#include "parley/cli/console.h"

int main(int argc, char** argv) {
  parley::cli::reserve_standard_descriptors();
  // A reader that went away is a failed write with a message, not a silent death. Ctrl-C keeps its
  // usual effect: it ends this process at once.
  std::signal(SIGPIPE, SIG_IGN);
  parley::cli::Console console;
  return static_cast<int>(
      parley::cli::run_command({argv + (argc > 0 ? 1 : 0), argv + argc}, console));
}
