"""What `POST /prompt` refuses, and with which words (engine-semantics.md §3 and §4), and what it converts: tables."""

import json

from protocol_client import Graph, Refused

CASES = []
SEED = 2**64 - 1


def case(function):
    CASES.append(function)
    return function


def into_picture(class_type, **inputs):
    """A graph whose node 1 is under test, and whose node 2 saves its picture."""
    return {"1": {"class_type": class_type, "inputs": inputs},
            "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "refused"}}}


def with_stub(stub, class_type, **inputs):
    value = {"StubInt": 5, "StubFloat": 5.0}[stub]
    return {"0": {"class_type": stub, "inputs": {"value": value}}, **into_picture(class_type, **inputs)}


def stub(**changes):
    inputs = {"content": "WHITE", "height": 16, "width": 16, "batch_size": 1, **changes}
    return into_picture("StubImage", **{name: value for name, value in inputs.items() if value is not None})


LOOP = {"1": {"class_type": "TestVariadicAverage", "inputs": {"input1": ["3", 0]}},
        "3": {"class_type": "TestVariadicAverage", "inputs": {"input1": ["1", 0]}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "loop"}}}
UNION = {"input1": ["0", 0], "input2": 3.0}

# name, graph, node at fault, type, message, details, members that extra_info must have
FAULTS = [
    ("required input", stub(width=None), "1", "required_input_missing", "Required input is missing", "width",
     {"input_name": "width"}),
    ("smaller than min", stub(width=0), "1", "value_smaller_than_min", "Value 0 smaller than min of 1", "width",
     {"input_name": "width", "received_value": 0, "input_config": None}),
    ("bigger than max", stub(height=2**30 + 1), "1", "value_bigger_than_max",
     f"Value {2**30 + 1} bigger than max of {2**30}", "height", {"input_name": "height", "input_config": None}),
    ("width up to 2^36", stub(width=2**36 + 1), "1", "value_bigger_than_max",
     f"Value {2**36 + 1} bigger than max of {2**36}", "width", {"received_value": 2**36 + 1}),
    ("not in list", stub(content="PINK"), "1", "value_not_in_list", "Value not in list",
     "content: 'PINK' not in ['WHITE', 'BLACK', 'NOISE']", {"input_name": "content", "received_value": "PINK"}),
    ("not an integer", stub(width="wide"), "1", "invalid_input_type", "Failed to convert an input value to a INT value",
     None, {"input_name": "width", "received_value": "wide", "exception_message": None}),
    ("empty list", stub(width=[]), "1", "bad_linked_input",
     "Bad linked input, must be a length-2 list of [node_id, slot_index]", "width", {"received_value": []}),
    ("link of three", stub(width=["0", 0, 0]), "1", "bad_linked_input",
     "Bad linked input, must be a length-2 list of [node_id, slot_index]", "width", {"input_name": "width"}),
    ("types of a link", with_stub("StubInt", "TestCustomValidation4", input1=["0", 0], input2=3.0), "1",
     "return_type_mismatch", "Return type mismatch between linked nodes",
     "input1, received_type(INT) mismatch input_type(FLOAT)",
     {"input_name": "input1", "received_type": "INT", "linked_node": ["0", 0], "input_config": None}),
    ("validator of two inputs", into_picture("TestCustomValidation1", input1=5, input2=3.0), "1",
     "custom_validation_failed", "Custom validation failed for node", None, {"input_name": "input1"}),
    ("validator that waits", into_picture("TestAsyncValidationError", value=15.0, max_value=10.0), "1",
     "custom_validation_failed", "Custom validation failed for node", None, {}),
    ("dangling link", stub(width=["99", 0]), "1", None, None, None, {}),
    ("slot past the end", with_stub("StubFloat", "TestCustomValidation4", input1=["0", 7], input2=1.0), "1",
     None, None, None, {}),
]

# name, body, error type, message, details
TOPS = [
    ("no prompt", {}, "no_prompt", "No prompt provided", "No prompt provided"),
    ("no outputs", {"prompt": {}}, "prompt_no_outputs", "Prompt has no outputs", ""),
    ("empty list", {"prompt": []}, "prompt_no_outputs", "Prompt has no outputs", ""),
    ("only sources", {"prompt": {"1": stub()["1"]}}, "prompt_no_outputs", "Prompt has no outputs", ""),
    ("no class_type", {"prompt": {"a[1]": {"inputs": {}}}}, "invalid_prompt",
     "Cannot execute because a node is missing the class_type property.", "Node ID '#a[1]'"),
    ("unknown class", {"prompt": {**stub(), "x": {"class_type": "Nothing", "inputs": {}}}},
     ("invalid_prompt", "missing_node_type"), None, "Node ID '#x'"),
    ("null", {"prompt": None}, None, None, None),
    ("node is text", {"prompt": {"1": "text"}}, None, None, None),
    ("static loop", {"prompt": LOOP}, ("prompt_outputs_failed_validation", "dependency_cycle"), None, None),
    ("loop of one", {"prompt": {"1": {"class_type": "SaveImage", "inputs": {
        "images": ["1", 0], "filename_prefix": "x"}}}}, ("prompt_outputs_failed_validation", "dependency_cycle"),
     None, None),
]

# name, graph, whether it is taken: a literal keeps its type, links are judged by type
JUDGED = [
    ("5 is no float", into_picture("TestCustomValidation1", input1=5, input2=3.0), False),
    ("text", into_picture("TestCustomValidation1", input1="foo", input2=3.0), False),
    ("5.0", into_picture("TestCustomValidation1", input1=5.0, input2=3.0), True),
    ("INT into 1", with_stub("StubInt", "TestCustomValidation1", **UNION), False),
    ("INT into 2", with_stub("StubInt", "TestCustomValidation2", **UNION), False),
    ("FLOAT into 2", with_stub("StubFloat", "TestCustomValidation2", **UNION), True),
    ("INT into 3", with_stub("StubInt", "TestCustomValidation3", **UNION), False),
    ("FLOAT into 3", with_stub("StubFloat", "TestCustomValidation3", **UNION), True),
    ("INT into 4", with_stub("StubInt", "TestCustomValidation4", **UNION), False),
    ("FLOAT into 4", with_stub("StubFloat", "TestCustomValidation4", **UNION), True),
    ("keywords .5", into_picture("TestCustomValidation5", input1=0.0, input2=0.5), True),
    ("keywords 5", into_picture("TestCustomValidation5", input1=0.0, input2=5.0), True),
    ("keywords 7", into_picture("TestCustomValidation5", input1=0.0, input2=7.0), False),
    ("async below", into_picture("TestAsyncValidation", value=5.0, threshold=10.0), True),
    ("async above", into_picture("TestAsyncValidation", value=5.0, threshold=3.0), False),
]

# what is sent as an input of StubImage or SaveImage, and what the history shows
CONVERTED = [("width", "12", 12), ("width", 17.9, 17), ("width", True, 1), ("width", {"__value__": 5}, 5),
             ("filename_prefix", 7, "7"), ("filename_prefix", 1.5, "1.5"), ("filename_prefix", True, "True")]


def faults(client):
    """One case for each row of FAULTS."""
    for name, graph, node, type, message, details, extra in FAULTS:
        def check(graph=graph, node=node, type=type, message=message, details=details, extra=extra):
            answer = client.refusal(graph)
            assert set(answer) == {"error", "node_errors"}, answer
            check_entry(answer["error"], "prompt_outputs_failed_validation", "Prompt outputs failed validation", None)
            assert set(answer["node_errors"]) == {node}, answer["node_errors"]
            entry = answer["node_errors"][node]
            assert entry["class_type"] == graph[node]["class_type"] and entry["dependent_outputs"] == ["2"], entry
            check_entry(entry["errors"][0], type, message, details)
            info = entry["errors"][0]["extra_info"]
            assert all(key in info and (value is None or info[key] == value) for key, value in extra.items()), info
        yield f"refused: {name}", check


def check_entry(error, type, message, details):
    assert {"type", "message", "details", "extra_info"} <= set(error), error
    assert isinstance(error["extra_info"], dict) and isinstance(error["details"], str), error
    assert type is None or error["type"] in (type if isinstance(type, tuple) else (type,)), error
    assert message is None or error["message"] == message, error
    assert details is None or error["details"] == details, error


def tops(client):
    for name, body, type, message, details in TOPS:
        def check(body=body, type=type, message=message, details=details):
            try:
                client.post("/prompt", body)
            except Refused as refused:
                assert refused.status == 400, refused
                answer = refused.json
            else:
                raise AssertionError("taken")
            assert isinstance(answer["node_errors"], dict), answer
            check_entry(answer["error"], type, message, details)
        yield f"refused: {name}", check


def judged(client):
    for name, graph, taken in JUDGED:
        def check(graph=graph, taken=taken):
            if taken:
                run = client.run(graph)
                assert run.error is None, run.error
            else:
                client.refusal(graph)
        yield f"judged: {name}", check


@case
def not_json(client):
    for body in (b"", b"{", b"[1", b"\xff", b"null", b"[]", b"nothing"):
        try:
            client.http("/prompt", body, "POST")
        except Refused as refused:
            assert refused.status == 400, (body, refused)
        else:
            raise AssertionError(f"{body} is taken")


@case
def constants_are_converted(client):
    for name, sent, kept in CONVERTED:
        graph = stub()
        graph["2" if name == "filename_prefix" else "1"]["inputs"][name] = sent
        run = client.run(graph)
        inputs = {key: value for node in run.record["prompt"][2].values() for key, value in node["inputs"].items()}
        assert inputs[name] == kept and type(inputs[name]) is type(kept), (name, sent, inputs[name])


@case
def a_validator_names_all_its_inputs(client):
    answer = client.refusal(into_picture("TestCustomValidation1", input1=5, input2=6))
    errors = answer["node_errors"]["1"]["errors"]
    assert [error["extra_info"]["input_name"] for error in errors] == ["input1", "input2"], errors
    assert len({error["details"].partition(" - ")[2] for error in errors}) == 1, errors
    assert all(error["details"].startswith(error["extra_info"]["input_name"] + " - ") for error in errors), errors


@case
def several_faults_of_one_node(client):
    errors = client.refusal(stub(width=0, height="x", content="PINK", batch_size=None))["node_errors"]["1"]["errors"]
    found = {error["extra_info"]["input_name"]: error["type"] for error in errors}
    assert found == {"width": "value_smaller_than_min", "height": "invalid_input_type", "content": "value_not_in_list",
                     "batch_size": "required_input_missing"}, found


@case
def details_of_an_output_node(client):
    answer = client.refusal({"2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}})
    assert answer["error"]["details"].strip() == "Required input is missing: images", answer["error"]
    upstream = client.refusal(stub(width=0))
    assert upstream["error"]["details"] == "", upstream["error"]


@case
def unreachable_nodes_are_not_checked(client):
    graph = {**stub(), "9": {"class_type": "StubImage", "inputs": {"content": "PINK"}}}
    answer = client.queue(graph)
    assert answer["node_errors"] == {}, answer
    assert client.listen(answer["prompt_id"]).error is None


@case
def a_picture_is_false_when_it_is_black(client):
    for content, count in (("BLACK", 1), ("WHITE", 0)):
        g = Graph()
        image = g.stub(content)
        truth = g.add("TestToBoolNode", value=[image, 0])
        p = g.preview(g.add("TestExecutionBlocker", input=[image, 0], block=[truth, 0], verbose=False))
        assert len(client.run(g).images(p)) == count, content


COMPARISONS = [(SEED, SEED, "==", True), (SEED, SEED - 1, "==", False), (SEED, SEED - 1, ">", True),
               (2**53, 2**53 + 1, "==", False), (2**63, 2**63 - 1, ">", True), (-1, SEED, "<", True),
               (-1, SEED, "==", False), (-SEED, SEED, "<", True)]


def comparisons(client):
    for a, b, operation, truth in COMPARISONS:
        def check(a=a, b=b, operation=operation, truth=truth):
            g = Graph()
            found = g.add("TestIntConditions", a=a, b=b, operation=operation)
            p = g.preview(g.add("TestExecutionBlocker", input=[g.stub("BLACK"), 0], block=[found, 0], verbose=False))
            run = client.run(g)
            assert run.error is None and bool(run.images(p)) != truth, run.error
        yield f"compared: {a} {operation} {b}", check


@case
def large_integers_in_texts(client):
    g = Graph()
    number = g.add("TestIntMathOperation", a=SEED, b=0, operation="add")
    p = g.add("PreviewAny", source=[number, 0])
    assert client.run(g).record["outputs"][p] == {"text": [str(SEED)]}


@case
def large_integers_come_back_exactly(client):
    g = Graph()
    check = g.add("TestIntConditions", a=SEED, b=SEED - 1, operation="==")
    g.add("TestIntConditions", a=2**63, b=-(2**63), operation="==")
    s = g.save(g.add("TestExecutionBlocker", input=[g.stub("WHITE"), 0], block=[check, 0], verbose=False))
    workflow = {"seed": SEED, "more": [2**53 + 1, 2**63, -(2**63)], "half": 0.5, "one": 1.0}
    run = client.run(g, extra_data={"extra_pnginfo": {"workflow": workflow}})
    assert run.record["prompt"][2] == g and run.record["prompt"][3]["extra_pnginfo"]["workflow"] == workflow
    raw = client.http(f"/history/{run.prompt_id}").decode()
    assert str(SEED) in raw and str(2**63) in raw and str(-(2**63)) in raw
    picture = client.picture(run.images(s)[0])
    assert json.loads(picture.text["prompt"]) == g, picture.text["prompt"]
    assert json.loads(picture.text["workflow"]) == workflow, picture.text["workflow"]
