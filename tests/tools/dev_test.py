#!/usr/bin/env python3
"""./dev: how it explains itself, what it refuses, and what it installs on which machine."""
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import loading

DEV = os.path.join(loading.ROOT, "dev")
SUBCOMMANDS = ("demo", "test", "build", "fmt", "lint", "asan", "tsan", "fuzz", "bench", "sim",
               "stress", "conformance", "compat", "aarch64", "ci", "setup")
NOBODY = 65534


class DevCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o777)
        self.stubs = os.path.join(self.folder, "bin")
        os.mkdir(self.stubs)
        self.environment = {
            "PATH": f"{self.stubs}:{os.environ['PATH']}", "STUB_LOG": self.path("calls.log"),
            "PARLEY_BUILD_DIR": self.path("build"), "HOME": self.folder}
        self.stub("npm", "exit 0")

    def path(self, name):
        return os.path.join(self.folder, name)

    def stub(self, name, script):
        path = os.path.join(self.stubs, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def calls(self):
        if not os.path.exists(self.path("calls.log")):
            return []
        with open(self.path("calls.log"), encoding="utf-8") as file:
            return file.read().splitlines()

    def bare_path(self, *commands):
        """A PATH with nothing but these commands."""
        bare = self.path("bare")
        os.mkdir(bare)
        for command in ("bash", "env", "readlink", "dirname", "nproc", "sed", "mkdir", "tail",
                        "cat", "sort", "tr", *commands):
            os.symlink(shutil.which(command), os.path.join(bare, command))
        self.environment["PATH"] = bare
        return bare

    def dev(self, *arguments, user=None):
        return subprocess.run([DEV, *arguments], capture_output=True, text=True, check=False,
                              env=self.environment, stdin=subprocess.DEVNULL, timeout=60, user=user)


class Dev(DevCase):
    def test_help_names_every_subcommand(self):
        for arguments in ((), ("--help",), ("-h",), ("help",)):
            done = self.dev(*arguments)
            self.assertEqual(done.returncode, 0)
            for name in SUBCOMMANDS:
                self.assertRegex(done.stdout, rf"(?m)^  {name} +\w")

    def test_each_subcommand_explains_itself_examples_first(self):
        for name in SUBCOMMANDS:
            for flag in ("--help", "-h"):
                done = self.dev(name, flag)
                self.assertEqual(done.returncode, 0, name)
                self.assertTrue(done.stdout.startswith(f"./dev {name}"), name)
                self.assertIn(f"\nExamples:\n  ./dev {name}", done.stdout)
                self.assertIn("\nExit code: ", done.stdout)

    def test_an_unknown_subcommand_is_refused_with_the_nearest_one(self):
        done = self.dev("tset")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no subcommand 'tset', did you mean 'test'?", done.stderr)
        self.assertIn("did you mean 'build'?", self.dev("bulid").stderr)
        self.assertNotIn("did you mean", self.dev("xyzzy").stderr)

    def test_an_unknown_option_is_refused(self):
        for arguments in (("build", "--fast"), ("build", "--preset", "quick"), ("fmt", "all"),
                          ("lint", "--fix"), ("fuzz", "--seconds", "0"), ("fuzz", "--total", "x"),
                          ("fuzz", "--seed", "0"),
                          ("fuzz", "--seconds"), ("demo", "--twice"), ("setup", "now"),
                          ("ci", "x"), ("sim",), ("sim", "7x"), ("sim", "--count", "0"),
                          ("sim", "7", "--count", "2"), ("sim", "7", "8"), ("sim", "--all"),
                          ("sim", "7", "--preset", "tsan"), ("stress",), ("stress", "5"),
                          ("stress", "0s"), ("stress", "5s", "6s"), ("stress", "5s", "--all"),
                          ("conformance", "--all")):
            done = self.dev(*arguments)
            self.assertEqual(done.returncode, 2, f"{arguments}: {done.stderr}")
            self.assertIn(f"see ./dev {arguments[0]} --help", done.stderr)

    def test_an_unknown_benchmark_is_refused(self):
        done = self.dev("bench", "no_such_thing")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no benchmark 'no_such_thing'", done.stderr)


class Setup(DevCase):
    """What is installed; apt-get and dpkg-query are stubs, so that nothing is."""

    def setUp(self):
        super().setUp()
        self.stub("apt-get", 'echo "$DEBIAN_FRONTEND $*" >>"$STUB_LOG"')
        self.stub("dpkg-query", 'shift 2\nfor package; do echo "$package installed"; done')
        self.stub("sudo", 'echo "sudo $*" >>"$STUB_LOG"\n[ "$1" = -n ] && shift\nexec "$@"')

    def packages(self):
        return self.dev("setup", "--list").stdout.split()

    def test_when_all_is_there_nothing_is_asked_said_or_waited_for(self):
        started = time.monotonic()
        done = self.dev("setup")
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.calls(), [])

    def test_on_a_bare_debian_the_lists_are_fetched_and_everything_is_installed(self):
        self.stub("dpkg-query", "exit 1")
        done = self.dev("setup")
        self.assertEqual(done.returncode, 0, done.stderr)
        update, install = [call for call in self.calls() if not call.startswith("sudo")]
        self.assertRegex(update, r"^noninteractive .*-y .*Acquire::Retries=\d.* update$")
        self.assertRegex(install, r"^noninteractive .*-y .* install --no-install-recommends ")
        self.assertEqual(sorted(install.split("--no-install-recommends ")[1].split()),
                         self.packages())
        for package in ("g++", "cmake", "ninja-build", "python3", "libgtest-dev", "clang-19",
                        "clang-tidy-19", "clang-format-19", "g++-aarch64-linux-gnu"):
            self.assertIn(package, self.packages())

    def test_only_what_is_missing_is_installed(self):
        self.stub("dpkg-query", 'shift 2\nfor package; do case "$package" in\n'
                  'ccache) echo "ccache config-files" ;; cmake) ;;\n'
                  '*) echo "$package installed" ;; esac; done\nexit 1')
        self.assertEqual(self.dev("setup").returncode, 0)
        self.assertRegex(self.calls()[-1], r"--no-install-recommends (cmake ccache|ccache cmake)$")

    def test_what_was_configured_without_a_package_is_configured_again(self):
        os.makedirs(self.path("build/dev"))
        with open(self.path("build/dev/.configured"), "w", encoding="utf-8"):
            pass
        self.dev("setup")
        self.assertTrue(os.path.exists(self.path("build/dev/.configured")))
        self.stub("dpkg-query", "exit 1")
        self.dev("setup")
        self.assertFalse(os.path.exists(self.path("build/dev/.configured")))

    def test_packages_are_named_and_not_installed_when_told_so(self):
        self.stub("dpkg-query", "exit 1")
        self.environment["PARLEY_NO_INSTALL"] = "1"
        done = self.dev("setup")
        self.assertEqual(done.returncode, 3)
        self.assertIn("apt-get install --no-install-recommends ", done.stderr)
        self.assertEqual(self.calls(), [])

    def test_a_failed_installation_says_why_and_where_all_of_it_is(self):
        self.stub("dpkg-query", "exit 1")
        self.stub("apt-get", 'echo "E: Unable to locate package"; exit 100')
        done = self.dev("setup")
        self.assertEqual(done.returncode, 3)
        self.assertIn("E: Unable to locate package", done.stderr)
        self.assertIn("apt.log", done.stderr)

    def other_user(self):
        """Somebody who is not root: ourselves if need be."""
        if os.geteuid() != 0:
            return None
        if subprocess.run(["test", "-r", DEV], user=NOBODY, check=False).returncode != 0:
            self.skipTest("this folder is readable only to root")
        return NOBODY

    def test_others_than_root_install_through_sudo_which_asks_nothing_without_a_terminal(self):
        self.stub("dpkg-query", "exit 1")
        done = self.dev("setup", user=self.other_user())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(self.calls()[0], r"^sudo -n env DEBIAN_FRONTEND=noninteractive apt-get ")

    def test_without_root_and_sudo_the_command_for_root_is_named(self):
        user = self.other_user()
        self.stub("dpkg-query", "exit 1")
        bare = self.bare_path()
        for name in ("apt-get", "dpkg-query"):
            os.symlink(os.path.join(self.stubs, name), os.path.join(bare, name))
        done = self.dev("setup", user=user)
        self.assertEqual(done.returncode, 3)
        self.assertIn("as root: apt-get install --no-install-recommends ", done.stderr)

    def test_on_another_system_the_packages_are_named(self):
        self.bare_path()
        done = self.dev("setup")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"not found: .*\bcmake\b")
        self.assertRegex(done.stderr, r"this is not Debian: install .*\bninja-build\b")

    def test_on_another_system_with_all_commands_nothing_is_said(self):
        bare = self.bare_path()
        for command in ("g++", "cmake", "ninja", "python3", "clang-format-19", "clang-tidy-19",
                        "clang++-19", "protoc", "dpkg-source", "aarch64-linux-gnu-g++",
                        "qemu-aarch64-static", "npm"):
            os.symlink("/bin/true", os.path.join(bare, command))
        done = self.dev("setup")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Work(DevCase):
    """What is called with which arguments; cmake, ctest and clang-format are stubs."""

    def setUp(self):
        super().setUp()
        self.stub("dpkg-query", 'shift 2\nfor package; do echo "$package installed"; done')
        self.stub("apt-get", "exit 1")
        for name in ("cmake", "ctest", "clang-format-19"):
            self.stub(name, f'echo "{name} $*" >>"$STUB_LOG"')

    def called(self, *arguments):
        """The last command that ./dev with these arguments called."""
        done = self.dev(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.calls()[-1]

    def test_a_preset_is_built_in_its_own_folder(self):
        self.assertIn(f"--build {self.path('build/dev')} ", self.called("build"))
        self.assertIn("cmake --preset dev -B ", self.calls()[-2])
        call = self.called("build", "--preset", "asan")
        self.assertIn(f"--build {self.path('build/asan')} ", call)
        self.assertTrue(self.called("build", "x_test").endswith(" --target x_test"))

    def test_it_configures_once(self):
        os.makedirs(self.path("build/dev"))
        for name in ("build.ninja", ".configured"):
            with open(self.path(f"build/dev/{name}"), "w", encoding="utf-8"):
                pass
        self.called("build")
        self.assertEqual(len(self.calls()), 1)

    def test_aarch64_is_built_by_its_toolchain_and_tested_under_qemu(self):
        self.stub("qemu-aarch64-static", 'echo "qemu $*" >>"$STUB_LOG"')
        call = self.called("aarch64", "--gtest_filter=x")
        self.assertRegex(call, r"^qemu -L \S+ \S+/build/aarch64/switch_test --gtest_filter=x$")
        self.assertRegex(self.calls()[0], r"--toolchain \S+/cmake/toolchain-aarch64.cmake ")
        self.stub("qemu-aarch64-static", "exit 132")
        self.assertEqual(self.dev("aarch64").returncode, 1)

    def conformance(self, runner):
        """The suite as if fetched, with a runner that does this."""
        source = "build/conformance/protobuf-3.21.12"
        os.makedirs(self.path(f"{source}/conformance"))
        with open(self.path(f"{source}/conformance/conformance.proto"), "w", encoding="utf-8"):
            pass
        self.stub("protoc", 'echo "libprotoc 3.21.12"')
        self.program("../conformance/runner/conformance_runner", runner)

    def test_the_conformance_suite_is_run_with_the_list_of_what_may_fail(self):
        self.conformance('echo "CONFORMANCE SUITE PASSED: 9 successes"')
        done = self.dev("conformance")
        self.assertEqual((done.returncode, done.stdout), (0, "9 successes\n"), done.stderr)
        self.assertRegex(self.calls()[-1], r"--enforce_recommended .*--failure_list \S+/tests/"
                         r"conformance/expected_failures.txt \S+/conformance_testee$")

    def test_a_conformance_suite_that_goes_otherwise_fails_with_what_it_said(self):
        self.conformance('echo "These tests failed"; exit 1')
        done = self.dev("conformance")
        self.assertEqual((done.returncode, done.stdout), (1, "These tests failed\n"))

    def no_conformance(self):
        """What is said where the suite's sources cannot be had, and there are none."""
        self.stub("protoc", 'echo "libprotoc 3.21.12"')
        self.stub("dpkg-source", "exit 0")
        keys = self.path("keys.gpg")
        self.environment.setdefault("PARLEY_DEBIAN_KEYS", keys)
        with open(keys, "w", encoding="utf-8"):
            pass
        done = self.dev("conformance")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, "; or unpack the sources of protobuf 3.21.12 by hand, so "
                         r"that there is \S+/protobuf-3.21.12/conformance/conformance.proto$")
        return done.stderr

    def test_a_conformance_suite_that_cannot_be_fetched_says_what_apt_get_said(self):
        self.stub("apt-get", 'echo "$*" >>"$STUB_LOG"; echo "E: no route to host"; exit 100')
        self.assertIn("E: no route to host\ndev: apt-get could not get Debian's source package of "
                      "protobuf; why stands above", self.no_conformance())
        # The system's own lists and sources are left alone.
        self.assertRegex(self.calls()[-1], r"Dir::Etc::SourceList=\S+/build/conformance/.* "
                         r"Dir::State::Lists=\S+/build/conformance/.* update$")

    def test_without_debians_keys_that_is_said_and_not_the_network(self):
        self.environment["PARLEY_DEBIAN_KEYS"] = self.path("none.gpg")
        said = self.no_conformance()
        self.assertIn(f"there is no {self.path('none.gpg')}: install debian-archive-keyring", said)
        self.assertNotIn("reached", said)
        self.assertEqual(self.calls(), [])

    def test_another_protobuf_than_debians_is_said_with_both_versions(self):
        self.stub("apt-get", 'case "$*" in *" source protobuf") mkdir protobuf-3.21.9 ;; esac')
        self.assertIn("protoc here is of protobuf 3.21.12, and the source package of Debian 12 is "
                      "protobuf-3.21.9/: install", self.no_conformance())

    def test_on_another_system_the_suite_says_that_there_is_no_apt_get(self):
        bare = self.bare_path("python3", "grep", "rm", "chmod")
        for command in ("g++", "clang++-19", "cmake", "ninja"):
            os.symlink("/bin/true", os.path.join(bare, command))
        self.environment["PATH"] = f"{self.stubs}:{bare}"
        for name in ("apt-get", "dpkg-query"):
            os.remove(os.path.join(self.stubs, name))
        self.assertIn("there is no apt-get to get it with: run this on Debian 12",
                      self.no_conformance())

    def test_a_failed_build_ends_it(self):
        self.stub("cmake", 'case "$1" in --build) exit 1 ;; esac')
        done = self.dev("test")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the dev build failed", done.stderr)
        self.assertEqual(self.calls(), [])

    def test_ctest_gets_what_was_asked_for_and_finding_no_test_is_an_error(self):
        self.environment["PARLEY_JOBS"] = "3"
        call = self.called("test", "-R", "Json", "--repeat", "until-fail:2")
        self.assertRegex(call, r"^ctest --test-dir \S+/build/dev .*--no-tests=error .*-j 3 ")
        self.assertTrue(call.endswith("/build/dev/junit.xml -R Json --repeat until-fail:2"))
        self.environment["PARLEY_JOBS"] = "5"
        self.assertRegex(self.called("asan"), r"^ctest --test-dir \S+/build/asan .*-j 5 ")

    def test_tsan_tests_without_a_spread_of_addresses_where_that_can_be_had(self):
        self.stub("setarch", 'echo "setarch $*" >>"$STUB_LOG"\nshift\nexec "$@"')
        self.stub("ctest", 'echo "ctest $TSAN_OPTIONS" >>"$STUB_LOG"')
        self.assertIn("halt_on_error=1", self.called("tsan"))
        self.assertRegex(self.calls()[-2], r"^setarch -R ctest --test-dir \S+/build/tsan ")
        self.environment["TSAN_OPTIONS"] = "mine=1"
        self.stub("setarch", "exit 1")
        self.assertEqual(self.called("tsan"), "ctest mine=1")

    def test_what_tests_ask_of_npm_is_installed_once_and_that_it_cannot_is_told(self):
        self.stub("npm", 'echo "npm $*" >>"$STUB_LOG"; exit 1')
        done = self.dev("test")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"npm could not, see \S+npm.log: tests that need it are skip")
        self.assertRegex("\n".join(self.calls()), r"npm ci --prefix \S+/build/node ")
        installed = self.path("build/node/node_modules")
        os.makedirs(installed)
        with open(os.path.join(installed, ".package-lock.json"), "w", encoding="utf-8"):
            pass
        before = len(self.calls())
        self.assertNotIn("npm", self.dev("test").stderr)
        self.assertNotIn("npm ", "\n".join(self.calls()[before:]))

    def test_a_failed_test_gives_its_exit_code(self):
        self.stub("ctest", "exit 8")
        self.assertEqual(self.dev("test").returncode, 8)

    def test_fmt_writes_and_fmt_check_only_looks(self):
        self.assertIn("clang-format-19 -i ", self.called("fmt"))
        self.assertIn("clang-format-19 --dry-run --Werror ", self.called("fmt", "--check"))
        self.stub("clang-format-19", "exit 1")
        self.assertEqual(self.dev("fmt", "--check").returncode, 1)

    def fuzz_programs(self):
        os.makedirs(self.path("build/asan"))
        self.stub("good_fuzz", 'echo "good $*" >>"$STUB_LOG"\n'
                  'echo "stat::number_of_executed_units: 42"')
        self.stub("bad_fuzz", 'echo "bad $*" >>"$STUB_LOG"\n'
                  'echo "; Test unit written to /artifacts/crash-1"; exit 77')
        lines = [f"{name}|{self.path('corpus')}|{os.path.join(self.stubs, name)}\n"
                 for name in ("good_fuzz", "bad_fuzz")]
        with open(self.path("build/asan/fuzzers.txt"), "w", encoding="utf-8") as file:
            file.writelines(lines)

    def test_fuzzing_begins_with_the_seed_that_is_given_or_with_the_commits(self):
        self.fuzz_programs()
        self.assertIn(" -seed=77 ", self.called("fuzz", "good_fuzz", "--seed", "77"))
        self.assertRegex(self.called("fuzz", "good_fuzz"), r" -seed=[0-9]+ ")

    def test_fuzzing_takes_seconds_for_each_or_shares_a_total(self):
        self.fuzz_programs()
        self.assertIn(" -max_total_time=60 ", self.called("fuzz", "good_fuzz"))
        self.assertIn(" -max_total_time=7 ", self.called("fuzz", "good_fuzz", "--seconds", "7"))
        self.dev("fuzz", "--total", "9")
        shares = [call for call in self.calls() if " -max_total_time=4 " in call]
        self.assertEqual(sorted(call.split()[0] for call in shares), ["bad", "good"])

    def test_a_fuzz_finding_fails_and_tells_how_to_repeat_it(self):
        self.fuzz_programs()
        done = self.dev("fuzz", "--seconds", "1")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"good_fuzz +1s  42 runs, nothing found")
        self.assertRegex(done.stdout, r"repeat it with:\n  \S*/bad_fuzz /artifacts/crash-1\n")

    def program(self, path, script):
        """A program that a build would have made."""
        path = self.path(f"build/dev/{path}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "{os.path.basename(path)} $*" >>"$STUB_LOG"\n{script}\n')
        os.chmod(path, 0o755)

    def test_a_seed_runs_in_two_processes_event_by_event(self):
        self.program("tests/sim/sim", 'echo "an event"; echo "7 abcd 3"')
        done = self.dev("sim", "7")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("seed 7: held; 3 steps, hash abcd in two processes", done.stdout)
        self.assertEqual(self.calls()[-2:], ["sim --seed 7 --events"] * 2)
        self.assertTrue(self.calls()[-3].endswith(" --target sim"))

    def test_a_scenario_that_does_not_exist_is_refused_with_those_that_do(self):
        self.program("tests/sim/sim", '[ "$1" = --list ] && echo "ledger" || exit 2')
        done = self.dev("sim", "7", "--scenario", "ladger")
        self.assertEqual(done.returncode, 2)
        self.assertIn("ledger\ndev: no scenario 'ladger'", done.stderr)

    def test_a_seed_that_differs_between_two_processes_shows_where(self):
        self.program("tests/sim/sim", 'echo "first"; echo "second $$"')
        done = self.dev("sim", "7")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"different ways, first at:\n2c2\n< second \d+\n")

    def test_a_seed_that_fails_is_printed_as_a_command(self):
        self.program("tests/sim/sim", 'echo "an event"; echo "why" >&2; kill -ABRT $$')
        done = self.dev("sim", "7", "--preset", "dev")
        self.assertEqual(done.returncode, 1)
        self.assertIn("why\nseed 7 FAILED; repeat it with:\n  ./dev sim 7\n", done.stdout)

    SEEDS = ('from=$2; count=$4; while [ "$count" -gt 0 ]; do [ "$from" != "$STOP" ] || exit 3\n'
             'echo "$from $(eval echo "$HASH") 5"; from=$((from + 1)); count=$((count - 1)); done')

    def test_many_seeds_are_shared_by_the_cores_and_each_runs_twice(self):
        self.program("tests/sim/sim", self.SEEDS)
        self.environment.update(PARLEY_JOBS="4", STOP="", HASH="ab")
        done = self.dev("sim", "--count", "7", "--from", "10")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("7 seeds from 10: all held", done.stdout)
        self.assertEqual(sorted(call for call in self.calls() if call.startswith("sim ")),
                         ["sim --from 10 --count 3"] * 2 + ["sim --from 13 --count 4"] * 2)

    def test_of_many_seeds_the_one_that_ended_its_process_is_printed_as_a_command(self):
        self.program("tests/sim/sim", self.SEEDS)
        self.environment.update(PARLEY_JOBS="4", STOP="15", HASH="ab")
        done = self.dev("sim", "--count", "7", "--from", "10")
        self.assertEqual(done.returncode, 1)
        self.assertIn("seed 15 FAILED; repeat it with:\n  ./dev sim 15\n", done.stdout)

    def test_of_many_seeds_the_one_that_differs_is_printed_as_a_command(self):
        self.program("tests/sim/sim", self.SEEDS)
        self.environment.update(STOP="", HASH="$([ $from = 3 ] && echo $$ || echo ab)")
        done = self.dev("sim", "--count", "5")
        self.assertEqual(done.returncode, 1)
        self.assertIn("seed 3: two processes went different ways; see where with:\n"
                      "  ./dev sim 3\n", done.stdout)

    def stress_programs(self, peer_script="exit 0"):
        for path in ("rt/rt_test", "rt/rt_traps_test", "net/net_test"):
            self.program(f"parley/{path}", "exit 0")
        self.program("parley/peer/peer_test", peer_script)
        self.program("tests/sim/sim", "exit 0")

    def test_stress_repeats_the_tests_shuffled_on_one_processor_and_on_all(self):
        self.stress_programs()
        self.stub("taskset", 'if [ "$1" = -cp ]; then echo "list: 0-3"; exit; fi\n'
                  'echo "taskset $*" >>"$STUB_LOG"\nshift 2\nexec "$@"')
        # Two rounds at least, also on a busy machine.
        done = self.dev("stress", "4s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\d+ rounds of 4 test programs in \d+ s: nothing failed")
        log = "\n".join(self.calls())
        self.assertRegex(log, r"taskset -c 0 \S+/peer_test .*--gtest_shuffle")
        self.assertRegex(log, r"taskset -c 0-3 \S+/peer_test .*--gtest_shuffle")
        seeds = re.findall(r"rt_test --gtest_brief=1 .*--gtest_random_seed=(\d+)", log)
        self.assertGreater(len(set(seeds)), 1)
        self.assertRegex(log, r"sim --from \d+ --count 20")

    def test_stress_ends_at_the_first_failure_with_what_repeats_it(self):
        self.stress_programs('echo "[  FAILED  ] Peer.x"; exit 1')
        done = self.dev("stress", "9h")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"FAILED  \] Peer.x\n"
                         r"peer_test FAILED \(exit code 1\); repeat it with:\n"
                         r"  taskset -c \S+ \S+/peer_test .*--gtest_random_seed=\d+")

    def test_stress_tries_what_an_expectation_failed_once_more_where_it_is_asked_to(self):
        first = 'case "$*" in *shuffle*) echo "[  FAILED  ] Peer.x (7 ms)"; {}; esac\nexit {}'
        asked = {"PARLEY_SECOND_TRY": "1"}
        for environment, found, second, code in (
                ({}, "exit 1", 0, 1), (asked, "exit 1", 0, 0), (asked, "exit 1", 1, 1),
                (asked, "exit 134", 0, 1), (asked, "echo WARNING: ThreadSanitizer; exit 1", 0, 1)):
            self.stress_programs(first.format(found, second))
            self.environment.pop("PARLEY_SECOND_TRY", None)
            self.environment.update(environment)
            done = self.dev("stress", "1s")
            self.assertEqual(done.returncode, code, (environment, found, second, done.stdout))
            self.assertEqual("flaky: Peer.x failed and passed" in done.stdout, code == 0)

    def test_fuzz_programs_are_listed_and_an_unknown_one_is_refused(self):
        self.fuzz_programs()
        self.assertEqual(self.dev("fuzz", "--list").stdout.split(), ["good_fuzz", "bad_fuzz"])
        done = self.dev("fuzz", "god_fuzz")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean 'good_fuzz'?", done.stderr)

    def test_a_house_without_fuzz_programs_is_an_error(self):
        self.fuzz_programs()
        with open(self.path("build/asan/fuzzers.txt"), "w", encoding="utf-8"):
            pass
        self.assertEqual(self.dev("fuzz").returncode, 1)


class SecondTries(DevCase):
    PASSED = " 9/10 Test  #8: Timer.fires ........   Passed    0.01 sec\n"
    SKIPPED = " 3/10 Test  #3: Open.metrics .......***Skipped   0.00 sec\n"
    FAILED = " 1/10 Test  #7: {} .......***{}  0.01 sec\n"

    def judge(self, *lines):
        log = self.path("ctest.log")
        with open(log, "w", encoding="utf-8") as file:
            file.write("".join((self.PASSED, self.SKIPPED, *lines)))
        script = 'set -euo pipefail; source "$root/tools/dev/lib.sh"; judge_second_tries "$1"'
        return subprocess.run(["bash", "-c", script, "judge", log], capture_output=True, text=True,
                              check=False, env={**self.environment, "root": loading.ROOT})

    def test_a_run_without_one_says_nothing(self):
        done = self.judge()
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_a_test_that_passed_when_run_again_is_named_and_fails_nothing(self):
        done = self.judge(self.FAILED.format("Dial.soon", "Failed"),
                          "      Test  #2: Dial.late ....***Timeout 9.01 sec\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("flaky: Dial.late, Dial.soon failed and passed", done.stdout)

    def test_what_is_no_matter_of_luck_fails(self):
        for word, more in (("Exception: SegFault", ""),
                           ("Failed", "WARNING: ThreadSanitizer: data race"),
                           ("Failed", "==7==ERROR: AddressSanitizer: heap-use-after-free"),
                           ("Failed", "a.cc:3:4: runtime error: signed integer overflow")):
            done = self.judge(self.FAILED.format("Dial.soon", word), more)
            self.assertEqual(done.returncode, 8, word + more)
            self.assertIn("a crash or a sanitizer's finding", done.stderr)

    def test_a_fiber_test_that_ran_out_of_time_is_no_crash(self):
        done = self.judge(self.FAILED.format("Dial.soon", "Exception:"),
                          "the test did not end within 20000 ms; its fibers:\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_more_than_two_fail(self):
        lines = [self.FAILED.format(name, "Failed") for name in ("A.a", "B.b", "C.c")]
        self.assertEqual(self.judge(*lines).returncode, 8)
        self.assertEqual(self.judge(*lines[:2]).returncode, 0)


if __name__ == "__main__":
    unittest.main()
