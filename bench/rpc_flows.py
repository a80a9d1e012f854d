"""The rows of `./dev bench rpc` that are no closed loop against the floor: messages without an
answer, sessions at rest, an open loop, spinning, TLS. See README.md beside this file."""

import collections
import json
import os
import shutil
import subprocess
import tempfile
import time

import programs
from figures import column, median_of, ratios, say
from programs import Problem

Shape = collections.namedtuple("Shape", "connections depth body_bytes")

PINGPONG = Shape(1, 1, 16)
LOW_RATE = 1_000  # requests a second
OPEN_LOOP_SHARE = 0.7  # of what the closed loop reaches
IDLE_SESSIONS, MANY_SESSIONS = 10_000, 18_000
IN_MEMORY_SESSIONS = 100_000
IDLE_SECONDS = 3
SMOKE_SCALE = 100
OVERLOAD_SECONDS = 3

TARGETS = {
    ("rpc.multiplexed_16", "server_cpu_ratio_grpc"): 0.02,
    ("rpc.push", "messages_per_cpu_second"): 5e6,
    ("rpc.stream_1k", "messages_per_cpu_second"): 2e6,
    ("rpc.idle", "bytes_per_idle_session"): 1024,
    ("rpc.idle", "sessions"): MANY_SESSIONS,
    ("rpc.idle", "sessions_in_memory"): IN_MEMORY_SESSIONS,
    ("rpc.give_up", "ended_ms"): 50,
    ("rpc.inprocess", "ns_per_call"): 100,
    ("rpc.spin", "idle_cpu_percent"): 0.05,
    ("rpc.spin", "low_rate_cpu_ratio_no_spin"): 1.1,
    ("rpc.spin", "same_core_cpu_ratio_no_spin"): 1.1,
    ("rpc.open_loop", "p99_ratio_p50"): 3,
    ("rpc.overload", "goodput_ratio"): 0.9,
    ("rpc.overload", "p99_ratio_unloaded"): 3,
    ("rpc.tls_multiplexed_1k", "server_cpu_ratio_plain"): 1.5,
}


def apart(bench):
    """The placement with a cpu each; on a machine with one cpu, the other."""
    return "pin" if "pin" in bench.placements else "same"


def run_parley(bench, shape, placement, server=(), client=(), program="rpc_client", seconds=None):
    return bench.run([bench.program("rpc_server"), *server], [bench.program(program), *client],
                     shape, placement, seconds)


def add_flow(name, kind, body_bytes):
    def measure(figures, bench, options):
        shape = Shape(4, 1, body_bytes)
        runs = [run_parley(bench, shape, apart(bench), client=[kind], program="rpc_flow")
                for _ in range(options.runs)]
        figures.add(name, "messages_per_cpu_second", [1e6 / run["server_cpu_us"] for run in runs],
                    placement=apart(bench), client_cpu_us=median_of(runs, "client_cpu_us"),
                    server_cpu_us=median_of(runs, "server_cpu_us"))
    return measure


def measure_idle(figures, bench, options):
    scale = SMOKE_SCALE if options.smoke else 1
    found = {}
    for count in (IDLE_SESSIONS, MANY_SESSIONS):
        shape = Shape(count // scale, 1, 16)
        found[count] = [run_parley(bench, shape, apart(bench), client=["idle"], program="rpc_flow",
                                   seconds=60)
                        for _ in range(options.runs if count == IDLE_SESSIONS else 1)]
    figures.add("rpc.idle", "bytes_per_idle_session",
                column(found[IDLE_SESSIONS], "bytes_per_idle_session"), connections=IDLE_SESSIONS)
    # One run shows it: whether they stay up does not vary as times do.
    figures.add("rpc.idle", "sessions", column(found[MANY_SESSIONS], "sessions"),
                bytes_per_idle_session=median_of(found[MANY_SESSIONS], "bytes_per_idle_session"))
    in_memory = run_parley(bench, Shape(IN_MEMORY_SESSIONS // scale, 1, 16), apart(bench),
                           client=["in_memory"], program="rpc_flow", seconds=60)
    figures.add("rpc.idle", "sessions_in_memory", [in_memory["sessions"]],
                bytes_per_idle_session=in_memory["bytes_per_idle_session"])


def measure_give_up(figures, bench, options):
    runs = [run_parley(bench, Shape(1, 1, 500), apart(bench), client=["give_up"],
                       program="rpc_flow", seconds=60) for _ in range(options.runs)]
    figures.add("rpc.give_up", "ended_ms", column(runs, "ended_ms"), placement=apart(bench),
                streams=median_of(runs, "streams"))


def measure_inprocess(figures, bench, options):
    """Calls to a peer of the same process, on one cpu."""
    _, cpu = bench.placements[apart(bench)]
    command = [bench.program("rpc_inprocess"), "0.05" if options.smoke else str(bench.seconds)]
    runs = []
    for _ in range(options.runs):
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              preexec_fn=programs.pin_to(cpu))
        if done.returncode != 0:
            raise Problem(f"{' '.join(command)} ended with {done.returncode}: "
                          f"{done.stderr.strip()}")
        runs.append(json.loads(done.stdout))
    # A call in the midst of which somebody else got the cpu looks slow, and the next one goes as
    # bytes: that is what a few allocations in millions of calls are.
    figures.add("rpc.inprocess", "ns_per_call", column(runs, "ns_per_call"),
                allocations_per_call=median_of([{"each": run["allocations"] / run["calls"]}
                                                for run in runs], "each"))


def idle_cpu_percent(bench, seconds):
    """Of a server that a session has called and is silent now."""
    server_cpu, client_cpu = bench.placements[apart(bench)]
    with programs.Server([bench.program("rpc_server")], server_cpu) as server:
        programs.run_client([bench.program("rpc_client"), "--address", server.address,
                             "--server-pid", str(server.pid), "--warmup-seconds", "0",
                             "--seconds", "0.1"], client_cpu, 1)
        time.sleep(0.2)
        # The kernel's number for the CPU clock of a process; see window.cc.
        clock = ~server.pid * 8 | 2
        before = time.clock_gettime(clock)
        time.sleep(seconds)
        return (time.clock_gettime(clock) - before) / seconds * 100


def measure_spin(figures, bench, options):
    seconds = 0.2 if options.smoke else IDLE_SECONDS
    figures.add("rpc.spin", "idle_cpu_percent",
                [idle_cpu_percent(bench, seconds) for _ in range(options.runs)])
    quiet = ["--no-idle-spin"]
    rate = ["--rate", str(LOW_RATE)]
    found = {"low": [], "low_quiet": [], "same": [], "same_quiet": []}
    for _ in range(options.runs):
        found["low"].append(run_parley(bench, PINGPONG, apart(bench), client=rate))
        found["low_quiet"].append(run_parley(bench, PINGPONG, apart(bench), quiet, rate + quiet))
        found["same"].append(run_parley(bench, PINGPONG, "same"))
        found["same_quiet"].append(run_parley(bench, PINGPONG, "same", quiet, quiet))
    for metric, row in (("low_rate_cpu_ratio_no_spin", "low"),
                        ("same_core_cpu_ratio_no_spin", "same")):
        figures.add("rpc.spin", metric,
                    ratios(found[row], found[row + "_quiet"], "server_cpu_us"),
                    us=median_of(found[row], "server_cpu_us"),
                    no_spin_us=median_of(found[row + "_quiet"], "server_cpu_us"))


def measure_open_loop(figures, bench, options):
    shape = Shape(32, 1, 16)
    runs = []
    for _ in range(options.runs):
        closed = run_parley(bench, shape, apart(bench))
        rate = OPEN_LOOP_SHARE * closed["requests"] / closed["seconds"]
        runs.append(run_parley(bench, shape, apart(bench), client=["--rate", f"{rate:.0f}"]))
    figures.add("rpc.open_loop", "p99_ratio_p50", [run["p99_us"] / run["p50_us"] for run in runs],
                placement=apart(bench), p50_us=median_of(runs, "p50_us"),
                p99_us=median_of(runs, "p99_us"),
                requests_per_second=median_of([{"rate": run["requests"] / run["seconds"]}
                                               for run in runs], "rate"))


def measure_overload(figures, bench, options):
    """A handler of 1 ms, on one cpu: what it can do, then half of that, then three times."""
    def run(connections, rate):
        # Long enough for the first floor of the adaptive limit, which the warm-up then has.
        return run_parley(bench, Shape(connections, 1, 16), apart(bench), ["--overload"],
                          ["overload", "--rate", f"{rate:.0f}"], "rpc_flow",
                          None if options.smoke else max(bench.seconds, OVERLOAD_SECONDS))

    rows = []
    for _ in range(options.runs):
        most = run(2, 0)
        most_per_second = most["good"] / most["seconds"]
        half = run(32, 0.5 * most_per_second)
        three = run(32, 3 * most_per_second)
        rows.append({"goodput_ratio": three["good"] / three["seconds"] / most_per_second,
                     "p99_ratio_unloaded": three["p99_us"] / max(half["p99_us"], 1),
                     "half_p99_us": half["p99_us"], "p99_us": three["p99_us"],
                     "most_per_second": most_per_second, "refused": three["refused"]})
    for metric in ("goodput_ratio", "p99_ratio_unloaded"):
        figures.add("rpc.overload", metric, column(rows, metric), placement=apart(bench),
                    p99_us=median_of(rows, "p99_us"), half_p99_us=median_of(rows, "half_p99_us"),
                    most_per_second=median_of(rows, "most_per_second"))


def make_certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=bench",
               "-addext", "subjectAltName=DNS:bench", "-keyout", os.path.join(folder, "key.pem"),
               "-out", os.path.join(folder, "chain.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")


def measure_tls(figures, bench, options):
    if shutil.which("openssl") is None:
        say("rpc.tls_multiplexed_1k is skipped: openssl is not installed")
        return
    shape = Shape(4, 64, 1024)
    with tempfile.TemporaryDirectory() as folder:
        make_certificate(folder)
        found = {"plain": [], "tls": []}
        for _ in range(options.runs):
            found["plain"].append(run_parley(bench, shape, "same"))
            found["tls"].append(run_parley(bench, shape, "same", ["--tls", folder],
                                           ["--ca-file", os.path.join(folder, "chain.pem")]))
    figures.add("rpc.tls_multiplexed_1k", "server_cpu_ratio_plain",
                ratios(found["tls"], found["plain"], "server_cpu_us"), peer="plain",
                placement="same", us=median_of(found["tls"], "server_cpu_us"),
                plain_us=median_of(found["plain"], "server_cpu_us"))


def add_grpc(figures, bench, scenario, runs):
    """gRPC's server at the same load; after the scenario's own rows."""
    server = bench.program("grpc_server")
    if not os.access(server, os.X_OK):
        say(f"{scenario.name} server_cpu_ratio_grpc is skipped: gRPC was not there when this was "
            "built (Debian: apt install libgrpc++-dev protobuf-compiler-grpc)")
        return
    say(f"{scenario.name} beside gRPC: {runs} rounds")
    found = {"grpc": [], "parley": []}
    for _ in range(runs):
        found["grpc"].append(bench.run([server], [bench.program("grpc_client")], scenario,
                                       apart(bench)))
        found["parley"].append(run_parley(bench, scenario, apart(bench)))
    figures.add(scenario.name, "server_cpu_ratio_grpc",
                ratios(found["parley"], found["grpc"], "server_cpu_us"), peer="grpc",
                peer_version=version_of(server), placement=apart(bench),
                us=median_of(found["parley"], "server_cpu_us"),
                grpc_us=median_of(found["grpc"], "server_cpu_us"))


def version_of(server):
    """What gRPC's server says of itself beside its address."""
    with subprocess.Popen([server], stdout=subprocess.PIPE, text=True) as process:
        said = json.loads(process.stdout.readline())
        process.terminate()
    return said["version"]


MEASURES = {
    "rpc.push": add_flow("rpc.push", "push", 16),
    "rpc.stream_1k": add_flow("rpc.stream_1k", "stream", 1024),
    "rpc.idle": measure_idle,
    "rpc.give_up": measure_give_up,
    "rpc.inprocess": measure_inprocess,
    "rpc.spin": measure_spin,
    "rpc.open_loop": measure_open_loop,
    "rpc.overload": measure_overload,
    "rpc.tls_multiplexed_1k": measure_tls,
}
