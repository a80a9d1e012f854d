// parley-gen: what `parley gen` runs. A program of its own, so that only who generates waits for
// libclang to load.
#include <csignal>

#include "parley/cli/console.h"
#include "parley/cli/gen/gen.h"

int main(int argc, char** argv) {
  parley::cli::reserve_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  parley::cli::Console console;
  return static_cast<int>(parley::cli::run_gen({argv + (argc > 0 ? 1 : 0), argv + argc}, console));
}
