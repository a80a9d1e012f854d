#!/usr/bin/env python3
"""A project that adds Parley with add_subdirectory() gets the library and nothing else.

Run by ctest, a case at a time: consumer_test.py CASE --compiler CXX --cmake CMAKE
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def try_configure(args, build, *more):
    command = [args.cmake, "-S", os.path.join(ROOT, "tests", "consumer"), "-B", build,
               "-G", "Ninja", f"-DPARLEY={ROOT}", f"-DCMAKE_CXX_COMPILER={args.compiler}",
               "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def configure(args, build, *more):
    done = try_configure(args, build, *more)
    if done.returncode != 0:
        sys.exit(f"consumer_test: configuring failed:\n{done.stdout}{done.stderr}")


def commands_of(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        return json.load(file)


def command_of_app(build):
    return next(entry for entry in commands_of(build) if entry["file"].endswith("/app.cc"))


def gets_no_warning_flags_of_ours(args, build):
    configure(args, build)
    for entry in commands_of(build):
        found = re.findall(r"\s(-W\S+|-pedantic\S*|-fsanitize\S*)", entry["command"])
        if found:
            sys.exit(f"consumer_test: {entry['file']} is compiled with {' '.join(found)}")


def builds_no_tests_examples_or_command(args, build):
    configure(args, build)
    folders = [os.path.join(ROOT, name) + os.sep for name in ("examples", "bench", "parley/cli")]
    for entry in commands_of(build):
        path = entry["file"]
        if path.endswith("_test.cc") or any(path.startswith(folder) for folder in folders):
            sys.exit(f"consumer_test: {path} would be built")


def compiles_the_facade(args, build):
    configure(args, build)
    compile_only(command_of_app(build))


def compile_main(build):
    compile_only(next(entry for entry in commands_of(build) if entry["file"].endswith("/main.cc")))


def compile_only(entry):
    done = subprocess.run(shlex.split(entry["command"]) + ["-fsyntax-only"], capture_output=True,
                          text=True, check=False, timeout=100, cwd=entry["directory"])
    if done.returncode != 0 or done.stderr:
        sys.exit(f"consumer_test: {entry['command']}\n{done.stderr}")


def keeps_its_own_build_type(args, build):
    configure(args, build)
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
        found = re.search(r"(?m)^CMAKE_BUILD_TYPE:\w+=(.*)$", file.read())
    if found and found[1]:
        sys.exit(f"consumer_test: the project has become a {found[1]} build")


def is_told_how_to_turn_on_a_part(args, build):
    parts = {"codec_regex": "PARLEY_REGEX", "codec_yaml": "PARLEY_YAML",
             "codec_xml": "PARLEY_XML", "wire_filters": "PARLEY_FILTERS",
             "http": "PARLEY_FILTERS", "door": "PARLEY_FILTERS"}
    for part, option in parts.items():
        done = try_configure(args, build, f"-DPART={part}")
        said = " ".join(done.stderr.split())
        wanted = f"parley::{part} is off: set({option} ON) before Parley is added"
        if done.returncode == 0 or wanted not in said:
            sys.exit(f"consumer_test: {part} should be missing: {wanted}\n{done.stderr}")


def configures_as_the_readme_says(args, build):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        whole, fetch, door = re.findall(r"```cmake\n(.*?)```", file.read(), re.S)
    added = re.search(r"(?m)^add_subdirectory\(parley\).*\n", whole)
    if not added:
        sys.exit("consumer_test: the README's CMakeLists.txt does not add Parley")
    fetched = whole.replace(added[0], fetch)
    beginning = whole[:added.start()]
    for name, text in (("added", whole), ("fetched", fetched), ("door", beginning + door)):
        folder = os.path.join(build, name)
        os.makedirs(folder)
        os.symlink(ROOT, os.path.join(folder, "parley"))
        with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write(text)
        with open(os.path.join(folder, "main.cc"), "w", encoding="utf-8") as file:
            header = "parley/door/door.h" if name == "door" else "parley/parley.h"
            file.write(f"#include <{header}>\nint main() {{}}\n")
        # Nothing is fetched here: what would be is what is tested.
        done = subprocess.run(
            [args.cmake, "-S", folder, "-B", os.path.join(folder, "build"), "-G", "Ninja",
             f"-DCMAKE_CXX_COMPILER={args.compiler}", f"-DFETCHCONTENT_SOURCE_DIR_PARLEY={ROOT}",
             "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"],
            capture_output=True, text=True, check=False, timeout=100)
        if done.returncode != 0:
            sys.exit(f"consumer_test: {name}:\n{text}\n{done.stdout}{done.stderr}")
        if name == "door":
            compile_main(os.path.join(folder, "build"))


CASES = (gets_no_warning_flags_of_ours, builds_no_tests_examples_or_command, compiles_the_facade,
         keeps_its_own_build_type, is_told_how_to_turn_on_a_part, configures_as_the_readme_says)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=[case.__name__ for case in CASES])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--cmake", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as build:
        {case.__name__: case for case in CASES}[args.case](args, build)


if __name__ == "__main__":
    main()
