#!/usr/bin/env python3
"""What torch, kornia and Pillow give for nodes that the reference makes with them, and that its cases do not contain.

    python3 make_library.py          (torch 2.13, kornia 0.8.1, Pillow 13.0, numpy 2.4)

Writes library.json: rows of {node, inputs, outputs}; and library.safetensors with the tensors that the rows name. An
input {"IMAGE": key}, {"MASK": key} or {"LATENT": key} is a tensor, everything else a constant.
"""
import json, math, pathlib, struct
import numpy as np, torch, kornia
from PIL import Image

HERE = pathlib.Path(__file__).parent
rows, tensors = [], {}
rng = np.random.default_rng(7)


def keep(array):
    array = np.ascontiguousarray(np.asarray(array, dtype=np.float32))
    for key, other in tensors.items():
        if other.shape == array.shape and np.array_equal(other, array):
            return key
    key = f"t{len(tensors)}"
    tensors[key] = array
    return key


def row(node, outputs, **inputs):
    named = {k: {kind: keep(v) for kind, v in x.items()} if isinstance(x, dict) else x for k, x in inputs.items()}
    rows.append({"node": node, "inputs": named, "outputs": [keep(o) for o in outputs]})


def scene(height, width, channels=3):
    """A smooth picture with some shapes and a little noise."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = [0.5 + 0.4 * np.sin(x / (5 + 2 * c)) * np.cos(y / (4 + c)) for c in range(channels)]
    picture = np.stack(planes, -1)
    picture[height // 4 : height // 2, width // 3 : width // 2] = rng.random(channels)
    picture[(x - width * 0.7) ** 2 + (y - height * 0.6) ** 2 < (height / 5) ** 2] = rng.random(channels)
    return np.clip(picture + 0.02 * rng.standard_normal(picture.shape), 0, 1).astype(np.float32)


a = np.stack([scene(33, 47), scene(33, 47)])
b = scene(20, 28)[None]
rgba = scene(20, 28, 4)[None]

# Flip and rotate.
for method, axis in [("x-axis: vertically", 1), ("y-axis: horizontally", 2)]:
    row("ImageFlip", [torch.flip(torch.tensor(a), [axis])], image={"IMAGE": a}, flip_method=method)
for turns, name in enumerate(["none", "90 degrees", "180 degrees", "270 degrees"]):
    # A positive turn from the first to the second axis is anticlockwise with rows first, so columns come first here.
    row("ImageRotate", [torch.rot90(torch.tensor(a), turns, [2, 1])], image={"IMAGE": a}, rotation=name)
    # Pillow's transposition as an independent word on which way is clockwise.
    if turns:
        byte = Image.fromarray((b[0] * 255).astype(np.uint8))
        way = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}[turns]
        source = np.asarray(byte, dtype=np.float32)[None] / 255
        row("ImageRotate", [np.asarray(byte.transpose(way), dtype=np.float32)[None] / 255],
            image={"IMAGE": source}, rotation=name)

# Edges.
for low, high in [(0.4, 0.8), (0.1, 0.2), (0.05, 0.9), (0.3, 0.3)]:
    edges = kornia.filters.canny(torch.tensor(a).movedim(-1, 1), low, high)[1]
    row("Canny", [edges.repeat(1, 3, 1, 1).movedim(1, -1)], image={"IMAGE": a}, low_threshold=low, high_threshold=high)

# Morphology, odd and even boxes, one larger than the picture.
operations = dict(erode=kornia.morphology.erosion, dilate=kornia.morphology.dilation, open=kornia.morphology.opening,
                  close=kornia.morphology.closing, gradient=kornia.morphology.gradient,
                  top_hat=kornia.morphology.top_hat, bottom_hat=kornia.morphology.bottom_hat)
for name, operation in operations.items():
    for size in (3, 4) if name != "dilate" else (3, 4, 7, 61):
        result = operation(torch.tensor(b).movedim(-1, 1), torch.ones(size, size)).movedim(1, -1)
        row("Morphology", [result], image={"IMAGE": b}, operation=name, kernel_size=size)

# Luminance and chrominance.
yuv = kornia.color.rgb_to_ycbcr(torch.tensor(a).movedim(-1, 1)).movedim(1, -1)
planes = [yuv[..., i : i + 1].expand_as(yuv).contiguous() for i in range(3)]
row("ImageRGBToYUV", planes, image={"IMAGE": a})
row("ImageYUVToRGB", [kornia.color.ycbcr_to_rgb(yuv.movedim(-1, 1)).movedim(1, -1)],
    Y={"IMAGE": planes[0]}, U={"IMAGE": planes[1]}, V={"IMAGE": planes[2]})

# Palettes: Pillow's median cut, its dithering, and Bayer matrices added before it.
def bayer(n):
    if n == 1:
        return np.zeros((1, 1))
    inner = bayer(n // 2) * n * n
    return np.block([[inner - 1.5, inner + 0.5], [inner + 1.5, inner - 0.5]]) / (n * n)

def quantized(picture, colors, dither):
    im = Image.fromarray((np.clip(picture * np.float32(255), 0, 255)).astype(np.uint8))
    palette = im.quantize(colors=colors)
    if dither == "none":
        out = im.quantize(palette=palette, dither=Image.Dither.NONE)
    elif dither == "floyd-steinberg":
        out = im.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    else:
        order = int(dither.split("-")[1])
        spread = 2 * 256 / (len(palette.getpalette()) // 3)
        matrix = (spread * bayer(order) + 0.5).astype(np.float32)
        h, w = picture.shape[:2]
        tiled = np.tile(matrix, (math.ceil(h / order), math.ceil(w / order)))[:h, :w, None]
        shifted = np.clip(np.asarray(im, dtype=np.float32) + tiled, 0, 255).astype(np.uint8)
        out = Image.fromarray(shifted).quantize(palette=palette, dither=Image.Dither.NONE)
    return np.asarray(out.convert("RGB"), dtype=np.float32) / 255

flat = np.zeros((1, 9, 12, 3), np.float32)
flat[0, 2:5, 3:9] = [1, 0.5, 0.25]
flat[0, 6:, :4] = [0.2, 0.9, 0.6]
for picture in (a, flat):
    for colors, dither in [(1, "none"), (2, "floyd-steinberg"), (7, "floyd-steinberg"), (16, "none"), (40, "bayer-2"),
                           (8, "bayer-8"), (5, "bayer-16"), (256, "none"), (256, "floyd-steinberg")]:
        row("ImageQuantize", [np.stack([quantized(p, colors, dither) for p in picture])],
            image={"IMAGE": picture}, colors=colors, dither=dither)

# Alpha.
mask = rng.random((3, 11, 17), dtype=np.float32)
resized = torch.nn.functional.interpolate(torch.tensor(mask)[:, None], size=(33, 47), mode="bilinear")[:, 0]
row("JoinImageWithAlpha", [torch.cat([torch.tensor(a), 1 - resized[:2, ..., None]], -1)], image={"IMAGE": a},
    alpha={"MASK": mask})
row("SplitImageWithAlpha", [rgba[..., :3], 1 - rgba[..., 3]], image={"IMAGE": rgba})
row("SplitImageWithAlpha", [b, np.zeros(b.shape[:3])], image={"IMAGE": b})

# Porter and Duff in float64 from the table of Fa and Fb in their paper: result = a·s·Fa + b·d·Fb.
s_mask, d_mask = rng.random((1, 20, 28)), rng.random((1, 20, 28))
s_mask[0, :4], d_mask[0, 2:6] = 1, 1
source = scene(20, 28)[None]
s, d = 1 - s_mask.astype(np.float32).astype(np.float64), 1 - d_mask.astype(np.float32).astype(np.float64)
factors = dict(CLEAR=(0, 0), SRC=(1, 0), DST=(0, 1), SRC_OVER=(1, 1 - s), DST_OVER=(1 - d, 1), SRC_IN=(d, 0), DST_IN=(0, s),
               SRC_OUT=(1 - d, 0), DST_OUT=(0, 1 - s), SRC_ATOP=(d, 1 - s), DST_ATOP=(1 - d, s), XOR=(1 - d, 1 - s))
for mode, (fa, fb) in factors.items():
    alpha = s * fa + d * fb
    premultiplied = source * (s * fa)[..., None] + b * (d * fb)[..., None]
    safe = np.where(alpha > 1e-5, alpha, 1)[..., None]
    colour = np.where(alpha[..., None] > 1e-5, premultiplied / safe, 0)
    row("PorterDuffImageComposite", [np.clip(colour, 0, 1), 1 - alpha], source={"IMAGE": source},
        source_alpha={"MASK": s_mask}, destination={"IMAGE": b}, destination_alpha={"MASK": d_mask}, mode=mode)
# The blend modes where both are opaque: the ordinary formulas.
opaque = np.zeros((1, 20, 28))
p, q = source.astype(np.float64), b.astype(np.float64)
for mode, value in dict(ADD=np.clip(p + q, 0, 1), DARKEN=np.minimum(p, q), LIGHTEN=np.maximum(p, q), MULTIPLY=p * q,
                        SCREEN=1 - (1 - p) * (1 - q),
                        OVERLAY=np.where(2 * q < 1, 2 * p * q, 1 - 2 * (1 - p) * (1 - q))).items():
    row("PorterDuffImageComposite", [value, opaque], source={"IMAGE": source}, source_alpha={"MASK": opaque},
        destination={"IMAGE": b}, destination_alpha={"MASK": opaque}, mode=mode)

# Pictures in a frame; side by side.
def pillow_lanczos(picture, width, height):
    byte = Image.fromarray((np.clip(picture * np.float32(255), 0, 255)).astype(np.uint8))
    return np.asarray(byte.resize((width, height), Image.Resampling.LANCZOS), dtype=np.float32) / 255

for width, height, colour in [(64, 40, "white"), (30, 50, "black")]:
    scale = min(width / 28, height / 20)
    w, h = int(28 * scale), int(20 * scale)
    out = np.full((1, height, width, 3), 1.0 if colour == "white" else 0.0, np.float32)
    top, left = (height - h) // 2, (width - w) // 2
    out[0, top : top + h, left : left + w] = pillow_lanczos(b[0], w, h)
    row("ResizeAndPadImage", [out], image={"IMAGE": b}, target_width=width, target_height=height, padding_color=colour,
        interpolation="lanczos")

matched = {"right": pillow_lanczos(b[0], int(33 * (28 / 20)), 33), "down": pillow_lanczos(b[0], 47, int(47 / (28 / 20)))}
two = {k: np.stack([v, v]) for k, v in matched.items()}
red = lambda h, w: np.tile(np.float32([1, 0, 0]), (2, h, w, 1))
for side, parts, axis in [("right", [a, red(33, 6), two["right"]], 2), ("left", [two["right"], red(33, 6), a], 2),
                          ("down", [a, red(6, 47), two["down"]], 1), ("up", [two["down"], red(6, 47), a], 1)]:
    row("ImageStitch", [np.concatenate(parts, axis)], image1={"IMAGE": a}, image2={"IMAGE": b}, direction=side,
        match_image_size=True, spacing_width=5, spacing_color="red")
wide = np.concatenate([b, b])
framed = np.pad(wide, ((0, 0), (6, 7), (0, 0), (0, 0)), constant_values=1)
row("ImageStitch", [np.concatenate([a, framed], 2)], image1={"IMAGE": a}, image2={"IMAGE": b}, direction="right",
    match_image_size=False, spacing_width=0, spacing_color="white")
row("ImageStitch", [a], image1={"IMAGE": a}, direction="right", match_image_size=True, spacing_width=4,
    spacing_color="white")

# Noise of torch's generator.
noise = torch.randn(b.shape, generator=torch.manual_seed(1234))
row("ImageAddNoise", [torch.clip(torch.tensor(b) + 0.3 * noise, 0, 1)], image={"IMAGE": b}, seed=1234, strength=0.3)

# Latents.
one, other = rng.standard_normal((2, 4, 6, 5)).astype(np.float32), rng.standard_normal((1, 4, 6, 5)).astype(np.float32)
cycled = np.concatenate([other, other])
for dim, axis in [("x", 3), ("y", 2), ("t", 1)]:
    row("LatentConcat", [np.concatenate([one, cycled], axis)], samples1={"LATENT": one}, samples2={"LATENT": other}, dim=dim)
    row("LatentConcat", [np.concatenate([cycled, one], axis)], samples1={"LATENT": one}, samples2={"LATENT": other},
        dim="-" + dim)
for dim, index, amount, part in [("x", 1, 2, one[..., 1:3]), ("y", -2, 9, one[:, :, -2:]), ("t", 3, 1, one[:, 3:]),
                                 ("x", 99, 3, one[..., 4:]), ("y", -99, 1, one[:, :, :1])]:
    row("LatentCut", [part], samples={"LATENT": one}, dim=dim, index=index, amount=amount)

header, data = {}, b""
for key, array in tensors.items():
    header[key] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
    data += array.tobytes()
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
(HERE / "library.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
(HERE / "library.json").write_text("[\n" + ",\n".join("  " + json.dumps(r) for r in rows) + "\n]\n")
print(len(rows), "rows,", len(tensors), "tensors,", len(data), "bytes")
