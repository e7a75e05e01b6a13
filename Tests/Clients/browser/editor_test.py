"""ComfyUI's own editor in headless Chromium against our server: loads a workflow file, queues it, sees its progress and
its picture, interrupts a run, and finds the history after a reload. Screenshots stay as artefacts."""

import json
import os
import sys
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Server  # noqa: E402

WORKFLOW = os.path.join(os.path.dirname(__file__), "../../../Workflows/flux-turbo-text-to-image.json")


def open_browser():
    options = webdriver.ChromeOptions()
    # Without a sandbox of its own: the tests run as root in a container.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--window-size=1500,950", "--disable-background-networking", "--no-first-run",
                     "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


class Editor:
    """The page, driven through what a person has (file chooser, buttons) where that is reachable, and read through the
    objects that the editor offers to its extensions (`window.app`)."""

    def __init__(self, browser, server, artefacts):
        self.browser, self.server, self.artefacts = browser, server, artefacts
        self.pictures = 0

    def open(self):
        start = time.monotonic()
        self.browser.get(self.server.url)
        self.wait("the graph", "return !!(window.app && window.app.graph && window.app.canvas)", 90)
        # The application lays a spinner over all until its stores are filled.
        self.wait("the side bar", "return !!document.querySelector('.side-tool-bar-container, .side-toolbar')", 60)
        return time.monotonic() - start

    def wait(self, what, script, seconds, *arguments):
        try:
            return WebDriverWait(self.browser, seconds, 0.1).until(
                lambda browser: browser.execute_script(script, *arguments))
        except TimeoutException:
            self.screenshot("failed")
            for entry in self.browser.get_log("browser")[-20:]:
                print("  console:", entry["level"], entry["message"][:300])
            raise SystemExit(f"editor: {what} did not appear within {seconds} s")

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def screenshot(self, name):
        self.pictures += 1
        self.browser.save_screenshot(os.path.join(self.artefacts, f"{self.pictures:02}-{name}.png"))

    def close_dialog(self):
        """A new installation greets with a choice of templates."""
        for button in self.browser.find_elements(By.CSS_SELECTOR, ".p-dialog-close-button"):
            if button.is_displayed():
                button.click()
        self.wait("the dialog's end", "return !document.querySelector('.p-dialog-mask')", 10)

    def load(self, path):
        """By the input that the menu's Open uses."""
        self.browser.find_element(By.CSS_SELECTOR, "#comfy-file-input").send_keys(os.path.abspath(path))
        with open(path) as file:
            count = len(json.load(file)["nodes"])
        self.wait("the workflow", "return window.app.graph._nodes.length === arguments[0]", 30, count)

    def record_events(self):
        self.run("""
            window.seen = [];
            for (const type of ['execution_start', 'execution_cached', 'executing', 'executed', 'progress',
                                'progress_state', 'execution_success', 'execution_error', 'execution_interrupted',
                                'b_preview', 'b_preview_with_metadata'])
              window.app.api.addEventListener(type, event => window.seen.push([type, event.detail ?? null]));""")

    def seen(self, type):
        return self.run("return window.seen.filter(item => item[0] === arguments[0]).map(item => item[1])", type)

    def queue(self):
        button = self.browser.find_elements(By.CSS_SELECTOR, "[data-testid='queue-button'] button, .comfyui-queue-button button")
        if button:
            button[0].click()
        else:
            self.run("window.app.queuePrompt(0)")

    def node(self, type):
        return f"window.app.graph._nodes.find(node => node.type === '{type}')"


def main(binary, front_end, artefacts):
    os.makedirs(artefacts, exist_ok=True)
    models = os.path.join(tempfile.gettempdir(), f"graphrun-client-models-{os.getuid()}")
    if not os.path.isdir(os.path.join(models, "vae")):
        assert os.system(f"'{binary}' demo-models '{models}' > /dev/null") == 0
    with Server(binary, models=models, front_end=front_end) as server:
        browser = open_browser()
        try:
            drive(Editor(browser, server, artefacts), server)
        finally:
            browser.quit()


def drive(editor, server):
    seconds = editor.open()
    editor.record_events()
    editor.screenshot("start")
    editor.close_dialog()
    editor.load(WORKFLOW)
    # All its node types are known, and all files that it names are offered.
    missing = editor.run("""
        return window.app.graph._nodes.filter(n => !window.LiteGraph.registered_node_types[n.type]
          || (n.widgets ?? []).some(w => w.type === 'combo' && Array.isArray(w.options?.values)
                                         && !w.options.values.includes(w.value)))
          .map(n => [n.type, n.widgets?.map(w => w.value)])""")
    assert missing == [], missing
    editor.screenshot("workflow")

    # A run: progress, and the picture in the node.
    editor.queue()
    editor.wait("the run's end", "return window.seen.some(i => i[0] === 'execution_success')", 180)
    progress = editor.seen("progress")
    assert [event["value"] for event in progress if event["max"] == 8] == list(range(1, 9)) or len(progress) >= 2, progress
    assert editor.seen("progress_state"), "no progress_state"
    assert not editor.seen("execution_error"), editor.seen("execution_error")
    assert editor.run("return window.seen.some(i => i[0].startsWith('b_preview'))"), "no preview"
    editor.wait(
        "the picture", f"const n = {editor.node('SaveImage')}; return !!(n.imgs && n.imgs[0] && n.imgs[0].naturalWidth > 0)",
        30)
    size = editor.run(f"const i = {editor.node('SaveImage')}.imgs[0]; return [i.naturalWidth, i.naturalHeight]")
    assert size == [256, 256], size
    # The whole graph in view.
    editor.run("window.app.canvas.ds.scale = 0.6; window.app.canvas.ds.offset = [60, 60]; window.app.graph.setDirtyCanvas(true, true)")
    time.sleep(1)
    editor.screenshot("picture")

    # A run that is interrupted.
    editor.run(f"""
        const sampler = {editor.node('KSampler')};
        sampler.widgets.find(widget => widget.name === 'steps').value = 10000;
        window.seen.length = 0;""")
    editor.queue()
    editor.wait("progress of the long run", "return window.seen.some(i => i[0] === 'progress' && i[1].value > 2)", 120)
    editor.wait("the running queue", "return (window.app.ui.lastQueueSize ?? 1) >= 0", 5)
    editor.screenshot("running")
    start = time.monotonic()
    stop = editor.browser.find_elements(By.CSS_SELECTOR, ".interrupt-button, button[aria-label*='Cancel'], button[aria-label*='Interrupt']")
    if stop and stop[0].is_displayed() and stop[0].is_enabled():
        stop[0].click()
    else:
        editor.run("window.app.api.interrupt()")
    editor.wait("the interruption", "return window.seen.some(i => i[0] === 'execution_interrupted')", 30)
    interrupted = time.monotonic() - start
    editor.screenshot("interrupted")

    # A new page finds both runs.
    editor.open()
    history = editor.run("return window.app.api.getHistory(64).then(history => history.History ?? history)")
    assert len(history) == 2, history
    editor.browser.find_elements(By.CSS_SELECTOR, ".queue-tab-button, button[aria-label*='Queue']")[0].click()
    editor.wait(
        "the history in the side bar",
        "return document.querySelectorAll('.sidebar-content-container .task-item, .task-item, .queue-grid > *').length >= 2",
        30)
    time.sleep(1)
    editor.screenshot("history")
    # What the browser itself complained about, but for what nothing is known of by design.
    # The editor's own start sometimes meets a graph that is not there yet (reading 'id'): seen in some loads, not in
    # others, with the same answers.
    harmless = ("user.css", "comfy.templates.json", "templates/index", "favicon", "ERR_NAME_NOT_RESOLVED", "workflows",
                "subgraphs", "fetching workflow templates", "reading 'id'")
    severe = [entry["message"] for entry in editor.browser.get_log("browser")
              if entry["level"] == "SEVERE" and not any(word in entry["message"] for word in harmless)]
    assert severe == [], severe
    assert server.is_alive()
    print(f"editor: ready after {seconds:.1f} s; a run with progress and picture; interrupted after "
          f"{interrupted * 1000:.0f} ms; the history after a reload. Screenshots: {editor.artefacts}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
