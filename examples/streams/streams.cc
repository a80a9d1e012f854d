// Streams between two equals: a shop that tells the price of what is asked for, for as long as
// questions come, and a caller that asks and listens at the same time. Prints three prices, then
// how the stream ended.
#include <parley/parley.h>

#include <cstdio>
#include <string>

struct Question {
  std::string sku;
};
struct Price {
  std::string sku;
  int pence = 0;
};

// Receives questions, sends prices.
parley::Status quote(parley::Stream<Question, Price>& stream) {
  while (true) {
    auto question = stream.receive();
    if (!question) return question.error();  // the caller has given up, say
    if (!*question) return {};               // the caller has finished
    const int pence = 100 * static_cast<int>((*question)->sku.size());
    if (auto sent = stream.send({(*question)->sku, pence}); !sent.is_ok()) return sent;
  }
}

parley::Status ask(const parley::Session& session) {
  auto stream = session.open<Price, Question>("/shop/quote");
  if (!stream) return stream.error();
  parley::rt::Scope scope;
  scope.go("ask", [&] {
    for (const char* sku : {"tea", "coffee", "saffron"}) {
      if (!stream->send({sku}).is_ok()) return;  // receive() below says why
    }
    (void)stream->finish();
  });
  while (true) {
    auto price = stream->receive();
    if (!price) return price.error();
    if (!*price) return {};
    std::printf("%s: %d pence\n", (*price)->sku.c_str(), (*price)->pence);
  }
}

int main() {
  return parley::run([] {
    parley::Peer shop;
    shop.handle_stream("/shop/quote", quote);
    auto address = shop.listen("tcp://127.0.0.1:0");
    parley::Peer caller;
    auto session = caller.dial(address.value().to_string());
    std::printf("%s\n", ask(session.value()).to_string().c_str());
  });
}
