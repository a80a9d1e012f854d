#!/usr/bin/env python3
"""Runs clang-tidy-19 over a compile database, several files at a time, and remembers clean ones.

A file is clean until something it was checked with changes: its text, a header it includes (as
ninja recorded them), its compile command, the configuration, or clang-tidy itself. What was clean
leaves a stamp named by the hash of all that, so a run with nothing new takes a blink.

A run over all that was clean is recorded (--record), each file by its text: a fresh clone then
looks only at what the record does not have (--unrecorded), a header where one source includes it.

  tools/dev/clang_tidy.py --build build/dev --stamps build/tidy --record tools/dev/linted.txt
  tools/dev/clang_tidy.py --build build/dev --stamps build/tidy --unrecorded tools/dev/linted.txt
  tools/dev/clang_tidy.py --build build/dev --stamps build/tidy --changed

Exit code: 0 clean, 1 findings, 2 usage.
"""
import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIDY = os.environ.get("CLANG_TIDY", "clang-tidy-19")
SET_FOR_CODE = ".clang-tidy"
SET_FOR_TESTS = "tools/dev/tests.clang-tidy"
# What a file needs beside its compile command, which is g++'s.
EXTRA_ARGUMENTS = {
    # A template of RapidJSON that nobody uses assigns to a const member: clang does not parse it.
    "bench/codec/rapidjson_dom.cc": ["--extra-arg=-fdelayed-template-parsing"],
}
# A precompiled header would hide what a file does not include.
PRECOMPILED = re.compile(
    r" -Winvalid-pch| -fpch-preprocess| -fpch-instantiate-templates| -Xclang -fno-pch-timestamp"
    r"|( -Xclang -include-pch -Xclang \S+)?( -Xclang)? -include( -Xclang)? \S*/cmake_pch\.hxx")
COMMANDS = "commands"  # below the stamps: the database without it
STAMPS_KEPT = 4000
TIME_LIMIT_S = 600


def output_of(command, cwd=ROOT):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def headers_by_object(build):
    """What each object file was last compiled from, as ninja recorded it."""
    found, current = {}, None
    for line in output_of(["ninja", "-C", build, "-t", "deps"]).splitlines():
        if line.startswith("    ") and current is not None:
            current.append(os.path.realpath(os.path.join(build, line.strip())))
        elif ": #deps" in line:
            current = found.setdefault(line.split(": #deps")[0], [])
            if "(VALID)" not in line:
                found.pop(line.split(": #deps")[0])
                current = None
    return found


@functools.lru_cache(maxsize=None)
def fingerprint(path):
    """Ours by content; a system header, which only a package changes, by size and date."""
    try:
        if path.startswith(ROOT + os.sep):
            with open(path, "rb") as file:
                return hashlib.sha256(file.read()).hexdigest()
        stat = os.stat(path)
        return f"{stat.st_size} {stat.st_mtime_ns}"
    except OSError:
        return "gone"


class Unit:
    """One source file: how it is compiled, what it includes, which checks are for it."""

    def __init__(self, entry, headers):
        self.file = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
        self.name = os.path.relpath(self.file, ROOT)
        self.command = entry["command"]
        output = re.search(r" -o (\S+)", self.command)
        self.headers = headers.get(output.group(1)) if output else None
        is_test = re.search(r"(_test|_fuzz|fuzz_replay)\.cc$|^tests/|/testing/", self.name)
        self.config = SET_FOR_TESTS if is_test else SET_FOR_CODE

    def key(self, version):
        if self.headers is None:
            return None  # not compiled yet: what it includes is unknown
        digest = hashlib.sha256(f"{version}\n{self.command}\n".encode())
        for path in [os.path.join(ROOT, self.config), self.file, *sorted(set(self.headers))]:
            digest.update(f"{path} {fingerprint(path)}\n".encode())
        return digest.hexdigest()


def units_of(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    headers = headers_by_object(build)
    units = {}
    for entry in entries:
        unit = Unit(entry, headers)
        generated = unit.file.startswith(os.path.realpath(build) + os.sep)
        if unit.name.endswith(".cc") and not generated and not unit.name.startswith(".."):
            units.setdefault(unit.file, unit)
    return sorted(units.values(), key=lambda unit: unit.name)


def write_commands(build, stamps):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries:
        entry["command"] = PRECOMPILED.sub("", entry["command"])
    folder = os.path.join(stamps, COMMANDS)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(entries, file)
    return folder


def changed_files():
    listed = output_of(["git", "diff", "--name-only", "HEAD"])
    listed += output_of(["git", "ls-files", "--others", "--exclude-standard"])
    return {os.path.realpath(os.path.join(ROOT, line)) for line in listed.splitlines()}


def own_headers(unit):
    return sorted(path for path in set(unit.headers or [])
                  if path.startswith(os.path.join(ROOT, "parley") + os.sep)
                  and "/testing/" not in path and path != unit.file)


def record_of(units):
    """What a clean run over `units` has looked at: a line `hash path` for each file, sorted. A new
    set of checks makes an old record worth nothing."""
    files = {os.path.join(ROOT, SET_FOR_CODE)}
    for unit in units:
        files.update({unit.file, *own_headers(unit)})
    return {os.path.relpath(path, ROOT): fingerprint(path) for path in files}


def read_record(path):
    try:
        with open(path, encoding="utf-8") as file:
            pairs = [line.split() for line in file]
    except FileNotFoundError:
        return {}
    return {name: text_hash for text_hash, name in pairs}


def write_record(path, record):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{record[name]} {name}\n" for name in sorted(record))


def unrecorded(units, record):
    """Sources that the record does not have as they are, and for each such header a source that
    includes it: its own, if there is one."""
    if record.get(SET_FOR_CODE) != fingerprint(os.path.join(ROOT, SET_FOR_CODE)):
        return units

    def is_new(path):
        return record.get(os.path.relpath(path, ROOT)) != fingerprint(path)

    chosen = {unit for unit in units if is_new(unit.file)}
    missing = {path for unit in units for path in own_headers(unit) if is_new(path)}
    for path in sorted(missing):
        including = [unit for unit in units if path in own_headers(unit)]
        if chosen.isdisjoint(including):
            own = [unit for unit in including if unit.file == path.removesuffix(".h") + ".cc"]
            chosen.add((own or including)[0])
    return [unit for unit in units if unit in chosen]


def readable(text, build):
    """Findings only, with the real path of headers seen through an include root."""
    def real(match):
        return os.path.relpath(os.path.realpath(match.group(0)), ROOT)
    text = re.sub(re.escape(build) + r"/inc/\w+/parley/[\w/.]+", real, text)
    text = text.replace(ROOT + os.sep, "")
    noise = r"^\d+ warnings?( and \d+ errors?)? generated\.$|^\d+ warnings? treated as error"
    return "\n".join(line for line in text.splitlines() if not re.search(noise, line))


def check(unit, build, commands):
    command = [TIDY, "-p", commands, "--quiet", f"--config-file={os.path.join(ROOT, unit.config)}",
               *EXTRA_ARGUMENTS.get(unit.name, []), unit.file]
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        return False, f"{unit.name}: clang-tidy took over {TIME_LIMIT_S} s", TIME_LIMIT_S
    return done.returncode == 0, readable(done.stdout, build), time.monotonic() - started


def findings_in(text):
    """The output cut at each finding, so that one in a header is told once."""
    parts = re.split(r"(?m)^(?=\S+:\d+:\d+: (?:warning|error):)", text)
    return [part.rstrip() for part in parts if part.strip()]


def drop_old_stamps(folder):
    stamps = sorted((entry for entry in os.scandir(folder) if entry.is_file()),
                    key=lambda entry: entry.stat().st_mtime_ns)
    for stamp in stamps[:-STAMPS_KEPT]:
        os.remove(stamp.path)


def run(units, keys, args):
    told, broken = set(), []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        commands = write_commands(args.build, args.stamps)
        waiting = {pool.submit(check, unit, args.build, commands): unit for unit in units}
        for number, future in enumerate(concurrent.futures.as_completed(waiting), 1):
            unit, (clean, text, seconds) = waiting[future], future.result()
            print(f"[{number}/{len(units)}] {unit.name} {seconds:.1f} s", file=sys.stderr)
            if clean and keys[unit]:
                with open(os.path.join(args.stamps, keys[unit]), "w", encoding="utf-8") as stamp:
                    stamp.write(unit.name + "\n")
            if clean:
                continue
            broken.append(unit.name)
            for finding in findings_in(text):
                if finding not in told:
                    told.add(finding)
                    print(finding, flush=True)
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="build folder with compile_commands.json")
    parser.add_argument("--stamps", required=True, help="folder that remembers clean files")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="files at a time")
    parser.add_argument("--changed", action="store_true", help="only what differs from HEAD")
    parser.add_argument("--record", metavar="FILE", help="write down what a clean run looked at")
    parser.add_argument("--unrecorded", metavar="FILE", help="only what is not written down there")
    parser.add_argument("--tests", action="store_true", help="tests and fuzz programs too")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    os.makedirs(args.stamps, exist_ok=True)

    version = output_of(shlex.split(TIDY) + ["--version"])
    units = units_of(args.build)
    if not units:
        parser.error(f"{args.build}/compile_commands.json names none of our files: build first")
    if args.changed:
        changed = changed_files()
        units = [unit for unit in units if changed & {unit.file, *(unit.headers or [])}]
    elif not args.tests:
        units = [unit for unit in units if unit.config != SET_FOR_TESTS]
    looked_at = units
    if args.unrecorded:
        units = unrecorded(units, read_record(args.unrecorded))
    keys = {unit: unit.key(version) for unit in units}
    unknown = [unit for unit in units
               if not (keys[unit] and os.path.exists(os.path.join(args.stamps, keys[unit])))]
    print(f"clang-tidy: {len(units)} files, {len(units) - len(unknown)} known to be clean",
          file=sys.stderr)
    broken = run(unknown, keys, args)
    drop_old_stamps(args.stamps)
    if args.record and not broken:
        write_record(args.record, record_of(looked_at))
    if broken:
        print(f"clang-tidy: findings in {len(broken)} files: {' '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
