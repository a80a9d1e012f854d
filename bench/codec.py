#!/usr/bin/env python3
"""Measures Parley's codec against its peers. See README.md beside this file; usually run by
`./dev bench codec`.

Figures go to stdout, one JSON object a line; everything for people goes to stderr.
"""

import argparse
import collections
import os
import sys

import compiling
import programs
from figures import (Figures, add_options, check_names, check_options, column, median_of,
                     program_of, ratios, say, say_after, say_before)
from programs import Problem

PROGRAM = "codec_bench"
OWN, OWN_HOT, OWN_IN_ORDER = "own", "own_hot", "own_in_order"
CPU_MS = 200  # of a run
RUN_SECONDS = 10  # more than any one run should take

# What our CPU time over a peer's may be, by format, then by operation (with _reused and _hot) or
# adverse body. In rows that are not adverse nobody may be faster than we are.
TARGETS = {
    "json": {
        "encode": {"rapidjson": 0.40},
        "encode_reused": {"rapidjson": 0.40},
        "encode_hot": {"rapidjson": 0.25},
        "decode": {"rapidjson": 0.45, "rapidjson_sax": 1.0, "simdjson": 0.6},
        "decode_reused": {"rapidjson": 0.30, "rapidjson_sax": 1.0, "simdjson": 0.6},
        "doubles": {"rapidjson": 1.0},
        "escapes": {"rapidjson": 1.0},
        "non_ascii": {"simdjson": 1.5},
        "reversed": {OWN_IN_ORDER: 2.0},
    },
    "msgpack": {operation + reused: {"msgpack_cxx": 0.5}
                for operation in ("encode", "decode") for reused in ("", "_reused")},
    "protobuf": {operation + reused: {"libprotobuf": target, "libprotobuf_arena": 1.0}
                 for operation, target in (("encode", 0.40), ("decode", 0.60))
                 for reused in ("", "_reused")},
}
ADVERSE = ("doubles", "escapes", "non_ascii", "reversed")
BEST_PEER_TARGET = 1.0

# simdjson has a cost of its own for each text, however short: a peer from so many bytes on. Below,
# it is measured without a target of its own; where it is the fastest all the same, it counts.
FAIR_FROM_BYTES = {"simdjson": 2048}

# own and peers: who runs; own is OWN or OWN_HOT.
Scenario = collections.namedtuple("Scenario", "name bench own peers targets is_adverse")


def targets_of(bench, suffix):
    """({peer: target}, whether the row is adverse) of `format.operation.body[_reused]`."""
    form, operation, body = bench.split(".")
    by_row = TARGETS.get(form, {})
    if body in ADVERSE:
        return by_row.get(body, {}), True
    reused = "_reused" if body.endswith("_reused") else ""
    return by_row.get(operation + (suffix or reused), {}), False


def scenarios_of(entries):
    """The rows that can be measured with what the program has, in its order."""
    contestants = collections.defaultdict(list)
    for entry in entries:
        contestants[entry["bench"]].append(entry["contestant"])
    found = []
    for bench, present in contestants.items():
        peers = [name for name in present if name not in (OWN, OWN_HOT)]
        for own, suffix in ((OWN, ""), (OWN_HOT, "_hot")):
            if own in present:
                found.append(Scenario(f"codec.{bench}{suffix}", bench, own, peers,
                                      *targets_of(bench, suffix)))
    return found


class Bench:
    """The program of one build, what it can run, and where."""

    def __init__(self, build):
        self.program = program_of(build, PROGRAM)
        self.cpu = sorted(os.sched_getaffinity(0))[0]
        listing = self._run("--list")
        self.versions, self.missing = listing["versions"], listing["missing"]
        self.scenarios = scenarios_of(listing["entries"])

    def _run(self, *words):
        return programs.run_client([self.program, *words], self.cpu, RUN_SECONDS)

    def measure(self, bench, contestant, cpu_ms):
        run = self._run(bench, contestant, str(cpu_ms))
        if not run["proven"]:
            raise Problem(f"{contestant} at {bench}: its answer was not compared")
        return run


def rounds_of(bench, scenario, options):
    """Interleaved rounds (A B A B): {contestant: [run, ...]}, the rounds in order."""
    found = {contestant: [] for contestant in [scenario.own, *scenario.peers]}
    for _ in range(options.runs):
        for contestant, runs in found.items():
            runs.append(bench.measure(scenario.bench, contestant, 0 if options.smoke else CPU_MS))
    return found


def is_short_for(peer, runs):
    return runs[0]["bytes"] < FAIR_FROM_BYTES.get(peer, 0)


def add_ratio(figures, bench, scenario, found, metric, peer, target):
    own, theirs = found[scenario.own], found[peer]
    fields = {} if target is None else {"target": target}
    if peer in bench.versions:
        fields["peer_version"] = bench.versions[peer]
    if is_short_for(peer, theirs):
        fields["note"] = f"{peer} is a peer from {FAIR_FROM_BYTES[peer]} bytes on"
    figures.add(scenario.name, metric, ratios(own, theirs, "cpu_ns"), peer=peer,
                ns=median_of(own, "cpu_ns"), peer_ns=median_of(theirs, "cpu_ns"),
                bytes=own[0]["bytes"], **fields)


def measure(bench, figures, scenario, options):
    found = rounds_of(bench, scenario, options)
    foreign = [peer for peer in scenario.peers if peer != OWN_IN_ORDER]
    if foreign:
        best = min(foreign, key=lambda peer: median_of(found[peer], "cpu_ns"))
        add_ratio(figures, bench, scenario, found, "cpu_ratio_best_peer", best,
                  None if scenario.is_adverse else BEST_PEER_TARGET)
    for peer in scenario.peers:
        target = None if is_short_for(peer, found[peer]) else scenario.targets.get(peer)
        add_ratio(figures, bench, scenario, found, "cpu_ratio", peer, target)
    for peer in scenario.targets:
        if peer not in scenario.peers and peer in bench.missing:
            say(f"{scenario.name} cpu_ratio of {peer} is skipped: {bench.missing[peer]}")
    own = found[scenario.own]
    figures.add(scenario.name, "allocations", column(own, "allocations"),
                target=own[0]["needed_allocations"], ns=median_of(own, "cpu_ns"),
                bytes=own[0]["bytes"])


def verdict(row):
    return "misses" if row["value"] > row.get("target", row["value"]) else ""


def show(rows):
    say(f"\n{'bench':<40}{'metric':<24}{'peer':<25}{'median':>9}{'min':>9}{'max':>9}{'target':>8}"
        f"{'ns':>10}{'peer ns':>10}")
    for row in rows:
        target = f"{row['target']:.4g}" if "target" in row else ""
        ns = f"{row['ns']:.0f}" if "ns" in row else ""
        peer_ns = f"{row['peer_ns']:.0f}" if "peer_ns" in row else ""
        say(f"{row['bench']:<40}{row['metric']:<24}{row.get('peer', ''):<25}{row['value']:>9.4g}"
            f"{row['min']:>9.4g}{row['max']:>9.4g}{target:>8}{ns:>10}{peer_ns:>10}"
            f"  {verdict(row)}")


def fails(name, measurement, *arguments):
    try:
        measurement(*arguments)
    except Problem as problem:
        say(f"{name} has no figure: {problem}")
        return True
    return False


def measure_all(bench, options):
    """The rows one by one; how many failed."""
    figures, failed = Figures(options.silent), 0
    say_before(options)
    for name, reason in bench.missing.items():
        say(f"{name} is missing: {reason}")
    for scenario in bench.scenarios:
        if scenario.name not in options.names:
            continue
        say(f"{scenario.name}: {options.runs} rounds")
        failed += fails(scenario.name, measure, bench, figures, scenario, options)
    if compiling.NAME in options.names:
        say(f"{compiling.NAME}: {options.runs} rounds")
        failed += fails(compiling.NAME, compiling.measure, figures, options)
    show(figures.rows)
    say_after(options)
    return failed


def main():
    parser = argparse.ArgumentParser(description="Parley's codec against its peers")
    add_options(parser, ["the rows it prints, codec.json.decode.order for one"])
    options = parser.parse_args()
    check_options(parser, options)
    try:
        bench = Bench(options.build)
        options.names = check_names(parser, options.only,
                                    [one.name for one in bench.scenarios] + [compiling.NAME],
                                    "codec.")
        return 1 if measure_all(bench, options) else 0
    except Problem as problem:
        say(f"bench/codec.py: {problem}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
