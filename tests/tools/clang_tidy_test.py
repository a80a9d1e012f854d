#!/usr/bin/env python3
"""tools/dev/clang_tidy.py: what it looks at, what it remembers, what it tells. clang-tidy, ninja
and git are stubs."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import loading

SCRIPT = os.path.join(loading.ROOT, "tools", "dev", "clang_tidy.py")
FILES = ("parley/base/fd.cc", "parley/base/status.cc", "parley/base/status_test.cc")


class ClangTidy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        for name in ("bin", "build", "build/headers"):
            os.mkdir(self.path(name))
        self.write("shared.h", "1")
        self.write("build/headers/fd_h.cc", "")
        sources = [os.path.join(loading.ROOT, name) for name in FILES]
        sources.append(self.path("build/headers/fd_h.cc"))
        self.write("build/compile_commands.json", json.dumps(
            [{"directory": self.path("build"), "file": source, "command": f"g++ -o {number}.o -c"}
             for number, source in enumerate(sources)]))
        self.stub("ninja", "".join(
            f"echo '{number}.o: #deps 2, deps mtime 1 (VALID)'; echo '    {source}'\n"
            + (f"echo '    {self.path('shared.h')}'\n" if number != 1 else "")
            for number, source in enumerate(sources)))
        self.stub("git", 'case "$1" in diff) echo parley/base/status.cc ;; esac')
        self.tidy_says("exit 0")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def stub(self, name, script):
        self.write(f"bin/{name}", f"#!/bin/sh\n{script}\n")
        os.chmod(self.path(f"bin/{name}"), 0o755)

    def tidy_says(self, script):
        self.stub("tidy", '[ "$1" = --version ] && echo 19 && exit\n'
                  f'echo "$*" >>{self.path("log")}\n{script}')

    def run_it(self, *options):
        """(exit code, stdout, files that clang-tidy was started for)"""
        self.write("log", "")
        environment = {**os.environ, "PATH": f"{self.path('bin')}:{os.environ['PATH']}",
                       "CLANG_TIDY": self.path("bin/tidy")}
        done = subprocess.run([sys.executable, SCRIPT, "--build", self.path("build"), "--stamps",
                               self.path("stamps"), *options], env=environment, text=True,
                              capture_output=True, check=False, timeout=60)
        with open(self.path("log"), encoding="utf-8") as file:
            started = {os.path.relpath(line.split()[-1], loading.ROOT) for line in file}
        return done.returncode, done.stdout, started

    def test_our_files_are_checked_and_generated_ones_are_not(self):
        self.assertEqual(self.run_it("--tests"), (0, "", set(FILES)))

    def test_a_clean_file_is_remembered_until_something_it_includes_changes(self):
        self.run_it("--tests")
        self.assertEqual(self.run_it("--tests")[2], set())
        self.write("shared.h", "22")
        self.assertEqual(self.run_it("--tests")[2], {FILES[0], FILES[2]})

    def test_tests_are_left_out_unless_they_are_asked_for(self):
        self.assertEqual(self.run_it()[2], {name for name in FILES if "_test" not in name})

    def test_a_file_with_findings_is_not_remembered(self):
        self.tidy_says("exit 1")
        self.assertEqual(self.run_it("--tests")[0], 1)
        self.assertEqual(self.run_it("--tests")[2], set(FILES))

    def test_a_finding_in_a_header_is_told_once(self):
        self.tidy_says('echo "2 warnings generated."; echo "/x/a.h:1:2: error: bad [some-check]"\n'
                       "echo '   1 | int a;'; exit 1")
        code, told, _ = self.run_it()
        self.assertEqual((code, told), (1, "/x/a.h:1:2: error: bad [some-check]\n   1 | int a;\n"))

    def test_changed_looks_only_at_what_differs_from_the_last_commit(self):
        self.assertEqual(self.run_it("--changed")[2], {FILES[1]})
        self.stub("git", f'case "$1" in ls-files) echo {self.path("shared.h")} ;; esac')
        self.assertEqual(self.run_it("--changed")[2], {FILES[0], FILES[2]})

    def recorded(self, *without):
        """Files looked at in a fresh clone when the record misses the lines that end so."""
        with open(self.path("record"), encoding="utf-8") as file:
            lines = [line for line in file if not line.rstrip().endswith(without)]
        self.write("less", "".join(lines))
        shutil.rmtree(self.path("stamps"))
        return self.run_it("--unrecorded", self.path("less"))[2]

    def test_what_a_clean_run_recorded_a_fresh_clone_need_not_look_at(self):
        header = os.path.join(loading.ROOT, "parley/base/fd.h")
        self.stub("ninja", "".join(f"echo '{number}.o: #deps 1, deps mtime 1 (VALID)'; "
                                   f"echo '    {header}'\n" for number in (0, 1)))
        self.tidy_says("exit 1")
        self.run_it("--record", self.path("record"))
        self.assertFalse(os.path.exists(self.path("record")))
        self.tidy_says("exit 0")
        self.run_it("--record", self.path("record"))
        self.assertEqual(self.recorded("no such line"), set())
        self.assertEqual(self.recorded("/status.cc"), {"parley/base/status.cc"})
        self.assertEqual(self.recorded("/fd.h"), {"parley/base/fd.cc"})
        self.assertEqual(self.recorded(" .clang-tidy"), set(FILES[:2]))

    def test_tests_get_the_small_set_of_checks(self):
        self.run_it("--tests")
        with open(self.path("log"), encoding="utf-8") as file:
            for line in file:
                small = "--config-file=" + os.path.join(loading.ROOT, "tools/dev/tests.clang-tidy")
                self.assertEqual(small in line, line.strip().endswith("_test.cc"))

    def test_a_precompiled_header_hides_nothing(self):
        with open(self.path("build/compile_commands.json"), encoding="utf-8") as file:
            text = file.read()
        self.write("build/compile_commands.json", text.replace(
            "g++ ", "g++ -Winvalid-pch -fpch-preprocess -include /b/x.dir/cmake_pch.hxx "))
        self.tidy_says('[ "$1" = -p ] && cat "$2/compile_commands.json"; exit 1')
        told = self.run_it()[1]
        self.assertIn('"command": "g++ -o 0.o -c"', told)
        self.assertNotIn("pch", told)

    def test_a_build_that_names_none_of_our_files_is_an_error(self):
        self.write("build/compile_commands.json", "[]")
        self.assertEqual(self.run_it()[0], 2)


if __name__ == "__main__":
    unittest.main()
