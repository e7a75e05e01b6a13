"""Failures, nodes that wait, and partial runs, seen over the wire: each function is a case, run once for every cache
policy."""

from protocol_client import Graph
from protocol_graphs import sources

CASES = []


def case(function):
    CASES.append(function)
    return function


# Failures

FAILURES = [
    ("TestSyncError", {}, "Intentional sync execution error for testing"),
    ("TestAsyncError", {"error_after": 0.05}, "Intentional async execution error for testing"),
    ("TestAsyncTimeout", {"timeout": 0.1, "operation_time": 10.0}, "Operation timed out after 0.1 seconds"),
]


@case
def failures_and_the_next_prompt(client, policy):
    for class_type, inputs, text in FAILURES:
        g = Graph()
        b = g.stub("BLACK")
        wrong = g.add(class_type, value=[b, 0], **inputs)
        g.preview(g.sleep(b, 600.0)), g.save(wrong)
        run = client.run(g)
        error = run.error
        assert run.types[-2:] == ["execution_error", "executing"] and "execution_success" not in run.types
        assert (error["prompt_id"], error["node_id"], error["node_type"]) == (run.prompt_id, wrong, class_type), error
        assert error["exception_message"] == text + "\n" and isinstance(error["exception_type"], str), error
        assert isinstance(error["traceback"], list) and isinstance(error["timestamp"], int), error
        assert set(error["current_inputs"]) == {"value", *inputs}, error
        assert all(isinstance(values, list) for values in error["current_inputs"].values()), error
        status = run.record["status"]
        assert status["status_str"] == "error" and status["completed"] is False
        assert status["messages"][-1] == ["execution_error", error], status
        g.pop(wrong), g.popitem()
        g.clear()
        p = g.preview(g.stub("BLACK"))
        after = client.run(g)
        assert after.pixels(p) == [0] and after.error is None
        assert policy == "none" or after.ran == {p}, "what had finished before a failure is kept"


@case
def what_an_error_lists(client, _):
    g = Graph()
    g.save(g.mix(g.stub("BLACK"), g.stub("NOISE", g.size * 2), g.mask(0.5)))
    run = client.run(g)
    assert set(run.error["executed"]) == {"test[a-1.5]1", "test[a-1.5]2", "test[a-1.5]3"}, run.error
    assert set(run.error["current_outputs"]) >= set(run.error["executed"]), run.error


@case
def missing_nodes_drop_their_outputs(client, _):
    g = Graph()
    (b, w), m = sources(g), g.mask(0.5)
    bad_mix = g.add("TestLazyMixImages", image1=[b, 0], image2=["gone", 0], mask=[m, 0])
    bad, good = g.save(bad_mix), g.save(g.mix(b, w, m))
    answer = client.queue(g)
    assert set(answer["node_errors"]) == {bad_mix}, answer
    assert answer["node_errors"][bad_mix]["dependent_outputs"] == [bad], answer
    run = client.listen(answer["prompt_id"])
    assert run.error is None and bad not in run.ran and run.record["prompt"][4] == [good]
    g["gone"] = dict(g[w])
    run = client.run(g)
    assert run.pixels(bad) == run.pixels(good) == [127]


# Waiting

@case
def sleepers_beside_each_other(client, _):
    g = Graph()
    b = g.stub("BLACK")
    sleeps = [g.sleep(b, seconds) for seconds in (0.5, 0.6, 0.7)]
    previews = [g.preview(sleep) for sleep in sleeps]
    run = client.run(g)
    assert run.ran == {b, *sleeps, *previews} and run.most_at_once(sleeps) == 3, run.most_at_once(sleeps)


@case
def sleepers_of_expansions(client, _):
    g = Graph()
    b, w = sources(g)
    parallel = g.add("TestParallelSleep", image1=[b, 0], image2=[w, 0], image3=[w, 0], sleep1=0.5, sleep2=0.6,
                     sleep3=0.7)
    many = g.add("TestDynamicAsyncGeneration", image1=[b, 0], image2=[w, 0], num_async_nodes=5, sleep_duration=0.6)
    s1, s2 = g.save(parallel), g.save(many)
    run = client.run(g)
    assert run.pixels(s1) == [170] and run.pixels(s2) == [102], (run.pixels(s1), run.pixels(s2))
    assert run.most_at_once([parallel]) >= 3 and run.most_at_once([many]) >= 5


@case
def sleep_reports_progress(client, _):
    g = Graph()
    sleep = g.sleep(g.stub("BLACK"), 0.4)
    g.preview(sleep)
    run = client.run(g)
    told = [data for data in run.data("progress") if data["node"] == sleep]
    assert len(told) >= 2 and all(data["max"] == 0.4 for data in told), told
    values = [data["value"] for data in told]
    assert values == sorted(values) and 0 <= values[0] and values[-1] == 0.4, values


@case
def async_pieces(client, policy):
    g = Graph()
    b, w = sources(g)
    s1, s2 = g.sleep(b, 0.05), g.sleep(w, 0.05)
    average = g.save(g.add("TestVariadicAverage", input1=[s1, 0], input2=[s2, 0]))
    lazy = g.save(g.mix(s1, g.sleep(w, 600.0), g.mask(0.0)))
    check = g.save(g.add("TestAsyncLazyCheck", input1="value1", input2="value2", condition=True))
    product = g.add("TestCustomValidation1", input1=[s2, 0], input2=0.5)
    half = g.save(g.sleep(product, 0.05))
    images = g.list([g.sleep(b, 0.05), 0], [g.sleep(w, 0.05), 0])
    two = g.add("TestIntConditions", a=[g.list(1, 2), 0], b=2, operation="==")
    kept = g.preview(g.add("TestExecutionBlocker", input=[images, 0], block=[two, 0], verbose=False))
    for id in range(5):
        g.preview(g.add("TestAsyncResourceUser", value=[b, 0], resource_id=f"resource_{id}", duration=0.05))
    run = client.run(g)
    assert run.error is None, run.error
    found = [run.pixels(node) for node in (average, lazy, check, half, kept)]
    assert found == [[127], [0], [255], [127], [0]], found
    again = client.run(g)
    assert again.error is None and (policy == "none" or again.ran == set()), (again.error, again.ran)


# Partial execution

def graph_of_two(g):
    b, w = sources(g)
    return [g.save(b)], {b}, {w, g.save(w)}


def graph_of_three(g):
    (b, w), n = sources(g), g.stub("NOISE")
    return [g.save(b), g.save(n)], {b, n}, {w, g.save(w)}


def graph_with_an_output_as_source(g):
    b = g.stub("BLACK")
    out = g.add("TestOutputNodeWithSocketOutput", image=[b, 0], value=2.0)
    mix = g.mix(out, b, g.mask(0.5))
    return [g.save(mix)], {b, out, mix}, set()


def graph_with_lazy_nodes(g):
    (b, w), n, none, half = sources(g), g.stub("NOISE"), g.mask(0.0), g.mask(0.5)
    mix1, mix2 = g.mix(b, w, none), g.mix(w, n, half)
    return [g.save(mix1)], {b, none, mix1}, {w, n, half, mix2, g.save(mix2)}


def graph_with_a_chain_of_outputs(g):
    b, w = sources(g)
    o1 = g.add("TestOutputNodeWithSocketOutput", image=[b, 0], value=1.5)
    o2 = g.add("TestOutputNodeWithSocketOutput", image=[o1, 0], value=2.0)
    return [g.save(o2)], {b, o1, o2}, {w, g.save(o1), g.save(w)}


@case
def partial_execution(client, _):
    for build in (graph_of_two, graph_of_three, graph_with_an_output_as_source, graph_with_lazy_nodes,
                  graph_with_a_chain_of_outputs):
        g = Graph()
        targets, wanted, idle = build(g)
        run = client.run(g, partial_execution_targets=targets + ["no such node"])
        assert run.ran | run.cached >= wanted | set(targets) and not run.ran & idle, (build.__name__, run.ran)
        assert all(len(run.images(node)) == 1 for node in targets), build.__name__
        assert set(run.record["prompt"][4]) == set(targets), run.record["prompt"][4]
        assert not set(run.record["outputs"]) & idle, run.record["outputs"]
    assert client.refusal(g, partial_execution_targets=[])["error"]["type"] == "prompt_no_outputs"
    assert client.run(g, partial_execution_targets=None).ran


@case
def partial_execution_of_cached_outputs(client, policy):
    if policy == "none":
        return
    g = Graph()
    b, w = sources(g)
    s1, s2 = g.save(b), g.save(w)
    client.run(g)
    run = client.run(g, partial_execution_targets=[s1])
    assert run.data("execution_cached")[0]["nodes"] == list(g), (run.cached, "all that are cached, needed or not")
    assert set(run.record["outputs"]) == {s1, s2}, run.record["outputs"]
