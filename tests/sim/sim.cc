// sim: runs the scenarios of this folder with one seed or many, and prints for each seed the hash
// of all that happened. ./dev sim is what people use.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/rt/simulation.h"
#include "scenario.h"

namespace parley::sim {
namespace {

constexpr std::string_view help =
    R"(sim: runs scenarios under rt::simulate; prints a line `SEED HASH STEPS` for each seed.

  sim --seed 7
  sim --from 1 --count 1000
  sim --seed 7 --events               also each event, a line each
  sim --seed 7 --scenario peers       this one only, planted bugs included
  sim --list                          the scenarios

Exit code: 0 all held, 2 usage; a scenario that does not hold ends it by SIGABRT, with a report.
)";

struct Wanted {
  std::uint64_t from = 1;
  std::uint64_t count = 1;
  std::vector<Scenario> scenarios;
  bool only_one = false;
  bool events = false;
};

int refuse(const std::string& why) {
  std::fprintf(stderr, "sim: %s; see sim --help\n", why.c_str());
  return 2;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Scenario> scenario_named(std::string_view name) {
  for (const auto& set : {scenarios(), planted()}) {
    for (const Scenario& scenario : set) {
      if (scenario.name == name) return scenario;
    }
  }
  return std::nullopt;
}

void list() {
  for (const auto& set : {scenarios(), planted()}) {
    for (const Scenario& one : set) {
      std::printf("%-20s %s\n", std::string(one.name).c_str(), std::string(one.says).c_str());
    }
  }
}

// Runs every wanted scenario by this seed. The hash is of all of them.
rt::SimulationReport run_seed(const Wanted& wanted, std::uint64_t seed) {
  rt::SimulationReport all;
  for (const Scenario& scenario : wanted.scenarios) {
    rt::SimulationOptions options{.seed = seed};
    options.repeat_with = "./dev sim " + std::to_string(seed);
    if (wanted.only_one) options.repeat_with += " --scenario " + std::string(scenario.name);
    if (wanted.events) {
      options.on_event = [&scenario](std::string_view line) {
        std::printf("%s  %s\n", std::string(scenario.name).c_str(), std::string(line).c_str());
      };
    }
    const rt::SimulationReport report = rt::simulate(options, scenario.run);
    all.hash = all.hash * 31 + report.hash;
    all.steps += report.steps;
    all.elapsed += report.elapsed;
  }
  return all;
}

int run(const Wanted& wanted) {
  for (std::uint64_t i = 0; i < wanted.count; ++i) {
    const std::uint64_t seed = wanted.from + i;
    const rt::SimulationReport report = run_seed(wanted, seed);
    std::printf("%llu %016llx %llu\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(report.hash),
                static_cast<unsigned long long>(report.steps));
    // Whoever reads this knows which seed a crash belongs to.
    std::fflush(stdout);
  }
  return 0;
}

// Null, or what is wrong. `at` is moved on by an option with a value.
std::optional<std::string> take(Wanted& wanted, const std::vector<std::string>& words,
                                std::size_t& at) {
  const std::string& word = words[at];
  if (word == "--events") {
    wanted.events = true;
    return std::nullopt;
  }
  if (word != "--seed" && word != "--from" && word != "--count" && word != "--scenario") {
    return "no option '" + word + "'";
  }
  if (++at == words.size()) return word + " wants a value";
  const std::string& value = words[at];
  if (word == "--scenario") {
    const auto scenario = scenario_named(value);
    if (!scenario) return "no scenario '" + value + "' (sim --list names them)";
    wanted.scenarios = {*scenario};
    wanted.only_one = true;
    return std::nullopt;
  }
  const auto number = number_of(value);
  if (!number) return word + " wants a number, got '" + value + "'";
  (word == "--count" ? wanted.count : wanted.from) = *number;
  return std::nullopt;
}

}  // namespace
}  // namespace parley::sim

int main(int argc, char** argv) {
  using namespace parley::sim;
  const std::vector<std::string> words(argv + 1, argv + argc);
  Wanted wanted;
  wanted.scenarios.assign(scenarios().begin(), scenarios().end());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--help" || words[i] == "-h") {
      std::fputs(std::string(help).c_str(), stdout);
      return 0;
    }
    if (words[i] == "--list") {
      list();
      return 0;
    }
    if (const auto wrong = take(wanted, words, i)) return refuse(*wrong);
  }
  return run(wanted);
}
