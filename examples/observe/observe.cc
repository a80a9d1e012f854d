// Observe: what a till asks of a shop, and the shop of its store, is one trace, and counted,
// without any handler knowing. Prints the spans as they end, and some of the metrics.
#include <parley/observe/registry.h>
#include <parley/parley.h>
#include <parley/peer/plugins/metrics.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

// Exporters get each span that is over; SpanLines writes them as JSON.
class Printer final : public parley::SpanExporter {
 public:
  void take(const parley::Span& span) override {
    if (!trace_.is_valid()) trace_ = span.context.trace;
    std::printf("%s %s of %s\n", std::string(name_of(span.kind)).c_str(),
                std::string(span.method).c_str(),
                span.context.trace == trace_ ? "the trace" : "another trace");
  }

 private:
  parley::observe::TraceId trace_;
};

void print_calls(const std::string& page) {
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = page.find('\n', at);
    const std::string line = page.substr(at, end - at);
    if (line.starts_with("parley_peer_calls_total")) std::printf("%s\n", line.c_str());
    at = end + 1;
  }
}

int main() {
  return parley::run([] {
    parley::observe::Registry registry;
    const auto metrics = parley::PeerMetrics::make(registry).value();
    const parley::PeerOptions options{
        .plugins = {parley::trace({.exporter = std::make_shared<Printer>()}),
                    parley::metrics(metrics), parley::heartbeat()}};
    parley::Peer store(options);
    store.handle("/stock", [](const std::string& sku) { return sku == "tea" ? 50 : 0; });
    const auto stored_at = store.listen("tcp://127.0.0.1:0").value().to_string();
    parley::Peer shop(options);
    const parley::Session to_store = shop.dial(stored_at).value();
    shop.handle("/has", [&](const std::string& sku) -> parley::Result<bool> {
      auto stock = to_store.call<int>("/stock", sku);
      if (!stock) return stock.error();
      return *stock > 0;
    });
    const auto shop_at = shop.listen("tcp://127.0.0.1:0").value().to_string();
    parley::Peer till(options);
    const bool has_tea = till.dial(shop_at)->call<bool>("/has", "tea").value();
    std::printf("tea: %s\n", has_tea ? "yes" : "no");
    print_calls(registry.open_metrics());
  });
}
