"""What the benchmarks share above programs.py: figures, their rounds and ratios, the state of the
machine, and what is asked of a build and of the command line."""

import json
import os
import statistics
import sys

import programs

MIN_RUNS = 5
BUSY_LOAD = 0.5  # a load average above this is somebody else's work in our figures


# Figures of which more is better.
AT_LEAST = {"messages_per_cpu_second", "goodput_ratio", "sessions", "writes_per_cpu_second",
            "reads_per_cpu_second"}


def is_missed(row):
    target = row.get("target")
    if target is None:
        return False
    return row["value"] < target if row["metric"] in AT_LEAST else row["value"] > target


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class Figures:
    """Prints rows as they come and keeps them for the table. `targets`: by bench and metric."""

    def __init__(self, silent, targets=None):
        self.silent = silent
        self.targets = targets or {}
        self.rows = []

    def add(self, bench, metric, values, **fields):
        row = {"bench": bench, "metric": metric, "value": tidy(statistics.median(values)),
               "min": tidy(min(values)), "max": tidy(max(values)), "runs": len(values)} | fields
        target = self.targets.get((bench, metric))
        if target is not None:
            row["target"] = tidy(target)
        self.rows.append(row)
        if not self.silent:
            print(json.dumps(row, separators=(",", ":")), flush=True)


def tidy(value):
    """Four significant digits: more would claim more than was measured."""
    return float(f"{value:.4g}")


def column(runs, key):
    return [run[key] for run in runs]


def ratios(upper, lower, key):
    """Of each round, so that a slow minute of the machine weighs on both sides."""
    return [a[key] / b[key] for a, b in zip(upper, lower)]


def median_of(runs, key):
    return tidy(statistics.median(column(runs, key)))


def load_of_machine():
    """Load average and the share of CPU time the hypervisor took since boot, for people."""
    with open("/proc/stat", encoding="utf-8") as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    one, five, _ = os.getloadavg()
    return f"load {one:.2f} (5 min: {five:.2f}), stolen ticks {ticks[7] if len(ticks) > 7 else 0}"


def say_before(options):
    say("before:", load_of_machine())
    if os.getloadavg()[0] > BUSY_LOAD and not options.smoke:
        say("others are at work on this machine: trust the ratios, not the absolute figures")


def say_after(options):
    say("after:", load_of_machine())
    if options.smoke:
        say("smoke: runs this short say nothing about speed, so these are no results")
    elif options.silent:
        say(f"a figure needs {MIN_RUNS} rounds: this was a look, and stdout has nothing")


def build_type(build):
    """CMAKE_BUILD_TYPE of the build folder; empty when it does not say."""
    try:
        with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
            for line in cache:
                if line.startswith("CMAKE_BUILD_TYPE:"):
                    return line.split("=", 1)[1].strip()
    except OSError:
        pass
    return ""


def program_of(build, name):
    """The path of a program of that build; a Problem when it is not there."""
    path = os.path.join(build, "bench", name)
    if not os.access(path, os.X_OK):
        raise programs.Problem(f"{path} is not there; build it first: cmake --build {build} "
                               "(in a build with PARLEY_BENCH=ON)")
    return path


def add_options(parser, names):
    parser.add_argument("--build", required=True, help="build folder of `cmake --preset release`")
    parser.add_argument("--runs", type=int, default=MIN_RUNS,
                        help=f"interleaved rounds; below {MIN_RUNS} no figures, only the table")
    parser.add_argument("--only", metavar="NAME,...", action="append", default=[],
                        help=f"some of {', '.join(names)}; repeatable")
    parser.add_argument("--smoke", action="store_true",
                        help="one short run of each scenario to prove that it works; no figures")


def check_options(parser, options):
    """Ends the program where nothing could be measured; sets `silent` where there are no figures to
    print: too few rounds, or too short."""
    if options.smoke:
        options.runs = 1
    if options.runs < 1:
        parser.error(f"--runs {options.runs}: at least one, and {MIN_RUNS} for figures")
    options.silent = options.runs < MIN_RUNS
    kind = build_type(options.build)
    if not options.smoke and kind != "Release":
        parser.error(f"{options.build} is a build of type \"{kind}\"; only Release is measured: "
                     "cmake --preset release && cmake --build build/release")


def check_names(parser, only, names, prefix):
    """Those of `names` that `--only NAME,...` asks for, in their own order; all without it."""
    wanted = {name if name.startswith(prefix) else prefix + name
              for text in only for name in text.split(",")}
    if wanted - set(names):
        parser.error(f"--only {', '.join(sorted(wanted - set(names)))}: not a scenario; there are "
                     f"{', '.join(names)}")
    return [name for name in names if not wanted or name in wanted]
