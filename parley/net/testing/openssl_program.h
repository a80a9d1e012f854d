// OpensslProgram: the openssl command as a child process, the foreign peer of our TLS. For tests;
// one fiber.
//
//   OpensslProgram server({"s_server", "-accept", "127.0.0.1:0", ...});
//   const std::string said = server.read_until("ACCEPT ");
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "parley/base/fd.h"
#include "parley/rt/pollable.h"

namespace parley::net::testing {

class OpensslProgram {
 public:
  explicit OpensslProgram(std::vector<std::string> arguments);
  // Kills it if it still runs.
  ~OpensslProgram();
  OpensslProgram(const OpensslProgram&) = delete;
  OpensslProgram& operator=(const OpensslProgram&) = delete;

  // All it has printed so far (both outputs) once that contains `text`, or has ended.
  std::string read_until(const std::string& text);
  // What it has said so far does not count for the next read_until().
  void forget() { said_.clear(); }
  // All it prints until it ends.
  std::string read_to_end();
  void write(const std::string& text);
  // The end of its input.
  void end_input() { input_.reset(); }

 private:
  bool read_more();

  pid_t pid_ = -1;
  Fd input_;
  Fd output_;
  rt::Pollable pollable_;
  std::string said_;
};

}  // namespace parley::net::testing
