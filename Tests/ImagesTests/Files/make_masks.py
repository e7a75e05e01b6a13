#!/usr/bin/env python3
"""Writes masks.safetensors: what GrowMaskWithBlur must give by its specification, with SciPy's morphology and Pillow's
blur; and other mask operations of SciPy.

    pip install scipy pillow numpy safetensors && python3 make_masks.py

Keys: input.N, grow.N.M (settings in masks.json), fill.N.
"""
import json, os, random
import numpy as np
from PIL import Image, ImageFilter
from safetensors.numpy import save_file
from scipy import ndimage

rng = np.random.default_rng(5)
random.seed(5)
here = os.path.dirname(os.path.abspath(__file__))


def blobs(n, h, w):
    return (ndimage.gaussian_filter(rng.standard_normal((n, h, w)), (0, 2, 2)) > 0.12).astype(np.float32)


inputs = [
    rng.random((1, 17, 23), np.float32), blobs(3, 24, 31), blobs(1, 40, 9) * rng.random((1, 40, 9), np.float32),
    np.zeros((2, 8, 8), np.float32), np.ones((1, 5, 6), np.float32), rng.random((4, 1, 12), np.float32),
    blobs(4, 30, 30) * 0.75,
]


def grow(mask, s):
    frames = 1 - mask if s["flip_input"] else mask
    current, previous, out = float(s["expand"]), None, []
    footprint = np.ones((3, 3)) if not s["tapered_corners"] else np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    for frame in frames:
        for _ in range(abs(round(current))):
            if s["expand"] < 0:
                frame = ndimage.grey_erosion(frame, footprint=footprint, mode="constant", cval=np.inf)
            else:
                frame = ndimage.grey_dilation(frame, footprint=footprint, mode="constant", cval=-np.inf)
        current += abs(s["incremental_expandrate"]) * (-1 if s["expand"] < 0 else 1)
        if s["fill_holes"]:
            frame = ndimage.binary_fill_holes(frame > 0).astype(np.float32)
        if previous is not None and s["lerp_alpha"] < 1:
            frame = np.float32(s["lerp_alpha"]) * frame + np.float32(1 - s["lerp_alpha"]) * previous
        if previous is not None and s["decay_factor"] < 1:
            frame = frame + np.float32(s["decay_factor"]) * previous
            if frame.max() != 0:
                frame = frame / frame.max()
        previous = frame
        if s["blur_radius"]:
            byte = Image.fromarray(np.clip(255 * frame, 0, 255).astype(np.uint8))
            frame = np.array(byte.filter(ImageFilter.GaussianBlur(s["blur_radius"]))).astype(np.float32) / 255
        out.append(frame)
    return np.stack(out).astype(np.float32)


out, settings = {}, []
for n, mask in enumerate(inputs):
    out[f"input.{n}"] = mask
    out[f"fill.{n}"] = np.stack([ndimage.binary_fill_holes(f > 0) for f in mask]).astype(np.float32)
    for m in range(10):
        s = {
            "expand": random.choice([0, 1, 2, 3, 7, 20, -1, -2, -5]),
            "incremental_expandrate": random.choice([0, 0, 0.5, 1.3, -2]),
            "tapered_corners": random.random() < 0.5, "flip_input": random.random() < 0.3,
            "blur_radius": random.choice([0, 0, 1, 2, 3.5]), "lerp_alpha": random.choice([1, 1, 0.6, 0]),
            "decay_factor": random.choice([1, 1, 0.5, 0]), "fill_holes": random.random() < 0.3,
        }
        if m == 0:  # the published workflow
            s = {"expand": 2, "incremental_expandrate": 0, "tapered_corners": False, "flip_input": False,
                 "blur_radius": 2, "lerp_alpha": 1, "decay_factor": 1, "fill_holes": False}
        settings.append({"key": f"grow.{n}.{m}", "input": f"input.{n}", **s})
        out[f"grow.{n}.{m}"] = grow(mask, s)
save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, os.path.join(here, "masks.safetensors"))
os.chmod(os.path.join(here, "masks.safetensors"), 0o644)
with open(os.path.join(here, "masks.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(s) for s in settings) + "\n]\n")
print(len(settings))
