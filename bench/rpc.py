#!/usr/bin/env python3
"""Measures Parley's calls against the floor. See README.md beside this file; usually run by
`./dev bench rpc`.

Figures go to stdout, one JSON object a line; everything for people goes to stderr.
"""

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

import programs
import rpc_flows
from figures import (Figures, add_options, check_names, check_options, column, is_missed,
                     median_of, program_of, ratios, say, say_after, say_before)
from programs import Problem

Scenario = collections.namedtuple("Scenario", "name connections depth body_bytes known_floor_us")

# known_floor_us: server CPU of the floor on the machine this benchmark was planned on (pin). Yours
# may be twice as fast or as slow; ten times means that something is wrong with the measurement.
SCENARIOS = (
    Scenario("rpc.pingpong", 1, 1, 16, 24.5),
    Scenario("rpc.connections", 32, 1, 16, 6.1),
    Scenario("rpc.multiplexed_16", 4, 64, 16, 0.11),
    Scenario("rpc.multiplexed_1k", 4, 64, 1024, 0.29),
    Scenario("rpc.batch_8", 4, 8, 16, None),
    Scenario("rpc.large", 4, 4, 65536, 15.7),
    Scenario("rpc.talk_581_100", 100, 1, 581, None),
    Scenario("rpc.talk_581_500", 500, 1, 581, None),
    Scenario("rpc.talk_581_1000", 1000, 1, 581, None),
)
# Bodies that are not copied, as bytes of a file or a picture would be; all others are texts.
SLICES = {"rpc.large"}
HOT = "rpc.hot"
NAMES = [one.name for one in SCENARIOS] + [HOT] + list(rpc_flows.MEASURES)
# What is aimed at: at most so much; of rates at least so much (figures.AT_LEAST).
TARGETS = rpc_flows.TARGETS | {
    ("rpc.multiplexed_16", "server_cpu_ratio_floor"): 1.7,
    ("rpc.multiplexed_16", "client_cpu_ratio_floor"): 1.75,
    ("rpc.multiplexed_16", "server_cpu_us"): 0.22,
    ("rpc.multiplexed_16", "recv_per_request"): 1 / 60,
    ("rpc.multiplexed_16", "send_per_request"): 1 / 60,
    ("rpc.multiplexed_1k", "server_cpu_ratio_floor"): 1.6,
    ("rpc.batch_8", "server_cpu_ratio_floor"): 1.10,
    ("rpc.connections", "server_cpu_ratio_floor"): 1.06,
    ("rpc.pingpong", "server_cpu_ratio_floor"): 1.08,
    ("rpc.pingpong", "p50_ratio_spinning_floor"): 1.25,
    ("rpc.large", "server_cpu_ratio_floor"): 1.15,
    ("rpc.talk_581_100", "server_cpu_us"): 8.05,
    # 450, 500, 500 and the allowance of 60 for deadlines, limits and metrics.
    (HOT, "instructions_inline"): 510,
    (HOT, "instructions_warm"): 560,
    (HOT, "instructions_client"): 560,
    (HOT, "allocations_per_call"): 0,
}
HOT_ROUNDS = (50, 350)
SMOKE_SECONDS = 0.1
SYSCALL_SECONDS = 0.3

FLOOR, SPINNING, PARLEY = "floor", "spinning_floor", "parley"


class Bench:
    """The programs of one build, where they run, and for how long."""

    def __init__(self, options):
        self.folder = os.path.join(options.build, "bench")
        self.seconds = options.seconds
        self.warmup = min(0.3, options.seconds)
        cpus = sorted(os.sched_getaffinity(0))
        # Server's cpu, client's cpu.
        self.placements = {"pin": (cpus[0], cpus[1])} if len(cpus) > 1 else {}
        self.placements["same"] = (cpus[0], cpus[0])
        for name in ["floor_server", "floor_client"] + (
                [] if options.floor else ["rpc_server", "rpc_client", "rpc_flow", "rpc_hot",
                                              "rpc_inprocess"]):
            program_of(options.build, name)

    def program(self, name):
        return os.path.join(self.folder, name)

    def measure(self, contestant, scenario, placement, seconds=None, prefix=()):
        """One run: a fresh server, a fresh client, one window."""
        family = "rpc" if contestant == PARLEY else "floor"
        spin = ["--spin"] if contestant == SPINNING else []
        slices = ["--slice"] if contestant == PARLEY and scenario.name in SLICES else []
        return self.run([*prefix, self.program(family + "_server"), *spin],
                        [self.program(family + "_client"), *spin, *slices], scenario, placement,
                        seconds)

    def run(self, server_command, client_command, scenario, placement, seconds=None):
        seconds = seconds or self.seconds
        server_cpu, client_cpu = self.placements[placement]
        with programs.Server(server_command, server_cpu) as server:
            command = [*client_command, "--address", server.address,
                       "--server-pid", str(server.pid),
                       "--connections", str(scenario.connections), "--depth", str(scenario.depth),
                       "--body-bytes", str(scenario.body_bytes),
                       "--warmup-seconds", str(self.warmup), "--seconds", str(seconds)]
            return programs.run_client(command, client_cpu, self.warmup + seconds)

    def rounds(self, contestants, scenario, placement, runs):
        """Interleaved rounds (A B A B): {contestant: [run, ...]}, the rounds in order."""
        found = {contestant: [] for contestant in contestants}
        for _ in range(runs):
            for contestant in contestants:
                found[contestant].append(self.measure(contestant, scenario, placement))
        return found


def add_pinned(figures, scenario, found):
    for metric in ("server_cpu_us", "client_cpu_us"):
        figures.add(scenario.name, metric, column(found[PARLEY], metric), placement="pin",
                    floor_us=median_of(found[FLOOR], metric))
    for metric in ("p50_us", "p99_us"):
        figures.add(scenario.name, metric, column(found[PARLEY], metric), placement="pin",
                    floor_us=median_of(found[FLOOR], metric))
    if SPINNING in found:
        figures.add(scenario.name, "p50_ratio_spinning_floor",
                    ratios(found[PARLEY], found[SPINNING], "p50_us"), peer="spinning_floor",
                    placement="pin", floor_us=median_of(found[SPINNING], "p50_us"))


def add_same(figures, scenario, found):
    for side in ("server", "client"):
        key = side + "_cpu_us"
        figures.add(scenario.name, side + "_cpu_ratio_floor",
                    ratios(found[PARLEY], found[FLOOR], key), peer="floor", placement="same",
                    floor_us=median_of(found[FLOOR], key), us=median_of(found[PARLEY], key))


def count_syscalls(bench, contestant, scenario):
    """System calls of the server for each request, by family, counted by strace -c."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "strace")
        run = bench.measure(contestant, scenario, "same", SYSCALL_SECONDS,
                            programs.strace_command(report))
        calls = programs.read_strace(report)
    requests = run["all_requests"]
    return {"recv_per_request": sum(calls.get(name, 0) for name in programs.RECEIVING) / requests,
            "send_per_request": sum(calls.get(name, 0) for name in programs.SENDING) / requests,
            "all": sum(calls.values()) / requests}


def add_syscalls(figures, bench, scenario, runs):
    if not programs.strace_command(""):
        say("recv_per_request and send_per_request are skipped: strace is not installed")
        return
    found = {FLOOR: [], PARLEY: []}
    for _ in range(runs):
        for contestant, counts in found.items():
            counts.append(count_syscalls(bench, contestant, scenario))
    for metric in ("recv_per_request", "send_per_request"):
        figures.add(scenario.name, metric, column(found[PARLEY], metric),
                    floor_per_request=median_of(found[FLOOR], metric),
                    all_syscalls_per_request=median_of(found[PARLEY], "all"))


def measure_parley(options, bench, scenarios):
    figures = Figures(options.silent, TARGETS)
    for scenario in scenarios:
        for placement in bench.placements:
            say(f"{scenario.name} {placement}: {options.runs} rounds of {options.seconds} s")
            contestants = [FLOOR, PARLEY]
            if scenario.name == "rpc.pingpong" and placement == "pin":
                contestants.append(SPINNING)
            found = bench.rounds(contestants, scenario, placement, options.runs)
            (add_pinned if placement == "pin" else add_same)(figures, scenario, found)
        if scenario.name == "rpc.multiplexed_16":
            say(f"{scenario.name} system calls: {options.runs} rounds of {SYSCALL_SECONDS} s")
            add_syscalls(figures, bench, scenario, options.runs)
            rpc_flows.add_grpc(figures, bench, scenario, options.runs)
    if HOT in options.names and options.smoke:
        for mode in ("serve", "call", "prepare"):
            run_hot(bench, mode, HOT_ROUNDS[0])
    elif HOT in options.names:
        say(f"{HOT}: {options.runs} rounds of callgrind")
        add_hot(figures, bench, options.runs)
    for name, measure in rpc_flows.MEASURES.items():
        if name in options.names:
            say(f"{name}: {options.runs} rounds")
            measure(figures, bench, options)
    show_figures(figures.rows)


def run_hot(bench, mode, rounds, prefix=()):
    """One run of rpc_hot; what it printed."""
    command = [*prefix, bench.program("rpc_hot"), mode, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def count_hot(bench, mode, rounds):
    """The same under callgrind: its instructions, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind")
        said = run_hot(bench, mode, rounds,
                       ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"])
        with open(out, encoding="utf-8") as file:
            totals = [line for line in file if line.startswith("totals:")]
    return int(totals[-1].split()[1]), said


def per_call(bench, mode):
    """Instructions of a call: what more rounds cost, so that starting and ending do not count."""
    few, many = HOT_ROUNDS
    first, said_first = count_hot(bench, mode, few)
    second, said = count_hot(bench, mode, many)
    return (second - first) / (said["calls"] - said_first["calls"]), said


def add_hot(figures, bench, runs):
    if shutil.which("valgrind") is None:
        say(f"{HOT} is skipped: valgrind is not installed")
        return
    found = {name: [] for name in ("instructions_inline", "instructions_client", "allocations")}
    for _ in range(runs):
        inline, said = per_call(bench, "serve")
        # Of the second half of the rounds.
        found["allocations"].append(2 * said["allocations"] / said["calls"])
        found["instructions_inline"].append(inline)
        found["instructions_client"].append(per_call(bench, "call")[0] -
                                            per_call(bench, "prepare")[0])
    figures.add(HOT, "instructions_inline", found["instructions_inline"])
    # What is queued here is the calls of a read, and the fiber that read them works them off until
    # one waits: the same code and the same count.
    figures.add(HOT, "instructions_warm", found["instructions_inline"],
                same_as="instructions_inline")
    figures.add(HOT, "instructions_client", found["instructions_client"])
    figures.add(HOT, "allocations_per_call", found["allocations"])


def show_figures(rows):
    say(f"\n{'bench':<24}{'metric':<29}{'median':>10}{'min':>10}{'max':>10}{'floor':>10}"
        f"{'target':>10}")
    for row in rows:
        floor = row.get("floor_us", row.get("floor_per_request"))
        beside = [f"{number:>10.4g}" if number is not None else f"{'':>10}"
                  for number in (floor, row.get("target"))]
        missed = "  missed" if is_missed(row) else ""
        say(f"{row['bench']:<24}{row['metric']:<29}{row['value']:>10.4g}{row['min']:>10.4g}"
            f"{row['max']:>10.4g}{''.join(beside)}{missed}")


def measure_floor(options, bench, scenarios):
    """The floor alone beside what it is known to cost: is this machine fit to measure on?"""
    rows = []
    for scenario in scenarios:
        for placement in bench.placements:
            say(f"{scenario.name} {placement}: {options.runs} runs of {options.seconds} s")
            runs = bench.rounds([FLOOR], scenario, placement, options.runs)[FLOOR]
            rows.append((scenario, placement, runs))
    say(f"\n{'bench':<20}{'':<6}{'server us':>10}{'min':>9}{'max':>9}{'client us':>11}"
        f"{'p50 us':>9}{'p99 us':>11}{'known':>9}")
    for scenario, placement, runs in rows:
        server = column(runs, "server_cpu_us")
        known = f"{scenario.known_floor_us or '':>9}" if placement == "pin" else ""
        say(f"{scenario.name:<20}{placement:<6}{median_of(runs, 'server_cpu_us'):>10.4g}"
            f"{min(server):>9.4g}{max(server):>9.4g}{median_of(runs, 'client_cpu_us'):>11.4g}"
            f"{median_of(runs, 'p50_us'):>9.4g}{median_of(runs, 'p99_us'):>11.4g}{known}")
    scenario = next((one for one in scenarios if one.name == "rpc.multiplexed_16"), None)
    if scenario and programs.strace_command(""):
        counts = count_syscalls(bench, FLOOR, scenario)
        say(f"\n{scenario.name}: {counts['recv_per_request']:.4f} reads, "
            f"{counts['send_per_request']:.4f} writes, {counts['all']:.4f} system calls in all "
            f"for each request (known: 1/64, 1/64, 0.037)")


def read_options():
    parser = argparse.ArgumentParser(description="Parley's calls against the floor")
    add_options(parser, NAMES)
    parser.add_argument("--seconds", type=float, default=1.0, help="measured window of a run")
    parser.add_argument("--floor", action="store_true", help="the floor alone, no figures")
    options = parser.parse_args()
    check_options(parser, options)
    if options.smoke:
        options.seconds = SMOKE_SECONDS
    if not 0.05 <= options.seconds <= 600:
        parser.error(f"--seconds {options.seconds} is not within 0.05 and 600")
    options.names = check_names(parser, options.only, NAMES, "rpc.")
    return options


def main():
    options = read_options()
    scenarios = [one for one in SCENARIOS if one.name in options.names]
    try:
        bench = Bench(options)
        if "pin" not in bench.placements:
            say("this process may use one cpu only: client and server cannot be kept apart, so "
                "server_cpu_us, client_cpu_us, p50_us and p99_us (pin) are skipped; the ratios "
                "(same) are measured")
        say_before(options)
        (measure_floor if options.floor else measure_parley)(options, bench, scenarios)
        say_after(options)
    except Problem as problem:
        say(f"bench/rpc.py: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
