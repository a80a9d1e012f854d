#!/usr/bin/env python3
"""Measures the store of kv: writes by 64 fibers under each fsync policy and without a disk, and
reads. See README.md beside this file; usually run by `./dev bench kv`.

Figures go to stdout, one JSON object a line; everything for people goes to stderr.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import programs
from figures import (Figures, add_options, check_names, check_options, column, is_missed,
                     median_of, program_of, say, say_after, say_before)
from programs import Problem

MODES = {"kv.write_always": "always", "kv.write_interval": "interval",
         "kv.write_never": "never", "kv.write_memory": "memory", "kv.read": "read"}
WRITES, READS = "writes_per_cpu_second", "reads_per_cpu_second"
TARGETS = {(name, WRITES): 20_000 for name in MODES if name != "kv.read"} | {
    ("kv.read", READS): 500_000}
SPARE_SECONDS = 30


def run(options, program, mode):
    """One run, in a folder of its own on the disk of the build."""
    with tempfile.TemporaryDirectory(dir=options.folder or options.build) as folder:
        command = [program, mode, str(options.seconds), os.path.join(os.path.abspath(folder), "s")]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=options.seconds + SPARE_SECONDS,
                                  preexec_fn=programs.pin_to(min(os.sched_getaffinity(0))))
        except subprocess.TimeoutExpired as error:
            raise Problem(f"{' '.join(command)} did not end") from error
        if done.returncode != 0:
            raise Problem(f"{' '.join(command)} ended with {done.returncode}: "
                          f"{done.stderr.strip()}")
        found = json.loads(done.stdout)
    if found["operations"] == 0:
        raise Problem(f"{' '.join(command)}: nothing was done in {options.seconds} s")
    found["per_cpu_second"] = found["operations"] / found["cpu_us"] * 1e6
    found["per_second"] = found["operations"] / found["seconds"]
    return found


def measure(options):
    program = program_of(options.build, "kv_bench")
    figures = Figures(options.silent, TARGETS)
    runs = {name: [] for name in options.names}
    for _ in range(options.runs):
        for name, found in runs.items():
            found.append(run(options, program, MODES[name]))
    for name, found in runs.items():
        fields = {"per_second": median_of(found, "per_second")}
        if name != "kv.read":
            fields["mean_batch"] = median_of(found, "mean_batch")
        figures.add(name, READS if name == "kv.read" else WRITES,
                    column(found, "per_cpu_second"), **fields)
    for row in figures.rows:
        verdict = "MISSED" if is_missed(row) else "ok"
        say(f"{row['bench']:<18} {row['value']:>12,.0f} {row['metric']:<22} "
            f"{row['per_second']:>12,.0f} a second, {row.get('mean_batch', 1):>6.1f} a batch  "
            f"{verdict}")


def main():
    parser = argparse.ArgumentParser(description="The store of kv under each fsync policy")
    add_options(parser, list(MODES))
    parser.add_argument("--seconds", type=float, default=3.0, help="measured window of a run")
    parser.add_argument("--folder", help="on which disk; without it that of the build folder")
    options = parser.parse_args()
    check_options(parser, options)
    if options.smoke:
        options.seconds = 0.2
    options.names = check_names(parser, options.only, list(MODES), "kv.")
    try:
        say_before(options)
        measure(options)
        say_after(options)
    except Problem as problem:
        say(f"bench/kv.py: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
