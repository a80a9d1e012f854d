#!/usr/bin/env python3
"""The program sim: the same seed is the same run in two processes, and planted bugs are found."""
import argparse
import re
import subprocess
import sys
import unittest

PROGRAM = None


def sim(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=100)


class Sim(unittest.TestCase):
    def lines_of(self, *arguments):
        done = sim(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def two_processes_give_equal_hashes(self):
        first = self.lines_of("--from", "1", "--count", "20")
        self.assertEqual([line.split()[0] for line in first], [str(i) for i in range(1, 21)])
        self.assertEqual(first, self.lines_of("--from", "1", "--count", "20"))
        # Event by event, and whatever was run in the process before.
        events = self.lines_of("--seed", "20", "--events")
        self.assertGreater(len(events), 100)
        self.assertEqual(events, self.lines_of("--seed", "20", "--events"))
        self.assertEqual(events[-1], first[-1])

    def seeds_differ(self):
        lines = self.lines_of("--from", "1", "--count", "20")
        self.assertEqual(len({line.split()[1] for line in lines}), 20)

    def found(self, scenario, message):
        """The first seed that finds the bug says what to run; that fails in the same way."""
        done = sim("--from", "1", "--count", "200", "--scenario", scenario)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(message, done.stderr)
        repeat = re.search(rf"repeat it with: \./dev sim (\d+) --scenario {scenario}\n",
                           done.stderr)
        self.assertTrue(repeat, done.stderr)
        seed = repeat.group(1)
        # Those before it did not fail.
        self.assertEqual(len(done.stdout.splitlines()), int(seed) - 1)
        again = sim("--seed", seed, "--scenario", scenario)
        self.assertNotEqual(again.returncode, 0)

        def report(text):
            return re.findall(r"^(?:  \d+  .*|simulation .*)$", text, re.MULTILINE)
        self.assertEqual(report(again.stderr), report(done.stderr))
        self.assertGreater(len(report(again.stderr)), 3)

    def a_planted_lost_update_is_found_and_its_seed_repeats_it(self):
        self.found("planted_lost_update", "three were put in stock")

    def a_planted_deadlock_is_found_and_its_seed_repeats_it(self):
        self.found("planted_deadlock", "a deadlock: no fiber can go on, and no timer is left")

    def what_no_seed_decides_shows_as_different_hashes(self):
        arguments = ("--seed", "1", "--scenario", "planted_real_time")
        self.assertNotEqual(self.lines_of(*arguments), self.lines_of(*arguments))

    def wrong_usage_is_refused(self):
        for arguments, why in ((("--sed", "1"), "no option '--sed'"),
                               (("--seed",), "--seed wants a value"),
                               (("--seed", "7x"), "wants a number, got '7x'"),
                               (("--scenario", "nothing"), "no scenario 'nothing'")):
            done = sim(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(why, done.stderr)


def main():
    global PROGRAM
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("--sim", required=True)
    arguments = parser.parse_args()
    PROGRAM = arguments.sim
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite([Sim(arguments.case)]))
    sys.exit(0 if result.wasSuccessful() and result.testsRun == 1 else 1)


if __name__ == "__main__":
    main()
