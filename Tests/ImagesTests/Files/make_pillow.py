#!/usr/bin/env python3
"""Writes pillow.json: check sums of what Pillow 13 makes of pseudo-random pictures.

    pip install pillow numpy && python3 make_pillow.py
"""
import json, os, random, zlib
import numpy as np
from PIL import Image, ImageFilter

random.seed(11)
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


def picture(width, height, channels, seed):
    """SplitMix64, the top byte of every number; every fourth number is replaced by 0 or 255."""
    count = width * height * channels
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    values = (z >> np.uint64(56)).astype(np.uint8)
    extreme = (z & np.uint64(3)) == 0
    values[extreme] = np.where((z[extreme] & np.uint64(4)) == 0, 0, 255)
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Image.fromarray(values.reshape(shape), MODES[channels])


def check(image):
    return zlib.crc32(np.ascontiguousarray(np.array(image)).tobytes())


sizes = [(1, 1), (2, 3), (7, 5), (13, 9), (30, 44), (64, 64), (1, 40), (40, 1), (100, 37), (131, 260)]
resizes, blurs = [], []
seed = 0
for filter in FILTERS:
    for width, height in sizes:
        for channels in (1, 2, 3, 4):
            for _ in range(3):
                seed += 1
                w, h = random.choice([
                    (random.randint(1, 200), random.randint(1, 200)), (width, random.randint(1, 90)),
                    (random.randint(1, 90), height), (2 * width, 3 * height), (max(1, width // 3), max(1, height // 5)),
                    (width, height)])
                result = picture(width, height, channels, seed).resize((w, h), FILTERS[filter])
                resizes.append([filter, width, height, channels, seed, w, h, check(result)])
radii = [0, 0.1, 0.3, 0.5, 0.7, 1, 1.2, 1.5, 2, 2.5, 3, 3.3, 4, 5, 6.7, 8, 10, 12.5, 16, 20, 25.1, 32, 50, 64.5, 100, 333, 2000]
radii += [round(random.uniform(0, 30), 2) for _ in range(40)]
for radius in radii:
    for width, height in sizes:
        seed += 1
        channels = random.choice([1, 2, 3, 4])
        result = picture(width, height, channels, seed).filter(ImageFilter.GaussianBlur(radius))
        blurs.append([radius, width, height, channels, seed, check(result)])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pillow.json"), "w") as f:
    rows = lambda items: "[\n" + ",\n".join(json.dumps(i) for i in items) + "\n]"
    f.write('{"resize": ' + rows(resizes) + ', "blur": ' + rows(blurs) + "}\n")
print(len(resizes), len(blurs))
