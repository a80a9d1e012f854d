"""What the codec costs the compiler: the row codec.compile. See README.md beside this file.

Two units are generated and compiled: one declares structs and functions over them, the other makes
methods of those functions besides, and has every format write and read every struct.
"""

import os
import shutil
import subprocess
import tempfile

from programs import Problem

NAME = "codec.compile"
COUNT = 20  # of structs, and of methods
TARGETS = {"seconds_over_declaring": 3, "text_kb": 150}
FLAGS = ["-std=c++20", "-O2", "-DNDEBUG"]
SMOKE_FLAGS = ["-std=c++20", "-O0"]

STANDARD = ("cstdint", "optional", "string", "vector")
FORMATS = ("json", "protobuf", "msgpack", "form")
HEADERS = ("codec", "form", "json", "msgpack", "protobuf", "signature")


def struct(index):
    # Every other one holds a list of the one before.
    parts = f"std::vector<S{index - 1}>" if index % 2 else "std::vector<std::int64_t>"
    return f"""struct S{index} {{
  std::int64_t id_{index} = 0;
  std::string name_{index};
  double price_{index} = 0;
  std::int32_t count_{index} = 0;
  bool is_open_{index} = false;
  std::vector<std::string> tags_{index};
  std::optional<std::string> note_{index};
  {parts} parts_{index};
}};
S{index} method_{index}(const S{index}& first, std::int64_t second);
"""


def uses(index):
    formats = "".join(f"""parley::Status {name}_{index}(std::string& out, S{index}& value) {{
  parley::Status status = parley::codec::encode_{name}_to(out, value);
  return status.is_ok() ? parley::codec::decode_{name}_into(out, value) : status;
}}
""" for name in FORMATS)
    return f"""{formats}
parley::Status serve_{index}(const parley::codec::CodecRegistry& codecs, char id,
                         std::string_view body, std::string& out) {{
  using Method = parley::codec::Signature<decltype(&method_{index})>;
  Method::Parameters arguments;
  const parley::codec::Type& type =
      parley::codec::arguments_type<Method::Parameters, "first", "second">();
  parley::Status read = codecs.decode(id, body, type, &arguments);
  if (!read.is_ok()) return read;
  const S{index} result = method_{index}(std::get<0>(arguments), std::get<1>(arguments));
  return codecs.encode(id, out, parley::codec::type_of<S{index}>(), &result);
}}
"""


def unit(count, is_used):
    """The text of the unit; `is_used`: not only declared."""
    lines = [f"#include <{name}>" for name in STANDARD]
    if is_used:
        lines += [f'#include "parley/codec/{name}.h"' for name in HEADERS]
    lines += [struct(i) for i in range(count)]
    if is_used:
        lines += [uses(i) for i in range(count)]
    return "\n".join(lines)


def compiler_of(build):
    """The words in front of the name of a unit: that build's compiler and its include roots."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        for line in cache:
            if line.startswith("CMAKE_CXX_COMPILER:"):
                roots = [os.path.join(build, "inc", floor) for floor in ("codec", "base")]
                return [line.split("=", 1)[1].strip(), *(f"-I{root}" for root in roots)]
    raise Problem(f"{build}/CMakeCache.txt names no CMAKE_CXX_COMPILER")


def compile_unit(command, source, target):
    """User seconds, those of the compiler's own children included."""
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen([*command, "-c", source, "-o", target], stdin=subprocess.DEVNULL,
                              stderr=errors) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise Problem(f"{source} does not compile: "
                          f"{errors.read(2000).decode(errors='replace').strip()}")
    return usage.ru_utime


def text_of(target):
    """Bytes of code and constants of an object file."""
    done = subprocess.run(["size", target], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"size {target}: {done.stderr.strip()}")
    return int(done.stdout.splitlines()[1].split()[0])


def measure(figures, options):
    """Adds both figures: what the unit that uses the codec costs above the other one."""
    if shutil.which("size") is None:
        raise Problem("the program size (binutils) is not there")
    count = 1 if options.smoke else COUNT
    command = compiler_of(options.build) + (SMOKE_FLAGS if options.smoke else FLAGS)
    seconds, texts = {True: [], False: []}, {}
    with tempfile.TemporaryDirectory(prefix="parley-compile-") as folder:
        for is_used in (False, True):
            with open(os.path.join(folder, f"{is_used}.cc"), "w", encoding="utf-8") as source:
                source.write(unit(count, is_used))
        for _ in range(options.runs):
            for is_used, spent in seconds.items():
                target = os.path.join(folder, f"{is_used}.o")
                spent.append(compile_unit(command, os.path.join(folder, f"{is_used}.cc"), target))
                texts[is_used] = text_of(target)
    figures.add(NAME, "seconds_over_declaring",
                [a - b for a, b in zip(seconds[True], seconds[False])],
                target=TARGETS["seconds_over_declaring"], declaring=min(seconds[False]))
    figures.add(NAME, "text_kb", [(texts[True] - texts[False]) / 1024] * options.runs,
                target=TARGETS["text_kb"])
