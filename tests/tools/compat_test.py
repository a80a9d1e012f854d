#!/usr/bin/env python3
"""./dev compat: which commit it takes for the last wire-N, and whom it lets talk to whom. The
programs are scripts here, and cmake a stub that copies them."""
import os
import shutil
import subprocess
import unittest

import loading
from dev_test import DevCase

# A service that ends in order, and a client that tells who met whom.
SERVICE = """#!/bin/sh
[ "$1" = --framings ] && { echo FRAMINGS; exit 0; }
[ -f "$1" ] || exit 3
trap 'echo "good bye"; exit 0' TERM
echo "shop: open at tcp://VERSION"
while :; do sleep 0.05; done
"""
CLIENT = """#!/bin/sh
[ "$1" = --framings ] && { echo FRAMINGS; exit 0; }
[ -f "$2" ] || exit 3
echo "VERSION $1 $3" >>"$STUB_LOG"
exit CODE
"""
# cmake --preset dev -B DIR ..., in the sources or at the root; cmake --build DIR ....
CMAKE = """
if [ "$1" = --build ]; then
  mkdir -p "$2/examples"
  from=$(cat "$2/from")
  cp "$from/service" "$2/examples/shop_service"
  cp "$from/client" "$2/examples/shop_client"
  exit 0
fi
mkdir -p "$4"
pwd >"$4/from"
touch "$4/build.ninja"
echo "configured $(cat version)" >>"$STUB_LOG"
"""


class Compat(DevCase):
    def setUp(self):
        super().setUp()
        self.repository = self.path("repository")
        os.makedirs(os.path.join(self.repository, "tools"))
        os.makedirs(os.path.join(self.repository, "examples", "shop"))
        os.makedirs(os.path.join(self.repository, "docs", "protocols"))
        shutil.copy(os.path.join(loading.ROOT, "dev"), self.repository)
        shutil.copytree(os.path.join(loading.ROOT, "tools", "dev"),
                        os.path.join(self.repository, "tools", "dev"))
        for name in ("CMakePresets.json", "examples/shop/inventory.json",
                     "examples/shop/orders.jsonl"):
            self.write(name, "{}\n")
        self.stub("cmake", CMAKE)
        # Whatever is asked for is installed.
        self.stub("dpkg-query", 'shift; shift; for one; do echo "$one installed"; done')
        self.stub("apt-get", "exit 1")
        self.git("init", "-q")
        self.git("config", "user.name", "somebody")
        self.git("config", "user.email", "somebody@example.org")

    def write(self, name, text):
        path = os.path.join(self.repository, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        if text.startswith("#!"):
            os.chmod(path, 0o755)

    def git(self, *arguments, at=None):
        return subprocess.run(["git", *arguments], cwd=at or self.repository, check=True, text=True,
                              capture_output=True, env={**os.environ, "HOME": self.folder}).stdout

    def commit(self, version, framings="parley", code=0):
        """A version of the demo. Returns its commit."""
        self.write("version", version)
        for name, text in (("service", SERVICE), ("client", CLIENT)):
            if framings is None:
                text = text.replace('[ "$1" = --framings ] && { echo FRAMINGS; exit 0; }',
                                    '[ "$1" = --framings ] && exit 2')
            self.write(name, text.replace("VERSION", version).replace("CODE", str(code))
                       .replace("FRAMINGS", (framings or "").replace(" ", "; echo ")))
        self.git("add", ".")
        self.git("commit", "-q", "-m", version)
        return self.git("rev-parse", "HEAD").strip()

    def compat(self, *arguments):
        return subprocess.run([os.path.join(self.repository, "dev"), "compat", *arguments],
                              capture_output=True, text=True, check=False, timeout=60,
                              env=self.environment, stdin=subprocess.DEVNULL)

    def talks(self):
        return sorted(line for line in self.calls() if not line.startswith("configured"))

    def test_without_any_it_says_so_and_is_content(self):
        self.commit("one")
        done = self.compat()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no commit is known as wire-N yet", done.stdout)
        self.assertEqual(self.calls(), [])

    def test_both_ways_over_what_both_speak(self):
        self.commit("one", "json parley raw")
        self.git("tag", "wire-1")
        self.commit("two", "parley pb raw")
        done = self.compat()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.talks(), ["one tcp://two ", "one tcp://two raw", "two tcp://one ",
                                        "two tcp://one raw"])
        self.assertIn("wire-1 client and today's service over raw: every answer was as expected",
                      done.stdout)

    def test_one_that_knows_no_framings_speaks_ours(self):
        self.commit("one", framings=None)
        self.git("tag", "wire-1")
        self.commit("two", "parley raw")
        self.assertEqual(self.compat().returncode, 0)
        self.assertEqual(self.talks(), ["one tcp://two ", "two tcp://one "])

    def test_it_is_the_highest_this_commit_descends_from_and_is_built_once(self):
        for number in ("2", "10"):
            self.commit(number)
            self.git("tag", f"wire-{number}")
        self.git("checkout", "-q", "-b", "aside")
        self.commit("11")
        self.git("tag", "wire-11")
        self.git("tag", "wire-12-broken")
        self.git("checkout", "-q", "-")
        self.commit("today")
        for _ in range(2):
            self.assertEqual(self.compat().returncode, 0)
        self.assertEqual(self.calls().count("configured 10"), 1)
        self.assertNotIn("configured 11", self.calls())

    def test_a_clone_without_tags_goes_by_the_list(self):
        first = self.commit("one")
        self.write("docs/protocols/WIRE", f"# the list\nwire-1 {first}\n")
        self.commit("two")
        self.assertEqual(self.compat().returncode, 0)
        self.assertIn("configured one", self.calls())
        for line, says in (("wire-2 " + "0" * 40, "which is no commit here"),
                           ("wire-x abc", "a line is 'wire-N COMMIT'")):
            self.write("docs/protocols/WIRE", line + "\n")
            done = self.compat()
            self.assertEqual(done.returncode, 1)
            self.assertIn(says, done.stderr)

    def test_a_clone_without_its_history_lacks_it_and_says_so(self):
        first = self.commit("one")
        self.write("docs/protocols/WIRE", f"wire-1 {first}\n")
        self.commit("two")
        whole, self.repository = self.repository, self.path("shallow")
        self.git("clone", "-q", "--depth", "1", f"file://{whole}", self.repository, at=whole)
        self.lacks_it()
        # Nor do the files alone, as a commit of their own.
        shutil.rmtree(os.path.join(self.repository, ".git"))
        self.git("init", "-q")
        self.git("config", "user.name", "somebody")
        self.git("config", "user.email", "somebody@example.org")
        self.commit("three")
        self.lacks_it()

    def lacks_it(self):
        done = self.compat()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("which this clone without its history lacks", done.stderr)
        self.assertIn("no commit is known as wire-N yet", done.stdout)

    def test_a_wrong_answer_fails_and_the_rest_is_still_tried(self):
        self.commit("one", code=1)
        self.git("tag", "wire-1")
        self.commit("two")
        done = self.compat()
        self.assertEqual(done.returncode, 1)
        self.assertIn("wire-1 client and today's service over parley: FAILED", done.stdout)
        self.assertIn("today's client and wire-1 service over parley: every answer", done.stdout)

    def test_any_commit_may_be_asked_for(self):
        self.commit("one")
        self.commit("two")
        self.assertEqual(self.compat("--against", "HEAD~1").returncode, 0)
        self.assertEqual(self.compat("--against", "HEAD~7").returncode, 2)
        self.assertEqual(self.compat("--against").returncode, 2)


if __name__ == "__main__":
    unittest.main()
