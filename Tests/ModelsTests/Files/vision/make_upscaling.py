"""Miniature upscale models in every layout, and what they make of pictures, by numpy: ESRGAN (arXiv:1809.00219),
ESRGAN+ (arXiv:2001.08073), Real-ESRGAN (arXiv:2107.10833) and its compact network."""
import os
import numpy as np
from numpy_layers import Maker, conv, leaky, nearest, save

here = os.path.dirname(os.path.abspath(__file__))
expected = {}
pictures = np.random.default_rng(5)
small = pictures.random((1, 7, 5, 3)).astype(np.float32)
large = pictures.random((2, 37, 23, 3)).astype(np.float32)
expected["small"], expected["large"] = (small, "F32"), (large, "F32")


def dense_network(maker, names, channels, growth, blocks, inputs, ups, plus=False):
    """names: how the layers are called; returns a function from [3, h, w] to [3, ...] in float64"""
    first = maker.conv(names["first"], channels, inputs)
    groups = []
    for n in range(blocks):
        group = []
        for m in range(3):
            rdb = [maker.conv(names["dense"](n, m, k), growth, channels + (k - 1) * growth) for k in range(1, 5)]
            rdb.append(maker.conv(names["dense"](n, m, 5), channels, channels + 4 * growth))
            skip = maker.conv(names["dense"](n, m, "1x1"), growth, channels, 1, bias=False) if plus else None
            group.append((rdb, skip))
        groups.append(group)
    trunk = maker.conv(names["trunk"](blocks), channels, channels)
    up = [maker.conv(names["up"](i), channels, channels) for i in range(ups)]
    high = maker.conv(names["high"](ups), channels, channels)
    last = maker.conv(names["last"](ups), 3, channels, gain=0.7, center=0.4)

    def rdb(x, block):
        layers, skip = block
        x1 = leaky(conv(x, layers[0]))
        x2 = leaky(conv(np.concatenate([x, x1]), layers[1]))
        if skip:
            x2 = x2 + conv(x, skip)
        x3 = leaky(conv(np.concatenate([x, x1, x2]), layers[2]))
        x4 = leaky(conv(np.concatenate([x, x1, x2, x3]), layers[3]))
        if skip:
            x4 = x4 + x2
        return x + 0.2 * conv(np.concatenate([x, x1, x2, x3, x4]), layers[4])

    def run(picture):
        unshuffle = int(np.sqrt(inputs // 3))
        c, h, w = picture.shape
        x = picture
        if unshuffle > 1:
            x = np.pad(x, ((0, 0), (0, -h % 4), (0, -w % 4)), mode="reflect")
            c, hh, ww = x.shape
            x = x.reshape(c, hh // unshuffle, unshuffle, ww // unshuffle, unshuffle).transpose(0, 2, 4, 1, 3)
            x = x.reshape(c * unshuffle**2, hh // unshuffle, ww // unshuffle)
        start = conv(x, first)
        f = start
        for group in groups:
            g = f
            for block in group:
                g = rdb(g, block)
            f = f + 0.2 * g
        f = start + conv(f, trunk)
        for layer in up:
            f = leaky(conv(nearest(f, 2), layer))
        out = conv(leaky(conv(f, high)), last)
        scale = 2 ** len(up) // unshuffle
        return out[:, : h * scale, : w * scale]

    return run


old = {
    "first": "model.0",
    "dense": lambda n, m, k: f"model.1.sub.{n}.RDB{m + 1}.conv{k}" + ("" if k == "1x1" else ".0"),
    "trunk": lambda blocks: f"model.1.sub.{blocks}",
    "up": lambda i: f"model.{3 * i + 3}",
    "high": lambda ups: f"model.{3 * ups + 2}",
    "last": lambda ups: f"model.{3 * ups + 4}",
}
real = {
    "first": "params_ema.conv_first",
    "dense": lambda n, m, k: f"params_ema.body.{n}.rdb{m + 1}.conv{k}",
    "trunk": lambda blocks: "params_ema.conv_body",
    "up": lambda i: f"params_ema.conv_up{i + 1}",
    "high": lambda ups: "params_ema.conv_hr",
    "last": lambda ups: "params_ema.conv_last",
}
bsrgan = {
    "first": "conv_first",
    "dense": lambda n, m, k: f"RRDB_trunk.{n}.RDB{m + 1}.conv{k}",
    "trunk": lambda blocks: "trunk_conv",
    "up": lambda i: f"upconv{i + 1}",
    "high": lambda ups: "HRconv",
    "last": lambda ups: "conv_last",
}


def compact(maker, channels, layers, scale):
    parts = []
    for n in range(layers):
        layer = maker.conv(f"params.body.{2 * n}", channels, 3 if n == 0 else channels)
        parts.append((layer, maker.add(f"params.body.{2 * n + 1}.weight", (channels,), 0.3)))
    last = maker.conv(f"params.body.{2 * layers}", 3 * scale**2, channels, gain=0.3)

    def run(picture):
        x = picture
        for layer, slopes in parts:
            x = conv(x, layer)
            x = np.where(x > 0, x, slopes[:, None, None] * x)
        x = conv(x, last)
        c, h, w = x.shape
        x = x.reshape(3, scale, scale, h, w).transpose(0, 3, 1, 4, 2).reshape(3, h * scale, w * scale)
        return x + nearest(picture, scale)

    return run


def tiled(picture, run, scale, tile, overlap):
    """families-unet-sampling.md section 7, one pass; picture [3, h, w]"""
    c, h, w = picture.shape
    total, weight = np.zeros((3, h * scale, w * scale)), np.zeros((1, h * scale, w * scale))
    starts = lambda size: [0] if size <= tile else [min(s, size - overlap) for s in range(0, size - overlap, tile - overlap)]
    for y in starts(h):
        for x in starts(w):
            part = np.clip(run(picture[:, y : y + tile, x : x + tile]), 0, 1)
            mask = np.ones((1,) + part.shape[1:])
            ramp = overlap * scale
            for t in range(ramp):
                a = (t + 1) / ramp
                if ramp < mask.shape[1]:
                    mask[:, t] *= a
                    mask[:, -1 - t] *= a
                if ramp < mask.shape[2]:
                    mask[:, :, t] *= a
                    mask[:, :, -1 - t] *= a
            area = (slice(None), slice(y * scale, y * scale + part.shape[1]), slice(x * scale, x * scale + part.shape[2]))
            total[area] += part * mask
            weight[area] += mask
    return total / weight


models = {}
for name, seed, build in [
    ("esrgan-x4-old", 1, lambda m: dense_network(m, old, 4, 2, 2, 3, 2)),
    ("esrgan-plus-x8-old", 2, lambda m: dense_network(m, old, 4, 3, 1, 3, 3, plus=True)),
    ("bsrgan-x1", 3, lambda m: dense_network(m, bsrgan, 4, 2, 1, 3, 0)),
    ("realesrgan-x2", 4, lambda m: dense_network(m, real, 4, 2, 1, 12, 2)),
    ("realesrgan-x1", 5, lambda m: dense_network(m, real, 4, 2, 1, 48, 2)),
    ("compact-x3", 6, lambda m: compact(m, 5, 3, 3)),
]:
    maker = Maker(seed)
    models[name] = build(maker)
    save(os.path.join(here, name + ".safetensors"), maker.tensors)
    expected[name] = (models[name](small[0].astype(np.float64).transpose(2, 0, 1)).transpose(1, 2, 0)[None], "F32")

expected["tiled"] = (
    np.stack([tiled(p.astype(np.float64).transpose(2, 0, 1), models["realesrgan-x2"], 2, 16, 4).transpose(1, 2, 0) for p in large]),
    "F32",
)
save(os.path.join(here, "upscaling-expected.safetensors"), expected)
