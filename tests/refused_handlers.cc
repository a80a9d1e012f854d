// Functions that no message can call, each in front of the sentence the compiler must say of it.
// Never part of a program: see refused_handlers_test.py.
#include <parley/parley.h>

struct Point {
  int x;
};

struct Store {
  int count(int sku);
};

void serve(parley::Peer& peer) {
  // refused: a handler takes parley::Context& first
  peer.handle("/last", [](int a, parley::Context&) { return a; });
  // refused: a handler takes parley::Context& first
  peer.handle("/const", [](const parley::Context&) { return 1; });
  // refused: a handler takes parley::Context& first
  peer.handle("/twice", [](parley::Context&, parley::Context&) { return 1; });
  // refused: a handler takes parley::Context&, not rt::Context
  peer.handle("/other", [](parley::rt::Context&, int a) { return a; });
  // refused: a handler returns by value
  peer.handle("/reference", [](const Point& a) -> const Point& { return a; });
  // refused: a function that takes a stream is served by handle_stream()
  peer.handle("/stream", [](parley::Stream<int, int>&) { return parley::Status(); });
  // refused: a function that takes a stream is served by handle_stream()
  peer.handle("/raw", [](parley::Context&, parley::RawStream&) {});
  // refused: a handler takes values or const references
  peer.handle("/fill", [](Point& a) { ++a.x; });
  // refused: handle() takes a function or a lambda whose parameters are named types
  peer.handle("/auto", [](auto a) { return a; });
  // refused: a member function needs its object
  peer.handle("/member", &Store::count);
  // refused: a handler takes parley::Context& first
  peer.handle_unknown_calls([](parley::Bytes body, parley::Context&) { return body; });
  // refused: a handler of a stream takes an optional leading parley::Context&
  peer.handle_stream("/no/stream", [](int a) { return a; });
  // refused: a handler of a stream returns a Status
  peer.handle_stream("/returns", [](parley::Stream<int, int>&) { return 1; });
}
