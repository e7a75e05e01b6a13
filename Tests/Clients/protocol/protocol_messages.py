"""The order of messages and what is in them, and clients beside each other: each function is a case; they share one
server, and leave it idle."""

import threading
import time

from protocol_client import OMIT, Client, Graph, Refused

CASES = []


def case(function):
    CASES.append(function)
    return function


def picture():
    g = Graph()
    g.preview(g.stub("NOISE"))
    return g


def sleeper(seconds=600.0):
    """A graph that runs until it is interrupted; the node that sleeps."""
    g = Graph("sleeper")
    node = g.sleep(g.stub("BLACK"), seconds)
    g.preview(node)
    return g, node


class Busy:
    """Keeps the worker busy for the length of a `with` block, so that prompts wait."""

    def __init__(self, client):
        self.client = client

    def __enter__(self):
        graph, node = sleeper()
        self.prompt_id = self.client.begun(graph, node)
        return self.prompt_id

    def __exit__(self, *_):
        self.client.post("/interrupt", {"prompt_id": self.prompt_id})
        self.client.ended(self.prompt_id)


def status_of(client, prompt_id):
    return client.ended(prompt_id)["status"]


# Messages

@case
def order_of_messages(client):
    g = Graph()
    b = g.stub("NOISE")
    sleep = g.sleep(b, 0.1)
    p = g.preview(sleep)
    before = time.time() * 1000
    run = client.run(g)
    types = run.types
    assert types[:2] == ["execution_start", "execution_cached"] and types[-2:] == ["execution_success", "executing"]
    assert set(types[2:-2]) == {"progress_state", "executing", "progress", "executed"}, set(types)
    assert run.data("executing")[-1] == {"node": None, "prompt_id": run.prompt_id}
    assert [data["node"] for data in run.data("executing")] == [b, sleep, p, None]
    for node in (b, sleep, p):
        places = {}
        for place, (type, data) in enumerate(run.messages):
            if type == "progress_state" and node in data["nodes"]:
                places.setdefault(data["nodes"][node]["state"], place)
            elif data.get("node") == node:
                places.setdefault(type, place)
        assert places["running"] < places["executing"] < places["finished"], (node, places)
        assert node != p or places["executing"] < places["executed"] < places["finished"], places
        assert node != sleep or places["executing"] < places["progress"] < places["finished"], places
    times = [data["timestamp"] for data in run.data("execution_start") + run.data("execution_cached")
             + run.data("execution_success")]
    assert times == sorted(times) and before - 2 <= times[0] <= times[-1] <= time.time() * 1000 + 2, (before, times)
    assert all(isinstance(value, int) for value in times), times


@case
def members_of_messages(client):
    g = Graph()
    b = g.stub("NOISE")
    sleep = g.sleep(b, 0.1)
    p = g.preview(sleep)
    run = client.run(g)
    assert all(data["prompt_id"] == run.prompt_id for _, data in run.messages)
    for data in run.data("executing")[:-1]:
        assert set(data) == {"node", "display_node", "prompt_id"} and data["node"] == data["display_node"], data
    for data in run.data("progress"):
        assert set(data) >= {"value", "max", "prompt_id", "node"} and data["node"] == sleep, data
    (shown,) = run.data("executed")
    assert (shown["node"], shown["display_node"]) == (p, p) and shown["output"] == {"images": run.images(p)}, shown
    assert set(run.images(p)[0]) == {"filename", "subfolder", "type"} and run.images(p)[0]["type"] == "temp"
    for data in run.data("progress_state"):
        for name, state in data["nodes"].items():
            assert state["state"] in ("running", "finished") and 0 <= state["value"] <= state["max"], state
            assert state == {**state, "node_id": name, "display_node_id": name, "real_node_id": name,
                             "parent_node_id": None, "prompt_id": run.prompt_id}, state
    last = run.data("progress_state")[-1]["nodes"]
    assert {name: state["state"] for name, state in last.items()} == {b: "finished", sleep: "finished", p: "finished"}


@case
def records_of_the_history(client):
    g = Graph()
    b = g.stub("BLACK")
    p = g.preview(b)
    run = client.run(g, extra_data={"extra_pnginfo": {"workflow": {"id": 1}}, "auth_token_comfy_org": "secret",
                                    "api_key_comfy_org": "secret", "other": [1]})
    assert set(run.record) == {"prompt", "outputs", "status", "meta"}, set(run.record)
    number, prompt_id, prompt, extra, outputs = run.record["prompt"]
    assert (prompt_id, prompt, outputs) == (run.prompt_id, g, [p]) and isinstance(number, (int, float))
    assert extra == {"extra_pnginfo": {"workflow": {"id": 1}}, "other": [1], "client_id": client.id}, extra
    assert run.record["meta"] == {p: {"node_id": p, "display_node": p, "parent_node": None, "real_node_id": p}}
    status = run.record["status"]
    assert (status["status_str"], status["completed"]) == ("success", True), status
    assert status["messages"] == [[type, data] for type, data in run.messages if type in (
        "execution_start", "execution_cached", "execution_success")], status["messages"]
    assert client.get("/api/history")[run.prompt_id] == run.record


@case
def status_messages(client):
    with Busy(client):
        with Client(client.address) as other:
            type, data = other.first
            assert type == "status" and data["sid"] == other.id, other.first
            assert data["status"]["exec_info"]["queue_remaining"] == 1, data
            waiting = client.queue(picture())["prompt_id"]
            while True:
                type, data = other.receive()
                assert type == "status" and "sid" not in data, (type, data)
                if data["status"]["exec_info"]["queue_remaining"] == 2:
                    break
            assert client.get("/prompt") == {"exec_info": {"queue_remaining": 2}}
            client.post("/interrupt", {})
            while other.receive() != ("status", {"status": {"exec_info": {"queue_remaining": 0}}}):
                pass
            assert client.history(waiting)


@case
def socket_ids(client):
    for id in ("", "with blank/ü [x]&y", "0"):
        with Client(client.address, id or None, listen=False) as named:
            named.id = id
            named.connect()
            sid = named.first[1]["sid"]
            assert sid == id if id else len(sid) >= 16, (id, sid)
            named.id = sid
            assert named.run(picture()).error is None


# Clients beside each other

@case
def each_client_hears_its_own_run(client):
    with Client(client.address) as a, Client(client.address) as b:
        ids = {c: c.queue(sleeper(0.2)[0])["prompt_id"] for c in (a, b)}
        heard = {a: [], b: []}
        for c in (a, b):
            while not heard[c] or heard[c][-1][1].get("node", 0) is not None:
                type, data = c.receive()
                assert type == "status" or data["prompt_id"] == ids[c], (type, data)
                heard[c].append((type, data))
            assert {"progress_state", "executing", "execution_success"} <= {type for type, _ in heard[c]}


@case
def nobody_hears_a_prompt_without_client(client):
    prompt_id = client.queue(picture(), client_id=OMIT)["prompt_id"]
    assert status_of(client, prompt_id)["completed"]
    record = client.history(prompt_id)[prompt_id]
    assert "client_id" not in record["prompt"][3] and len(record["outputs"]) == 1
    run = client.queue(picture())["prompt_id"]
    while True:
        type, data = client.receive()
        assert type == "status" or data["prompt_id"] == run, (type, data)
        if type == "executing" and data["node"] is None:
            break


@case
def everybody_hears_that_a_prompt_without_client_was_interrupted(client):
    graph, _ = sleeper()
    with Client(client.address) as other:
        prompt_id = client.queue(graph, client_id=OMIT)["prompt_id"]
        client.until(lambda: prompt_id in client.running(), "the prompt to run")
        client.post("/interrupt", {})
        for listener in (client, other):
            while True:
                type, data = listener.receive()
                if type != "status":
                    break
            assert type == "execution_interrupted" and data["prompt_id"] == prompt_id, (type, data)
    assert status_of(client, prompt_id)["status_str"] == "error"


@case
def reconnecting_in_the_middle(client):
    graph, node = sleeper(600.0)
    old = Client(client.address)
    prompt_id = old.begun(graph, node)
    new = Client(client.address, old.id)
    assert new.first[1]["sid"] == old.id, new.first
    told = new.listen(prompt_id, lambda type, data: type == "executing")
    assert told.data("executing")[0]["node"] == node, told.messages
    new.listen(prompt_id, lambda type, data: type == "progress")
    old.close()
    with Client(client.address):  # The server has heard of what was closed when it answers a later socket
        new.listen(prompt_id, lambda type, data: type == "progress")
        client.post("/interrupt", {"prompt_id": prompt_id})
        end = new.listen(prompt_id)
    assert end.types[-2:] == ["execution_interrupted", "executing"], end.types
    assert new.run(picture()).error is None, "and the next prompt"
    new.close()


@case
def reconnecting_after_a_break(client):
    graph, node = sleeper(600.0)
    prompt_id = client.begun(graph, node)
    client.close()
    client.connect()
    told = client.listen(prompt_id, lambda type, data: type == "executing")
    assert told.data("executing")[0]["node"] == node
    client.post("/interrupt", {})
    assert client.listen(prompt_id).types[-2:] == ["execution_interrupted", "executing"]


@case
def an_older_socket_hears_again_when_the_newer_closes(client):
    with Client(client.address) as old:
        with Client(client.address, old.id) as new:
            assert new.run(picture()).error is None
        # The close is handled before a socket that is opened later is answered.
        Client(client.address).close()
        prompt_id = old.queue(picture())["prompt_id"]
        client.ended(prompt_id)
        client.until(lambda: not client.running(), "the end")
        old.socket.send('{"type": "feature_flags", "data": {}}')
        heard = []
        while "feature_flags" not in heard:
            heard.append(old.receive()[0])
        assert "execution_success" in heard, heard


@case
def the_greeting_comes_first(client):
    stop = threading.Event()

    def churn():
        with Client(client.address) as other:
            while not stop.is_set():
                other.run(picture())

    threads = [threading.Thread(target=churn) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            with Client(client.address) as new:
                assert new.first[0] == "status" and new.first[1]["sid"] == new.id, new.first
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@case
def clients_in_two_unicode_forms(client):
    with Client(client.address, "caf\u00e9") as composed, Client(client.address, "cafe\u0301"):
        prompt_id = composed.queue(picture())["prompt_id"]
        client.ended(prompt_id)
        client.until(lambda: not client.running(), "the end")
        composed.socket.send('{"type": "feature_flags", "data": {}}')
        heard = []
        while "feature_flags" not in heard:
            heard.append(composed.receive()[0])
        assert "execution_success" in heard, heard


@case
def nodes_in_two_unicode_forms(client):
    g = Graph()
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    g[composed], g[decomposed] = dict(g[g.stub("BLACK")]), dict(g[g.stub("WHITE")])
    g.preview(composed), g.preview(decomposed)
    # Nobody could tell them apart on a screen: refused rather than mixed up.
    try:
        client.run(g)
    except Refused as refusal:
        assert refusal.status == 400 and "letters are composed" in str(refusal), refusal
    else:
        raise AssertionError("two ids in two Unicode forms are taken")


@case
def a_client_hears_a_long_loop_to_its_end(client):
    g = Graph()
    b, w = g.stub("BLACK"), g.stub("WHITE")
    opened = g.add("TestForLoopOpen", remaining=1000, initial_value1=[w, 0])
    average = g.add("TestVariadicAverage", input1=[b, 0], input2=[opened, 2])
    p = g.preview(g.add("TestForLoopClose", flow_control=[opened, 0], initial_value1=[average, 0]))
    run = client.run(g)
    assert run.error is None and run.pixels(p) == [0], run.error
