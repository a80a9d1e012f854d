"""A real etcd of one node that speaks v2, for tests that compare."""
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Etcd:
    """One node on ports nobody has, gone with the block."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="kv_etcd_")
        self.port, peer = free_ports(2)
        client, other = (f"http://127.0.0.1:{port}" for port in (self.port, peer))
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            ["etcd", "--name", "one", "--data-dir", os.path.join(self.folder, "data"),
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", other, "--initial-advertise-peer-urls", other,
             "--initial-cluster", f"one={other}", "--enable-v2", "--unsafe-no-fsync"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, form=None, timeout=30):
        """(body, index of the store); None for the body when nothing came in time."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        try:
            self.connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
            response = self.connection.getresponse()
            body = response.read().decode()
        except TimeoutError:
            self.connection = None
            return None, 0
        return body.strip(), int(response.headers.get("X-Etcd-Index", 0))

    def wait_until_ready(self):
        """The index once the cluster has decided its version, after which it writes no more."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                with open(self.log.name, errors="replace") as log:
                    fail(f"etcd ended at once:\n{log.read()[-2000:]}")
            try:
                version, _ = self.ask("GET", "/version")
                if "not_decided" not in version:
                    return self.ask("GET", "/v2/keys/")[1]
            except OSError:
                self.connection = None
            time.sleep(0.1)
        return fail("etcd did not get ready in 60 s")


def must_be_installed():
    if shutil.which("etcd") is None:
        fail("there is no etcd: install etcd-server")
