#!/usr/bin/env python3
"""Each rule of tools/tidy has a text that breaks it and one beside it that does not."""
import os
import subprocess
import sys
import tempfile
import unittest

import loading

tidy = loading.tool("tidy")

HEADER = "// What it is for.\n#pragma once\n"
WORD = "XX" + "X"
FLOORS = {
    "parley/base/CMakeLists.txt": "parley_floor(base RANK 0 SOURCES a.cc)\n",
    "parley/base/README.md": "# base\n",
    "parley/codec/CMakeLists.txt": "parley_floor(codec RANK 1 SOURCES a.cc)\n",
    "parley/codec/README.md": "# codec\n",
    "parley/rt/CMakeLists.txt": "parley_floor(rt\n  RANK 2 SOURCES a.cc)\n",
    "parley/rt/README.md": "# rt\n",
    "parley/wire/CMakeLists.txt": "parley_floor(wire RANK 2 SOURCES a.cc)\n",
    "parley/wire/README.md": "# wire\n",
    "parley/cli/CMakeLists.txt": "parley_floor(cli RANK 8 SOURCES a.cc)\n",
    "parley/cli/README.md": "# cli\n",
}


def found(files):
    """{(path, line, rule)} in a house with these files (on top of five empty floors)."""
    tree = tidy.Tree([tidy.File(path, text) for path, text in {**FLOORS, **files}.items()])
    return {(finding.path, finding.line, finding.rule) for finding in tidy.findings(tree)}


# rule: ([(path, text, line of the finding)], [(path, text)])
CASES = {
    "file-size": (
        [("parley/rt/a.h", HEADER + "\n" * 299, 301),
         ("parley/rt/a.cc", "\n" * 601, 601),
         ("parley/rt/a_test.cc", "\n" * 901, 901),
         ("tools/dev/x.sh", "\n" * 601, 601)],
        [("parley/rt/a.h", HEADER + "\n" * 298),
         ("parley/rt/a.cc", "\n" * 600),
         ("parley/rt/a_test.cc", "\n" * 900),
         ("docs/long.md", "\n" * 2000)]),
    "line-length": (
        [("parley/rt/a.cc", "\n//" + "x" * 99 + "\n", 2), ("dev", "#" * 101, 1)],
        [("parley/rt/a.cc", "//" + "x" * 98), ("parley/rt/b.cc", "//" + "\u00e4" * 98),
         ("docs/a.md", "x" * 200)]),
    "function-length": (
        [("parley/rt/a.cc", "int f(int a) {\n" + "  g();\n" * 69 + "}\n", 1),
         ("parley/rt/b.cc", "namespace x {\nclass A {\n  int f() const noexcept {\n"
          + "\n" * 69 + "  }\n};\n}\n", 3),
         ("parley/rt/c.cc", "A::A(int a)\n    : a_(a),\n      b_{a} {\n" + "\n" * 70 + "}\n", 3),
         ("parley/rt/d_test.cc", "TEST(A, b) {\n" + "  if (x) {\n  }\n" * 40 + "}\n", 1),
         ("parley/rt/e.cc", "auto f() -> std::vector<int> {\n" + "  // }\n" * 70 + "}\n", 1)],
        [("parley/rt/a.cc", "int f(int a) {\n" + "  g();\n" * 68 + "}\n"),
         ("parley/rt/b.cc", "namespace x {\nclass A {\n" + "  int a() { return 1; }\n" * 90
          + "};\n}\n"),
         ("parley/rt/c.cc", "const int table[] = {\n" + "  1,\n" * 90 + "};\n"),
         ("parley/rt/d.cc", "void f() {\n  char c = '{';\n}\nvoid g() {\n" + "\n" * 60 + "}\n"),
         ("parley/rt/e.cc", "enum class A : int {\n" + "  a,\n" * 90 + "};\n"),
         ("parley/rt/f.cc", "#define PARLEY_F(x) { \\\n  {\nvoid f() {}\n" + "\n" * 90)]),
    "thread-local": (
        [("parley/net/a.cc", "static thread_local int x;\n", 1)],
        [("parley/rt/impl/a.cc", "thread_local int x;\n"),
         ("parley/net/a.cc", "// no thread_local here\n")]),
    "regex": (
        [("parley/cli/a.cc", "std::regex r;\n", 1), ("tests/a.cc", "#include <regex>\n", 1)],
        [("parley/cli/a.cc", 'auto x = "std::regex";\n')]),
    "exceptions": (
        [("parley/net/a.cc", "int x;\nvoid f() { throw 1; }\n", 2),
         ("parley/net/b.cc", "void f() { try { g(); } catch (...) {} }\n", 1)],
        [("parley/base/guard.h", HEADER + "void f() { try { g(); } catch (...) { } }\n"),
         ("parley/cli/impl/flags.cc", "void f() { try { g(); } catch (...) { } }\n"),
         ("parley/net/a_test.cc", "void f() { throw 1; }\n"),
         ("examples/x/a.cc", "void f() { throw 1; }\n"),
         ("parley/net/b.cc", 'auto s = R"(catch (x))"; /* throw */\nvoid catch_all();\n')]),
    "os-threads": (
        [("parley/net/a.cc", "std::mutex m;\n", 1),
         ("parley/rt/a.cc", "std::condition_variable_any c;\n", 1),
         ("parley/net/b.cc", "std::thread t;\n", 1)],
        [("parley/rt/impl/a.cc", "std::mutex m;\n"),
         ("parley/base/a_test.cc", "std::thread t([] {});\n"),
         ("bench/a.cc", "std::thread t;\n"),
         ("parley/net/a.cc", "auto n = std::thread::hardware_concurrency();\n")]),
    "sleep": (
        [("parley/base/a_test.cc", "std::this_thread::sleep_for(1s);\n", 1),
         ("parley/net/a.cc", "usleep(1);\n", 1),
         ("examples/x/a.cc", "::sleep(1);\n", 1)],
        [("parley/net/a.cc", "rt::sleep(1s);\nasleep(1);\n"),
         ("parley/rt/impl/a.cc", "nanosleep(&a, &b);\n")]),
    "printing": (
        [("parley/net/a.cc", "std::cerr << 1;\n", 1),
         ("parley/net/b.cc", 'std::fprintf(stderr, "x");\n', 1),
         ("parley/net/c.cc", '\nprintf("x");\n', 2)],
        [("parley/net/a.cc", 'std::snprintf(a, 1, "x");\n'),
         ("parley/cli/a.cc", 'std::printf("x");\n'),
         ("parley/base/assert.cc", 'std::fprintf(stderr, "x");\n'),
         ("parley/net/a_test.cc", "std::cout << 1;\n"),
         ("examples/a/a.cc", "std::cout << 1;\n"),
         ("parley/net/d.cc", "console.printf(1);\n")]),
    "marks": (
        [("parley/net/a.cc", f"int x;  // {WORD}: later\n", 1), ("dev", f"\n# {WORD}\n", 2)],
        [("parley/net/a.cc", f'auto name = "/tmp/{WORD}{WORD}";\n')]),
    "fixed-name": (
        [("parley/net/a_test.cc", 'listen("unix:@parley-a-test");\n', 1)],
        [("parley/net/a_test.cc", 'Address::parse("unix:@shop");\n'),
         ("parley/net/testing/a.h", HEADER + 'parse("unix:@parley-test-" + name);\n')]),
    "using-namespace": (
        [("parley/net/a.h", HEADER + "using namespace std;\n", 3)],
        [("parley/net/a.cc", "using namespace std::chrono_literals;\n"),
         ("parley/net/a.h", HEADER + "using std::string;\n")]),
    "include-path": (
        [("parley/rt/a.cc", '#include "a.h"\n', 1), ("examples/x/a.cc", '#include "no.h"\n', 1)],
        [("parley/rt/a.cc", '#include "parley/rt/a.h"\n'),
         ("parley/codec/a_test.cc", '#include "shop/order.parley.h"\n'),
         ("parley/codec/b.cc", "#include <simdjson.h>\n")]),
    "include-rank": (
        [("parley/codec/a.cc", '#include "parley/wire/a.h"\n', 1),
         ("parley/rt/a.cc", '#include "parley/wire/a.h"\n', 1),
         ("parley/rt/b_test.cc", '#include "parley/cli/a.h"\n', 1),
         ("parley/rt/c.cc", '#include "parley/nowhere/a.h"\n', 1),
         ("parley/cli/d.cc", "#include <parley/parley.h>\n", 1)],
        [("parley/wire/a.cc", '#include "parley/base/a.h"\n#include "parley/wire/a.h"\n'),
         ("examples/a/a.cc", "#include <parley/parley.h>\n"),
         ("parley/parley.h", HEADER + '#include "parley/wire/a.h"\n')]),
    "include-impl": (
        [("parley/wire/a.cc", '#include "parley/base/impl/a.h"\n', 1),
         ("tests/a.cc", '#include "parley/rt/impl/a.h"\n', 1)],
        [("parley/wire/a.cc", '#include "parley/wire/impl/a.h"\n')]),
    "public-includes": (
        [("parley/rt/a.h", HEADER + "#include <sys/epoll.h>\n", 3),
         ("parley/rt/b.h", HEADER + "#include <unistd.h>\n", 3),
         ("parley/parley.h", HEADER + "#include <simdjson.h>\n", 3)],
        [("parley/rt/a.h", HEADER + "#include <string_view>\n"),
         ("parley/rt/impl/a.h", HEADER + "#include <sys/epoll.h>\n"),
         ("parley/rt/testing/a.h", HEADER + "#include <gtest/gtest.h>\n"),
         ("parley/rt/a.cc", "#include <sys/epoll.h>\n")]),
    "names": (
        [("parley/rt/a.cc", "class SessionManager {\n", 1),
         ("parley/rt/b.cc", "struct IRegistry final {};\n", 1),
         ("parley/rt/string_util.cc", "", 1)],
        [("parley/rt/a.cc", "class Session {};\nstruct IPv4 {};\nclass Database {};\n"),
         ("parley/base/a.cc", "")]),
    "pragma-once": (
        [("parley/rt/a.h", "// What.\n", 1)], [("parley/rt/a.h", HEADER), ("parley/rt/a.cc", "")]),
    "header-comment": (
        [("parley/rt/a.h", "#pragma once\n", 1), ("parley/rt/b.h", "//\n#pragma once\n", 1)],
        [("parley/rt/a.h", HEADER)]),
    "test-skip": (
        [("parley/rt/a_test.cc", "TEST(A, DISABLED_b) {}\n", 1),
         ("parley/rt/b_test.cc", "TEST(A, b) {\n  GTEST_SKIP();\n}\n", 2)],
        [("parley/rt/a_test.cc", 'TEST(A, b) { GTEST_SKIP() << "needs IPv6"; }\n'),
         ("parley/rt/b_test.cc", 'TEST(A, b) {\n  GTEST_SKIP()\n      << "needs IPv6";\n}\n')]),
    "macro-names": (
        [("parley/rt/a.cc", "#define MAX 1\n", 1)],
        [("parley/rt/a.cc", "#define PARLEY_MAX 1\n"),
         ("parley/rt/b.cc", "#define LIST(x) x\nLIST(1)\n#undef LIST\n")]),
    "parameter-names": (
        [("parley/rt/a.cc", "int f(int a,\n      const A& someThing) {\n", 2),
         ("parley/rt/b.cc", "template <int n, class type>\n", 1),
         ("parley/rt/c.cc", "template <typename... types>\n", 1)],
        [("parley/rt/a.cc", "int f(int a, const A& some_thing, int n = sizeOf(a)) {\n"),
         ("parley/rt/b.cc", "use(clang_disposeString, x); enum class state : int { on };\n"),
         ("parley/rt/c.cc", "template <class T, typename... Types, typename T::type x>\n")]),
    "macro-count": (
        [("parley/rt/a.cc", "".join(f"#define PARLEY_{n} 1\n" for n in range(10)), 10)],
        [("parley/rt/a.cc", "".join(f"#define PARLEY_{n} 1\n" for n in range(9)) * 2
          + "#define PARLEY_LAST\n#undef PARLEY_LAST\n")]),
    "readme": (
        [("parley/net/a.cc", "", ("parley/net/README.md", 1)),
         ("parley/rt/README.md", "\n" * 61, 61)],
        [("parley/rt/README.md", "\n" * 60)]),
}


class Tidy(unittest.TestCase):
    def test_each_rule_has_a_case(self):
        self.assertEqual(set(CASES), set(tidy.RULES) | set(tidy.TREE_RULES))

    def test_each_rule_finds_what_breaks_it_and_where(self):
        for rule, (bad, _) in CASES.items():
            for path, text, where in bad:
                place = where if isinstance(where, tuple) else (path, where)
                with self.subTest(rule=rule, path=path):
                    self.assertIn((*place, rule), found({path: text}))

    def test_each_rule_passes_what_keeps_it(self):
        for rule, (_, good) in CASES.items():
            for path, text in good:
                with self.subTest(rule=rule, path=path):
                    broken = {name for _, _, name in found({path: text})}
                    self.assertNotIn(rule, broken)

    def test_an_empty_house_is_clean(self):
        self.assertEqual(found({}), set())

    def test_a_neighbour_may_be_included_by_its_name_outside_the_library(self):
        files = {"bench/a.cc": '#include "a.h"\n', "bench/a.h": HEADER}
        self.assertEqual(found(files), set())

    def test_an_exception_holds_for_its_rule_and_its_line_and_needs_a_reason(self):
        code = "std::mutex m;"
        excuse = "// tidy-allow(os-threads): held for a few instructions\n"
        self.assertEqual(found({"parley/rt/a.cc": excuse + code}), set())
        self.assertEqual(len(found({"parley/rt/a.cc": excuse + "\n" + code})), 1)
        self.assertEqual(len(found({"parley/rt/a.cc": "// tidy-allow(os-threads):\n" + code})), 1)
        self.assertEqual(len(found({"parley/rt/a.cc": "// tidy-allow(regex): no\n" + code})), 1)

    def test_literals_and_comments_are_no_code_and_lines_keep_their_numbers(self):
        text = 'a("\\"throw"); /* catch\n( */ b(1\'000, \'"\'); // throw\nR"x(throw\n)x" c'
        code = tidy.code_of(text)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertNotIn("throw", code)
        self.assertNotIn("catch", code)
        self.assertIn("1'000", code)
        self.assertTrue(code.endswith(" c"))


class TidyCommand(unittest.TestCase):
    def run_tidy(self, *arguments):
        command = [sys.executable, os.path.join(loading.ROOT, "tools", "tidy"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def test_a_finding_is_told_with_file_line_rule_and_what_to_do_and_fails(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "parley", "rt"))
            for name, text in {"README.md": "", "a.cc": "int a;\nstd::mutex m;\n"}.items():
                with open(os.path.join(root, "parley", "rt", name), "w", encoding="utf-8") as file:
                    file.write(text)
            done = self.run_tidy("--root", root)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^parley/rt/a.cc:2: os-threads: std::mutex: .*use rt::")
        self.assertEqual(len(done.stdout.splitlines()), 1)

    def test_a_tree_without_code_is_an_error_not_a_success(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertEqual(self.run_tidy("--root", root).returncode, 2)

    def test_every_rule_is_listed(self):
        listed = {line.split()[0] for line in self.run_tidy("--list-rules").stdout.splitlines()}
        self.assertEqual(listed, set(CASES))


if __name__ == "__main__":
    unittest.main()
