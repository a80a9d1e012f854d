#!/usr/bin/env python3
"""What `#include <parley/parley.h>` costs its user, told in lines after the preprocessor.

Run by ctest, a case at a time: include_weight_test.py CASE --compiler CXX --includes "A;B"
"""
import argparse
import os
import re
import subprocess
import sys

MOST_WEIGHT = 1.2  # times the std headers that our headers name
FACADE = "#include <parley/parley.h>\n"
# The C library, the kernel's headers, the C++ library, the compiler's own.
SYSTEM = re.compile(r"/usr/include/(c\+\+/|[^/]+-linux-gnu/(bits|gnu|asm|sys|c\+\+)/|bits/|asm"
                    r"|linux/|sys/|[a-z_0-9-]+\.h$|[^/]+-linux-gnu/[a-z]+\.h$)"
                    r"|/usr/lib/(gcc|llvm-[0-9]+)/")
NOT_SYSTEM = re.compile(r"/(openssl|gtest|simdjson|zlib|zconf|zstd\w*|ares\w*|CLI)\b")


def preprocess(args, text, *flags):
    command = [args.compiler, "-std=c++20", "-x", "c++", *flags, "-"]
    command += [f"-I{folder}" for folder in args.folders]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True,
                          timeout=100).stdout


def headers_of(args):
    """(ours, others): all files that the facade pulls in."""
    listing = preprocess(args, FACADE, "-M").replace("\\\n", " ").split(":", 1)[1].split()
    files = [path for path in listing if path != "-"]
    ours = [path for path in files if any(path.startswith(folder) for folder in args.folders)]
    return ours, [path for path in files if path not in ours]


def lines_of(args, text):
    return len(preprocess(args, text, "-E", "-P").splitlines())


def std_headers_named_by(headers):
    named = set()
    for path in headers:
        with open(path, encoding="utf-8") as file:
            named |= set(re.findall(r"(?m)^\s*#\s*include\s*<([a-z_0-9]+)>", file.read()))
    return sorted(named)


def stays_near_the_weight_of_its_std_headers(args):
    ours, _ = headers_of(args)
    named = std_headers_named_by(ours)
    floor = lines_of(args, "".join(f"#include <{name}>\n" for name in named))
    facade = lines_of(args, FACADE)
    print(f"{len(ours)} of our headers name {len(named)} std headers: {floor} lines; the facade: "
          f"{facade} lines, {facade / floor:.3f} times as many (at most {MOST_WEIGHT})")
    if facade > MOST_WEIGHT * floor:
        sys.exit("include_weight_test: the facade is too heavy: move bodies into .cc files")


def pulls_in_no_third_party_header(args):
    ours, others = headers_of(args)
    strangers = [path for path in map(os.path.realpath, others)
                 if not SYSTEM.search(path) or NOT_SYSTEM.search(path)]
    print(f"{len(ours)} headers of ours, {len(others)} of the system")
    if not ours or not others:
        sys.exit("include_weight_test: the list of headers is not one")
    if strangers:
        sys.exit("include_weight_test: third-party headers: " + " ".join(strangers))


CASES = (stays_near_the_weight_of_its_std_headers, pulls_in_no_third_party_header)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=[case.__name__ for case in CASES])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--includes", required=True, help="include folders, separated by ;")
    args = parser.parse_args()
    args.folders = [folder for folder in args.includes.split(";") if folder]
    {case.__name__: case for case in CASES}[args.case](args)


if __name__ == "__main__":
    main()
