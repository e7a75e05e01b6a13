"""The page that `/` shows without a front end: queue, running prompt, recent pictures."""

import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from editor_test import Editor, open_browser  # noqa: E402
from server import Server  # noqa: E402

PICTURE = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 96, "height": 96, "batch_size": 1, "color": 0x336699}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "<b>home</b>"}},
}


def main(binary, artefacts):
    os.makedirs(artefacts, exist_ok=True)
    with Server(binary) as server:
        browser = open_browser()
        try:
            page = Editor(browser, server, artefacts)
            browser.get(server.url)
            page.wait("the state", "return document.getElementById('state').textContent === 'idle'", 20)
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump(PICTURE, file)
                file.flush()
                browser.find_element("id", "file").send_keys(file.name)
                page.wait("the answer", "return document.getElementById('answer').textContent.startsWith('Queued')", 20)
            page.wait(
                "the picture",
                "const i = document.querySelector('#pictures img'); return !!(i && i.complete && i.naturalWidth === 96)", 30)
            # Names are text, never markup.
            assert page.run("return document.querySelectorAll('#pictures b').length") == 0
            # What another client runs is seen too.
            changed = json.loads(json.dumps(PICTURE))
            changed["1"]["inputs"]["color"] = 0xAA5500
            assert server.post("/prompt", {"prompt": changed})[0] == 200
            page.wait("the second picture", "return document.querySelectorAll('#pictures img').length === 2", 30)
            time.sleep(0.5)
            page.screenshot("home")
            severe = [entry["message"] for entry in browser.get_log("browser")
                      if entry["level"] == "SEVERE" and "favicon" not in entry["message"]]
            assert severe == [], severe
        finally:
            browser.quit()
    print("home page: a dropped workflow runs, pictures appear")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
