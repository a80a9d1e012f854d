// metrics: what a peer does, counted in a Registry of observe: calls, pushes and streams by method,
// side and how they went, how long calls take, what is under way, and the sessions.
//
//   parley_peer_calls_total{side="served",method="/order/place",code="ok"} 12
//
// Side is `made` or `served`; code the name of the status, or `business` for the program's own
// errors. However many methods others ask for, the series stay few: what is not served here is one
// method, `unknown`, and beyond max_methods all others are `other`.
//
//   observe::Registry registry;
//   auto metrics = PeerMetrics::make(registry);
//   parley::Peer peer({.plugins = {parley::metrics(*metrics)}});
//   std::string page = registry.open_metrics();
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/observe/bounds.h"
#include "parley/observe/counter.h"
#include "parley/observe/registry.h"
#include "parley/peer/plugin.h"
#include "parley/rt/rw_mutex.h"

namespace parley {

struct PeerMetricsOptions {
  // What the names of all metrics begin with: peers that are to be told apart have one each.
  std::string prefix = "parley_peer";
  // Methods that have series of their own, of each side.
  std::size_t max_methods = 200;
  // Of the time that calls take, in seconds.
  observe::Bounds latency = observe::Bounds::latency();
  // Whether a bucket of it names a trace that fell into it, if the plugin `trace` stands before
  // this one.
  bool exemplars = false;
};

// For any number of peers, which are counted together. Fiber-safe, inside a fiber only.
class PeerMetrics {
 public:
  // The registry must outlive it. Errors are those of Registry: a name that is taken, most likely.
  static Result<std::shared_ptr<PeerMetrics>> make(observe::Registry& registry,
                                                   PeerMetricsOptions options = {});
  PeerMetrics(const PeerMetrics&) = delete;
  PeerMetrics& operator=(const PeerMetrics&) = delete;
  ~PeerMetrics();

 private:
  friend Plugin metrics(std::shared_ptr<PeerMetrics> metrics);
  enum class Kind : std::uint8_t { call, push, stream };
  static constexpr std::size_t kinds = 3;
  enum class Side : std::uint8_t { made, served };
  static constexpr std::size_t sides = 2;
  struct Series;
  using Methods = std::map<std::string, Series*, std::less<>>;

  explicit PeerMetrics(PeerMetricsOptions options);
  Status add_to(observe::Registry& registry);
  void know(std::string_view method);
  Series& served_method(std::string_view method) const;
  Series& made_method(std::string_view method);
  Series* find(Side side, std::string_view method) const;
  Series& add(Side side, std::string_view method);
  template <class Step>
  Status count(Kind kind, Side side, Step& step, Next& next);
  observe::Counter& counter(Series& series, Kind kind, std::size_t code) const;

  const PeerMetricsOptions options_;
  std::array<observe::CounterFamily*, kinds> counted_{};
  observe::HistogramFamily* seconds_ = nullptr;
  observe::CounterFamily* begun_sessions_ = nullptr;
  observe::CounterFamily* ended_sessions_ = nullptr;
  observe::Counter* redials_ = nullptr;
  // What is under way is the difference.
  std::array<observe::Counter, sides> begun_, ended_;
  observe::Counter sessions_begun_, sessions_ended_;

  mutable rt::RwMutex lock_;  // of what follows
  std::vector<std::unique_ptr<Series>> series_;
  std::array<Methods, sides> methods_;
  std::array<std::size_t, sides> own_{};  // methods that have series of their own

  // Fixed once it was made.
  std::array<Series*, sides> others_{};
  Series* unknown_ = nullptr;
  std::vector<observe::Reading> readings_;  // end before what they read
};

// Counts what a peer with this plugin does, and keeps `metrics` alive; that is not null.
Plugin metrics(std::shared_ptr<PeerMetrics> metrics);

}  // namespace parley
