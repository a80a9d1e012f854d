// A foreign peer calls, and is called back, with bodies as erpc's: body_codec_reference.py, which
// was written from the documents and shares no code. Skipped where there is no python3.
#include <gtest/gtest.h>

#include <string>

#include "parley/base/testing/witness.h"
#include "parley/net/address.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/blocking.h"

namespace parley::body_codec_reference {
namespace {

using wire::BodyCodec;

struct Order {
  std::string sku;
  int quantity = 0;
};
struct Price {
  std::string sku;
  int pence = 0;
};
struct Discount {
  int percent = 0;
};

// Asks back in the codec it was asked in, with one argument and, as plain text, with a single
// value.
Result<Price> price_of(Context& context, const Order& order) {
  const CallOptions same{.body_codec = context.body_codec()};
  const auto discount = context.session().call<Discount>(same, "/client/discount", order);
  if (!discount) return discount.error();
  const auto plain =
      context.session().call<int>({.body_codec = BodyCodec::plain}, "/client/discount", order.sku);
  if (!plain) return plain.error();
  return Price{order.sku, order.quantity * (100 - discount->percent) + *plain};
}

PARLEY_PEER_TEST(BodyCodecReference, calls_and_is_called_with_protobuf_forms_and_plain_text) {
  const testing::Witness witness;
  const std::string python = witness.python_with("urllib.parse");
  if (python.empty()) GTEST_SKIP() << "there is no python3 to ask";
  testing::Pair pair(PeerOptions{.framings = testing::raw_only()}, PeerOptions{});
  pair.server.handle("/order/price", price_of);
  const auto address = net::Address::parse(pair.address).value();
  const std::string command =
      python + " '" PARLEY_SOURCE_DIR "/parley/peer/body_codec_reference.py' 127.0.0.1 " +
      std::to_string(address.port);
  const std::string told = rt::blocking([&] { return witness.output_of(command); });
  const auto in = [](const std::string& codec, const std::string& back) {
    const std::string order = codec == "p" ? "'sku': 'green tea & more', 'percent': 300"
                                           : "'sku': 'green tea & more', 'quantity': '300'";
    const std::string price = back == "p" ? "'sku': 'green tea & more', 'pence': 27010"
                                          : "'sku': 'green tea & more', 'pence': '27010'";
    return codec + " /client/discount {" + order + "}\n" +
           "s /client/discount {'plain': 'green tea & more'}\n" + back + " reply {" + price + "}\n";
  };
  EXPECT_EQ(told, in("p", "p") + in("f", "f") + in("f", "p") + in("p", "f") + in("p", "p"));
}

}  // namespace
}  // namespace parley::body_codec_reference
