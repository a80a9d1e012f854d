"""Starts the programs of a measurement, pins them, and brings back what they printed.

The client reads both processes' CPU clocks at the two ends of the measured window, so nothing here
is on the path of a figure: this module only starts, waits and reports what went wrong.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile

START_TIMEOUT_SECONDS = 10
STOP_TIMEOUT_SECONDS = 10
CLIENT_SPARE_SECONDS = 30  # what a client may take beyond its warm-up and window


class Problem(Exception):
    """Something a person has to look at; its text says what, where and what to try."""


def pin_to(cpu):
    """For preexec_fn: the child and all its threads run on this cpu only."""
    return lambda: os.sched_setaffinity(0, {cpu})


class Server:
    """A server program, running. Use with `with`: it is ended by SIGTERM and has to exit with 0."""

    def __init__(self, command, cpu):
        self.command = command
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors,
                                        stdin=subprocess.DEVNULL, preexec_fn=pin_to(cpu))
        try:
            self.address, self.pid = self._read_address()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _read_address(self):
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_SECONDS)
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                why = "ended" if ready else f"said nothing for {START_TIMEOUT_SECONDS} s"
                raise Problem(f"{self._name()} {why} before it printed its address"
                              f"{self._error_text()}")
            line += piece
        try:
            said = json.loads(line)
            return said["address"], int(said["pid"])
        except (ValueError, KeyError) as error:
            raise Problem(f"{self._name()} printed {line!r} where {{\"address\":...,\"pid\":...}} "
                          f"was due ({error})") from error

    def _name(self):
        return " ".join(self.command)

    def _error_text(self):
        self.errors.seek(0)
        text = self.errors.read(4000).decode(errors="replace").strip()
        return f"; it said: {text}" if text else ""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass  # its exit code below tells the story
        try:
            code = self.process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            # The server itself, and the strace it may be running under.
            for pid in {self.pid, self.process.pid}:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
            code = f"{STOP_TIMEOUT_SECONDS} s of not ending after SIGTERM"
        self.process.stdout.close()
        text = self._error_text()
        self.errors.close()
        if code != 0:
            raise Problem(f"{self._name()} ended with {code}{text}") from error


def run_client(command, cpu, expected_seconds):
    """Runs a client to its end; returns what it measured."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=expected_seconds + CLIENT_SPARE_SECONDS,
                              preexec_fn=pin_to(cpu), check=False)
    except subprocess.TimeoutExpired as error:
        raise Problem(f"{' '.join(command)} did not end within "
                      f"{expected_seconds + CLIENT_SPARE_SECONDS:.0f} s") from error
    if done.returncode != 0:
        raise Problem(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise Problem(f"{' '.join(command)} printed {done.stdout!r}, which is not JSON") from error


RECEIVING = ("read", "readv", "recvfrom", "recvmsg", "recvmmsg")
SENDING = ("write", "writev", "sendto", "sendmsg", "sendmmsg")


def strace_command(report):
    """The words in front of a server that count its system calls into `report`; None without
    strace."""
    strace = shutil.which("strace")
    return [strace, "-f", "-c", "-o", report] if strace else None


def read_strace(report):
    """Calls of each system call, from a report of strace -c."""
    calls = {}
    with open(report, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            # % time, seconds, usecs/call, calls, [errors], name
            if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
                calls[words[-1]] = int(words[3])
    if not calls:
        raise Problem("strace counted nothing; may this user trace processes?")
    return calls
