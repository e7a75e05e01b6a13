"""A server started as protocol suites start ComfyUI's main.py, and cases about that: restarts, drop-in behaviour. Each
case gets a `Launch` that has not been started."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from protocol_client import PATIENCE, Client, Graph, Refused
from server import free_port

CASES = []


def case(function):
    CASES.append(function)
    return function


class Launch:
    """A server with main.py's flags in a folder of its own; can be started again and again."""

    def __init__(self, binary, arguments=("--cache-lru", "100"), listen="127.0.0.1", disk=False):
        self.folder = tempfile.mkdtemp(prefix="graphrun-protocol-")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        paths = os.path.join(self.folder, "extra_model_paths.yaml")
        with open(paths, "w") as file:
            file.write("suite:\n    base_path: models\n    checkpoints: checkpoints/\n")
        self.command = [
            binary, "serve", "--testing-nodes", "--output-directory", os.path.join(self.folder, "output"),
            *(["--listen", listen] if listen else []), "--port", str(self.port), "--extra-model-paths-config", paths,
            *arguments, *([] if disk else ["--no-cache"]), "--cpu",
        ]
        # What is kept beyond a run goes here, and not to the user's own folders.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        self.environment["HOME"] = self.folder
        self.process = None

    def start(self, **environment):
        self.log = open(os.path.join(self.folder, "server.log"), "a")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder,
                                        env={**self.environment, **environment})
        return self

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.log.close()

    def kill(self):
        self.end(signal.SIGKILL)

    def said(self):
        with open(self.log.name) as file:
            return file.read()

    def is_alive(self):
        return self.process.poll() is None

    def client(self, client_id=None):
        """Connected as soon as the server lets it."""
        return Client(self.address, client_id)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        if self.process and self.is_alive():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def noise():
    g = Graph()
    return g, g.save(g.stub("NOISE"))


def asleep(seconds=600.0):
    g = Graph("asleep")
    node = g.sleep(g.stub("BLACK"), seconds)
    return g, node, g.save(node)


@case
def without_listen(launch):
    at = launch.command.index("--listen")
    del launch.command[at:at + 2]
    with launch.start().client() as client:
        g, s = noise()
        assert len(client.run(g).pixels(s)) == 1
        assert os.path.exists(os.path.join(launch.folder, "output", client.run(g).images(s)[0]["filename"]))


@case
def with_listen_and_flags_of_main(launch):
    launch.command += ["--disable-xformers", "--dont-print-server", "--force-fp32", "--reserve-vram", "1.5",
                       "--fast", "--verbose", "DEBUG", "--disable-metadata", "--no-such-flag-at-all"]
    with launch.start().client() as client:
        g, s = noise()
        assert len(client.run(g).pixels(s)) == 1, "flags without a meaning are ignored"


@case
def content_types(launch):
    launch.start().client().close()
    for type in ("application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", None, ""):
        connection = http.client.HTTPConnection(launch.address, timeout=PATIENCE)
        headers = {} if type is None else {"Content-Type": type}
        connection.request("POST", "/prompt", json.dumps({"prompt": noise()[0]}).encode(), headers)
        answer = connection.getresponse()
        assert answer.status == 200, (type, answer.status, answer.read())
        connection.close()


@case
def killed_and_started_at_once(launch):
    for turn in range(4):
        with launch.start().client() as client:
            g, s = noise()
            assert client.run(g).error is None, turn
            launch.kill()
    with launch.start().client() as client:
        assert client.run(noise()[0]).error is None


@case
def queue_and_history_survive_a_kill(launch):
    with launch.start().client() as client:
        done = client.run(noise()[0])
        graph, node, _ = asleep(1.0)
        running = client.begun(graph, node)
        waiting = [client.queue(noise()[0])["prompt_id"] for _ in range(3)]
        numbers = [item[0] for item in client.get("/queue")["queue_pending"]]
        launch.kill()
    with launch.start().client(client.id) as client:
        assert client.history(done.prompt_id) == {done.prompt_id: done.record}
        records = [client.ended(id) for id in [running, *waiting]]
        assert all(record["status"]["completed"] for record in records), records
        assert list(client.get("/history")) == [done.prompt_id, running, *waiting]
        assert [record["prompt"][0] for record in records[1:]] == numbers
        assert records[0]["prompt"][3]["client_id"] == client.id
        after = client.queue(noise()[0])
        assert after["number"] > max(numbers), "numbers go on: front ends order by them"
        client.ended(after["prompt_id"])


@case
def a_client_finds_its_prompt_after_a_kill(launch):
    graph, node, shown = asleep(2.0)
    with launch.start().client() as client:
        prompt_id = client.begun(graph, node)
        launch.kill()
    with launch.start().client(client.id) as client:
        run = client.listen(prompt_id)
        assert run.types[-2:] == ["execution_success", "executing"] and node in run.ran, run.types
        assert run.pixels(shown) == [0]


@case
def what_was_deleted_stays_deleted_after_a_kill(launch):
    with launch.start().client() as client:
        graph, node, _ = asleep()
        running = client.begun(graph, node)
        deleted, kept = [client.queue(noise()[0])["prompt_id"] for _ in range(2)]
        client.post("/queue", {"delete": [deleted]})
        client.post("/interrupt", {"prompt_id": running})
        client.ended(running), client.ended(kept)
        client.post("/history", {"delete": [running]})
        launch.kill()
    with launch.start().client() as client:
        assert list(client.get("/history")) == [kept]
        assert client.get("/queue") == {"queue_running": [], "queue_pending": []}


@case
def nothing_accepted_is_lost_by_kills_at_any_time(launch):
    accepted = []

    def post(client):
        try:
            while True:
                g = Graph()
                g.size = 8 + len(accepted) % 50
                g.preview(g.stub("NOISE"))
                accepted.append(client.queue(g)["prompt_id"])
        except OSError:
            pass  # The server was killed

    for turn in range(4):
        with launch.start().client() as client:
            threads = [threading.Thread(target=post, args=(client,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            client.until(lambda: len(accepted) > 12 * (turn + 1), "prompts to be taken")
            launch.kill()
            for thread in threads:
                thread.join()
    with launch.start().client() as client:
        client.until(lambda: client.get("/prompt")["exec_info"]["queue_remaining"] == 0, "the end of the queue")
        history = client.get("/history")
        assert set(accepted) <= set(history), set(accepted) - set(history)
        assert all(record["status"]["completed"] for record in history.values())
        numbers = [record["prompt"][0] for record in history.values()]
        assert len(set(numbers)) == len(numbers), "numbers are given once"


@case
def large_numbers_survive_a_restart(launch):
    with launch.start().client() as client:
        for number in (9223372036854774784.0, 1e300, -1e18):
            try:
                client.queue(noise()[0], number=number)
            except Refused as refusal:
                assert refusal.status == 400, refusal
            else:
                raise AssertionError(number)
        launch.end()
    for number in (2.0**53, -2.0**53):
        with launch.start().client() as client:
            before = client.queue(noise()[0])["number"]
            client.ended(client.queue(noise()[0], number=number)["prompt_id"])
            launch.end()
        with launch.start().client() as client:
            body = {"prompt": {"1": {"class_type": "Nothing", "inputs": {}}}}
            for _ in range(1100):
                try:
                    client.post("/prompt", body)
                except Exception as error:
                    assert getattr(error, "status", None) == 400, (number, error, launch.said()[-400:])
            first, second = client.queue(noise()[0]), client.queue(noise()[0])
            assert before < first["number"] == second["number"] - 1 < 1e6, (number, before, first, second)
            client.ended(second["prompt_id"])
            launch.kill()


@case
def the_least_recently_used_go(launch):
    launch.command[launch.command.index("--cache-lru") + 1] = "4"
    with launch.start().client() as client:
        graphs = [noise()[0] for _ in range(4)]
        for graph in graphs:
            client.run(graph)
        assert [len(client.run(graph).ran) for graph in reversed(graphs)] == [0, 0, 2, 2]


# Suites expect that a server that was just started has nothing in its cache.

@case
def a_second_session_computes_again(launch):
    g = Graph()
    (b, w), m = (g.stub("BLACK"), g.stub("WHITE")), g.mask(0.0)
    mix = g.mix(b, w, m)
    g.save(mix)
    for _ in range(2):
        with launch.start().client() as client:
            run = client.run(g)
            assert run.ran >= {b, m, mix}, (run.ran, run.cached, "lazy_input of the suite: these did run")
            launch.end()


@case
def a_second_session_has_the_history_of_the_first(launch):
    for count in range(2):
        with launch.start().client() as client:
            assert len(client.get("/history")) == count
            client.run(noise()[0])
            launch.end()


@case
def two_servers_in_one_folder(launch):
    with launch.start().client() as first:
        command = list(launch.command)
        command[command.index("--port") + 1] = str(free_port())
        second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=launch.folder,
                                  env=launch.environment)
        try:
            with Client(f"127.0.0.1:{command[command.index('--port') + 1]}", patience=5) as client:
                assert client.run(noise()[0]).error is None
        finally:
            second.kill()
            second.wait()
            second.stdout.close()
        assert first.run(noise()[0]).error is None


# Memory policies and what is kept on disk

@case
def policies_hold_for_the_disk_too(launch):
    for policy in ("--cache-none", "--cache-classic"):
        at = next(place for place, word in enumerate(launch.command) if word.startswith("--cache-"))
        del launch.command[at:at + (2 if launch.command[at] == "--cache-lru" else 1)]
        launch.command.insert(at, policy)
        with launch.start().client() as client:
            g, _ = noise()
            client.run(g)
            client.run(noise()[0])
            again = client.run(g)
            assert again.ran == set(g), (policy, again.ran, again.cached)
            launch.end()


@case
def freeing_drops_what_is_on_disk(launch):
    with launch.start().client() as client:
        g, _ = noise()
        client.run(g)
        client.post("/free", {"free_memory": True, "unload_models": True})
        assert client.run(g).ran == set(g)


@case
def ancestors_of_a_result_on_disk_are_cached(launch):
    """Suites say of every node of a second run: run or cached."""
    with launch.start().client() as client:
        g = Graph()
        s = g.save(g.add("TestVariadicAverage", **{f"input{k + 1}": [g.stub("BLACK"), 0] for k in range(8)}))
        client.run(g)
        client.post("/free", {"free_memory": True})
        again = client.run(g)
        assert again.pixels(s) == [0] and again.ran | again.cached == set(g), (again.ran, again.cached)


WITH_DISK = {"a_second_session_computes_again", "policies_hold_for_the_disk_too", "freeing_drops_what_is_on_disk",
             "ancestors_of_a_result_on_disk_are_cached", "without_listen"}
