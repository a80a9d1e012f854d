// A service and its caller in one program: the second peer CALLs a plain function of the first,
// over TCP, and prints 3.
#include <parley/parley.h>

#include <cstdio>

int add(int a, int b) { return a + b; }

int main() {
  return parley::run([] {
    parley::Peer service;
    service.handle("/math/add", add);
    auto address = service.listen("tcp://127.0.0.1:0");
    parley::Peer caller;
    auto session = caller.dial(address.value().to_string());
    auto sum = session.value().call<int>("/math/add", 1, 2);
    std::printf("%d\n", sum.value());
  });
}
