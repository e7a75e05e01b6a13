"""What protocol suites bring along: a builder of graphs, and a client that queues them and listens on a socket."""

import io
import itertools
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import websocket
from PIL import Image

PATIENCE = 120  # seconds until a wait counts as a hang; no case depends on its length


class Refused(Exception):
    """An answer other than 2xx."""

    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body[:2000]!r}")
        self.status, self.body = status, body

    @property
    def json(self):
        return json.loads(self.body)


class Graph(dict):
    """A prompt under construction. Ids have the brackets that test frameworks put into them; pictures have a size of
    their own, so that nothing of an earlier graph is in the cache."""

    sizes = itertools.count(24)

    def __init__(self, name="test[a-1.5]"):
        super().__init__()
        self.name, self.size = name, next(self.sizes)

    def add(self, class_type, **inputs):
        node_id = f"{self.name}{len(self) + 1}"
        if class_type == "SaveImage":
            inputs.setdefault("filename_prefix", f"protocol[{self.name}]")
        self[node_id] = {"class_type": class_type, "inputs": inputs}
        return node_id

    def stub(self, content, size=None, **more):
        size = size or self.size
        return self.add("StubImage", content=content, height=size, width=size, batch_size=1, **more)

    def mask(self, value):
        return self.add("StubMask", value=value, height=self.size, width=self.size, batch_size=1)

    def mix(self, first, second, mask):
        return self.add("TestLazyMixImages", image1=[first, 0], image2=[second, 0], mask=[mask, 0])

    def save(self, node, slot=0, **more):
        return self.add("SaveImage", images=[node, slot], **more)

    def preview(self, node, slot=0):
        return self.add("PreviewImage", images=[node, slot])

    def sleep(self, node, seconds):
        return self.add("TestSleep", value=[node, 0], seconds=seconds)

    def list(self, *values):
        return self.add("TestMakeListNode", **{f"value{index + 1}": value for index, value in enumerate(values)})

    def set(self, node, **inputs):
        self[node]["inputs"].update(inputs)


class Run:
    """What a client saw of one prompt: its messages in order, and its entry in the history."""

    def __init__(self, client, prompt_id):
        self.client, self.prompt_id, self.messages, self.record = client, prompt_id, [], None

    def data(self, kind):
        return [data for type, data in self.messages if type == kind]

    @property
    def types(self):
        return [type for type, _ in self.messages]

    @property
    def ran(self):
        return {data["node"] for data in self.data("executing")} - {None}

    @property
    def cached(self):
        return {node for data in self.data("execution_cached") for node in data["nodes"]}

    @property
    def error(self):
        return next(iter(self.data("execution_error")), None)

    def images(self, node):
        return self.record["outputs"].get(node, {}).get("images", [])

    def pixels(self, node):
        """The smallest and largest byte of each picture that a node showed; one number where they agree."""
        found = []
        for image in self.images(node):
            extremes = self.client.picture(image).convert("RGB").getextrema()
            low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
            found.append(low if low == high else (low, high))
        return found

    def most_at_once(self, nodes):
        """How many of the nodes were running at the same time, at most, as progress_state tells it."""
        return max((sum(state["state"] == "running" and (name in nodes or state["display_node_id"] in nodes)
                        for name, state in data["nodes"].items())
                    for data in self.data("progress_state")), default=0)


class Client:
    """A client as scripts write it: urllib without a content type, and a socket."""

    def __init__(self, address, client_id=None, listen=True, patience=PATIENCE):
        self.address, self.id, self.patience = address, client_id or str(uuid.uuid4()), patience
        self.socket, self.first = None, None
        if listen:
            self.connect()

    def connect(self):
        """Waits for the server by connecting again and again."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                self.socket = websocket.WebSocket()
                self.socket.connect(f"ws://{self.address}/ws?clientId={urllib.parse.quote(self.id)}", timeout=PATIENCE)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "the server does not come up"
                time.sleep(0.02)
        self.first = self.receive()

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # HTTP

    def http(self, path, body=None, method=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read()) from None

    def get(self, path):
        return json.loads(self.http(path))

    def post(self, path, body):
        answer = self.http(path, body)
        return json.loads(answer) if answer else None

    def queue(self, graph, path="/prompt", **more):
        body = {"prompt": graph, "client_id": self.id, **more}
        return self.post(path, {name: value for name, value in body.items() if value is not OMIT})

    def refusal(self, graph, **more):
        """The answer to a prompt that must not be taken."""
        try:
            taken = self.queue(graph, **more)
        except Refused as refused:
            assert refused.status == 400, refused
            return refused.json
        raise AssertionError(f"taken, and should be refused: {taken}")

    def history(self, prompt_id):
        return self.get(f"/history/{prompt_id}")

    def picture(self, image):
        return Image.open(io.BytesIO(self.http("/view?" + urllib.parse.urlencode(image))))

    def until(self, condition, what):
        """Asks again and again until the answer is truthy."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = condition()
            if answer:
                return answer
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.01)

    def ended(self, prompt_id):
        return self.until(lambda: self.history(prompt_id), f"the history of {prompt_id}")[prompt_id]

    def running(self):
        return [item[1] for item in self.get("/queue")["queue_running"]]

    def pending(self):
        return [item[1] for item in self.get("/queue")["queue_pending"]]

    # Socket

    def receive(self):
        """The next text message: its type and data."""
        while True:
            message = self.socket.recv()
            if not isinstance(message, bytes):
                message = json.loads(message)
                return message["type"], message["data"]

    def listen(self, prompt_id, stop=None):
        """Everything about a prompt until its end, or until a message for which `stop` holds."""
        run = Run(self, prompt_id)
        while True:
            type, data = self.receive()
            if type == "executing":
                assert "prompt_id" in data, data
            if data.get("prompt_id") != prompt_id:
                continue
            run.messages.append((type, data))
            if stop and stop(type, data):
                return run
            if type == "executing" and data["node"] is None:
                # Written before this message: no waiting here.
                run.record = self.history(prompt_id)[prompt_id]
                return run

    def run(self, graph, **more):
        return self.listen(self.queue(graph, **more)["prompt_id"])

    def begun(self, graph, node, **more):
        """Queues a prompt and listens until a node of it runs."""
        prompt_id = self.queue(graph, **more)["prompt_id"]
        self.listen(prompt_id, lambda type, data: type == "executing" and data["node"] == node)
        return prompt_id


OMIT = object()
