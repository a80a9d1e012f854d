"""The README is true: its program is examples/hello, its links and commands exist."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
readme = (ROOT / "README.md").read_text(encoding="utf-8")
hello = (ROOT / "examples/hello/hello.cc").read_text(encoding="utf-8").strip()

shown = re.findall(r"```cpp\n(.*?)```", readme, re.S)
if not shown or shown[0].strip() != hello:
    sys.exit("the first program in README.md is not examples/hello/hello.cc: copy it there")

for link in re.findall(r"\]\((?!https?:)([^)#]+)", readme):
    if not (ROOT / link).exists():
        sys.exit(f"README.md links to {link}, which is not there")

rest = re.search(r"`\./dev --help` lists the rest: ([\w, ]+)\.", readme)
named = set(re.findall(r"^\./dev (\w+)", readme, re.M)) | set(rest[1].split(", ") if rest else ())
there = re.search(r"^subcommands=\(([^)]*)\)", (ROOT / "dev").read_text(encoding="utf-8"), re.M)
if named != set(there[1].split()):
    sys.exit("README.md names other commands of ./dev than there are: "
             + ", ".join(sorted(named ^ set(there[1].split()))))

for command in re.findall(r"^\./dev (\w+)", readme, re.M):
    if not (ROOT / f"tools/dev/{command}.sh").exists():
        sys.exit(f"README.md names ./dev {command}, which is not there")
