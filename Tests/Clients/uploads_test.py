"""Uploads with curl, as scripts do them: what comes back is what was sent, and nothing leaves its folder."""

import hashlib
import json
import os
import subprocess
import sys
import urllib.parse

from server import Server


def curl(*arguments):
    """Status and body."""
    result = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}", *arguments],
        capture_output=True, check=True)
    body, _, status = result.stdout.rpartition(b"\n")
    return int(status), body


def main(binary):
    with Server(binary) as server:
        picture = os.path.join(server.folder, "picture.png")
        other = os.path.join(server.folder, "other.png")
        large = os.path.join(server.folder, "large.bin")
        pixels = os.path.join(os.path.dirname(__file__), "../../Workflows/input/harbour.png")
        with open(pixels, "rb") as source:
            content = source.read()
        for path, bytes in ((picture, content), (other, content + b"\0"), (large, os.urandom(40 << 20))):
            with open(path, "wb") as file:
                file.write(bytes)

        def upload(path, name="p.png", *fields):
            arguments = ["--form", f"image=@{path};filename={name}"]
            for field in fields:
                arguments += ["--form-string", field]
            return curl(*arguments, server.url + "/api/upload/image")

        def view(**query):
            return curl(server.url + "/api/view?" + urllib.parse.urlencode(query))

        before = server.outside()
        status, body = upload(picture)
        assert (status, json.loads(body)) == (200, {"name": "p.png", "subfolder": "", "type": "input"}), body
        assert view(filename="p.png", type="input") == (200, content)
        assert view(filename="p.png [input]") == (200, content)
        # Equal content is not kept twice, other content gets a number.
        assert json.loads(upload(picture)[1])["name"] == "p.png"
        assert json.loads(upload(other)[1])["name"] == "p (1).png"
        assert json.loads(upload(other)[1])["name"] == "p (1).png"
        assert json.loads(upload(other, "p.png", "overwrite=true")[1])["name"] == "p.png"
        assert view(filename="p.png", type="input") == (200, content + b"\0")
        for name in ("ü 字 [1] (x).png", "a'b%41&c=d;e.png", "-rf", "~", "$(x).png"):
            status, body = upload(picture, f'"{name}"', "subfolder=deep/er [x]", "type=temp")
            assert (status, json.loads(body)["name"]) == (200, name), (name, body)
            assert view(filename=name, type="temp", subfolder="deep/er [x]") == (200, content), name

        # 40 MB go through without being held in memory.
        with open(f"/proc/{server.process.pid}/status") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        status, body = upload(large, "large.bin")
        assert status == 200, body
        with open(f"/proc/{server.process.pid}/status") as file:
            grown = next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) - resident
        assert grown < 24 << 10, f"the process grew by {grown} KiB"
        status, body = view(filename="large.bin", type="input")
        with open(large, "rb") as file:
            assert hashlib.sha256(body).digest() == hashlib.sha256(file.read()).digest()

        for name, fields in (
            ("../../secret.txt", ()), ("..", ()), ("/tmp/x", ()), ("a/b.png", ()), (".", ()),
            ("x.png", ("subfolder=../..",)), ("x.png", ("subfolder=/tmp",)), ("x.png", ("subfolder=a/../../b",)),
            ("x.png", ("type=user",)), ("x.png", ("type=../user",)), ("x.png", ("subfolder=a\nb",)),
            ("x" * 300, ()), ("C:\\x.png", ()), ("..\\..\\x.png", ()),
        ):
            status, body = upload(picture, f'"{name}"', *fields)
            assert status == 400, (name, fields, status, body)
        for query in (
            {"filename": "../secret.txt"}, {"filename": "..%2fsecret.txt"}, {"filename": "/etc/passwd"},
            {"filename": "secret.txt", "subfolder": ".."}, {"filename": "secret.txt", "subfolder": "../.."},
            {"filename": "passwd", "subfolder": "/etc"}, {"filename": "secret.txt\0.png"},
            {"filename": "%2e%2e/secret.txt"}, {"filename": "secret.txt", "subfolder": "%2e%2e"},
        ):
            for type in ("input", "output", "temp"):
                status, body = view(type=type, **query)
                assert status in (400, 403, 404) and server.secret.encode() not in body, (query, type, status, body)
        for path in (
            "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/%2e%2e/secret.txt", "/..%5csecret.txt",
            "/api/userdata/..%2f..%2fsecret.txt", "/api/userdata/..%252f..%252fsecret.txt",
            "/api/userdata/%2fetc%2fpasswd", "/api/userdata?dir=..", "/api/userdata?dir=/etc", "/api/v2/userdata?path=..",
            "/api/view_metadata/checkpoints?filename=../../secret.safetensors",
            "/api/experiment/models/preview/checkpoints/0/..%2f..%2fsecret.png", "/internal/files/user",
            "/api/experiment/models/preview/checkpoints/-1/x", "/api/experiment/models/..%2f..",
        ):
            status, body = curl("--path-as-is", server.url + path)
            assert status in (400, 403, 404) and server.secret.encode() not in body, (path, status, body)

        # Malformed forms.
        form = ["--header", "Content-Type: multipart/form-data; boundary=b", "--data-binary"]
        for body in (
            "", "--b", "--b--", "x", "--b\r\n\r\n\r\n--b--",
            '--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\nhalf',
            '--b\r\nContent-Disposition: form-data; name="image"\r\n\r\ntext\r\n--b--',
            '--b\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\nx\r\n--b--',
        ):
            status, answer = curl(*form, body, server.url + "/upload/image")
            assert status == 400, (body, status, answer)
        for type in ("application/json", "multipart/form-data", "multipart/form-data; boundary="):
            status, _ = curl("--header", f"Content-Type: {type}", "--data", "{}", server.url + "/upload/image")
            assert status == 400, (type, status)
        assert server.outside() == before, "something outside the folders has changed"
        left = [name for _, _, names in os.walk(server.folder) for name in names if name.startswith(".graphrun-")]
        assert left == [], left
        assert server.is_alive()
    print("curl: uploads, numbered names, refused names, malformed forms: as expected")


if __name__ == "__main__":
    main(sys.argv[1])
