"""The protocol of ComfyUI's execution tests, over HTTP and a socket, with the testing nodes: graphs of all kinds under
every cache policy, what is refused and how, the order of messages, clients beside each other, the queue, restarts.

usage: protocol_test.py BINARY [PART OF A CASE'S NAME]"""

import os
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import protocol_graphs
import protocol_launch
import protocol_messages
import protocol_queue
import protocol_refusals
import protocol_runs
from protocol_launch import Launch

# What graphrun does otherwise than the reference, see README.md in this folder.
INTEGERS = "inside nodes, integers are those of 64 bits with a sign"
KNOWN = {
    "compared: 9223372036854775808 > 9223372036854775807": INTEGERS,
    "compared: -1 < 18446744073709551615": INTEGERS,
    "compared: -1 == 18446744073709551615": INTEGERS,
    "large_integers_in_texts": INTEGERS,
    "compared: -18446744073709551615 < 18446744073709551615": INTEGERS,
    "classic: partial_execution_of_cached_outputs": "nodes outside a partial run are left out of its messages",
    "lru: partial_execution_of_cached_outputs": "nodes outside a partial run are left out of its messages",
    "ancestors_of_a_result_on_disk_are_cached": "what a result on disk was made of is not named",
}
POLICIES = {"classic": ["--cache-classic"], "lru": ["--cache-lru", "100"], "none": ["--cache-none"]}


class Report:
    def __init__(self, binary, part):
        self.binary, self.part = binary, part
        self.passed, self.failed, self.known = 0, 0, 0

    def wants(self, name):
        return self.part in name

    def check(self, name, function, *arguments):
        if not self.wants(name):
            return
        start = time.monotonic()
        try:
            function(*arguments)
        except Exception:
            text = "".join(traceback.format_exc().splitlines(True)[-4:])[-2500:]
            if name in KNOWN:
                self.known += 1
                print(f"KNOWN  {name}: {KNOWN[name]}")
                if self.part:
                    print(text)
            else:
                self.failed += 1
                print(f"FAILED {name}\n{text}")
        else:
            self.passed += 1
            print(f"passed {name} ({time.monotonic() - start:.1f} s)")
            if name in KNOWN:
                self.failed += 1
                print(f"FAILED {name}: it is in KNOWN")
        sys.stdout.flush()


def graphs(report):
    for policy, arguments in POLICIES.items():
        cases = [case for case in protocol_graphs.CASES + protocol_runs.CASES
                 if report.wants(f"{policy}: {case.__name__}")]
        if not cases:
            continue
        with Launch(report.binary, arguments) as server:
            for case in cases:
                with server.client() as client:
                    report.check(f"{policy}: {case.__name__}", case, client, policy)
            assert server.is_alive(), server.said()


def refusals(report):
    with Launch(report.binary) as server, server.client() as client:
        for rows in (protocol_refusals.tops, protocol_refusals.faults, protocol_refusals.judged,
                     protocol_refusals.comparisons):
            for name, check in rows(client):
                report.check(name, check)
        for case in protocol_refusals.CASES:
            report.check(case.__name__, case, client)


def serving(report):
    with Launch(report.binary) as server:
        for case in protocol_messages.CASES + protocol_queue.CASES:
            with server.client() as client:
                report.check(case.__name__, case, client)
                # What a failed case left running does not disturb the next.
                client.post("/queue", {"clear": True})
                client.until(lambda: not client.running() or client.post("/interrupt", {}), "an idle server")


def launches(report):
    for case in protocol_launch.CASES:
        server = Launch(report.binary, disk=case.__name__ in protocol_launch.WITH_DISK)
        try:
            report.check(case.__name__, case, server)
        finally:
            server.remove()


def main(binary, part=""):
    start = time.monotonic()
    report = Report(binary, part)
    graphs(report)
    refusals(report)
    serving(report)
    launches(report)
    print(f"{report.passed} passed, {report.known} known, {report.failed} failed in {time.monotonic() - start:.0f} s")
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
