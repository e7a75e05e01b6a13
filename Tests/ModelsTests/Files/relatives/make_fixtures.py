#!/usr/bin/env python3
"""Makes the fixtures of FluxRelativesTests: an independent computation of what FLUX's relatives do.

    python3 make_fixtures.py          # numpy only; writes beside itself

Written from families-flux.md alone, in float64 (but for sinusoids) and without any code of the program. Weights are pseudo-random: the
manifests (NAME.ckpt.json) say how, and ModelMaker makes the same files from them. What is computed:

* chroma: one network call of a miniature Chroma, batch 2, odd size (§12);
* kontext: one call of flux-mini with three references, by each of the three methods (§10);
* style: the tokens of a style model, and one call of flux-mini whose style tokens have an attention bias, twice (§11);
* mistoline: one call of flux-mini under a MistoLine ControlNet (§7.3).
"""
import hashlib, json, os, struct
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


# ---- weights and files ------------------------------------------------------------------------------------------------

def uniform(seed, key, count):
    """The draw that manifests define: Philox4x64-10 keyed by SHA-256("<seed>:<key>")."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    raw = np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(count)
    return 2.0 * ((raw >> np.uint64(40)).astype(np.float64) / 2.0**24) - 1.0


def bfloat16(x):
    bits = x.astype(np.float32).view(np.uint32)
    return (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)


class Weights:
    def __init__(self, manifest):
        self.manifest = manifest

    def __contains__(self, key):
        return key in self.manifest["tensors"]

    def __getitem__(self, key):
        shape, centre, half = self.manifest["tensors"][key][:3]
        x = centre + half * uniform(self.manifest["seed"], key, int(np.prod(shape)))
        return bfloat16(x).astype(np.float64).reshape(shape)

    def linear(self, name, x):
        y = x @ self[name + ".weight"].T
        return y + self[name + ".bias"] if name + ".bias" in self else y


def draw(name, *shape, scale=1.0):
    """An input: float32 numbers in [-scale, scale)."""
    return (scale * uniform(7, name, int(np.prod(shape)))).astype(np.float32).astype(np.float64).reshape(shape)


def save(name, tensors):
    header, blobs, at = {}, [], 0
    for key, x in tensors.items():
        blob = np.ascontiguousarray(x, dtype="<f4").tobytes()
        header[key] = {"dtype": "F32", "shape": list(np.shape(x)), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(os.path.join(HERE, name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + b"".join(blobs))


def manifest(name, seed, shapes):
    """Writes a manifest for keys with shapes: weights by fan-in, norm scales about 1."""
    tensors = {}
    for key, shape in shapes.items():
        if key.endswith(".scale"):
            tensors[key] = [shape, 1.0, 0.15]
        elif key.endswith(".weight"):
            tensors[key] = [shape, 0.0, round(float(np.sqrt(3 / np.prod(shape[1:]))), 8)]
        else:
            tensors[key] = [shape, 0.0, 0.08]
    made = {"seed": seed, "dtype": "BF16", "tensors": tensors}
    with open(os.path.join(HERE, name + ".ckpt.json"), "w") as f:
        json.dump(made, f, indent=0)
        f.write("\n")
    return made


# ---- the network (§3) ---------------------------------------------------------------------------------------------------

def silu(x):
    return x / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)


def rms_norm(x, scale):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * scale


def modulate(x, shift, scale):
    return shift + x * (1 + scale)


def sinusoid(s, width):
    """Angles in float32, as §3 computes: at 1000 times the number of a modulation their rounding shows."""
    half = width // 2
    powers = -np.log(np.float32(10000)) * np.arange(half, dtype=np.float32) / np.float32(half)
    f = np.exp(powers.astype(np.float64)).astype(np.float32)
    angles = (np.float32(1000) * np.float32(s) * f).astype(np.float64)
    return np.concatenate([np.cos(angles), np.sin(angles)])


def patches(x):
    """[B, C, h, w] -> [B, H'W', 4C]; the padding row and column are the first ones."""
    if x.shape[2] % 2:
        x = np.concatenate([x, x[:, :, :1]], 2)
    if x.shape[3] % 2:
        x = np.concatenate([x, x[:, :, :, :1]], 3)
    b, c, h, w = x.shape
    return x.reshape(b, c, h // 2, 2, w // 2, 2).transpose(0, 2, 4, 1, 3, 5).reshape(b, h // 2 * (w // 2), 4 * c)


def unpatch(tokens, h, w):
    rows, columns = (h + 1) // 2, (w + 1) // 2
    x = tokens.reshape(tokens.shape[0], rows, columns, 16, 2, 2).transpose(0, 3, 1, 4, 2, 5)
    return x.reshape(tokens.shape[0], 16, 2 * rows, 2 * columns)[:, :, :h, :w]


def positions(h, w, index=0, oy=0, ox=0):
    rows, columns = (h + 1) // 2, (w + 1) // 2
    return [(index, y + oy, x + ox) for y in range(rows) for x in range(columns)]


def rotate(x, where):
    """x [B, heads, T, 128], where: T triples."""
    angles = []
    for axis, width in enumerate((16, 56, 56)):
        f = 10000.0 ** (-2 * np.arange(width // 2) / width)
        angles.append(np.array([p[axis] for p in where])[:, None] * f)
    angle = np.concatenate(angles, 1)
    c, s = np.cos(angle), np.sin(angle)
    a, b = x[..., 0::2], x[..., 1::2]
    y = np.empty_like(x)
    y[..., 0::2] = c * a - s * b
    y[..., 1::2] = s * a + c * b
    return y


def heads(x, count):
    b, t, d = x.shape
    return x.reshape(b, t, count, d // count).transpose(0, 2, 1, 3)


def attention(q, k, v, bias):
    logits = q @ k.transpose(0, 1, 3, 2) / np.sqrt(128)
    if bias is not None:
        logits = logits + bias
    logits = np.exp(logits - logits.max(-1, keepdims=True))
    y = (logits / logits.sum(-1, keepdims=True)) @ v
    b, h, t, d = y.shape
    return y.transpose(0, 2, 1, 3).reshape(b, t, h * d)


class Modulations:
    """Rows (shift, scale, gate, …) by place: from a vector, or all from Chroma's guidance network."""

    def __init__(self, w, sigma, pooled, guidance, double, single):
        self.w, self.double, self.single = w, double, single
        if "distilled_guidance_layer.in_proj.weight" in w:
            g = 0.0 if guidance is None else guidance
            total = 3 * single + 12 * double + 2
            x = np.stack([np.concatenate([sinusoid(sigma, 16), sinusoid(g, 16), sinusoid(i, 32)]) for i in range(total)])
            x = w.linear("distilled_guidance_layer.in_proj", x)
            layer = 0
            while f"distilled_guidance_layer.norms.{layer}.scale" in w:
                name = f"distilled_guidance_layer.layers.{layer}."
                h = rms_norm(x, w[f"distilled_guidance_layer.norms.{layer}.scale"])
                x = x + w.linear(name + "out_layer", silu(w.linear(name + "in_layer", h)))
                layer += 1
            self.rows = w.linear("distilled_guidance_layer.out_proj", x)
            return
        self.rows = None

        def mlp(name, x):
            return w.linear(name + ".out_layer", silu(w.linear(name + ".in_layer", x)))

        c = mlp("time_in", sinusoid(sigma, 256)) + mlp("vector_in", pooled)
        if guidance is not None and "guidance_in.in_layer.weight" in w:
            c = c + mlp("guidance_in", sinusoid(guidance, 256))
        self.c = silu(c)

    def of(self, kind, i, name):
        if self.rows is None:
            return np.split(self.w.linear(name, self.c), {"single": 3, "final": 2}.get(kind, 6))
        start, count = {
            "single": (3 * i, 3), "img": (3 * self.single + 6 * i, 6),
            "txt": (3 * self.single + 6 * self.double + 6 * i, 6), "final": (len(self.rows) - 2, 2)}[kind]
        return list(self.rows[start : start + count])


def depth(w, name):
    i = 0
    while f"{name}.{i}.linear1.weight" in w or f"{name}.{i}.img_attn.qkv.weight" in w:
        i += 1
    return i


def network(w, image, text, where, mod, bias=None, double_residuals=None, single_residuals=None, seen=None):
    """Image tokens after all blocks. `seen` collects the image stream after every block."""
    d = image.shape[2]
    count, t = d // 128, text.shape[1]
    for i in range(depth(w, "double_blocks")):
        base = f"double_blocks.{i}."
        parts, mods = {}, {}
        for s, x in (("txt", text), ("img", image)):
            m = mods[s] = mod.of(s, i, f"{base}{s}_mod.lin")
            qkv = np.split(w.linear(f"{base}{s}_attn.qkv", modulate(layer_norm(x), m[0], m[1])), 3, -1)
            q, k, v = (heads(y, count) for y in qkv)
            norm = f"{base}{s}_attn.norm."
            parts[s] = rms_norm(q, w[norm + "query_norm.scale"]), rms_norm(k, w[norm + "key_norm.scale"]), v
        q, k, v = (np.concatenate([parts["txt"][n], parts["img"][n]], 2) for n in range(3))
        a = attention(rotate(q, where), rotate(k, where), v, bias)
        done = {}
        for s, x, own in (("txt", text, a[:, :t]), ("img", image, a[:, t:])):
            m = mods[s]
            x = x + m[2] * w.linear(f"{base}{s}_attn.proj", own)
            h = gelu(w.linear(f"{base}{s}_mlp.0", modulate(layer_norm(x), m[3], m[4])))
            done[s] = x + m[5] * w.linear(f"{base}{s}_mlp.2", h)
        text, image = done["txt"], done["img"]
        if double_residuals is not None:
            image = image + double_residuals[i]
        if seen is not None:
            seen[0].append(image)
    x = np.concatenate([text, image], 1)
    for i in range(depth(w, "single_blocks")):
        base = f"single_blocks.{i}."
        m = mod.of("single", i, base + "modulation.lin")
        u = w.linear(base + "linear1", modulate(layer_norm(x), m[0], m[1]))
        q, k, v = (heads(y, count) for y in np.split(u[..., : 3 * d], 3, -1))
        q, k = rms_norm(q, w[base + "norm.query_norm.scale"]), rms_norm(k, w[base + "norm.key_norm.scale"])
        a = attention(rotate(q, where), rotate(k, where), v, bias)
        x = x + m[2] * w.linear(base + "linear2", np.concatenate([a, gelu(u[..., 3 * d :])], -1))
        if single_residuals is not None:
            x = np.concatenate([x[:, :t], x[:, t:] + single_residuals[i]], 1)
        if seen is not None:
            seen[1].append(x[:, t:])
    return x[:, t:]


def velocity(w, x, sigma, context, pooled=None, guidance=3.5, references=(), places=(), bias=None, **residuals):
    h, wd = x.shape[2:]
    mod = Modulations(w, sigma, pooled, guidance, depth(w, "double_blocks"), depth(w, "single_blocks"))
    tokens = np.concatenate([patches(x)] + [patches((r - 0.1159) * 0.3611) for r in references], 1)
    where = [(0, 0, 0)] * context.shape[1] + positions(h, wd)
    for r, (index, oy, ox) in zip(references, places):
        where += positions(*r.shape[2:], index, oy, ox)
    out = network(w, w.linear("img_in", tokens), w.linear("txt_in", context), where, mod, bias, **residuals)
    shift, scale = mod.of("final", 0, "final_layer.adaLN_modulation.1")
    own = ((h + 1) // 2) * ((wd + 1) // 2)
    return unpatch(w.linear("final_layer.linear", modulate(layer_norm(out[:, :own]), shift, scale)), h, wd)


# ---- what is made ---------------------------------------------------------------------------------------------------------

def block_shapes(d, double, single, modulated):
    shapes = {}

    def layer(name, rows, columns):
        shapes[name + ".weight"], shapes[name + ".bias"] = [rows, columns], [rows]

    for i in range(double):
        for s in ("img", "txt"):
            base = f"double_blocks.{i}.{s}_"
            if modulated:
                layer(base + "mod.lin", 6 * d, d)
            layer(base + "attn.qkv", 3 * d, d)
            shapes[base + "attn.norm.query_norm.scale"] = shapes[base + "attn.norm.key_norm.scale"] = [128]
            layer(base + "attn.proj", d, d)
            layer(base + "mlp.0", 4 * d, d)
            layer(base + "mlp.2", d, 4 * d)
    for i in range(single):
        base = f"single_blocks.{i}."
        if modulated:
            layer(base + "modulation.lin", 3 * d, d)
        layer(base + "linear1", 7 * d, d)
        layer(base + "linear2", d, 5 * d)
        shapes[base + "norm.query_norm.scale"] = shapes[base + "norm.key_norm.scale"] = [128]
    return shapes, layer


def chroma():
    d, hidden = 256, 96
    shapes, layer = block_shapes(d, 2, 3, modulated=False)
    layer("img_in", d, 64)
    layer("txt_in", d, 64)
    layer("final_layer.linear", 64, d)
    g = "distilled_guidance_layer."
    layer(g + "in_proj", hidden, 64)
    layer(g + "out_proj", d, hidden)
    for i in range(5):
        layer(f"{g}layers.{i}.in_layer", hidden, hidden)
        layer(f"{g}layers.{i}.out_layer", hidden, hidden)
        shapes[f"{g}norms.{i}.scale"] = [hidden]
    w = Weights(manifest("chroma-mini", 41, shapes))
    x, context = draw("chroma.x", 2, 16, 7, 10, scale=2), draw("chroma.context", 1, 11, 64, scale=2)
    both = np.repeat(context, 2, 0)
    save("chroma", {
        "x": x, "context": context, "sigma": np.float32(0.73),
        "velocity": velocity(w, x, float(np.float32(0.73)), both, guidance=None),
        "velocity.guidance": velocity(w, x, float(np.float32(0.73)), both, guidance=4.5)})


def base():
    with open(os.path.join(HERE, "..", "flux-mini.ckpt.json")) as f:
        return Weights(json.load(f))


def kontext():
    w = base()
    x, context, pooled = draw("kontext.x", 1, 16, 6, 9, scale=2), draw("text", 1, 9, 64), draw("pooled", 128)
    sizes = [(4, 6), (7, 4), (4, 4)]
    references = [draw(f"reference.{i}", 1, 16, *size) for i, size in enumerate(sizes)]
    half = lambda n: (n + 1) // 2
    # offset: first at the corner; 7x4 is taller than wide with what is there; the third as the rule says.
    offset, bottom, right = [], 0, 0
    for h, wd in sizes:
        oy, ox = (0, right) if h + bottom > wd + right else (bottom, 0)
        offset.append((1, half(oy), half(ox)))
        bottom, right = max(bottom, h + oy), max(right, wd + ox)
    index = [(i + 1, 0, 0) for i in range(3)]
    uxo, oy, ox = [], 2 * half(6), 2 * half(9)
    for h, wd in sizes:
        uxo.append((0, half(oy), half(ox)))
        oy, ox = oy + h, ox + wd
    tensors = {"x": x, "context": context, "pooled": pooled[None], "sigma": np.float32(0.6)}
    for i, r in enumerate(references):
        tensors[f"reference.{i}"] = r
    for name, places in (("offset", offset), ("index", index), ("uxo/uno", uxo)):
        tensors["velocity." + name] = velocity(
            w, x, float(np.float32(0.6)), context, pooled, references=references, places=places)
    tensors["velocity.none"] = velocity(w, x, float(np.float32(0.6)), context, pooled, guidance=None)
    save("kontext", tensors)


def style():
    shapes = {"redux_up.weight": [192, 40], "redux_up.bias": [192], "redux_down.weight": [64, 192], "redux_down.bias": [64]}
    s = Weights(manifest("style-mini", 43, shapes))
    features = draw("style.features", 2, 3, 40, scale=2)
    made = s.linear("redux_down", silu(s.linear("redux_up", features)))
    w = base()
    x, text, pooled = draw("style.x", 1, 16, 6, 4, scale=2), draw("style.text", 1, 5, 64), draw("style.pooled", 128)
    # Six tokens of both pictures at 0.4, then three of the first at 2.
    first, second = made.reshape(1, 6, 64), made[:1]
    context = np.concatenate([text, first, second], 1)
    total = 14 + 6
    bias = np.zeros((total, total))
    half = lambda strength: float(np.float16(np.log(strength)))
    bias[:5, 5:11] = bias[11:, 5:11] = half(0.4)
    # The second addition: text and image queries see the new keys so, the new queries see everything as it is.
    bias[:11, 11:14] = bias[14:, 11:14] = half(2.0)
    bias[11:14, :] = 0
    save("style", {
        "features": features, "tokens": made, "x": x, "text": text, "pooled": pooled[None], "sigma": np.float32(0.5),
        "velocity": velocity(w, x, float(np.float32(0.5)), context, pooled, bias=bias),
        "velocity.unbiased": velocity(w, x, float(np.float32(0.5)), context, pooled)})


def convolution(x, kernel, bias, stride):
    """x [H, W, in], kernel [out, in, n, n], padding n // 2."""
    n = kernel.shape[2]
    p = np.pad(x, ((n // 2, n // 2), (n // 2, n // 2), (0, 0)))
    h, w = (p.shape[0] - n) // stride + 1, (p.shape[1] - n) // stride + 1
    y = np.zeros((h, w, kernel.shape[0]))
    for dy in range(n):
        for dx in range(n):
            part = p[dy : dy + stride * (h - 1) + 1 : stride, dx : dx + stride * (w - 1) + 1 : stride]
            y += part @ kernel[:, :, dy, dx].T
    return y + bias


def mistoline():
    d = 256
    shapes, layer = block_shapes(d, 2, 1, modulated=True)
    for name, columns in (("img_in", 64), ("txt_in", 64), ("pos_embed_input", 64)):
        layer(name, d, columns)
    for name, columns in (("time_in", 256), ("guidance_in", 256), ("vector_in", 128)):
        layer(name + ".in_layer", d, columns)
        layer(name + ".out_layer", d, d)
    for i in range(2):
        layer(f"controlnet_blocks.{i}.linear", d, d)
    layer("single_controlnet_blocks.0.linear", d, d)
    sizes = [3, 1, 3, 3, 3, 3, 3, 3, 1, 3]
    for i, n in enumerate(sizes):
        name = f"input_cond_block.encoder.{2 * i}"
        shapes[name + ".weight"], shapes[name + ".bias"] = [16, 3 if i == 0 else 16, n, n], [16]
    w = Weights(manifest("mistoline-mini", 47, shapes))
    x, context, pooled = draw("misto.x", 1, 16, 4, 6, scale=2), draw("misto.text", 1, 6, 64), draw("misto.pooled", 128)
    picture = (draw("misto.picture", 32, 48, 3) + 1) / 2
    picture = picture.astype(np.float32).astype(np.float64)
    hint = 2 * picture - 1
    for i in range(len(sizes)):
        name = f"input_cond_block.encoder.{2 * i}"
        hint = convolution(hint, w[name + ".weight"], w[name + ".bias"], 2 if i + 1 in (4, 6, 8) else 1)
        if i + 1 < len(sizes):
            hint = silu(hint)
    hint = hint.transpose(2, 0, 1)[None]
    sigma, strength = float(np.float32(0.8)), 0.6
    mod = Modulations(w, sigma, pooled, 3.5, 2, 1)
    image = w.linear("img_in", patches(x)) + w.linear("pos_embed_input", patches(hint))
    seen = ([], [])
    network(w, image, w.linear("txt_in", context), [(0, 0, 0)] * 6 + positions(4, 6), mod, seen=seen)
    outputs = [strength * silu(w.linear(f"controlnet_blocks.{i}.linear", s)) for i, s in enumerate(seen[0])]
    single = strength * silu(w.linear("single_controlnet_blocks.0.linear", seen[1][0]))
    b = base()
    doubles = [outputs[i % 2] for i in range(depth(b, "double_blocks"))]
    singles = [single for _ in range(depth(b, "single_blocks"))]
    save("mistoline", {
        "x": x, "context": context, "pooled": pooled[None], "picture": picture[None], "sigma": np.float32(0.8),
        "velocity": velocity(b, x, sigma, context, pooled, double_residuals=doubles, single_residuals=singles)})


if __name__ == "__main__":
    chroma()
    kontext()
    style()
    mistoline()
