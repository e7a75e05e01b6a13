"""Writes adapter.safetensors: a small T2I-adapter in the original layout, a hint and the features numpy makes of it."""

import json
import pathlib
import struct

import numpy as np

rng = np.random.default_rng(11)
tensors = {}


def weight(name, *shape):
    fan = int(np.prod(shape[1:])) or 1
    tensors[name] = (rng.standard_normal(shape) / np.sqrt(fan)).astype(np.float32)
    return tensors[name].astype(np.float64)


def convolution(x, kernel, bias):
    """x [channels, h, w], zero padding that keeps the size."""
    pad = kernel.shape[2] // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((kernel.shape[0], *x.shape[1:]))
    for dy in range(kernel.shape[2]):
        for dx in range(kernel.shape[3]):
            part = padded[:, dy : dy + x.shape[1], dx : dx + x.shape[2]]
            out += np.einsum("oi,ihw->ohw", kernel[:, :, dy, dx], part)
    return out + bias[:, None, None]


def halved(x):
    channels, height, width = x.shape
    out = np.zeros((channels, -(-height // 2), -(-width // 2)))
    for row in range(out.shape[1]):
        for column in range(out.shape[2]):
            out[:, row, column] = x[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean(axis=(1, 2))
    return out


image = rng.random((40, 24, 3)).astype(np.float32)
tensors["in.image"] = image[None]
gray = image.astype(np.float64).mean(axis=2)
height, width = gray.shape[0] // 8, gray.shape[1] // 8
h = gray.reshape(height, 8, width, 8).transpose(1, 3, 0, 2).reshape(64, height, width)
widths = [4, 6, 6, 6]
h = convolution(h, weight("conv_in.weight", 4, 64, 3, 3), weight("conv_in.bias", 4))
channels = 4
for level, wide in enumerate(widths):
    for index in range(2):
        name = f"body.{2 * level + index}."
        if index == 0 and level > 0:
            h = halved(h)
        if channels != wide:
            h = convolution(h, weight(name + "in_conv.weight", wide, channels, 1, 1), weight(name + "in_conv.bias", wide))
            channels = wide
        inner = convolution(h, weight(name + "block1.weight", wide, wide, 3, 3), weight(name + "block1.bias", wide))
        inner = np.maximum(inner, 0)
        h = h + convolution(inner, weight(name + "block2.weight", wide, wide, 1, 1), weight(name + "block2.bias", wide))
    tensors[f"out.{level}"] = h[None].astype(np.float32)

header, data = {}, b""
for name, tensor in tensors.items():
    raw = np.ascontiguousarray(tensor).tobytes()
    header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
path = pathlib.Path(__file__).with_name("adapter.safetensors")
path.write_bytes(struct.pack("<Q", len(text)) + text + data)
