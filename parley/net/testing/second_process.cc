// The other process of the hand-over tests. A program of its own:
//
//   net_second_process take ADDRESS   dials ADDRESS, takes the listeners that come and answers each
//                                     connection with "new " and the listener's name, until the
//                                     dialled stream ends
//   net_second_process refuse ADDRESS the same with too few descriptors to take them
//   net_second_process inherit        answers one connection to each inherited listener with its
//                                     name, and prints what it found
#include <fcntl.h>
#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "parley/net/handover.h"
#include "parley/net/network.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"

namespace parley::net {
namespace {

int fail(const Status& status) {
  std::printf("%s\n", status.to_string().c_str());
  return 1;
}

int take(std::string_view address) {
  SocketNetwork network;
  auto stream = network.dial(*Address::parse(address));
  if (!stream) return fail(stream.error());
  auto taken = receive_listeners(**stream);
  if (!taken) return fail(taken.error());
  rt::Scope scope;
  for (const NamedListener& one : *taken) {
    scope.go("accept", [&one] {
      while (auto accepted = one.listener->accept()) (void)(*accepted)->write("new " + one.name);
    });
  }
  std::array<char, 1> buffer{};
  (void)(*stream)->read(buffer);
  for (const NamedListener& one : *taken) one.listener->close();
  return 0;
}

int refuse(std::string_view address) {
  SocketNetwork network;
  auto stream = network.dial(*Address::parse(address));
  if (!stream) return fail(stream.error());
  // A few are left: receive_listeners() needs one for itself, and UBSan two for a moment when it
  // sees a class for the first time.
  constexpr rlim_t left = 6;
  int last = 0;
  std::vector<int> taken;
  while ((last = ::fcntl(0, F_DUPFD_CLOEXEC, 0)) < 100) taken.push_back(last);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = static_cast<rlim_t>(last) + 1 + left;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const auto refused = receive_listeners(**stream);
  return refused.error().code() == Code::resource_exhausted ? 0 : 1;
}

int inherit() {
  const auto inherited = inherited_listeners();
  if (!inherited) return fail(inherited.error());
  const auto again = inherited_listeners();
  if (!again || !again->empty()) return 2;
  for (const NamedListener& one : *inherited) {
    const int flags = ::fcntl(one.listener->descriptor(), F_GETFD);
    std::printf("%s %s%s\n", one.name.c_str(), one.listener->address().to_string().c_str(),
                (flags & FD_CLOEXEC) != 0 ? "" : " is not closed on exec");
    auto accepted = one.listener->accept();
    if (!accepted) return fail(accepted.error());
    (void)(*accepted)->write(one.name);
  }
  return 0;
}

int run_command(const std::vector<std::string_view>& words) {
  if (words.size() == 3 && words[1] == "take") return take(words[2]);
  if (words.size() == 3 && words[1] == "refuse") return refuse(words[2]);
  if (words.size() == 2 && words[1] == "inherit") return inherit();
  return 64;
}

}  // namespace
}  // namespace parley::net

int main(int count, char** words) {
  const std::vector<std::string_view> all(words, words + count);
  return parley::run([&all] { return parley::net::run_command(all); });
}
