"""Writes guidance.json: what numpy gives for the functions of ProjectedGuidance and FrequencyGuidance."""

import json
import pathlib

import numpy as np

rng = np.random.default_rng(7)
shape = (2, 3, 4, 5)
x, c, u, d = (rng.standard_normal(shape) * 2 for _ in range(4))
second_c, second_u = (rng.standard_normal(shape) * 2 for _ in range(2))
scale = 4.5
out = {}

# CFGNorm: norms over the channels.
ratio = np.linalg.norm(c, axis=1, keepdims=True) / (np.linalg.norm(d, axis=1, keepdims=True) + 1e-8)
out["norm"] = d * np.clip(ratio, 0, 1) * 0.9

# CFG-Zero*: the guided velocity w·c + (1 − w)·s·u, back to pictures with v = (x − D)/σ.
sigma = 2.0
vc, vu = (x - c) / sigma, (x - u) / sigma
s = np.sum(vc * vu, axis=(1, 2, 3), keepdims=True) / (np.sum(vu * vu, axis=(1, 2, 3), keepdims=True))
out["zero"] = x - sigma * ((1 - scale) * s * vu + scale * vc)

# TCFG: the unconditional noise projected on the first right singular vector of both.
damped = []
for item in range(shape[0]):
    rows = np.stack([(x - c)[item].ravel(), (x - u)[item].ravel()])
    v = np.linalg.svd(rows, full_matrices=False)[2][0]
    damped.append(x[item] - (rows[1] @ v * v).reshape(shape[1:]))
out["damped"] = np.stack(damped)


def projected(c, u, average, eta, threshold, momentum):
    difference = c - u
    if average is not None:
        difference = difference + momentum * average
    average = difference
    norm = np.sqrt(np.sum(difference**2, axis=(1, 2, 3), keepdims=True))
    change = difference * np.minimum(1, threshold / norm)
    unit = c / np.sqrt(np.sum(c**2, axis=(1, 2, 3), keepdims=True))
    parallel = np.sum(change * unit, axis=(1, 2, 3), keepdims=True) * unit
    return c + (scale - 1) * (change - parallel + eta * parallel), average


first, average = projected(c, u, None, 0.3, 6.0, -0.5)
out["projected.1"] = first
out["projected.2"] = projected(second_c, second_u, average, 0.3, 6.0, -0.5)[0]

# FreSca: a mask on the shifted spectrum.
for cutoff in (1, 2):
    spectrum = np.fft.fftshift(np.fft.fft2(c - u), axes=(-2, -1))
    mask = np.full(shape[-2:], 1.4)
    row, column = shape[-2] // 2, shape[-1] // 2
    mask[row - cutoff : row + cutoff, column - cutoff : column + cutoff] = 0.7
    guidance = np.fft.ifft2(np.fft.ifftshift(spectrum * mask, axes=(-2, -1))).real
    out[f"frequencies.{cutoff}"] = u + scale * guidance

out["noise"] = x - (x - d) / 1.005
inputs = {"x": x, "c": c, "u": u, "d": d, "second.c": second_c, "second.u": second_u}
result = {k: np.asarray(v, dtype=np.float32).ravel().tolist() for k, v in (inputs | out).items()}
path = pathlib.Path(__file__).with_name("guidance.json")
path.write_text(json.dumps({k: [round(n, 6) for n in v] for k, v in result.items()}) + "\n")
