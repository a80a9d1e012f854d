#!/usr/bin/env python3
"""tools/gdb/parley.py on a running program, on core files, and without debug information.

  gdb_cases.py CASE PROGRAM         PROGRAM is built from gdb_fibers.cc

Exit code: 0 passed, 1 failed, 77 skipped, with the reason.
"""
import contextlib
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "../../tools/gdb/parley.py")
STOP = "parley_gdb_cases_stop"
SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def gdb(program, *commands, core=None):
    # No symbols from the network, and none of the user's own settings.
    words = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-x", SCRIPT]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words + [program] + ([core] if core else []), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=100, check=False)
    said = done.stdout + done.stderr
    if re.search(r"ptrace: Operation not permitted|Could not trace the inferior", said):
        skip("processes may not be traced here")
    return said


def stopped(program, *commands):
    return gdb(program, f"break {STOP}", "run", *commands, "kill")


def part(text, begin, end=None):
    """From `begin` up to the next `end`; fails when they are not there."""
    at = text.find(begin)
    assert at >= 0, f"'{begin}' is missing in:\n{text}"
    return text[at:text.index(end, at + 1) if end else None]


def in_order(text, *names):
    at = 0
    for name in names:
        at = text.find(name, at)
        assert at >= 0, f"'{name}' is missing, or not in its place, in:\n{text}"


QUESTIONS = ("parley fibers", "echo \\nALL\\n", "parley fiber all bt", "echo \\nONE\\n",
             "parley bt 2")


def check(said):
    listed = part(said, "5 fibers on 2 workers", "ALL")
    for line in (r"#1 'main' running on LWP \d+\n",
                 r"#2 'waiter' waits: channel receive, for \d+ ms, order=4711\n",
                 r"#3 'sleeper' waits: sleep, for \d+ ms\n",
                 r"#\d+ 'computer' running on LWP \d+\n",
                 r"#\d+ 'newborn' runnable\n"):
        assert re.search(line, listed), f"{line} is missing in:\n{listed}"
    stacks = part(said, "ALL", "ONE")
    in_order(part(stacks, "'main'", "\n\n"), STOP, "parley_rt_fiber_main", "parley_rt_entry")
    waiter = ("wait_for_an_order",) * 4 + ("parley_rt_fiber_main", "parley_rt_entry")
    in_order(part(stacks, "'waiter'", "\n\n"), "#0 ", *waiter)
    in_order(part(stacks, "'sleeper'", "\n\n"), "sleep_until_morning", "parley_rt_entry")
    in_order(part(stacks, "'computer'", "\n\n"), "compute_for_ever", "parley_rt_entry")
    in_order(part(stacks, "'newborn'"), "it has not run yet")
    one = part(said, "ONE")
    in_order(one, "#0 ", *waiter)
    assert STOP not in one, f"a frame of the thread is in the stack of a fiber:\n{one}"


def a_stopped_program_shows_its_fibers(program, _):
    check(stopped(program, *QUESTIONS))


def without_debug_information_as_well(program, folder):
    bare = os.path.join(folder, "bare")
    subprocess.run(["strip", "-g", "-o", bare, program], check=True)
    check(stopped(bare, *QUESTIONS))


def a_core_file_made_by_gdb_shows_them(program, folder):
    core = os.path.join(folder, "core.by.gdb")
    said = stopped(program, f"parley core {core}")
    assert os.path.exists(core), said
    check(gdb(program, *QUESTIONS, core=core))


def a_core_file_of_the_kernel_shows_them(program, folder):
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as file:
        pattern = file.read().strip()
    if pattern != "core":
        skip(f"the kernel gives core files another way here (core_pattern: {pattern})")
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if most != resource.RLIM_INFINITY:
        skip("core files are limited here (ulimit -H -c)")
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    subprocess.run([program, "abort"], cwd=folder, capture_output=True, timeout=60, check=False)
    cores = [name for name in os.listdir(folder) if name.startswith("core")]
    if not cores:
        skip("the kernel wrote no core file")
    check_aborted(gdb(program, *QUESTIONS, core=os.path.join(folder, cores[0])))


def check_aborted(said):
    check(said.replace("abort", STOP))


def commands_run_where_a_fiber_is_and_leave_no_trace(program, _):
    said = stopped(program, "parley fiber 2 frame function wait_for_an_order", "echo \\nAFTER\\n",
                   "bt 1", "parley switch 3", "bt", "parley switch back", "echo \\nBACK\\n", "bt 1")
    in_order(part(said, "wait_for_an_order", "AFTER"), "wait_for_an_order")
    in_order(part(said, "AFTER", "BACK"), f"#0  {STOP}", "switch_to", "sleep_until_morning")
    in_order(part(said, "BACK"), f"#0  {STOP}")


def wrong_usage_is_explained(program, _):
    said = stopped(program, "parley bt 99", "parley bt x", "parley fiber 1", "parley core")
    in_order(said, "there is no fiber 99: `parley fibers` lists those there are",
             "usage: parley bt N", "usage: parley fiber N|all COMMAND", "usage: parley core FILE")
    said = gdb(shutil.which("true"), "parley fibers")
    assert "no fibers are known here" in said, said


CASES = (a_stopped_program_shows_its_fibers, without_debug_information_as_well,
         a_core_file_made_by_gdb_shows_them, a_core_file_of_the_kernel_shows_them,
         commands_run_where_a_fiber_is_and_leave_no_trace, wrong_usage_is_explained)


def main():
    cases = {case.__name__: case for case in CASES}
    if len(sys.argv) != 3 or sys.argv[1] not in cases:
        print(__doc__, *cases, sep="\n  ")
        return 2
    if shutil.which("gdb") is None:
        skip("gdb is not installed (Debian package gdb)")
    with tempfile.TemporaryDirectory() as folder:
        try:
            cases[sys.argv[1]](sys.argv[2], folder)
        except AssertionError as failure:
            print(failure)
            return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
