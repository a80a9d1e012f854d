#!/usr/bin/env python3
""".ci/run: stops at the first stage that fails, and what it says last. ./dev is a stub here."""
import os
import shutil
import subprocess
import tempfile
import unittest

import loading

SUMMARY = "100% tests passed, 0 tests failed out of 7"
DEV = f"""#!/bin/sh
echo "dev $*"
[ "$*" = "$FAILS" ] && exit 5
case "$*" in
  test) echo "noise"; echo; echo "{SUMMARY}"; echo; echo "Total Test time (real) = 1.00 sec" ;;
esac
exit 0
"""


class Ci(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name in (".ci", "tools", "bench", os.path.join("tests", "tools")):
            os.makedirs(self.path(name))
        shutil.copy(os.path.join(loading.ROOT, ".ci", "run"), self.path(".ci/run"))
        self.write("dev", DEV)
        self.write("tools/promises", '#!/bin/sh\necho "promises $*"\n')
        self.write("bench/rpc.py", "")
        self.write("tests/tools/ok_test.py", "")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def run_ci(self, fails=""):
        environment = {**os.environ, "CI": "true", "FAILS": fails, "PARLEY_FUZZ_TOTAL": "12"}
        environment.pop("PARLEY_BUILD_DIR", None)
        return subprocess.run([self.path(".ci/run")], capture_output=True, text=True, check=False,
                              env=environment, timeout=60, cwd="/")

    def commands(self):
        with open(self.path("build/ci/commands.log"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_all_stages_run_and_the_last_words_are_those_of_ctest(self):
        done = self.run_ci()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = [line for line in done.stdout.splitlines() if line]
        self.assertEqual(lines[-2:], [SUMMARY, "Total Test time (real) = 1.00 sec"])
        table = lines[lines.index("=== stages"):]
        for name in ("setup", "tools", "lint", "test", "conformance", "asan", "tsan",
                     "aarch64", "sim", "stress", "fuzz", "demo", "compat", "release",
                     "bench", "promises"):
            self.assertTrue(any(line.split()[0] == name and line.endswith("s  ok")
                                for line in table), name)
        for command in ("./dev lint", "./dev test", "./dev conformance", "./dev asan",
                        "./dev tsan", "./dev aarch64",
                        "./dev sim --count 1000", "./dev stress 20s", "./dev stress",
                        "./dev fuzz --total 12", "./dev fuzz", "./dev demo --once",
                        "./dev compat",
                        "./dev build --preset release",
                        "./dev bench rpc --runs 1 --smoke"):
            self.assertIn(command, self.commands())

    def test_the_first_stage_that_fails_ends_it_and_is_named_last(self):
        done = self.run_ci(fails="asan")
        self.assertEqual(done.returncode, 1)
        lines = [line for line in done.stdout.splitlines() if line]
        self.assertIn(SUMMARY, lines)
        self.assertTrue(lines[-1].startswith("FAILED: asan (exit code 5)"), lines[-1])
        self.assertTrue(any(line.split()[0] == "asan" and line.endswith("FAILED")
                            for line in lines))
        self.assertNotIn("dev fuzz --total 12", lines)

    def test_what_failed_is_not_on_record(self):
        self.run_ci(fails="asan")
        self.assertIn("./dev test", self.commands())
        self.assertNotIn("./dev asan", self.commands())

    def test_the_record_of_an_earlier_run_does_not_count(self):
        self.run_ci()
        self.run_ci(fails="lint --new")
        self.assertNotIn("./dev test", self.commands())

    def test_a_failing_test_of_a_tool_fails_its_stage(self):
        self.write("tests/tools/x_test.py", "raise SystemExit(1)\n")
        self.assertIn("FAILED: tools", self.run_ci().stdout)


if __name__ == "__main__":
    unittest.main()
