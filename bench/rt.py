#!/usr/bin/env python3
"""Measures the runtime against Go and against a bare epoll loop. See README.md beside this file;
usually run by `./dev bench rt`.

Figures go to stdout, one JSON object a line; everything for people goes to stderr.
"""

import argparse
import collections
import glob
import os
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import time

import programs
from figures import (Figures, add_options, check_names, check_options, column, median_of,
                     program_of, ratios, say, say_after, say_before, tidy)
from programs import Problem

PARLEY, GO, FLOOR = "parley", "go", "floor"

# CPU time per operation against Go. `ops` takes the slower of the two about 0.4 s on the machine
# this was planned on; `cpus` is how many the programs may use, and with it how many workers they
# have, by their own default.
Operation = collections.namedtuple("Operation", "name target ops cpus")
OPERATIONS = (
    Operation("rt.spawn_join", 0.3, 1_200_000, 1),
    Operation("rt.yield", 0.5, 8_000_000, 1),
    Operation("rt.pingpong_same", 0.3, 1_600_000, 1),
    Operation("rt.pingpong_cross", 0.7, 1_600_000, 2),
    Operation("rt.buffered_1_1", 0.7, 12_000_000, 1),
    Operation("rt.buffered_n_n", 0.7, 4_000_000, 2),
    Operation("rt.select_2", 0.7, 2_400_000, 1),
    Operation("rt.select_8", 0.7, 800_000, 1),
    Operation("rt.mutex", 1.0, 30_000_000, 1),
    Operation("rt.mutex_contended", 0.7, 4_000_000, 2),
    Operation("rt.rwmutex", 0.7, 8_000_000, 2),
    Operation("rt.timers_fire", 0.7, 300_000, 2),
    Operation("rt.timers_cancel", 0.7, 2_400_000, 1),
    Operation("rt.tree", 0.7, 262_144, 2),
)
# Told in the same row, as fields that begin with the word: no target is set for these.
VARIANTS = {
    "rt.spawn_join": ("batch", Operation("rt.spawn_join_batch", None, 2_000_000, 1)),
    "rt.rwmutex": ("rare", Operation("rt.rwmutex_rare", None, 8_000_000, 2)),
}

Echo = collections.namedtuple("Echo", "name connections floor_target go_target")
ECHOES = (
    Echo("rt.echo_1", 1, 1.15, 1.0),
    Echo("rt.echo_32", 32, 1.05, 1.0),
    Echo("rt.echo_1000", 1000, 1.05, 1.0),
)
ECHO_WARMUP_SECONDS, ECHO_SECONDS = 0.2, 0.7

PARKED, IDLE_10K, SKEW, IDLE = "rt.parked", "rt.idle_10k", "rt.skew", "rt.idle"
PARKED_FIBERS, PARKED_TARGET_BYTES = 100_000, 4.5 * 1024
RESTING_CONNECTIONS, RESTING_TARGET_BYTES = 10_000, 1024
SKEWED_REQUESTS, SKEW_TARGET = 5_000, 1.0
SKEW_FIT_P99_US = 2_500  # three times what theory has for one worker: more means a busy machine
IDLE_CONNECTIONS, IDLE_SECONDS = 1_000, 10
IDLE_TARGET_MS, IDLE_TARGET_WAKEUPS = 5, 50

NAMES = [one.name for one in OPERATIONS + ECHOES] + [PARKED, IDLE_10K, SKEW, IDLE]
EQUAL_WITHIN = 1.05  # where the target is 1.0, so much counts as equal
RUN_SECONDS = 10  # more than any one run should take
SETTLE_SECONDS = 3  # what a server may take to come to rest


class Go:
    """The Go program: built into the build folder; `reason` says why there is none."""

    def __init__(self, build):
        self.program, self.version, self.reason = None, "", ""
        go = shutil.which("go")
        if not go:
            self.reason = "go is not installed (Debian: apt install golang-go)"
            return
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rt", "go")
        folder = os.path.abspath(os.path.join(build, "bench", "go"))
        environment = dict(os.environ, GOCACHE=os.path.join(folder, "cache"), GOPROXY="off",
                           GOFLAGS="-mod=readonly -buildvcs=false", GOTOOLCHAIN="local",
                           GO111MODULE="on", GOWORK="off")
        program = os.path.join(folder, "rt")
        done = subprocess.run([go, "build", "-o", program, "."], cwd=source, env=environment,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Problem(f"go build in {source} ended with {done.returncode}: "
                          f"{done.stderr.strip()}")
        said = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
        self.program, self.version = program, said.split()[2]


class Bench:
    """The programs of one build and the cpus they may use."""

    def __init__(self, options):
        self.folder = os.path.join(options.build, "bench")
        self.runs, self.smoke = options.runs, options.smoke
        self.cpus = sorted(os.sched_getaffinity(0))
        for name in ("rt_bench", "rt_echo_server", "floor_server", "floor_client"):
            program_of(options.build, name)
        self.go = Go(options.build)
        self.figures = Figures(options.silent)

    def program(self, name):
        return os.path.join(self.folder, name)

    def scaled(self, count):
        """A hundredth when it is only to be shown that the scenario works."""
        return max(count // 100, 64) if self.smoke else count

    def contestants(self, *names):
        return [name for name in names if name != GO or self.go.program]

    def run(self, contestant, name, ops, cpus):
        """One run of a scenario in a process of its own that may use the first `cpus` cpus."""
        program = self.go.program if contestant == GO else self.program("rt_bench")
        command = on_cpus(self.cpus[:cpus], [program, name, str(ops)])
        return programs.run_client(command, self.cpus[0], RUN_SECONDS)

    def server(self, contestant, cpus):
        command = {PARLEY: [self.program("rt_echo_server")], FLOOR: [self.program("floor_server")],
                   GO: [self.go.program, "echo"]}[contestant]
        return programs.Server(on_cpus(cpus, command), cpus[0])

    def peer(self):
        return {"peer": GO, "peer_version": self.go.version}


def on_cpus(cpus, command):
    return ["taskset", "-c", ",".join(map(str, cpus)), *command]


# --- CPU time per operation -----------------------------------------------------------------------

def nanoseconds(run):
    return max(run["cpu_us"], 1) * 1000 / run["ops"]


def rounds_of(bench, operation):
    """Interleaved rounds of both languages: {contestant: [run, ...]}, each run with its `ns`."""
    name = operation.name.removeprefix("rt.")
    ops = bench.scaled(operation.ops)
    found = {GO: [], PARLEY: []}
    for _ in range(bench.runs):
        for contestant, runs in found.items():
            run = bench.run(contestant, name, ops, operation.cpus)
            runs.append(run | {"ns": nanoseconds(run)})
    answers = {contestant: set(column(runs, "check")) for contestant, runs in found.items()}
    if answers[GO] != answers[PARLEY] or len(answers[GO]) != 1:
        raise Problem(f"{operation.name}: the programs disagree about what they did with {ops} "
                      f"operations: {answers}")
    return found


def measure_operation(bench, operation):
    if not bench.go.program:
        return say(f"{operation.name} is skipped: {bench.go.reason}")
    if operation.cpus > len(bench.cpus):
        return say(f"{operation.name} is skipped: it needs {operation.cpus} cpus")
    found = rounds_of(bench, operation)
    fields = {"ns": median_of(found[PARLEY], "ns"), "go_ns": median_of(found[GO], "ns"),
              "ops": bench.scaled(operation.ops), "workers": operation.cpus}
    if operation.name in VARIANTS:
        word, variant = VARIANTS[operation.name]
        other = rounds_of(bench, variant)
        ratio = statistics.median(ratios(other[PARLEY], other[GO], "ns"))
        fields |= {f"{word}_cpu_ratio_go": tidy(ratio),
                   f"{word}_ns": median_of(other[PARLEY], "ns"),
                   f"{word}_go_ns": median_of(other[GO], "ns")}
    bench.figures.add(operation.name, "cpu_ratio_go", ratios(found[PARLEY], found[GO], "ns"),
                      target=operation.target, **bench.peer(), **fields)
    return None


# --- echo -----------------------------------------------------------------------------------------

def load_echo(bench, contestant, connections, server_cpu, client_cpu):
    """One run: a fresh server, the same foreign client for all, one window."""
    seconds = 0.1 if bench.smoke else ECHO_SECONDS
    warmup = min(ECHO_WARMUP_SECONDS, seconds)
    with bench.server(contestant, [server_cpu]) as server:
        command = [bench.program("floor_client"), "--address", server.address,
                   "--server-pid", str(server.pid), "--connections", str(connections),
                   "--warmup-seconds", str(warmup), "--seconds", str(seconds)]
        return programs.run_client(command, client_cpu, warmup + seconds)


def echo_rounds(bench, contestants, connections, server_cpu, client_cpu):
    found = {contestant: [] for contestant in contestants}
    for _ in range(bench.runs):
        for contestant, runs in found.items():
            runs.append(load_echo(bench, contestant, connections, server_cpu, client_cpu))
    return found


def measure_echo(bench, echo):
    key, cpus = "server_cpu_us", bench.cpus
    found = echo_rounds(bench, [FLOOR, PARLEY], echo.connections, cpus[0], cpus[0])
    bench.figures.add(echo.name, "cpu_ratio_floor", ratios(found[PARLEY], found[FLOOR], key),
                      target=echo.floor_target, peer=FLOOR, placement="same",
                      floor_us=median_of(found[FLOOR], key), us=median_of(found[PARLEY], key))
    if not bench.go.program:
        return say(f"{echo.name} cpu_ratio_go is skipped: {bench.go.reason}")
    placement = "pin" if len(cpus) > 1 else "same"
    found = echo_rounds(bench, [GO, PARLEY], echo.connections, cpus[0], cpus[-1])
    bench.figures.add(echo.name, "cpu_ratio_go", ratios(found[PARLEY], found[GO], key),
                      target=echo.go_target, **bench.peer(), placement=placement,
                      go_us=median_of(found[GO], key), us=median_of(found[PARLEY], key),
                      go_p50_us=median_of(found[GO], "p50_us"),
                      p50_us=median_of(found[PARLEY], "p50_us"))
    return None


# --- what rests -----------------------------------------------------------------------------------

def measure_parked(bench):
    fibers = bench.scaled(PARKED_FIBERS)
    found = {contestant: [] for contestant in bench.contestants(GO, PARLEY)}
    for _ in range(bench.runs):
        for contestant, runs in found.items():
            runs.append(bench.run(contestant, "parked", fibers, 1))
    extra = {"page_table_bytes": median_of(found[PARLEY], "page_table_bytes"), "fibers": fibers}
    if GO in found:
        extra |= {"go_bytes": median_of(found[GO], "bytes"), "go_version": bench.go.version}
    bench.figures.add(PARKED, "bytes_per_fiber", column(found[PARLEY], "bytes"),
                      target=PARKED_TARGET_BYTES, **extra)


FRAME = struct.pack("=I", 16) + b"a resting client"
FRAMES_AT_ONCE = 100  # of connections that ask at the same time before they come to rest


class Resting:
    """Connections of this process that asked once, were answered, and have nothing more to say."""

    def __init__(self, address, count):
        host, port = address.rsplit(":", 1)
        self.where, self.sockets = (host, int(port)), []
        try:
            while len(self.sockets) < count:
                self._add(min(FRAMES_AT_ONCE, count - len(self.sockets)))
        except OSError as error:
            self.close()
            raise Problem(f"connection {len(self.sockets)} of {count} to {address}: "
                          f"{error}") from error

    def _add(self, count):
        begin = len(self.sockets)
        for _ in range(count):
            self.sockets.append(socket.create_connection(self.where, timeout=RUN_SECONDS))
            # Ends with a reset: no connection is left behind in TIME_WAIT for the next run.
            self.sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        struct.pack("ii", 1, 0))
        for one in self.sockets[begin:]:
            one.sendall(FRAME)
        for one in self.sockets[begin:]:
            answer = one.recv(len(FRAME), socket.MSG_WAITALL)
            if answer != FRAME:
                raise Problem(f"{self.where} answered {answer!r} to {FRAME!r}")

    def close(self):
        for one in self.sockets:
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def allow_descriptors(needed):
    """Raises this process's limit, which the servers inherit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY,) and hard < needed:
        raise Problem(f"{needed} descriptors are needed and the limit (ulimit -Hn) is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (hard if hard != resource.RLIM_INFINITY else needed, hard))


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    raise Problem(f"/proc/{pid}/smaps_rollup has no Rss")


def resident_at_rest(pid):
    """Resident bytes once they have stayed the same for a while."""
    end = time.monotonic() + SETTLE_SECONDS
    seen, same = resident_bytes(pid), 0
    while same < 3 and time.monotonic() < end:
        time.sleep(0.1)
        now = resident_bytes(pid)
        same = same + 1 if now == seen else 0
        seen = now
    return seen


def bytes_of_connection(bench, contestant, count):
    with bench.server(contestant, bench.cpus) as server:
        with Resting(server.address, 1):
            before = resident_at_rest(server.pid)
            with Resting(server.address, count):
                after = resident_at_rest(server.pid)
    return (after - before) / count


def measure_idle_10k(bench):
    count = bench.scaled(RESTING_CONNECTIONS)
    allow_descriptors(count + 200)
    found = {contestant: [] for contestant in bench.contestants(GO, FLOOR, PARLEY)}
    for _ in range(bench.runs):
        for contestant, values in found.items():
            values.append(bytes_of_connection(bench, contestant, count))
    others = {f"{name}_bytes": tidy(statistics.median(found[name]))
              for name in found if name != PARLEY}
    bench.figures.add(IDLE_10K, "bytes_per_connection", found[PARLEY],
                      target=RESTING_TARGET_BYTES, connections=count, **others)


def cpu_ms_of(pid):
    """All threads' CPU time, by the clock the kernel has for every process (see window.cc)."""
    return time.clock_gettime(~pid * 8 | 2) * 1000


def wakeups_of(pid):
    """How often any thread of the process gave up its cpu to wait."""
    count = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path, encoding="ascii", errors="replace") as file:
            count += sum(int(line.split()[1]) for line in file
                         if line.startswith("voluntary_ctxt_switches:"))
    return count


def rest(bench, contestant, count, seconds):
    """What a server with `count` silent connections does in that time."""
    with bench.server(contestant, bench.cpus) as server, Resting(server.address, count):
        resident_at_rest(server.pid)
        cpu, wakeups = cpu_ms_of(server.pid), wakeups_of(server.pid)
        time.sleep(seconds)
        return {"cpu_ms": cpu_ms_of(server.pid) - cpu, "wakeups": wakeups_of(server.pid) - wakeups}


def measure_idle(bench):
    count = bench.scaled(IDLE_CONNECTIONS)
    seconds = 0.3 if bench.smoke else IDLE_SECONDS
    allow_descriptors(count + 200)
    found = [rest(bench, PARLEY, count, seconds) for _ in range(bench.runs)]
    # Go's figures are for comparison only, so once is enough.
    go = rest(bench, GO, count, seconds) if bench.go.program else {}
    for metric, key, target in (("cpu_ms_in_10s", "cpu_ms", IDLE_TARGET_MS),
                                ("wakeups_in_10s", "wakeups", IDLE_TARGET_WAKEUPS)):
        extra = {f"go_{key}": tidy(go[key])} if go else {}
        bench.figures.add(IDLE, metric, column(found, key), target=target, connections=count,
                          **extra)


# --- skew -----------------------------------------------------------------------------------------

def measure_skew(bench):
    """One worker is what many workers without stealing are to a load that only one of them gets."""
    if len(bench.cpus) < 2:
        return say(f"{SKEW} is skipped: it needs 2 cpus")
    requests = bench.scaled(SKEWED_REQUESTS)
    alone, stealing = [], []
    for _ in range(bench.runs):
        alone.append(bench.run(PARLEY, "skew_one_worker", requests, 2))
        stealing.append(bench.run(PARLEY, "skew", requests, 2))
    bench.figures.add(SKEW, "p99_ratio_no_stealing", ratios(stealing, alone, "p99_us"),
                      target=SKEW_TARGET, peer="one_worker", p99_us=median_of(stealing, "p99_us"),
                      one_worker_p99_us=median_of(alone, "p99_us"),
                      p50_us=median_of(stealing, "p50_us"),
                      one_worker_p50_us=median_of(alone, "p50_us"))
    if median_of(alone, "p99_us") > SKEW_FIT_P99_US and not bench.smoke:
        say(f"{SKEW}: one worker had a p99 of {median_of(alone, 'p99_us'):.0f} us, not 840: "
            "somebody else's work was measured; again on a quiet machine, please")
    return None


# --- all of it ------------------------------------------------------------------------------------

SPECIAL = {PARKED: measure_parked, IDLE_10K: measure_idle_10k, SKEW: measure_skew,
           IDLE: measure_idle}


def measure(bench, name):
    for operation in OPERATIONS:
        if operation.name == name:
            return measure_operation(bench, operation)
    for echo in ECHOES:
        if echo.name == name:
            return measure_echo(bench, echo)
    return SPECIAL[name](bench)


def verdict(row):
    target = row["target"]
    if target == 1.0:
        target = EQUAL_WITHIN
    return "" if row["value"] <= target else "misses"


def show(rows):
    say(f"\n{'bench':<20}{'metric':<24}{'median':>9}{'min':>9}{'max':>9}{'target':>8}"
        f"{'ours':>10}{'peer':>10}")
    for row in rows:
        ours = row.get("ns", row.get("us", row.get("p99_us", "")))
        peer = next((row[key] for key in ("go_ns", "floor_us", "go_us", "one_worker_p99_us",
                                          "go_bytes", "go_cpu_ms", "go_wakeups") if key in row), "")
        say(f"{row['bench']:<20}{row['metric']:<24}{row['value']:>9.4g}{row['min']:>9.4g}"
            f"{row['max']:>9.4g}{row['target']:>8.4g}{ours:>10}{peer:>10}  {verdict(row)}")


def read_options():
    parser = argparse.ArgumentParser(description="Parley's runtime against Go and a bare epoll")
    add_options(parser, NAMES)
    options = parser.parse_args()
    check_options(parser, options)
    options.names = check_names(parser, options.only, NAMES, "rt.")
    return options


def measure_all(options):
    """The scenarios one by one; how many failed."""
    bench = Bench(options)
    say_before(options)
    failed = 0
    for name in options.names:
        say(f"{name}: {options.runs} rounds")
        try:
            measure(bench, name)
        except Problem as problem:
            failed += 1
            say(f"{name} has no figure: {problem}")
    show(bench.figures.rows)
    say_after(options)
    return failed


def main():
    options = read_options()
    try:
        return 1 if measure_all(options) else 0
    except Problem as problem:
        say(f"bench/rt.py: {problem}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
