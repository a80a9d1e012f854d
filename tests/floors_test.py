#!/usr/bin/env python3
"""The walls of the house: what a floor cannot reach neither compiles nor configures.

Run by ctest, a case at a time: floors_test.py CASE --compiler CXX ...
"""
import argparse
import collections
import glob
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
Floor = collections.namedtuple("Floor", "name rank includes")


def fail(message):
    sys.exit(f"floors_test: {message}")


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          stdin=options.pop("stdin", subprocess.DEVNULL), **options)


def read_floors(path):
    floors = []
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            name, rank, includes = line.split("|")
            floors.append(Floor(name, int(rank), [part for part in includes.split(";") if part]))
    return floors


def header_of(floor):
    """A public header of that floor which is really there, as an include names it."""
    headers = sorted(glob.glob(os.path.join(ROOT, "parley", floor.name, "*.h")))
    if not headers:
        fail(f"floor '{floor.name}' has no public header")
    return f"parley/{floor.name}/{os.path.basename(headers[0])}"


def can_reach(floor, other):
    """Whether the floor's own include folders are meant to show the other floor."""
    return any(os.path.isdir(os.path.join(folder, "parley", other.name))
               for folder in floor.includes)


def compile_include(compiler, floor, header):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "reach.cc")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f'#include "{header}"\n')
        command = [compiler, "-std=c++20", "-fsyntax-only", source]
        return run(command + [f"-I{include}" for include in floor.includes], timeout=60)


def must_not_compile(args, pairs):
    if not pairs:
        fail("the house has no such pair of floors: nothing was proven")
    for floor, other in pairs:
        header = header_of(other)
        done = compile_include(args.compiler, floor, header)
        if done.returncode == 0:
            fail(f"{header} can be included in '{floor.name}'")
        missing = (f"{header}: No such file or directory", f"'{header}' file not found")
        if not any(words in done.stderr for words in missing):
            fail(f"{header} in '{floor.name}' failed for another reason:\n{done.stderr}")
        print(f"'{floor.name}' (rank {floor.rank}) cannot include {header} (rank {other.rank})")


def an_include_upwards_does_not_compile(args):
    floors = read_floors(args.floors)
    must_not_compile(args, [(floor, other) for floor in floors for other in floors
                            if other.rank > floor.rank])


def an_include_of_a_sibling_does_not_compile(args):
    floors = read_floors(args.floors)
    must_not_compile(args, [(floor, other) for floor in floors for other in floors
                            if other.rank == floor.rank and other.name != floor.name])


def an_include_of_a_floor_below_compiles(args):
    """Shows that the refusals above come from the walls and not from how this test compiles."""
    floors = read_floors(args.floors)
    pairs = [(floor, other) for floor in floors for other in floors
             if other.rank < floor.rank and can_reach(floor, other)]
    if not pairs:
        fail("no floor stands on another: nothing was proven")
    # One floor seen from each floor is enough: compiling is what takes the time.
    for floor, other in {floor.name: (floor, other) for floor, other in pairs}.values():
        header = header_of(other)
        done = compile_include(args.compiler, floor, header)
        if done.returncode != 0:
            fail(f"{header} cannot be included in '{floor.name}':\n{done.stderr}")
        print(f"'{floor.name}' (rank {floor.rank}) can include {header} (rank {other.rank})")


def configure(args, case):
    with tempfile.TemporaryDirectory() as build:
        command = [args.cmake, "-S", os.path.join(ROOT, "tests", "floors"), "-B", build,
                   "-G", "Ninja", f"-DCASE={case}", f"-DCMAKE_CXX_COMPILER={args.compiler}"]
        done = run(command, timeout=100)
        # CMake breaks long messages into lines.
        return done.returncode, " ".join((done.stdout + done.stderr).split())


def must_not_configure(args, case, message):
    code, output = configure(args, case)
    if code == 0:
        fail(f"the house with a dependency '{case}' configured")
    if message not in output:
        fail(f"expected '{message}' in:\n{output}")


def a_dependency_downwards_configures(args):
    code, output = configure(args, "downwards")
    if code != 0:
        fail(output)


def a_dependency_upwards_does_not_configure(args):
    must_not_configure(args, "upwards", "floor 'left' (rank 1) depends on 'high' (rank 2): "
                       "siblings and higher floors are out of reach")


def a_dependency_on_a_sibling_does_not_configure(args):
    must_not_configure(args, "sibling", "floor 'right' (rank 1) depends on 'left' (rank 1): "
                       "siblings and higher floors are out of reach")


def a_dependency_on_an_unknown_floor_does_not_configure(args):
    must_not_configure(args, "unknown", "floor 'high' depends on 'attic', which does not stand yet")


CASES = (an_include_upwards_does_not_compile, an_include_of_a_sibling_does_not_compile,
         an_include_of_a_floor_below_compiles, a_dependency_downwards_configures,
         a_dependency_upwards_does_not_configure, a_dependency_on_a_sibling_does_not_configure,
         a_dependency_on_an_unknown_floor_does_not_configure)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=[case.__name__ for case in CASES])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--floors", help="what tests/CMakeLists.txt wrote about the real floors")
    args = parser.parse_args()
    {case.__name__: case for case in CASES}[args.case](args)


if __name__ == "__main__":
    main()
