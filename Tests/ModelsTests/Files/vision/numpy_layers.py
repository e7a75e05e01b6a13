"""Layers in float64 and safetensors files, for the scripts beside this one. Written from the papers and from how torch
documents its layers; shares nothing with the Swift code."""
import json, struct
import numpy as np

KINDS = {"F32": np.float32, "F16": np.float16}


def save(path, tensors):
    """tensors: name -> (array, "F32" or "F16")"""
    header, blob = {}, b""
    for name, (array, kind) in tensors.items():
        data = np.ascontiguousarray(array, KINDS[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + blob)


class Maker:
    """Pseudo-random weights, rounded to the type they are stored in, so that both sides start from the same numbers."""

    def __init__(self, seed, kind="F16"):
        self.rng, self.kind, self.tensors = np.random.default_rng(seed), kind, {}

    def add(self, name, shape, scale, offset=0.0):
        array = (self.rng.standard_normal(shape) * scale + offset).astype(KINDS[self.kind])
        self.tensors[name] = (array, self.kind)
        return array.astype(np.float64)

    def conv(self, name, outputs, inputs, size=3, bias=True, gain=1.0, center=0.0):
        w = self.add(name + ".weight", (outputs, inputs, size, size), gain / np.sqrt(inputs * size * size))
        return w, (self.add(name + ".bias", (outputs,), 0.1, center) if bias else None)

    def linear(self, name, outputs, inputs, bias=True, gain=1.0):
        w = self.add(name + ".weight", (outputs, inputs), gain / np.sqrt(inputs))
        return w, (self.add(name + ".bias", (outputs,), 0.1) if bias else None)

    def norm(self, name, width):
        return self.add(name + ".weight", (width,), 0.2, 1.0), self.add(name + ".bias", (width,), 0.1)


def conv(x, layer, stride=1, padding=None):
    """x [c, h, w]; zero padding by half the kernel unless told"""
    w, b = layer
    k = w.shape[2]
    p = k // 2 if padding is None else padding
    x = np.pad(x, ((0, 0), (p, p), (p, p)))
    rows, columns = (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1
    out = np.zeros((w.shape[0], rows, columns))
    for i in range(k):
        for j in range(k):
            part = x[:, i : i + stride * (rows - 1) + 1 : stride, j : j + stride * (columns - 1) + 1 : stride]
            out += np.einsum("oc,chw->ohw", w[:, :, i, j], part)
    return out if b is None else out + b[:, None, None]


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def relu(x):
    return np.maximum(x, 0)


def nearest(x, factor):
    return x.repeat(factor, 1).repeat(factor, 2)


def norm(x, layer, eps):
    m, v = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - m) / np.sqrt(v + eps) * layer[0] + layer[1]


def dense(x, layer):
    w, b = layer
    return x @ w.T + (0 if b is None else b)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
