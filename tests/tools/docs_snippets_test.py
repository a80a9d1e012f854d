#!/usr/bin/env python3
"""tools/docs_snippets cuts out every block, and finds every way in which a page can be wrong."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import loading

snippets = loading.tool("docs_snippets")

PROGRAM = "```cpp\nint main() { return 0; }\n```\n"


def page(text):
    return snippets.Page("docs/tour/x-y.md", text)


class Cutting(unittest.TestCase):
    def one(self, text):
        found = page(text)
        self.assertEqual(found.problems, [])
        self.assertEqual(len(found.blocks), 1)
        return found.blocks[0]

    def assert_wrong(self, text, line, message):
        found = page(text).problems
        self.assertEqual([problem.line for problem in found], [line], found)
        self.assertIn(message, found[0].message)

    def test_a_block_is_found_by_page_number_and_line(self):
        block = self.one("# X\n\n```cpp\nf();\ng();\n```\n")
        self.assertEqual((block.name, block.line, block.code, block.kind),
                         ("tour_x_y_1", 4, "f();\ng();", "fragment"))

    def test_other_languages_are_left_alone(self):
        self.assertEqual(page("```cmake\nadd()\n```\n```\nplain\n```\n").blocks, [])

    def test_a_main_makes_a_program_and_a_text_after_it_is_what_it_prints(self):
        block = self.one(PROGRAM + "\nIt prints:\n\n```text\n1\n2\n```\n")
        self.assertEqual((block.kind, block.expected), ("program", "1\n2\n"))
        self.assertIsNone(self.one(PROGRAM).expected)
        self.assertEqual(self.one(PROGRAM + "```text\n```\n").expected, "")

    def test_a_text_that_no_program_prints_is_wrong(self):
        self.assert_wrong("```text\n1\n```\n", 2, "what the program before it prints")
        self.assert_wrong("```cpp\nf();\n```\n```text\n1\n```\n", 5, "what the program")
        self.assert_wrong(PROGRAM + "```text\n1\n```\n```text\n1\n```\n", 8, "what the program")

    def test_a_preamble_counts_for_every_fragment_below_it(self):
        found = page("```cpp\na();\n```\n<!-- docs: preamble\nvoid b();\n-->\n"
                     "```cpp\nb();\n```\n```cpp\nb();\n```\n")
        self.assertEqual([len(block.preamble) for block in found.blocks], [0, 1, 1])

    def test_given_counts_for_the_next_fragment_only(self):
        found = page("<!-- docs: given\nint a = 1;\n-->\n```cpp\nb(a);\n```\n```cpp\nc();\n```\n")
        first, second = map(snippets.unit_of, found.blocks)
        self.assertLess(first.index("int a = 1;"), first.index("b(a);"))
        self.assertNotIn("int a", second)

    def test_top_level_stands_outside_a_function_and_is_seen_below(self):
        found = page("<!-- docs: top level -->\n```cpp\nstruct A {};\n```\n```cpp\nA a;\n```\n")
        first, second = map(snippets.unit_of, found.blocks)
        self.assertNotIn("snippet()", first)
        self.assertLess(second.index("struct A"), second.index("snippet()"))

    def test_the_compiler_speaks_of_the_place_in_the_page(self):
        unit = snippets.unit_of(self.one("# X\n```cpp\nf();\n```\n"))
        self.assertIn('#line 3 "docs/tour/x-y.md"\nf();\n', unit)
        self.assertIn("docs_snippets: change it there", unit)

    def test_a_comment_that_goes_wrong_is_told_with_its_line(self):
        self.assert_wrong("<!-- docs: givn\nf();\n-->\n", 1, "unknown comment")
        self.assert_wrong("<!-- docs: given\nf();\n-->\ntext\n", 2, "no ```cpp block")
        self.assert_wrong("<!-- docs: top level -->\ntext\n", 1, "no ```cpp block")
        self.assert_wrong("<!-- docs: preamble -->\n", 1, "nothing stands in this preamble")
        self.assert_wrong("<!-- docs: preamble\nint a;\n", 1, "no line -->")
        self.assert_wrong("<!-- docs: given\nf();\n-->\n" + PROGRAM, 5, "stands for itself")

    def test_a_block_without_an_end_is_wrong(self):
        self.assert_wrong("```cpp\nf();\n", 1, "no line ``` ends")

    def test_go_blocks_are_counted_on_their_own(self):
        found = page("```go\na()\n```\n```cpp\nb();\n```\n```go\npackage main\n```\n")
        self.assertEqual([(block.name, block.kind) for block in found.blocks],
                         [("tour_x_y_go_1", "go"), ("tour_x_y_1", "fragment"),
                          ("tour_x_y_go_2", "go program")])


class Calls(unittest.TestCase):
    """Calls the tool on a folder with one page."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")
        os.makedirs(os.path.join(self.folder.name, "docs", "tour"))

    def write(self, text):
        with open(os.path.join(self.folder.name, "docs", "tour", "x.md"), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def call(self, verb, *arguments):
        command = [sys.executable, os.path.join(loading.ROOT, "tools", "docs_snippets"), verb]
        if verb != "run":
            command += ["--root", self.folder.name]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False,
                              timeout=100)
        return done.returncode, done.stdout + done.stderr

    def read(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as file:
            return file.read()


class Commands(Calls):
    def test_write_leaves_units_and_the_list_that_cmake_reads(self):
        self.write("```cpp\nf();\n```\n" + PROGRAM + "```text\nhello\n```\n")
        self.assertEqual(self.call("write", "--out", self.out), (0, ""))
        self.assertIn("f();", self.read("tour_x_1.cc"))
        self.assertEqual(self.read("tour_x_2.txt"), "hello\n")
        self.assertIn("set(docs_fragments tour_x_1.cc)\nset(docs_programs tour_x_2)\n",
                      self.read("units.cmake"))
        self.assertEqual(self.call("check", "--out", self.out), (0, ""))

    def test_write_touches_only_what_changed_and_takes_away_what_went(self):
        self.write("```cpp\nf();\n```\n```cpp\ng();\n```\n```cpp\nh();\n```\n")
        self.call("write", "--out", self.out)
        first = os.path.join(self.out, "tour_x_1.cc")
        os.utime(first, (1, 1))
        self.write("```cpp\nf();\n```\n```cpp\nG();\n```\n")
        self.assertEqual(self.call("write", "--out", self.out), (0, ""))
        self.assertEqual(os.stat(first).st_mtime, 1)
        self.assertIn("G();", self.read("tour_x_2.cc"))
        self.assertFalse(os.path.exists(os.path.join(self.out, "tour_x_3.cc")))

    def test_check_finds_a_page_that_changed_since(self):
        self.write("```cpp\nf();\n```\n")
        self.call("write", "--out", self.out)
        self.write("```cpp\ng();\n```\n")
        code, output = self.call("check", "--out", self.out)
        self.assertEqual(code, 1)
        self.assertIn("tour_x_1.cc:1: not what the pages say now", output)

    def test_a_wrong_page_is_named_and_nothing_is_written(self):
        self.write("```text\n1\n```\n")
        code, output = self.call("write", "--out", self.out)
        self.assertEqual(code, 1)
        self.assertIn("docs/tour/x.md:2: a ```text block", output)
        self.assertFalse(os.path.exists(self.out))

    def test_run_compares_what_a_program_prints(self):
        expected = os.path.join(self.folder.name, "expected")
        program = os.path.join(self.folder.name, "program")
        with open(program, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho one\n")
        os.chmod(program, 0o755)
        self.assertEqual(self.call("run", program, expected), (0, ""), "no output is stated")
        for text, wanted in (("one\n", 0), ("two\n", 1), ("", 1)):
            with open(expected, "w", encoding="utf-8") as file:
                file.write(text)
            self.assertEqual(self.call("run", program, expected)[0], wanted)

    def test_run_finds_a_program_that_fails(self):
        code, output = self.call("run", "/bin/false", os.path.join(self.folder.name, "none"))
        self.assertEqual(code, 1)
        self.assertIn("exit code 1", output)


@unittest.skipUnless(shutil.which("go"), "needs Go (Debian package golang-go)")
class Go(Calls):
    def assert_go(self, text, code, words=""):
        self.write("# X\n\n" + text)
        found, output = self.call("go")
        self.assertEqual(found, code, output)
        self.assertIn(words, output)

    def test_a_fragment_needs_no_imports_and_may_leave_names_unused(self):
        self.assert_go("```go\nctx, stop := context.WithCancel(context.Background())\n```\n", 0)
        self.assert_go("```go\nfunc f() { time.Sleep(time.Second) }\n```\n", 0)
        self.assert_go("```go\nvar group errgroup.Group\ngroup.Go(nil)\n```\n", 0)

    def test_a_name_that_does_not_exist_is_found_at_its_line(self):
        self.assert_go("```go\nx := 1\ntime.Slep(x)\n```\n", 1, "docs/tour/x.md:5: ")
        self.assert_go("```go\npackage main\n\nfunc main() {\n\tf()\n}\n```\n", 1, "x.md:7: ")

    def test_what_is_no_go_or_not_formatted_is_found(self):
        self.assert_go("```go\nx := := 1\n```\n", 1, "docs/tour/x.md:4: ")
        self.assert_go("```go\nx:=1\n```\n", 1, "gofmt would write it otherwise")

    def test_a_go_preamble_is_seen_by_the_fragments_below_it(self):
        self.assert_go("<!-- docs: go preamble\nfunc work() {}\n-->\n```go\ngo work()\n```\n", 0)
        self.assert_go("```go\ngo work()\n```\n", 1, "work")


class Repository(unittest.TestCase):
    def test_its_pages_are_well_formed(self):
        pages = snippets.pages_of(loading.ROOT)
        self.assertIn("README.md", [found.path for found in pages])
        self.assertEqual([problem for found in pages for problem in found.problems], [])


if __name__ == "__main__":
    unittest.main()
