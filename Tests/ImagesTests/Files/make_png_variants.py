#!/usr/bin/env python3
"""Writes png-variants.safetensors: PNG files of every kind, and what Pillow 13 reads from them; texts.png, text-bomb.png.

    pip install pillow numpy safetensors && python3 make_png_variants.py

Keys: NAME.file (the file's bytes), NAME.image (RGB of all frames), NAME.mask (255 - alpha of all frames, where LoadImage
makes a mask; absent: zeros of 64x64), NAME.rgba (the first frame converted to RGBA).
"""
import io, os, random, struct, warnings, zlib
import numpy as np
from PIL import Image, ImageOps, ImageSequence
from safetensors.numpy import save_file

warnings.simplefilter("ignore")
random.seed(7)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pack(samples, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def filtered(rows, step):
    out, before = b"", None
    for index, row in enumerate(rows):
        before = before or bytes(len(row))
        kind = index % 5
        line = bytearray()
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = before[i]
            c = before[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((value - [0, a, b, (a + b) // 2, paeth][kind]) & 255)
        out += bytes([kind]) + bytes(line)
        before = row
    return out


def data(pixels, depth, channels, interlace):
    height, width = len(pixels), len(pixels[0])
    step = max(1, depth * channels // 8)
    passes = ADAM7 if interlace else [(0, 0, 1, 1)]
    raw = b""
    for x0, y0, dx, dy in passes:
        if x0 >= width or y0 >= height:
            continue
        raw += filtered(
            [pack([s for x in range(x0, width, dx) for s in pixels[y][x]], depth) for y in range(y0, height, dy)], step)
    return zlib.compress(raw, 9)


def noise(width, height, depth, colour, top=None):
    limit = (1 << depth) - 1 if top is None else top
    return [[tuple(random.randint(0, limit) for _ in range(CHANNELS[colour])) for _ in range(width)]
            for _ in range(height)]


def header(width, height, depth, colour, interlace=0):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(pixels, depth, colour, interlace=0, before=(), after=(), split=None):
    z = data(pixels, depth, CHANNELS[colour], interlace)
    parts = [z[i : i + split] for i in range(0, len(z), split)] if split else [z]
    return (header(len(pixels[0]), len(pixels), depth, colour, interlace) + b"".join(before)
            + b"".join(chunk(b"IDAT", p) for p in parts) + b"".join(after) + chunk(b"IEND", b""))


def palette(entries):
    return chunk(b"PLTE", bytes(random.randint(0, 255) for _ in range(3 * entries)))


def transparent(*values):
    return chunk(b"tRNS", b"".join(struct.pack(">H", v) for v in values))


def exif(value, endian):
    order = {"<": b"II", ">": b"MM"}[endian]
    return order + struct.pack(endian + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, value, 0, 0)


def text(key, value):
    return chunk(b"tEXt", key + b"\0" + value)


def animated(colour, default, depth=8, before=(), frames=4, blends=(0, 1, 1, 1), disposals=(0, 0, 1, 2), top=None):
    width, height = 7, 6
    out = header(width, height, depth, colour) + b"".join(before) + chunk(b"acTL", struct.pack(">II", frames, 0))
    sequence = 0
    if default:
        out += chunk(b"IDAT", data(noise(width, height, depth, colour, top), depth, CHANNELS[colour], 0))
    boxes = [(0, 0, width, height), (1, 2, 4, 3), (2, 0, 5, 6), (0, 1, 3, 2), (3, 3, 4, 3)]
    for index in range(frames):
        x, y, w, h = boxes[index % len(boxes)]
        out += chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, w, h, x, y, 1, 10, disposals[index % 4], blends[index % 4]))
        sequence += 1
        z = data(noise(w, h, depth, colour, top), depth, CHANNELS[colour], 0)
        if index == 0 and not default:
            out += chunk(b"IDAT", z)
        else:
            for part in (z[:20], z[20:]):
                out += chunk(b"fdAT", struct.pack(">I", sequence) + part)
                sequence += 1
    return out + chunk(b"IEND", b"")


files = {}
for colour, depths in {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}.items():
    for depth in depths:
        for interlace in (0, 1):
            for width, height in ((13, 9), (1, 1), (3, 2), (33, 1)):
                chunks = [palette(1 << depth)] if colour == 3 else []
                name = f"type{colour}-depth{depth}-interlace{interlace}-{width}x{height}"
                files[name] = png(noise(width, height, depth, colour), depth, colour, interlace, chunks)
for depth, value in ((1, 0), (1, 1), (2, 0), (2, 1), (4, 15), (8, 1), (8, 258), (16, 2), (16, 65535)):
    top = 3 if depth >= 8 else None
    files[f"grey-key-{depth}-{value}"] = png(noise(9, 7, depth, 0, top), depth, 0, before=[transparent(value)])
for depth in (8, 16):
    files[f"rgb-key-{depth}"] = png(noise(9, 7, depth, 2, 1), depth, 2, before=[transparent(0, 1, 0)])
    files[f"rgb-key-high-{depth}"] = png(noise(9, 7, depth, 2, 1), depth, 2, before=[transparent(256, 1, 0)])
for count in (0, 1, 7, 16):
    alphas = chunk(b"tRNS", bytes(random.randint(0, 255) for _ in range(count)))
    files[f"palette-alpha-{count}"] = png(noise(9, 7, 4, 3), 4, 3, before=[palette(16), alphas])
files["palette-one-transparent"] = png(noise(9, 7, 2, 3), 2, 3, before=[palette(4), chunk(b"tRNS", b"\xff\x00")])
files["palette-short"] = png(noise(9, 7, 8, 3, 6), 8, 3, before=[palette(4)])
files["many-pieces"] = png(noise(20, 15, 8, 2), 8, 2, split=7)
for value in range(0, 10):
    files[f"exif-{value}"] = png(noise(5, 3, 8, 6), 8, 6, after=[chunk(b"eXIf", exif(value, "<>"[value % 2]))])
files["exif-before"] = png(noise(5, 3, 8, 0), 8, 0, before=[chunk(b"eXIf", exif(6, ">"))])
files["exif-raw-profile"] = png(noise(5, 3, 8, 0), 8, 0, before=[
    text(b"Raw profile type exif", b"\nexif\n      34\n" + (b"Exif\0\0" + exif(8, "<")).hex().encode() + b"\n")])
files["exif-xmp"] = png(noise(5, 3, 8, 0), 8, 0, before=[
    chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation=\"5\"/>")])
files["exif-xmp-element"] = png(noise(5, 3, 8, 0), 8, 0, before=[
    chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<tiff:Orientation>3</tiff:Orientation>")])
for colour in (0, 2, 4, 6):
    for default in (0, 1):
        files[f"animated-type{colour}-default{default}"] = animated(colour, default)
files["animated-rgb-key"] = animated(2, 0, before=[transparent(0, 1, 0)], top=1)
files["animated-grey-key"] = animated(0, 0, before=[transparent(1)], top=2)
files["animated-palette"] = animated(3, 0, before=[palette(8)], top=7)
files["animated-palette-alpha"] = animated(3, 0, before=[palette(4), chunk(b"tRNS", b"\0\xff\xff\0")], top=3)
files["animated-16"] = animated(6, 0, depth=16, frames=6, disposals=(2, 1, 0, 2))
files["animated-previous"] = animated(6, 0, frames=6, disposals=(0, 2, 2, 2), blends=(0, 0, 1, 0))
files["animated-one"] = animated(6, 0, frames=1)

out = {}
for name, content in files.items():
    out[f"{name}.file"] = np.frombuffer(content, np.uint8)
    picture = Image.open(io.BytesIO(content))
    images, masks = [], []
    for frame in ImageSequence.Iterator(picture):
        frame = ImageOps.exif_transpose(frame)
        images.append(np.array(frame.convert("RGB")))
        if "A" in frame.getbands() or (frame.mode == "P" and "transparency" in frame.info):
            masks.append(255 - np.array(frame.convert("RGBA"))[:, :, 3])
        else:
            masks.append(np.zeros((64, 64), np.uint8))
    out[f"{name}.image"] = np.stack(images)
    if masks[0].any() or masks[0].shape != (64, 64):
        out[f"{name}.mask"] = np.stack(masks)
    first = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    out[f"{name}.rgba"] = np.array(first.convert("RGBA"))
save_file({k: np.ascontiguousarray(v) for k, v in out.items()},
          os.path.join(os.path.dirname(os.path.abspath(__file__)), "png-variants.safetensors"))
print(len(files), "files")

rgb = [[(1, 2, 3)]]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "text-bomb.png"), "wb") as f:
    f.write(png(rgb, 8, 2, before=[chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(b"x" * 20_000_000), 9))]))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "texts.png"), "wb") as f:
    f.write(png(rgb, 8, 2, before=[
        text(b"latin", "Grüße".encode("latin-1")), text(b"utf8", "Grüße 猫".encode()),
        chunk(b"zTXt", b"compressed\0\0" + zlib.compress(b"workflow " * 1000)),
        chunk(b"iTXt", b"international\0\0\0de\0\xc3\xa4\0" + "Grüße 猫".encode()),
        chunk(b"iTXt", b"international-compressed\0\1\0\0\0" + zlib.compress("Grüße 猫".encode())),
    ], after=[text(b"after", b"the pixels")]))
