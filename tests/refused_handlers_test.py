#!/usr/bin/env python3
"""A function that no message can call is refused with one sentence, not with a screenful.

Run by ctest: refused_handlers_test.py --compiler CXX --includes "A;B"
"""
import argparse
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent / "refused_handlers.cc"
MOST_LINES = 25  # of one refusal, with all its notes and the lines of code they show


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--includes", required=True)
    args = parser.parse_args()
    folders = [f"-I{folder}" for folder in args.includes.split(";") if folder]
    done = subprocess.run([args.compiler, "-std=c++20", "-fsyntax-only", *folders, str(SOURCE)],
                          capture_output=True, text=True, check=False, timeout=100)
    errors = re.findall(r"error: (.*)", done.stderr)
    wanted = re.findall(r"// refused: (.*)", SOURCE.read_text(encoding="utf-8"))
    if len(errors) != len(wanted):
        sys.exit(f"{len(wanted)} functions are refused with {len(errors)} errors:\n{done.stderr}")
    # In what order they come is the compiler's choice.
    for sentence in wanted:
        said = next((error for error in errors if f"parley: {sentence}" in error), None)
        if said is None:
            sys.exit(f"nothing says: {sentence}\n{done.stderr}")
        errors.remove(said)
    lines = len(done.stderr.splitlines())
    print(f"{len(wanted)} refusals take {lines} lines")
    if lines > MOST_LINES * len(wanted):
        sys.exit(f"more than {MOST_LINES} lines each:\n{done.stderr}")
    # A note names the line of each call.
    for number, text in enumerate(SOURCE.read_text(encoding="utf-8").splitlines(), 1):
        if "  peer." in text and f"{SOURCE.name}:{number}:" not in done.stderr:
            sys.exit(f"no error names line {number}: {text.strip()}\n{done.stderr}")


if __name__ == "__main__":
    main()
