"""Sends every route of /openapi.json what it describes and what it does not (schemathesis): no 5xx, no hang, nothing
outside the folders."""

import os
import subprocess
import sys
import tempfile

from server import Server


def main(binary, examples):
    # The tool leaves folders of its own where it runs.
    with tempfile.TemporaryDirectory() as work, Server(binary, arguments=["--testing-nodes"]) as server:
        before = server.outside()
        document = server.get("/openapi.json")
        count = sum(len(methods) for methods in document["paths"].values())
        tool = os.path.join(os.path.dirname(sys.executable), "schemathesis")
        result = subprocess.run(
            [
                tool, "run", server.url + "/openapi.json", "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                "--max-examples", str(examples), "--seed", "1", "--request-timeout", "20", "--no-color",
                "--phases", "examples,coverage,fuzzing", "--mode", "all", "--continue-on-failure",
            ], capture_output=True, text=True, cwd=work, timeout=1500)
        print(result.stdout[-6000:])
        assert server.is_alive(), server.said()
        assert result.returncode == 0, result.stderr[-2000:]
        changed = set(server.outside().items()) ^ set(before.items())
        assert not changed, f"something outside the folders has changed: {changed}"
    print(f"schemathesis: {count} operations, {examples} examples each: no server error, nothing outside the folders")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 25)
