"""Attacks on `graphrun serve`: an error each, no crash, no hang, bounded memory, nothing outside the folders.

usage: hostile_test.py BINARY
"""

import contextlib
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

from server import Server

HOST = b"Host: localhost\r\n"
TOKEN = "a-secret-of-this-run"
UPGRADE = (
    b"GET /ws?clientId=%b HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
# U+0301, U+200D, U+FE0F: with a slash before them one character for those who count characters.
EXTENDERS = ("\u0301", "\u200d", "\ufe0f")
failures = []


def check(holds, what, *found):
    """Notes what does not hold; the other attacks are tried all the same."""
    if not holds:
        failures.append(what)
        print(f"FAILED {what}: {' '.join(repr(value)[:200] for value in found)}")


def request(server, method, path, body=None, headers=None, timeout=20):
    """Status, headers and body; status 0 when the connection ends without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, {}, repr(error).encode()
    finally:
        connection.close()


def post(server, path, value, timeout=20):
    status, _, body = request(server, "POST", path, json.dumps(value).encode(), timeout=timeout)
    return status, body


def connect(server, data=b"", receive=None, timeout=5):
    wire = socket.socket()
    if receive:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    wire.settimeout(timeout)
    wire.connect(("127.0.0.1", server.port))
    wire.sendall(data)
    return wire


def raw(server, data, timeout=2):
    """What comes back until the server closes; the client says that it sends no more."""
    with connect(server, timeout=timeout) as wire:
        answer = b""
        with contextlib.suppress(OSError):
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)
            while part := wire.recv(1 << 16):
                answer += part
        return answer


def memory(server, field="RssAnon"):  # MB
    with open(f"/proc/{server.process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) >> 10


class Healthy:
    """The server lives, answers others within a second, and takes no more than `limit` MB, during a `with` block."""

    def __init__(self, server, what, limit=400):
        self.server, self.what, self.limit = server, what, limit
        self.ends, self.slowest, self.most = threading.Event(), 0.0, 0

    def watch(self):
        while not self.ends.is_set() and self.server.is_alive():
            start = time.monotonic()
            status = request(self.server, "GET", "/health", timeout=15)[0]
            self.slowest = max(self.slowest, time.monotonic() - start if status == 200 else 99)
            with contextlib.suppress(OSError, StopIteration):
                self.most = max(self.most, memory(self.server))
            self.ends.wait(0.05)

    def __enter__(self):
        self.before = memory(self.server)
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()
        check(self.server.is_alive(), f"{self.what}: the server lives")
        if self.server.is_alive():
            check(self.slowest < 5, f"{self.what}: others are answered meanwhile", self.slowest)
            check(self.most - self.before < self.limit, f"{self.what}: memory is bounded", self.before, self.most)


def ends_within(server, seconds, what):
    """SIGTERM ends the process."""
    server.process.terminate()
    try:
        server.process.wait(seconds)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
        return check(False, f"{what}: SIGTERM ends the server within {seconds} s")
    check(server.process.returncode >= 0, f"{what}: the end is none by a signal", server.process.returncode)


def graph(seconds=0.0, variant=0):
    """Black picture, a wait, an output."""
    return {
        "1": {"class_type": "StubImage",
              "inputs": {"content": "BLACK", "height": 16 + variant, "width": 16, "batch_size": 1}},
        "2": {"class_type": "TestSleep", "inputs": {"value": ["1", 0], "seconds": seconds}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }


def form(name, subfolder="", kind="input", content=b"x"):
    fields = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (key, value.encode())
        for key, value in ((b"subfolder", subfolder), (b"type", kind)))
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="%b"\r\n\r\n%b\r\n' % (
        name.encode(), content)
    return part + fields + b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


def tokens(server):
    """Nobody gets in, and nobody is given the token, without having it."""
    for method, path in (
        ("GET", "/health"), ("GET", "/ready"), ("GET", "/api/health"), ("OPTIONS", "/"), ("OPTIONS", "/prompt"),
        ("GET", "/prompt"), ("GET", "/"), ("HEAD", "/"), ("GET", "/nonexistent"),
    ):
        for query in ("", "?token=", "?token=wrong", "?token=wrong&token=" + TOKEN[:-1]):
            status, headers, body = request(server, method, path + query)
            said = str(headers) + body.decode(errors="replace")
            check(TOKEN not in said, f"token kept: {method} {path}{query}", said)
            is_open = method == "OPTIONS" or path.endswith(("/health", "/ready"))
            check(is_open or status == 401, f"token asked for: {method} {path}{query}", status)
    for path in ("//health", "/health/", "/health/../prompt", "/%68ealth", "/internal/logs", "/metrics", "/ws"):
        check(request(server, "GET", path)[0] == 401, f"token asked for: {path}")
    check(b" 101 " not in raw(server, UPGRADE % b"x"), "token asked for: socket")
    for headers in ({"Authorization": "Bearer " + TOKEN}, {"Cookie": "a=b; graphrun_token=" + TOKEN}):
        check(request(server, "GET", "/prompt", headers=headers)[0] == 200, "token taken", headers)
    status, headers, body = request(server, "GET", "/system_stats?token=" + TOKEN)
    check(status == 200 and TOKEN in str(headers) and TOKEN.encode() not in body, "token in a query", status, body)
    check(TOKEN not in server.said(), "token in the log")


def names(server):
    """Names that lead out, also those that hide the slash in a grapheme."""
    before, root = server.outside(), set(os.listdir("/"))
    for extender in EXTENDERS:
        for name in (f"../{extender}x", f"/{extender}x", f"a/{extender}/../../../{extender}x", f"../{extender}d/x"):
            quoted = urllib.parse.quote(name, safe="")
            what = ascii(name)
            check(request(server, "POST", "/userdata/" + quoted, b"x")[0] in (400, 403), f"userdata {what}")
            request(server, "POST", "/userdata/own", b"x")
            check(request(server, "POST", f"/userdata/own/move/{quoted}")[0] in (400, 403), f"move to {what}")
            for arguments in ((name,), ("x.png", name)):
                status, _, body = request(server, "POST", "/upload/image", *form(*arguments))
                check(status == 400, f"upload of {what}", status, body)
            save = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": name}}
            post(server, "/run?timeout=5", {"prompt": graph() | {"4": save}})
    check(server.outside() == before, "names: nothing outside the folders", set(server.outside()) - set(before))
    new = set(os.listdir("/")) - root
    check(not new, "names: nothing in /", new)
    for name in new:
        if name.startswith(EXTENDERS):
            os.remove("/" + name)
    inside = {name for name in os.listdir(server.roots["user"]) if not name.startswith("graphrun.")}
    check(inside <= {"default"}, "names: nothing beside the user's folder", inside)


def settings(server):
    """What was accepted can be read again."""
    for path, body in (
        ("/settings/%00", b"1"), ("/settings/deep", b"[" * 256 + b"]" * 256),
        ("/settings", b'{"a": ' + b"[" * 255 + b"]" * 255 + b"}"), ("/settings/nan", b"NaN"), ("/settings/x%0Ay", b"1"),
    ):
        request(server, "POST", path, body)
        check(request(server, "GET", "/settings")[0] == 200, f"settings can be read after {path}")
        with contextlib.suppress(OSError):
            os.remove(server.roots["user"] + "/default/comfy.settings.json")


def wire(server):
    """Smuggling and other malformed heads: never two answers for what others take for one request."""
    smuggled = b"0\r\n\r\nGET /prompt HTTP/1.1\r\n" + HOST + b"\r\n"
    for what, head, body in (
        ("CL and TE", b"Content-Length: 4\r\nTransfer-Encoding: chunked", smuggled),
        ("two CL", b"Content-Length: 2\r\nContent-Length: 40", b"{}"), ("CL list", b"Content-Length: 2, 2", b"{}"),
        ("CL +2", b"Content-Length: +2", b"{}"), ("CL beyond 64 bits", b"Content-Length: 18446744073709551616", b"{}"),
        ("CL beyond 63 bits", b"Content-Length: 9223372036854775808", b"{}"),
        ("TE xchunked", b"Transfer-Encoding: xchunked", smuggled),
        ("TE order", b"Transfer-Encoding: chunked, a", smuggled),
        ("folded", b"X: a\r\n b", b""), ("blank before colon", b"X : a", b""), ("NUL", b"X: a\0b", b""),
        ("bare CR", b"X: a\rb", b""), ("chunk size", b"Transfer-Encoding: chunked", b"FFFFFFFFFFFFFFFFF\r\n{}"),
        ("negative chunk", b"Transfer-Encoding: chunked", b"-1\r\n{}"),
    ):
        answer = raw(server, b"POST /free HTTP/1.1\r\n" + HOST + head + b"\r\n\r\n" + body)
        check(answer.count(b"HTTP/1.1 ") == 1 and b" 400 " in answer, f"head: {what}", answer)


def floods(binary):
    """Bytes that nobody asked for, and answers that nobody reads; a server each, for memory is kept once taken."""
    def send(wire, data, count):
        with contextlib.suppress(OSError):
            for _ in range(count):
                wire.sendall(data)

    pings = (b"\x89\xfd\0\0\0\0" + b"p" * 125) * 500
    for what, head, data, count in (
        ("bytes after an upgrade", b"GET /prompt HTTP/1.1\r\n" + HOST + b"Upgrade: x\r\nConnection: Upgrade\r\n\r\n",
         b"x" * 65536, 2500),
        ("bytes after CONNECT", b"CONNECT localhost:1 HTTP/1.1\r\n" + HOST + b"\r\n", b"x" * 65536, 2500),
        ("pings of who reads nothing", UPGRADE % b"p", pings, 1500),
    ):
        with Server(binary) as server, Healthy(server, what, 100):
            with connect(server, head, receive=4096, timeout=2) as wire:
                send(wire, data, count)
    with Server(binary, arguments=["--testing-nodes"]) as server, contextlib.ExitStack() as open_ones:
        post(server, "/prompt", {"prompt": graph(60, 1), "extra_data": {"a": "x" * 5_000_000}})
        with Healthy(server, "/queue read by nobody", 150):
            for _ in range(60):
                open_ones.enter_context(connect(server, b"GET /queue HTTP/1.1\r\n" + HOST + b"\r\n", receive=4096))
            time.sleep(2)
        open_ones.close()
        post(server, "/interrupt", {})


def large_bodies(binary):
    """JSON that is small on the wire only."""
    for what, unit, count in (("objects", b"{},", 500_000), ("arrays", b"[],", 1_000_000)):
        with Server(binary) as server, Healthy(server, f"JSON of {count} {what}", 120):
            request(server, "POST", "/free", b'{"a": [' + unit * count + b"1]}")
    with Server(binary, arguments=["--testing-nodes"]) as server:
        with Healthy(server, "a history of 200,000 ids to forget", 150):
            worker = threading.Thread(target=request, args=(
                server, "POST", "/history", b'{"delete": [' + b"1," * 200_000 + b"1]}"))
            worker.start()
            time.sleep(0.5)
            start = time.monotonic()
            check(post(server, "/prompt", {"prompt": graph(0, 2)})[0] == 200, "a prompt beside it")
            check(time.monotonic() - start < 5, "a prompt beside it is taken meanwhile", time.monotonic() - start)
            worker.join()


def bodies(server):
    """What is no JSON, or none that makes sense: the structure that clients read."""
    for what, body in (
        ("deep", b'{"prompt":' + b"[" * 100_000), ("not UTF-8", b'{"a":"\xff"}'),
        ("1e999", b'{"prompt":{},"number":1e999}'), ("NaN", b'{"prompt":NaN}'), ("empty", b""),
        ("a million digits", b'{"prompt":{},"number":' + b"9" * 1_000_000 + b"}"),
    ):
        status, _, answer = request(server, "POST", "/prompt", body)
        check(status == 400 and b'"node_errors"' in answer, f"body: {what}", status, answer)


def pictures(server):
    """Pictures that are small on the disk only."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    zeros = zlib.compress(bytes(64 << 20), 9)

    def png(width, height, *extra):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", zeros) + chunk(b"IEND", b"")

    for name, content in (
        ("giant", png((1 << 31) - 1, (1 << 31) - 1)), ("long", png(1 << 24, 1)), ("cut", png(4000, 4000)[:200]),
        ("texts", png(8, 8, *[chunk(b"zTXt", b"k%d\0\0" % index + zeros) for index in range(20)])),
    ):
        with open(f"{server.roots['output']}/{name}.png", "wb") as file:
            file.write(content)
        with Healthy(server, f"picture {name}", 900):
            status = request(server, "GET", f"/view?filename={name}.png&channel=a")[0]
            check(status in (200, 413, 415), f"picture {name}", status)


def prompts(server):
    """Prompts that get in each other's way."""
    found = {}

    def run(key, identifier, seconds, variant):
        status, body = post(server, "/run", {"prompt": graph(seconds, variant), "prompt_id": identifier})
        found[key] = (status, json.loads(body).get("status"))

    first = threading.Thread(target=run, args=("first", "same", 1.5, 3))
    first.start()
    time.sleep(0.5)
    run("second", "same", 1.5, 4)
    first.join()
    check(found == {"first": (200, "success"), "second": (400, None)}, "/run twice with one id", found)


def compressed(server):
    """Compressed answers are as long as they say."""
    request(server, "POST", "/userdata/a.txt", b"hello world " * 1000)
    accept = HOST + b"Accept-Encoding: gzip\r\nConnection: close\r\n"
    for line, extra in ((b"GET /userdata/a.txt", b""), (b"GET /userdata/a.txt", b"Range: bytes=0-99\r\n"),
                        (b"HEAD /object_info", b""), (b"GET /system_stats", b"")):
        answer = raw(server, line + b" HTTP/1.1\r\n" + accept + extra + b"\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")
        length = [int(field[15:]) for field in fields if field.startswith(b"content-length:")]
        expected = [0] if line.startswith(b"HEAD") else length
        check(not expected or expected == [len(body)], f"compressed {line + b' ' + extra}", length, len(body))


def restart_with_large_number(binary):
    """A client's number must not become the server's counter: it would overflow."""
    with Server(binary, arguments=["--testing-nodes"]) as server:
        post(server, "/prompt", {"prompt": graph(), "number": 9223372036854774784})
        time.sleep(0.5)
        ends_within(server, 20, "after a large number")
        server.process = subprocess.Popen(server.process.args, stdout=server.log, stderr=server.log)
        server.__enter__()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        with contextlib.suppress(OSError, http.client.HTTPException):
            for _ in range(1100):
                connection.request("POST", "/prompt", b'{"prompt": {}}')
                connection.getresponse().read()
        check(request(server, "GET", "/health")[0] == 200, "large number: the server lives after a restart")


def ends(binary):
    """Nobody can keep the server from ending."""
    with Server(binary, arguments=["--testing-nodes"]) as server:
        for variant in (6, 7):
            threading.Thread(target=post, args=(server, "/run", {"prompt": graph(1, variant)}), daemon=True).start()
            time.sleep(0.3)
        ends_within(server, 20, "/run of a prompt that waits")
    with Server(binary, arguments=["--testing-nodes"]) as server:
        with connect(server, UPGRADE % b"e", receive=4096, timeout=1) as wire:
            with contextlib.suppress(OSError):
                for _ in range(1500):
                    wire.sendall((b"\x89\xfd\0\0\0\0" + b"p" * 125) * 100)
            ends_within(server, 20, "a socket that reads nothing")
    with Server(binary) as server:
        pattern = {"string": "a" * 40 + "b", "regex_pattern": "(a+)+$", "case_insensitive": True, "multiline": False,
                   "dotall": False}
        post(server, "/prompt", {"prompt": {
            "1": {"class_type": "RegexMatch", "inputs": pattern},
            "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}}})
        time.sleep(0.5)
        post(server, "/interrupt", {})
        time.sleep(2)
        left = server.get("/prompt")["exec_info"]["queue_remaining"]
        check(left == 0, "a pattern that never ends can be interrupted")
        ends_within(server, 20, "a pattern that never ends")
    with Server(binary) as server:
        with connect(server, b"POST /userdata/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\nhalf"):
            time.sleep(0.3)
            ends_within(server, 20, "half an upload")
        left = [name for _, _, found in os.walk(server.folder) for name in found if name.startswith(".graphrun-")]
        check(left == [], "an upload that was cut off leaves nothing", left)


def main(binary):
    with Server(binary, arguments=["--testing-nodes"]) as server:
        for attack in (names, settings, wire, bodies, prompts, pictures):
            attack(server)
            if not server.is_alive():
                raise SystemExit(f"the server did not survive {attack.__name__}:\n{server.said()[-3000:]}")
    # Server waits for an answer without a token, so /features has to be asked with it.
    get = Server.get
    Server.get = lambda server, path: get(server, f"{path}?token={TOKEN}")
    with Server(binary, arguments=["--token", TOKEN]) as server:
        tokens(server)
    Server.get = get
    with Server(binary, arguments=["--enable-compress-response-body"]) as server:
        compressed(server)
    for attack in (floods, large_bodies, restart_with_large_number, ends):
        attack(binary)
    if failures:
        raise SystemExit(f"{len(failures)} expectations do not hold")
    print("hostile: tokens, names, settings, heads, bodies, floods, pictures, prompts, ends: as expected")


if __name__ == "__main__":
    main(sys.argv[1])
