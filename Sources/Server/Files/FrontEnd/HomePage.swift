import HTTPTypes
import HummingbirdCore
import NIOCore

/// What `/` shows without a front end: the queue, the running prompt, recent pictures, and how to add the editor.
///
/// Its socket asks for the messages of all runs, not only of those that the page itself has queued.
///
/// One page without anything from elsewhere. What it shows of prompts is foreign text: it is set as text, never as HTML.
enum HomePage {
    static let response = Response(
        status: .ok,
        headers: [
            .contentType: "text/html; charset=utf-8", .xContentTypeOptions: "nosniff",
            .contentSecurityPolicy:
                "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' blob:; "
                + "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ], body: ResponseBody(byteBuffer: ByteBuffer(string: page)))

    private static let page = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>graphrun</title>
        <style>
          :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
          [hidden] { display: none !important; }
          body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem; }
          header { display: flex; align-items: baseline; gap: 1rem; }
          h1 { font-size: 1.4rem; margin: 0; }
          h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
          #state { opacity: .7; }
          table { border-collapse: collapse; width: 100%; }
          td { border-top: 1px solid var(--line); padding: .4rem .6rem .4rem 0; }
          td:last-child { text-align: right; }
          code, .id { font-family: ui-monospace, monospace; font-size: .85em; }
          progress { width: 100%; }
          #preview { max-width: 100%; max-height: 24rem; display: block; margin-top: .5rem; }
          #pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .6rem; }
          #pictures img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: .3rem; }
          pre { background: color-mix(in srgb, currentColor 7%, transparent); padding: .8rem; overflow-x: auto; }
          .none { opacity: .6; }
          button { font: inherit; }
          #drop { border: 1px dashed var(--line); border-radius: .4rem; padding: .8rem; }
          #drop.over { background: color-mix(in srgb, currentColor 10%, transparent); }
        </style>
        </head>
        <body>
        <header><h1>graphrun</h1><span id="state">connecting …</span></header>

        <h2>Running</h2>
        <div id="running" class="none">Nothing runs.</div>
        <progress id="progress" max="1" value="0" hidden></progress>
        <img id="preview" alt="Preview of the running prompt" hidden>

        <h2>Queue</h2>
        <table><tbody id="queue"></tbody></table>
        <p id="empty" class="none">No prompt waits.</p>
        <label id="drop">Run a workflow in API format: drop its file here, or
          <input id="file" type="file" accept="application/json,.json"></label>
        <p id="answer" role="status"></p>

        <h2>Recent pictures</h2>
        <div id="pictures"></div>
        <p id="blank" class="none">None yet.</p>

        <h2>The editor</h2>
        <p>This server speaks the API of ComfyUI's editor, which is a package of its own. In graphrun's folder</p>
        <pre>make front-end
        graphrun serve --front-end ~/.cache/graphrun/front-end</pre>
        <p>fetches it and serves it here. Programs find all routes in <a href="/openapi.json">/openapi.json</a>.</p>

        <script>
        "use strict";
        const element = id => document.getElementById(id);
        const client = "home-" + (crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2));
        let running = null, previewURL = null, wait = 300;

        function show(id, isShown) { element(id).hidden = !isShown; }

        function row(item, position) {
          const [number, id, prompt] = item;
          const line = document.createElement("tr");
          const add = text => { const cell = line.insertCell(); cell.textContent = text; return cell; };
          add(position);
          add(id).className = "id";
          add(Object.keys(prompt || {}).length + " nodes");
          const button = document.createElement("button");
          button.textContent = "Remove";
          button.onclick = () => send("/queue", { delete: [id] }).then(refresh);
          line.insertCell().append(button);
          return line;
        }

        async function send(path, body) {
          return fetch(path, { method: "POST", headers: { "Content-Type": "application/json" },
                               body: JSON.stringify(body) });
        }

        async function refresh() {
          const [queue, history] = await Promise.all([
            fetch("/queue").then(answer => answer.json()),
            fetch("/history?max_items=16").then(answer => answer.json())]);
          showRunning(queue.queue_running);
          element("queue").replaceChildren(...queue.queue_pending
            .sort((a, b) => a[0] - b[0]).map((item, index) => row(item, index + 1)));
          show("empty", queue.queue_pending.length === 0);
          showPictures(history);
        }

        function showRunning(items) {
          const box = element("running");
          if (items.length === 0) {
            running = null;
            box.className = "none";
            box.textContent = "Nothing runs.";
            show("progress", false);
            show("preview", false);
            return;
          }
          const id = items[0][1];
          if (running === id) return;
          running = id;
          box.className = "";
          const label = document.createElement("span");
          label.className = "id";
          label.textContent = id;
          const node = document.createElement("span");
          node.id = "node";
          const stop = document.createElement("button");
          stop.textContent = "Interrupt";
          stop.onclick = () => send("/interrupt", { prompt_id: id });
          box.replaceChildren(label, " ", node, " ", stop);
          show("preview", false);
        }

        function showPictures(history) {
          const pictures = [];
          for (const record of Object.values(history).reverse())
            for (const output of Object.values(record.outputs || {}))
              for (const image of (output && output.images) || [])
                if (pictures.length < 24) pictures.push(image);
          const box = element("pictures");
          const keys = JSON.stringify(pictures);
          show("blank", pictures.length === 0);
          if (box.dataset.keys === keys) return;
          box.dataset.keys = keys;
          box.replaceChildren(...pictures.map(image => {
            const query = new URLSearchParams({ filename: image.filename, subfolder: image.subfolder || "",
                                                type: image.type || "output" });
            const link = document.createElement("a");
            link.href = "/view?" + query;
            const picture = document.createElement("img");
            picture.alt = image.filename;
            picture.title = image.filename;
            picture.loading = "lazy";
            picture.src = "/view?" + query + "&preview=webp;80";
            link.append(picture);
            return link;
          }));
        }

        function showPreview(buffer) {
          const view = new DataView(buffer);
          const kind = view.getUint32(0);
          let start, type;
          if (kind === 1) {
            type = view.getUint32(4) === 2 ? "image/png" : "image/jpeg";
            start = 8;
          } else if (kind === 4) {
            const length = view.getUint32(4);
            type = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length))).image_type;
            start = 8 + length;
          } else return;
          if (previewURL) URL.revokeObjectURL(previewURL);
          previewURL = URL.createObjectURL(new Blob([buffer.slice(start)], { type }));
          element("preview").src = previewURL;
          show("preview", true);
        }

        function showProgress(data) {
          const bar = element("progress");
          bar.max = data.max || 1;
          bar.value = data.value;
          show("progress", true);
        }

        let isRefreshing = false, mustRefresh = false;
        async function refreshSoon() {
          if (isRefreshing) { mustRefresh = true; return; }
          isRefreshing = true;
          try { await refresh(); } catch { element("state").textContent = "the server does not answer"; }
          isRefreshing = false;
          if (mustRefresh) { mustRefresh = false; refreshSoon(); }
        }

        function receive(message) {
          const { type, data } = message;
          if (type === "status") {
            const count = data.status.exec_info.queue_remaining;
            element("state").textContent = count === 0 ? "idle" : count === 1 ? "1 prompt" : count + " prompts";
            refreshSoon();
          } else if (type === "progress") {
            showProgress(data);
          } else if (type === "executing" && element("node")) {
            element("node").textContent = data.node ? "node " + data.node : "";
            show("progress", false);
          } else if (type === "executed") {
            refreshSoon();
          } else if (type === "execution_error") {
            element("answer").textContent = data.node_type + ": " + data.exception_message;
          }
        }

        function connect() {
          const scheme = location.protocol === "https:" ? "wss:" : "ws:";
          const socket = new WebSocket(scheme + "//" + location.host + "/ws?clientId=" + client);
          socket.binaryType = "arraybuffer";
          socket.onopen = () => {
            wait = 300;
            socket.send(JSON.stringify({ type: "feature_flags",
                                         data: { supports_preview_metadata: true, graphrun_watches_all_runs: true } }));
          };
          socket.onmessage = event =>
            typeof event.data === "string" ? receive(JSON.parse(event.data)) : showPreview(event.data);
          socket.onclose = () => {
            element("state").textContent = "connecting …";
            setTimeout(connect, wait);
            wait = Math.min(2 * wait, 10000);
          };
        }

        async function run(file) {
          if (!file) return;
          const answer = element("answer");
          try {
            const prompt = JSON.parse(await file.text());
            if (Array.isArray(prompt.nodes))
              throw new Error("this is a workflow of the editor; export it in API format");
            const result = await send("/prompt", { prompt: prompt.prompt || prompt, client_id: client });
            const body = await result.json();
            answer.textContent = result.ok ? "Queued as " + body.prompt_id
              : [body.error.message, body.error.details].filter(Boolean).join(": ");
          } catch (error) {
            answer.textContent = file.name + ": " + error.message;
          }
        }

        element("file").onchange = event => { run(event.target.files[0]); event.target.value = ""; };
        const drop = element("drop");
        drop.ondragover = event => { event.preventDefault(); drop.className = "over"; };
        drop.ondragleave = () => { drop.className = ""; };
        drop.ondrop = event => { event.preventDefault(); drop.className = ""; run(event.dataTransfer.files[0]); };
        connect();
        </script>
        </body>
        </html>
        """#
}
