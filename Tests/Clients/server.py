"""A graphrun server on a free port with folders of its own, for the tests beside this file."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Runs `graphrun serve` for the length of a `with` block."""

    def __init__(self, binary, models=None, front_end=None, arguments=()):
        self.folder = tempfile.mkdtemp(prefix="graphrun-clients-")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.roots = {name: os.path.join(self.folder, "roots", name) for name in ("input", "output", "user", "models")}
        for path in self.roots.values():
            os.makedirs(path)
        # Lies where a name that leaves a root would arrive first.
        self.secret = "the secret of this run"
        for path in (self.folder, os.path.join(self.folder, "roots")):
            with open(os.path.join(path, "secret.txt"), "w") as file:
                file.write(self.secret)
        command = [
            binary, "serve", "--port", str(self.port), "--models", models or self.roots["models"],
            "--input", self.roots["input"], "--output", self.roots["output"], "--user-directory", self.roots["user"],
            "--cache", os.path.join(self.folder, "cache"), *arguments,
        ]
        if front_end:
            command += ["--front-end", front_end]
        self.log = open(os.path.join(self.folder, "server.log"), "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        deadline = time.monotonic() + 30
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended with status {self.process.returncode}:\n{self.said()}")
            try:
                self.get("/features")
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit(f"the server does not answer:\n{self.said()}")
                time.sleep(0.05)

    def __exit__(self, kind, *_):
        if kind and self.is_alive():
            print(self.said()[-4000:])
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def said(self):
        with open(self.log.name) as file:
            return file.read()

    def is_alive(self):
        return self.process.poll() is None

    def get(self, path):
        """The JSON behind a path."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def post(self, path, value):
        """Posts JSON; the answer's status and JSON (None for an empty one)."""
        request = urllib.request.Request(self.url + path, json.dumps(value).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        return status, json.loads(body) if body else None

    def outside(self):
        """What lies beside the roots: nothing of it may change."""
        found = {}
        for folder, folders, files in os.walk(self.folder):
            if folder == os.path.join(self.folder, "roots"):
                folders[:] = [name for name in folders if name not in self.roots]
            folders[:] = [name for name in folders if name != "cache"]
            for name in files:
                if name != "server.log":
                    path = os.path.join(folder, name)
                    with open(path, errors="replace") as file:
                        found[path] = file.read()
            for name in folders:
                found[os.path.join(folder, name)] = None
        return found
