#!/usr/bin/env python3
"""Loads a running `graphrun serve --testing-nodes`: many sockets, and prompts at a steady rate.

    python3 Benchmarks/Server/load.py --port 8188 --sockets 500 --rate 200 --seconds 60 --pid $(pgrep -n graphrun)

Prints what went wrong, the times from sending a prompt to its answer, and the server's memory. Ends with status 1 when a
request failed, a socket was lost, or a prompt did not end. Uses Python's standard library only.
"""
import argparse
import asyncio
import base64
import json
import os
import struct
import sys
import time


def graph(variant):
    """A small graph; the server keeps its results after the first run of each variant."""
    return {
        "1": {"class_type": "StubImage",
              "inputs": {"content": "BLACK", "height": 16 + variant, "width": 16, "batch_size": 1}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }


class Socket:
    def __init__(self, name):
        self.name = name
        self.messages = 0
        self.ended = set()
        self.failed = []

    async def connect(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /ws?clientId={self.name} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head)

    async def listen(self):
        while True:
            a, b = await self.reader.readexactly(2)
            length = b & 127
            if length == 126:
                length, = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                length, = struct.unpack("!Q", await self.reader.readexactly(8))
            payload = await self.reader.readexactly(length)
            self.messages += 1
            kind = a & 15
            if kind == 9:
                key = b"\0\0\0\0"
                self.writer.write(bytes([0x8A, 0x80 | length]) + key + payload)
            elif kind == 8:
                raise ConnectionError("closed by the server")
            elif kind == 1 and b'"executing"' in payload[:40] and b"null" in payload:
                self.ended.add(json.loads(payload)["data"]["prompt_id"])
            elif kind == 1 and b'"execution_error"' in payload[:40]:
                self.failed.append(payload.decode())


class Requests:
    """Keep-alive connections for POST /prompt."""

    def __init__(self, port):
        self.port = port
        self.idle = []
        self.times = []
        self.errors = []
        self.ids = {}

    async def post(self, name, variant):
        start = time.perf_counter()
        try:
            connection = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = connection
            body = json.dumps({"prompt": graph(variant), "client_id": name}).encode()
            writer.write(
                f"POST /prompt HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")][0]
                         .split(b":")[1])
            answer = await reader.readexactly(length)
            self.times.append(time.perf_counter() - start)
            self.idle.append(connection)
            if status != 200:
                self.errors.append(f"{status}: {answer[:200]}")
            else:
                self.ids[json.loads(answer)["prompt_id"]] = name
        except Exception as error:  # Everything that goes wrong is counted and shown.
            self.errors.append(repr(error))


def memory(pid):
    try:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("RssAnon"):
                return int(line.split()[1]) // 1024
    except OSError:
        return -1


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8188)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--variants", type=int, default=20)
    parser.add_argument("--pid", type=int)
    options = parser.parse_args()

    sockets = [Socket(f"client{index}") for index in range(options.sockets)]
    for socket in sockets:
        await socket.connect(options.port)
    listeners = [asyncio.create_task(socket.listen()) for socket in sockets]
    requests = Requests(options.port)
    for variant in range(options.variants):
        await requests.post("warmup", variant)
    await asyncio.sleep(1)
    requests.times.clear()
    requests.ids.clear()

    samples = []
    begin = time.perf_counter()
    posts = []
    count = int(options.rate * options.seconds)
    for index in range(count):
        due = begin + index / options.rate
        delay = due - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        posts.append(asyncio.create_task(
            requests.post(sockets[index % len(sockets)].name, index % options.variants)))
        if options.pid and index % int(options.rate * 5) == 0:
            samples.append(memory(options.pid))
    await asyncio.gather(*posts)
    elapsed = time.perf_counter() - begin
    await asyncio.sleep(3)

    lost = sum(task.done() for task in listeners)
    by_name = {socket.name: socket for socket in sockets}
    missing = [prompt for prompt, name in requests.ids.items() if prompt not in by_name[name].ended]
    failed = sum(len(socket.failed) for socket in sockets)
    times = sorted(requests.times)
    print(f"{len(times)} requests in {elapsed:.1f} s ({len(times) / elapsed:.0f}/s), {len(requests.errors)} errors")
    if times:
        at = lambda share: times[min(len(times) - 1, int(share * len(times)))] * 1000
        print(f"answer times: median {at(.5):.1f} ms, p90 {at(.9):.1f} ms, p99 {at(.99):.1f} ms, worst {times[-1] * 1000:.1f} ms")
    print(f"{sum(socket.messages for socket in sockets)} messages to {len(sockets)} sockets, {lost} sockets lost, "
          f"{failed} failed prompts, {len(missing)} prompts without an end")
    if samples:
        print(f"anonymous memory every 5 s, MiB: {samples}")
    for error in sorted(set(requests.errors))[:5]:
        print("  " + error)
    for task in listeners:
        task.cancel()
    sys.exit(1 if requests.errors or lost or failed or missing else 0)


asyncio.run(main())
