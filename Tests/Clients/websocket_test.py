"""A run over HTTP and socket as scripts do it, with the library websocket-client (ComfyUI's own examples use it)."""

import json
import struct
import sys
import urllib.parse
import urllib.request
import uuid

import websocket

from server import Server

# Needs no model.
PICTURE = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 96, "height": 64, "batch_size": 1, "color": 0x336699}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "socket/ü [x]"}},
}


def run(server, client, prompt, socket):
    """Queues a prompt and waits for its end; the types of messages in order."""
    status, answer = server.post("/prompt", {"prompt": prompt, "client_id": client})
    assert status == 200, answer
    seen = []
    while True:
        message = socket.recv()
        if isinstance(message, bytes):
            seen.append(("binary", struct.unpack(">I", message[:4])[0]))
            continue
        message = json.loads(message)
        data = message["data"]
        seen.append((message["type"], data))
        if message["type"] == "executing" and data["node"] is None and data["prompt_id"] == answer["prompt_id"]:
            return answer["prompt_id"], seen


def main(binary):
    with Server(binary) as server:
        client = str(uuid.uuid4())
        socket = websocket.WebSocket()
        socket.connect(f"ws://127.0.0.1:{server.port}/ws?clientId={client}", timeout=60)
        hello = json.loads(socket.recv())
        assert hello["type"] == "status" and hello["data"]["sid"] == client, hello
        socket.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
        flags = json.loads(socket.recv())
        assert flags["type"] == "feature_flags" and flags["data"]["supports_preview_metadata"], flags

        prompt_id, seen = run(server, client, PICTURE, socket)
        types = [type for type, _ in seen]
        for type in ("execution_start", "execution_cached", "executing", "executed", "execution_success"):
            assert type in types, (type, types)
        assert types.index("execution_start") < types.index("execution_cached") < types.index("executed"), types

        record = server.get(f"/history/{prompt_id}")[prompt_id]
        assert record["status"]["status_str"] == "success" and record["status"]["completed"], record["status"]
        image = record["outputs"]["3"]["images"][0]
        with urllib.request.urlopen(f"{server.url}/view?{urllib.parse.urlencode(image)}") as answer:
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.read(8) == b"\x89PNG\r\n\x1a\n"
        preview = urllib.parse.urlencode({**image, "preview": "webp;80"})
        with urllib.request.urlopen(f"{server.url}/view?{preview}") as answer:
            assert answer.headers["Content-Type"] == "image/webp" and answer.read(4) == b"RIFF"

        # The same again: nothing is computed, and the client hears of its picture all the same.
        _, seen = run(server, client, PICTURE, socket)
        cached = next(data for type, data in seen if type == "execution_cached")
        assert set(cached["nodes"]) == {"1", "2", "3"}, cached
        assert any(type == "executed" and data["node"] == "3" for type, data in seen), seen

        # A reconnect with the same id before the old socket is closed hears everything.
        second = websocket.WebSocket()
        second.connect(f"ws://127.0.0.1:{server.port}/ws?clientId={client}", timeout=60)
        assert json.loads(second.recv())["data"]["sid"] == client
        socket.close()
        changed = json.loads(json.dumps(PICTURE))
        changed["1"]["inputs"]["color"] = 5
        _, seen = run(server, client, changed, second)
        assert any(type == "execution_success" for type, _ in seen), seen
        second.close()

        # Subscribers see the log.
        third = websocket.WebSocket()
        third.connect(f"ws://127.0.0.1:{server.port}/ws?clientId={client}", timeout=60)
        request = urllib.request.Request(
            f"{server.url}/internal/logs/subscribe", json.dumps({"clientId": client, "enabled": True}).encode(),
            method="PATCH")
        assert urllib.request.urlopen(request).status == 200
        status, answer = server.post("/prompt", {"prompt": {"1": {"class_type": "Nothing", "inputs": {}}}})
        assert status == 400 and answer["error"]["type"], answer
        third.close()
        assert server.is_alive()
    print("websocket-client: a run, a cached run, a reconnect: as expected")


if __name__ == "__main__":
    main(sys.argv[1])
