"""What graphs of testing nodes do, seen over the wire: each function is a case, run once for every cache policy."""

from protocol_client import Graph

CASES = []


def case(function):
    CASES.append(function)
    return function


def sources(graph):
    return graph.stub("BLACK"), graph.stub("WHITE")


# Caching, change detection, laziness

@case
def lazy_input(client, _):
    g = Graph()
    (b, w), m = sources(g), g.mask(0.0)
    mix = g.mix(b, w, m)
    s = g.save(mix)
    run = client.run(g)
    assert run.pixels(s) == [0] and run.ran == {b, m, mix, s}, run.ran


@case
def full_cache(client, policy):
    g = Graph()
    s = g.save(g.mix(g.stub("BLACK"), g.stub("NOISE"), g.mask(0.5)))
    first, second = client.run(g), client.run(g)
    assert first.ran == set(g) and first.cached == set(), first.types
    if policy == "none":
        assert second.ran == set(g) and second.cached == set(), second.ran
        return
    assert second.ran == set(), second.ran
    assert second.data("execution_cached")[0]["nodes"] == list(g), "in the order of the prompt"
    assert second.images(s) == first.images(s)
    assert [data["node"] for data in second.data("executed")] == [s], "cached output nodes show their pictures"


@case
def partial_cache(client, policy):
    g = Graph()
    b, n, m = g.stub("BLACK"), g.stub("NOISE"), g.mask(0.5)
    mix = g.mix(b, n, m)
    s = g.save(mix)
    client.run(g)
    g.set(m, value=0.4)
    second = client.run(g)
    assert second.ran == ({b, n, m, mix, s} if policy == "none" else {m, mix, s}), second.ran


@case
def another_prompt_between(client, policy):
    for finish in (Graph.preview, Graph.save):
        g, other = Graph("first"), Graph("other")
        for graph in (g, other):
            finish(graph, graph.stub("NOISE"))
        for graph in (g, other):
            client.run(graph)
        again = client.run(g)
        assert again.ran == (set() if policy == "lru" else set(g)), (finish.__name__, again.ran)


@case
def ids_do_not_matter(client, policy):
    first, second = Graph("one"), Graph("two")
    second.size = first.size
    for graph in (first, second):
        s = graph.save(graph.stub("NOISE"), filename_prefix="renamed")
    run = client.run(first)
    again = client.run(second)
    if policy != "none":
        assert again.ran == set() and again.images(s) == run.images("one2"), again.ran


@case
def order_of_inputs_does_not_matter(client, policy):
    g = Graph()
    n = g.stub("NOISE")
    g.preview(n)
    client.run(g)
    g[n]["inputs"] = dict(reversed(g[n]["inputs"].items()))
    g[n]["_meta"] = {"title": "another"}
    again = client.run(g)
    assert policy == "none" or again.ran == set(), again.ran


@case
def undeclared_constants_are_dropped_and_part_of_the_key(client, _):
    g = Graph()
    n = g.stub("NOISE", unknown="a")
    g.preview(n)
    client.run(g)
    g.set(n, unknown="b")
    assert n in client.run(g).ran


@case
def custom_is_changed(client, policy):
    g = Graph()
    g["save"] = {"class_type": "SaveImage", "inputs": {"images": ["changed", 0], "filename_prefix": "changed"}}
    g["changed"] = {"class_type": "TestCustomIsChanged", "inputs": {"image": ["black", 0], "should_change": False}}
    g["black"] = {"class_type": "StubImage", "inputs": {
        "content": "BLACK", "height": g.size, "width": g.size, "batch_size": 1}}
    runs = [client.run(g), client.run(g)]
    g.set("changed", should_change=True)
    runs += [client.run(g), client.run(g)]
    expected = [True, policy == "none", True, True]
    assert ["changed" in run.ran for run in runs] == expected, [run.ran for run in runs]


@case
def is_changed_sees_constants_only(client, policy):
    g = Graph()
    source = g.add("StubConstantImage", value=0.5, height=g.size, width=g.size, batch_size=1)
    node = g.add("TestIsChangedWithConstants", image=[source, 0], value=0.5)
    p = g.preview(node)
    first, second = client.run(g), client.run(g)
    assert first.pixels(p) == second.pixels(p) == [63]
    assert (node in second.ran) == (policy == "none"), second.ran


@case
def output_reuse(client, policy):
    g = Graph()
    b = g.stub("BLACK")
    s1, s2 = g.save(b), g.save(b)
    run = client.run(g)
    assert len(run.images(s1)) == len(run.images(s2)) == 1
    # Without a cache nothing keeps what nobody reads.
    assert policy == "none" or len(run.ran & {s1, s2}) == 1 and run.images(s1) == run.images(s2), "twins run once"
    assert {data["node"] for data in run.data("executed")} == {s1, s2}, run.data("executed")


@case
def sleepers_are_no_twins(client, _):
    g = Graph()
    b = g.stub("BLACK")
    first, second = g.sleep(b, 0.01), g.sleep(b, 0.01)
    g.preview(first), g.preview(second)
    assert client.run(g).ran >= {first, second}


@case
def saving_again_counts_on(client, _):
    g = Graph()
    s = g.save(g.stub("NOISE"), filename_prefix=f"count [{g.size}]/ü")
    name = client.run(g).images(s)[0]
    assert name == {"filename": "ü_00001_.png", "subfolder": f"count [{g.size}]", "type": "output"}, name
    g.set("test[a-1.5]1", width=g.size + 1)
    assert client.run(g).images(s)[0]["filename"] == "ü_00002_.png"


# Lists, expansion, blockers

@case
def undeclared_links_are_passed(client, _):
    g = Graph()
    b, w = sources(g)
    s = g.save(g.add("TestVariadicAverage", input1=[b, 0], input2=[w, 0], input3=[b, 0], input4=[b, 0]))
    assert client.run(g).pixels(s) == [63]


@case
def for_loop(client, _):
    g = Graph()
    b, w = sources(g)
    changed = g.add("TestCustomIsChanged", should_change=True, image=[w, 0])
    opened = g.add("TestForLoopOpen", remaining=1, initial_value1=[changed, 0])
    average = g.add("TestVariadicAverage", input1=[b, 0], input2=[opened, 2])
    s = g.save(g.add("TestForLoopClose", flow_control=[opened, 0], initial_value1=[average, 0]))
    for count, pixel in ((1, 127), (2, 63), (3, 31), (4, 15), (12, 0)):
        g.set(opened, remaining=count)
        run = client.run(g)
        assert run.pixels(s) == [pixel] and changed in run.ran, (count, run.pixels(s), run.error)
        assert {data["display_node"] for data in run.data("executing") if data["node"]} <= set(g)
        states = run.data("progress_state")[-1]["nodes"]
        assert {state["real_node_id"] for state in states.values()} <= set(g), states
        assert all(state["parent_node_id"] is not None for name, state in states.items() if name not in g), states


@case
def while_loop(client, _):
    g = Graph()
    w, b = g.stub("WHITE"), g.stub("BLACK")
    opened = g.add("TestWhileLoopOpen", condition=True, initial_value0=4, initial_value1=[w, 0])
    less = g.add("TestIntMathOperation", a=[opened, 1], b=1, operation="subtract")
    average = g.add("TestVariadicAverage", input1=[b, 0], input2=[opened, 2])
    again = g.add("TestToBoolNode", value=[less, 0])
    s = g.save(g.add("TestWhileLoopClose", flow_control=[opened, 0], condition=[again, 0],
                     initial_value0=[less, 0], initial_value1=[average, 0]), 1)
    assert client.run(g).pixels(s) == [15]


@case
def loops_in_loops(client, _):
    g = Graph()
    b, w = sources(g)
    outer = g.add("TestForLoopOpen", remaining=2, initial_value1=[w, 0])
    inner = g.add("TestForLoopOpen", remaining=2, initial_value1=[outer, 2])
    average = g.add("TestVariadicAverage", input1=[b, 0], input2=[inner, 2])
    closed = g.add("TestForLoopClose", flow_control=[inner, 0], initial_value1=[average, 0])
    s = g.save(g.add("TestForLoopClose", flow_control=[outer, 0], initial_value1=[closed, 0]))
    run = client.run(g)
    assert run.pixels(s) == [15], (run.pixels(s), run.error)


@case
def loops_of_several_values(client, policy):
    g = Graph()
    b, w = sources(g)
    opened = g.add("TestForLoopOpen", remaining=3, initial_value1=[w, 0], initial_value2=10, initial_value3="x")
    total = g.add("TestIntMathOperation", a=[opened, 3], b=[opened, 1], operation="add")
    image = g.add("TestOutputNodeWithSocketOutput", image=[g.mix(opened, b, g.mask(0.5)), 0], value=1.0)
    g.set(g[image]["inputs"]["image"][0], image1=[opened, 2])
    closed = g.add("TestForLoopClose", flow_control=[opened, 0], initial_value1=[image, 0], initial_value2=[total, 0],
                   initial_value3=[opened, 4])
    s = g.save(closed)
    texts = [g.add("PreviewAny", source=[closed, slot]) for slot in (1, 2)]
    run, again = client.run(g), client.run(g)
    assert run.pixels(s) == [31], (run.pixels(s), run.error)
    assert [run.record["outputs"][node] for node in texts] == [{"text": ["16"]}, {"text": ["x"]}]
    assert policy == "none" or again.ran == set(), again.ran


@case
def expansions_and_values_mixed(client, _):
    g = Graph()
    mixed = g.add("TestMixedExpansionReturns", input1=[g.list(0.1, 0.2, 0.3), 0])
    s1, s2 = g.save(mixed), g.save(mixed, 1)
    run = client.run(g)
    assert run.pixels(s1) == [25, 51, 76] and run.pixels(s2) == [255] * 3


@case
def lists_are_lazy_per_element(client, _):
    g = Graph()
    values = g.list(0.0, 0.5, 1.0)
    b, w = sources(g)
    m = g.mask(0.0)
    g.set(m, value=[values, 0])
    s = g.save(g.add("RebatchImages", images=[g.mix(b, w, m), 0], batch_size=3))
    assert client.run(g).pixels(s) == [0, 127, 255]


def blocked(g, images, verbose=False):
    equal = g.add("TestIntConditions", a=[g.list(1, 2, 3), 0], b=2, operation="==")
    return g.add("TestExecutionBlocker", input=[images, 0], block=[equal, 0], verbose=verbose)


@case
def a_blocker_drops_its_element(client, _):
    g = Graph()
    b, w = sources(g)
    p = g.preview(g.list([blocked(g, g.list([b, 0], [w, 0], [b, 0])), 0]))
    run = client.run(g)
    assert p in run.ran and run.pixels(p) == [0, 0] and run.error is None, (run.pixels(p), run.error)


@case
def a_blocker_with_a_message(client, policy):
    g = Graph()
    blocker = g.add("TestExecutionBlocker", input=[g.stub("BLACK"), 0], block=True, verbose=True)
    p = g.preview(blocker)
    run = client.run(g)
    (error,) = run.data("execution_error")
    assert (error["node_id"], error["node_type"], error["exception_type"]) == (p, "PreviewImage", "ExecutionBlocked")
    assert error["exception_message"] == "Execution Blocked: Blocked Execution" and "timestamp" not in error, error
    assert not error["traceback"] and not error["current_inputs"] and not error["current_outputs"], error
    assert run.types[-2:] == ["execution_success", "executing"], run.types
    assert [name for name, _ in run.record["status"]["messages"]] == [
        "execution_start", "execution_cached", "execution_success"], run.record["status"]
    assert not run.images(p)
    if policy != "none":
        again = client.run(g)
        assert again.ran == set() and again.error is None, again.types
        assert [(data["node"], data["output"]) for data in again.data("executed")] == [(p, None)]


@case
def an_error_in_an_expansion(client, _):
    g = Graph()
    b, w = sources(g)
    loop = g.add("TestForLoopOpen", remaining=2, initial_value1=[b, 0])
    wrong = g.mix(w, loop, g.mask(0.5))
    g.set(wrong, image2=[loop, 2], image1=[g.stub("WHITE", g.size * 2), 0])
    g.save(g.add("TestForLoopClose", flow_control=[loop, 0], initial_value1=[wrong, 0]))
    run = client.run(g)
    assert run.error["node_id"] in g, run.error
    assert run.error["node_type"] == g[run.error["node_id"]]["class_type"], run.error
    cycle = Graph("cycle")
    b, w = sources(cycle)
    maker = cycle.add("TestDynamicDependencyCycle", input1=[b, 0], input2=[w, 0])
    cycle.save(maker)
    run = client.run(cycle)
    assert (run.error["node_id"], run.error["node_type"]) == (maker, "TestDynamicDependencyCycle"), run.error
    assert run.error["exception_type"] == "graph.DependencyCycleError", run.error
    assert run.record["status"]["status_str"] == "error" and not run.record["status"]["completed"]


@case
def zipped_lists_repeat_their_last(client, _):
    g = Graph()
    images = g.list([g.stub("BLACK"), 0], [g.stub("WHITE"), 0])
    p = g.preview(g.add("TestIsChangedWithConstants", image=[images, 0], value=[g.list(1.0, 0.5, 0.2), 0]))
    assert client.run(g).pixels(p) == [0, 127, 51]
