"""Miniature image encoders (CLIP in the layouts of transformers and OpenCLIP, SigLIP), and what they see in pictures, by
numpy: families-flux.md section 11, arXiv:2103.00020, arXiv:2303.15343."""
import os
from math import erf
import numpy as np
from numpy_layers import Maker, dense, norm, save, softmax

here = os.path.dirname(os.path.abspath(__file__))
HEADS = 16
quick = lambda x: x / (1 + np.exp(-1.702 * x))
exact = lambda x: 0.5 * x * (1 + np.vectorize(erf)(x / np.sqrt(2)))
tanh = lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def cubic(x, a=-0.5):
    x = np.abs(x)
    return np.where(x < 1, (a + 2) * x**3 - (a + 3) * x**2 + 1, np.where(x < 2, a * (x**3 - 5 * x**2 + 8 * x - 4), 0))


def resize_matrix(before, after):
    """[after, before]: bicubic weights widened when shrinking"""
    scale = before / after
    wide = max(scale, 1)
    centers = (np.arange(after) + 0.5) * scale
    places = np.arange(before) + 0.5
    low, high = np.floor(centers - 2 * wide + 0.5), np.floor(centers + 2 * wide + 0.5)
    m = cubic((places[None] - centers[:, None]) / wide)
    m[(np.arange(before)[None] < low[:, None]) | (np.arange(before)[None] >= high[:, None])] = 0
    return m / m.sum(1, keepdims=True)


def prepare(picture, size, mean, deviation, crop):
    h, w = picture.shape[:2]
    if (h, w) != (size, size):
        f = size / min(h, w)
        tall, wide = (round(f * h), round(f * w)) if crop else (size, size)
        picture = np.einsum("yh,xw,hwc->yxc", resize_matrix(h, tall), resize_matrix(w, wide), picture)
        top, left = (tall - size) // 2, (wide - size) // 2
        picture = picture[top : top + size, left : left + size]
    return (np.round(np.clip(255 * picture, 0, 255)) / 255 - mean) / deviation


def encoder(maker, names, width, layers, patch, grid, act, mean, deviation, size, project=None, open_clip=False):
    n = names
    has_class = "class" in n
    kernel = maker.add(n["patch"] + ".weight", (width, 3, patch, patch), 0.3)
    bias = None if has_class else maker.add(n["patch"] + ".bias", (width,), 0.1)
    token = maker.add(n["class"], (width,), 0.5) if has_class else None
    positions = maker.add(n["positions"], (grid**2 + has_class, width), 0.3)
    before = maker.norm(n["before"], width) if has_class else None
    blocks = []
    for i in range(layers):
        at = n["layer"](i)
        block = {"n1": maker.norm(at + n["n1"], width), "n2": maker.norm(at + n["n2"], width)}
        if open_clip:
            w = maker.add(at + "attn.in_proj_weight", (3 * width, width), 1 / np.sqrt(width))
            b = maker.add(at + "attn.in_proj_bias", (3 * width,), 0.1)
            block["q"], block["k"], block["v"] = [(w[j * width : (j + 1) * width], b[j * width : (j + 1) * width]) for j in range(3)]
        else:
            for letter in "qkv":
                block[letter] = maker.linear(at + f"self_attn.{letter}_proj", width, width)
        block["o"] = maker.linear(at + n["o"], width, width)
        block["up"] = maker.linear(at + n["up"], 3 * width, width)
        block["down"] = maker.linear(at + n["down"], width, 3 * width)
        blocks.append(block)
    after = maker.norm(n["after"], width)
    projection = None
    if project:
        if open_clip:
            projection = maker.add("visual.proj", (width, project), 0.3)
        else:
            projection = maker.add("visual_projection.weight", (project, width), 0.3).T

    def run(picture, crop):
        p = prepare(picture.astype(np.float64), size, mean, deviation, crop)[: grid * patch, : grid * patch]
        p = p.reshape(grid, patch, grid, patch, 3).transpose(0, 2, 4, 1, 3).reshape(grid**2, -1)
        x = p @ kernel.reshape(width, -1).T + (0 if bias is None else bias)
        if has_class:
            x = np.concatenate([token[None], x])
        x = x + positions
        if before:
            x = norm(x, before, 1e-5)
        for block in blocks:
            last = x
            h = norm(x, block["n1"], 1e-5)
            split = lambda y: y.reshape(len(y), HEADS, width // HEADS).transpose(1, 0, 2)
            q, k, v = [split(dense(h, block[c])) for c in "qkv"]
            a = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(width // HEADS)) @ v
            x = x + dense(a.transpose(1, 0, 2).reshape(len(x), width), block["o"])
            x = x + dense(act(dense(norm(x, block["n2"], 1e-5), block["up"])), block["down"])
        if has_class:
            return x, last, (norm(x[0], after, 1e-5) @ projection)
        return norm(x, after, 1e-5), last, None

    return run


transformers = {
    "patch": "vision_model.embeddings.patch_embedding", "class": "vision_model.embeddings.class_embedding",
    "positions": "vision_model.embeddings.position_embedding.weight", "before": "vision_model.pre_layrnorm",
    "layer": lambda i: f"vision_model.encoder.layers.{i}.", "n1": "layer_norm1", "n2": "layer_norm2",
    "o": "self_attn.out_proj", "up": "mlp.fc1", "down": "mlp.fc2", "after": "vision_model.post_layernorm",
}
siglip = {key: value for key, value in transformers.items() if key not in ("class", "before")}
open_clip = {
    "patch": "visual.conv1", "class": "visual.class_embedding", "positions": "visual.positional_embedding",
    "before": "visual.ln_pre", "layer": lambda i: f"visual.transformer.resblocks.{i}.", "n1": "ln_1", "n2": "ln_2",
    "o": "attn.out_proj", "up": "mlp.c_fc", "down": "mlp.c_proj", "after": "visual.ln_post",
}
clip_mean, clip_deviation = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])

rng = np.random.default_rng(21)
# Smooth pictures, so that no value lies where rounding to bytes is a matter of the last bit.
pictures = np.round(rng.random((2, 11, 8, 3)) * 255) / 255
expected = {"pictures": (pictures, "F32")}
for name, run_with, save_as in [
    ("clip", lambda m: encoder(m, transformers, 32, 2, 2, 3, quick, clip_mean, clip_deviation, 6, 5), "clip-vision"),
    ("open-clip", lambda m: encoder(m, open_clip, 16, 3, 3, 2, exact, clip_mean, clip_deviation, 6, 7, True), "open-clip-vision"),
    ("siglip", lambda m: encoder(m, siglip, 16, 2, 2, 3, tanh, 0.5, 0.5, 7), "siglip-vision"),
]:
    maker = Maker(30 + len(name))
    run = run_with(maker)
    save(os.path.join(here, save_as + ".safetensors"), maker.tensors)
    for crop in (True, False):
        out = [run(p.astype(np.float32), crop) for p in pictures]
        key = f"{name}.{'center' if crop else 'none'}."
        expected[key + "last"] = (np.stack([o[0] for o in out]), "F32")
        expected[key + "penultimate"] = (np.stack([o[1] for o in out]), "F32")
        if out[0][2] is not None:
            expected[key + "embeds"] = (np.stack([o[2] for o in out]), "F32")
save(os.path.join(here, "encoders-expected.safetensors"), expected)
