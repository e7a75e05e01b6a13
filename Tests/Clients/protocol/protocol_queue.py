"""Queue, history, control and `POST /run`: each function is a case; they share one server, and leave it idle."""

import threading
import uuid

from protocol_client import OMIT, Graph, Refused
from protocol_messages import Busy, picture, sleeper, status_of

CASES = []


def case(function):
    CASES.append(function)
    return function


# Queue and control

@case
def numbers_order_the_queue(client):
    with Busy(client):
        def queue(**more):
            return client.queue(picture(), **more)

        ordinary = [queue(), queue()]
        assert ordinary[1]["number"] == ordinary[0]["number"] + 1, ordinary
        try:
            client.queue({"1": {"class_type": "Nothing", "inputs": {}}})
        except Refused:
            pass
        third = queue()
        assert third["number"] == ordinary[1]["number"] + 2, "a refused prompt uses up a number"
        front = [queue(front=True), queue(front=True)]
        assert [item["number"] for item in front] == [-third["number"] - 1, -third["number"] - 2], front
        given = [queue(number=0.5), queue(number=-1e9, front=True), queue(number=0.5)]
        assert [item["number"] for item in given] == [0.5, -1e9, 0.5], given
        last = queue(front=False)
        order = [given[1], front[1], front[0], given[0], given[2], *ordinary, third, last]
        ids = [item["prompt_id"] for item in order]
        assert set(client.pending()) == set(ids)
        assert client.get("/queue")["queue_running"][0][4], "items have five parts"
    for id in ids:
        client.ended(id)
    ran = [id for id in client.get("/history") if id in ids]
    assert ran == ids, (ran, ids)


@case
def a_given_number_uses_up_none_of_the_counter(client):
    with Busy(client):
        before = client.queue(picture())["number"]
        client.queue(picture(), number=0.5)
        assert client.queue(picture())["number"] == before + 1
        client.post("/queue", {"clear": True})


@case
def items_of_the_queue(client):
    with Busy(client) as busy:
        g = picture()
        answer = client.queue(g, extra_data={"a": 2**64 - 1})
        queue = client.get("/api/queue")
        assert [item[1] for item in queue["queue_running"]] == [busy]
        assert queue["queue_pending"] == [[answer["number"], answer["prompt_id"], g,
                                           {"a": 2**64 - 1, "client_id": client.id}, ["test[a-1.5]2"]]], queue
    client.ended(answer["prompt_id"])


@case
def deleting_from_the_queue(client):
    with Busy(client) as busy:
        ids = [client.queue(picture())["prompt_id"] for _ in range(4)]
        assert client.post("/queue", {"delete": [ids[1], busy, "unknown"]}) is None
        assert client.pending() == [ids[0], ids[2], ids[3]] and client.running() == [busy]
        assert client.history(ids[1]) == {}
        assert client.post("/queue", {"clear": True, "delete": []}) is None
        assert client.pending() == [] and client.running() == [busy]
        kept = client.queue(picture())["prompt_id"]
    assert status_of(client, kept)["completed"]
    assert all(client.history(id) == {} for id in ids), "what was deleted leaves no entry"


@case
def interrupting(client):
    graph, node = sleeper()
    for body in ({}, {"prompt_id": None}, OMIT):
        prompt_id = client.begun(graph, node)
        waiting = client.queue(picture())["prompt_id"]
        for id in (waiting, "unknown"):
            client.post("/interrupt", {"prompt_id": id})
        client.listen(prompt_id, lambda type, data: type == "progress" and data["value"] > 0)
        assert client.running() == [prompt_id], "an interrupt with another id has no effect"
        client.http("/interrupt", b"" if body is OMIT else body, "POST")
        run = client.listen(prompt_id)
        assert run.types[-2:] == ["execution_interrupted", "executing"], run.types
        (data,) = run.data("execution_interrupted")
        assert (data["node_id"], data["node_type"]) == (node, "TestSleep") and "timestamp" in data, data
        assert data["executed"] == ["sleeper1"] or body is not None and data["executed"] == [], data
        status = run.record["status"]
        assert (status["status_str"], status["completed"]) == ("error", False), status
        assert status["messages"][-1] == ["execution_interrupted", data], status
        assert client.listen(waiting).error is None, "what waited is not interrupted"


@case
def interrupting_at_any_time(client):
    ends = set()
    for turn in range(60):
        graph, _ = sleeper(0.002)
        prompt_id = client.queue(graph)["prompt_id"]
        for _ in range(turn % 4):
            client.get("/prompt")
        client.post("/interrupt", {"prompt_id": prompt_id} if turn % 2 else {})
        run = client.listen(prompt_id)
        ends.add(run.types[-2])
        assert run.types[-2] in ("execution_success", "execution_interrupted"), run.types
        assert run.record["status"]["completed"] == (run.types[-2] == "execution_success"), run.record["status"]


@case
def one_end_of_many_failures(client):
    for _ in range(10):
        g = Graph()
        b = g.stub("BLACK")
        for _ in range(4):
            g.preview(g.add("TestAsyncError", value=[b, 0], error_after=0.01))
        g.preview(g.add("TestSyncError", value=[b, 0]))
        run = client.run(g)
        assert len(run.data("execution_error")) == 1 and run.types[-2] == "execution_error", run.types
        assert len(run.record["status"]["messages"]) == 3, run.record["status"]
    g = Graph()
    b = g.stub("BLACK")
    sleeps = [g.sleep(b, 600.0 + seconds) for seconds in range(4)]
    for sleep in sleeps:
        g.preview(sleep)
    prompt_id = client.begun(g, sleeps[3])
    client.post("/interrupt", {})
    run = client.listen(prompt_id)
    assert len(run.data("execution_interrupted")) == 1 and run.types[-2] == "execution_interrupted", run.types


@case
def interrupting_an_idle_server(client):
    client.post("/interrupt", {})
    assert client.run(picture()).error is None, "the next prompt is not interrupted"


@case
def freeing(client):
    g = picture()
    client.run(g)
    assert client.run(g).ran == set()
    assert client.post("/free", {"free_memory": True}) is None
    again = client.run(g)
    assert again.ran == set(g), (again.ran, "free_memory drops all results")
    client.post("/free", {"unload_models": True})
    assert client.run(g).ran == set(), "unload_models drops no results"
    with Busy(client):
        client.post("/free", {"unload_models": True, "free_memory": True})
    assert client.run(g).ran == set(g)


@case
def pages_of_the_history(client):
    client.post("/history", {"clear": True})
    assert client.get("/history") == {}
    g = picture()
    ids = [client.run(g).prompt_id for _ in range(6)]
    for query, expected in (
        ("", ids), ("?max_items=2&offset=0", ids[:2]), ("?max_items=2&offset=2", ids[2:4]), ("?max_items=2", ids[4:]),
        ("?offset=100", []), ("?offset=6", []), ("?offset=0", ids), ("?offset=4", ids[4:]), ("?offset=-1", ids),
        ("?max_items=5&offset=5", ids[5:]), ("?max_items=100", ids), ("?max_items=2&offset=-1", ids[4:]),
        ("?max_items=64", ids),
    ):
        assert list(client.get("/history" + query)) == expected, query
    try:
        client.get("/history?max_items=x")
        raise AssertionError("taken")
    except Refused as refused:
        assert refused.status in (400, 500)
    assert client.get(f"/history/{ids[2]}")[ids[2]] == client.get("/history")[ids[2]]
    assert client.get("/history/unknown") == {}
    assert client.post("/history", {"delete": [ids[1], "unknown", ids[3]]}) is None
    assert list(client.get("/history")) == [ids[0], ids[2], ids[4], ids[5]]
    assert client.run(g).pixels("test[a-1.5]2"), "a cached run has its outputs, also when the first entry is gone"


@case
def ids_of_prompts(client):
    taken = client.queue(picture(), prompt_id="my id [1]/ü")
    assert taken["prompt_id"] == "my id [1]/ü", taken
    record = client.until(lambda: client.get("/history").get("my id [1]/ü"), "the entry")
    assert record["prompt"][1] == "my id [1]/ü"
    assert client.queue(picture(), prompt_id=7)["prompt_id"] == "7"
    assert client.ended("7")["prompt"][1] == "7"
    made = client.queue(picture())["prompt_id"]
    assert str(uuid.UUID(made)) == made
    client.ended(made)


@case
def the_same_id_twice(client):
    id = str(uuid.uuid4())
    with Busy(client) as busy:
        client.queue(picture(), prompt_id=id)
        for known in (id, busy):
            assert client.refusal(picture(), prompt_id=known)["error"]["type"]
        assert client.pending() == [id]
    assert status_of(client, id)["completed"]


@case
def an_id_is_free_again_after_its_deletion(client):
    client.run(picture(), prompt_id="again")
    client.post("/history", {"delete": ["again"]})
    assert client.run(picture(), prompt_id="again").error is None
    with Busy(client):
        client.queue(picture(), prompt_id="waits")
        client.post("/queue", {"delete": ["waits"]})
        client.queue(picture(), prompt_id="waits")
        assert client.pending() == ["waits"]
    assert status_of(client, "waits")["completed"]


# POST /run

def answer_of_run(client, graph, path="/run", **more):
    """In a thread: a list that gets the answer."""
    answers = []

    def ask():
        try:
            answers.append(client.queue(graph, path, **more))
        except Refused as refused:
            answers.append(refused)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


@case
def running_and_waiting_for_it(client):
    g = picture()
    answer = client.queue(g, "/run")
    assert answer["status"] == "success" and answer["outputs"]["test[a-1.5]2"]["images"], answer
    assert client.history(answer["prompt_id"])[answer["prompt_id"]]["outputs"] == answer["outputs"]
    wrong = Graph()
    wrong.preview(wrong.add("TestSyncError", value=[wrong.stub("BLACK"), 0]))
    try:
        raise AssertionError(client.queue(wrong, "/run"))
    except Refused as refused:
        assert refused.status == 422 and refused.json["status"] == "error", refused
    graph, _ = sleeper()
    answer = client.queue(graph, "/run?timeout=0.1")
    assert answer["status"] == "running", answer
    client.until(lambda: answer["prompt_id"] in client.running(), "the prompt to run")
    client.post("/interrupt", {"prompt_id": answer["prompt_id"]})
    assert status_of(client, answer["prompt_id"])["status_str"] == "error"
    with Busy(client):
        thread, answers = answer_of_run(client, picture(), prompt_id="deleted")
        client.until(client.pending, "the prompt to wait")
        client.post("/queue", {"delete": ["deleted"]})
        thread.join(30)
        assert answers and answers[0].status == 409, answers


@case
def two_runs_of_the_same_id(client):
    id = str(uuid.uuid4())
    with Busy(client):
        thread, answers = answer_of_run(client, picture(), prompt_id=id)
        client.until(lambda: id in client.pending(), "the prompt to wait")
        try:
            second = client.queue(picture(), "/run?timeout=5", prompt_id=id)
            raise AssertionError(f"the second is taken: {second}")
        except Refused as refused:
            assert refused.status == 400, refused
    thread.join(30)
    assert answers and isinstance(answers[0], dict) and answers[0]["status"] == "success", answers
