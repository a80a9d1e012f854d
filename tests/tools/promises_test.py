#!/usr/bin/env python3
"""tools/promises finds every way in which a promise can be without proof."""
import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

import loading

promises = loading.tool("promises")

# As ctest 3.25 writes it.
JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux-g++" tests="6" failures="2" disabled="1" skipped="2">
  <testcase name="Json.reads_a_number" status="run"><system-out>fine</system-out></testcase>
  <testcase name="Json.reads_a_string" status="run"/>
  <testcase name="Wire.fails" status="fail"><failure message=""/></testcase>
  <testcase name="Wire.off" status="disabled"><system-out>Disabled</system-out></testcase>
  <testcase name="Net.skipped" status="notrun">
    <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>
  <testcase name="Net.not_built" status="notrun">
    <skipped message="Unable to find executable"/></testcase>
</testsuite>
"""
HEAD = "# Promises\n\n| promise | proof |\n|---|---|\n"


class Promises(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def check(self, document, junits=(JUNIT,), log="./dev test\n./dev demo --once\n"):
        """(exit code, output) of `promises check`."""
        paths = [self.write(f"{number}.xml", text) for number, text in enumerate(junits)]
        command = [sys.executable, os.path.join(loading.ROOT, "tools", "promises"), "check",
                   "--file", self.write("promises.md", document), "--junit", *paths,
                   "--commands", self.write("commands.log", log)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def assert_broken(self, proof, reason):
        code, output = self.check(HEAD + f"| it works | {proof} |\n")
        self.assertEqual(code, 1, output)
        self.assertRegex(output, reason)
        self.assertIn("promises.md:5: ", output)

    def test_kept_promises_pass(self):
        rows = ("| numbers | `test: Json.reads_a_number` |\n"
                "| all | `test: Json.*`, `run: ./dev demo --once` |\n")
        code, output = self.check(HEAD + rows + "\nProse.\n\n| Promise | Proof |\n| - | - |\n"
                                  "| more | `run: ./dev test` |\n")
        self.assertEqual((code, output), (0, "3 promises, all kept\n"))

    def test_a_value_parameterised_test_is_named_as_ctest_names_it(self):
        junit = JUNIT.replace("Json.reads_a_number", "OnMany/Rt.joins/4")
        for proof in ("OnMany/Rt.*", "OnMany/Rt.joins/*", "OnMany/Rt.joins/4"):
            self.assertEqual(self.check(HEAD + f"| it joins | `test: {proof}` |\n", (junit,))[0], 0)
        self.assertEqual(self.check(HEAD + "| it joins | `test: Rt.*` |\n", (junit,))[0], 1)

    def test_a_row_without_proof_fails(self):
        self.assert_broken("surely", "no proof for \"it works\"")
        self.assert_broken("", "no proof for \"it works\"")

    def test_a_proof_of_no_known_kind_fails(self):
        self.assert_broken("`Json.reads_a_number`", "is no proof")
        self.assert_broken("`test:`", "is no proof")
        self.assert_broken("`test: J*.reads_a_number`", "is no proof")

    def test_a_test_that_does_not_exist_fails(self):
        self.assert_broken("`test: Json.reads_a_num`", "no test named Json.reads_a_num")
        self.assert_broken("`test: Jsn.*`", "no test named")

    def test_a_failed_test_fails_also_under_a_wildcard(self):
        self.assert_broken("`test: Wire.fails`", "Wire.fails failed")
        self.assert_broken("`test: Wire.*`", "Wire.fails failed")

    def test_a_test_that_was_skipped_disabled_or_not_built_fails(self):
        for name in ("Net.skipped", "Net.not_built", "Wire.off"):
            self.assert_broken(f"`test: {name}`", f"{name} did not run")

    def test_a_command_that_did_not_run_fails(self):
        self.assert_broken("`run: ./dev fuzz`", "CI did not run `./dev fuzz`")
        self.assert_broken("`run: ./dev`", "CI did not run `./dev`")

    def test_a_second_run_may_skip_a_test_but_not_fail_it(self):
        row = HEAD + "| numbers | `test: Json.reads_a_number` |\n"
        skipped = JUNIT.replace('number" status="run"', 'number" status="notrun"')
        failed = JUNIT.replace('number" status="run"', 'number" status="fail"')
        self.assertEqual(self.check(row, (JUNIT, skipped))[0], 0)
        self.assertEqual(self.check(row, (JUNIT, failed))[0], 1)

    def test_a_document_without_promises_or_with_another_table_fails(self):
        self.assertEqual(self.check("# Promises\n")[0], 1)
        document = HEAD + "| all | `test: Json.*` |\n\n| promises | proofs |\n|---|---|\n| a | b |"
        code, output = self.check(document)
        self.assertEqual(code, 1)
        self.assertIn("promises.md:7: a table here", output)

    def test_a_table_that_compares_with_go_needs_proof_as_well(self):
        head = "# Go\n\n| in Go | in Parley | proof |\n|---|---|---|\n"
        for row, code, words in (("| a | same | `test: Json.*` |", 0, "1 promises, all kept"),
                                 ("| a | same | `test: Jsn.*` |", 1, '"a": no test named'),
                                 ("| a | same | |", 1, 'no proof for "a"'),
                                 ("| a | | `test: Json.*` |", 1, "a row has 3 cells"),
                                 ("| a | `test: Json.*` |", 1, "a row has 3 cells")):
            found, output = self.check(head + row + "\n")
            self.assertEqual(found, code, output)
            self.assertIn(words, output)

    def test_several_documents_are_checked_at_once(self):
        good = self.write("good.md", HEAD + "| all | `test: Json.*` |\n")
        bad = self.write("bad.md", HEAD + "| none | `test: Nothing.*` |\n")
        junit = self.write("junit.xml", JUNIT)
        for paths, code, words in (((good, good), 0, "2 promises, all kept"),
                                   ((good, bad), 1, "bad.md:5: ")):
            command = [sys.executable, os.path.join(loading.ROOT, "tools", "promises"), "check",
                       "--file", *paths, "--junit", junit]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            self.assertIn(words, done.stdout)

    def test_an_unreadable_result_is_named(self):
        code, output = self.check(HEAD + "| all | `test: Json.*` |\n", ("<testsuite>",))
        self.assertEqual(code, 2)
        self.assertIn("cannot read", output)

    def test_the_documents_of_this_repository_are_well_formed(self):
        for path in promises.DOCUMENTS:
            with open(os.path.join(loading.ROOT, path), encoding="utf-8") as file:
                found, problems = promises.parse(file.read())
            self.assertEqual(problems, [], path)
            self.assertTrue(found, path)

    def test_each_test_that_go_semantics_names_is_written_somewhere(self):
        written = set()
        for path in glob.glob(os.path.join(loading.ROOT, "parley", "**", "*_test.cc"),
                              recursive=True):
            with open(path, encoding="utf-8") as file:
                found = re.findall(r"TEST(?:_F)?\(\s*(\w+),\s*(\w+)\)", file.read())
            written |= {f"{suite}.{case}" for suite, case in found}
        with open(os.path.join(loading.ROOT, "docs", "go-semantics.md"), encoding="utf-8") as file:
            rows, _ = promises.parse(file.read())
        self.assertEqual([f"line {row.line}: {name}" for row in rows for name in row.tests
                          if name not in written], [])


if __name__ == "__main__":
    unittest.main()
