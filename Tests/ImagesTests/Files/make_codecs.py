#!/usr/bin/env python3
"""Writes codecs.safetensors: JPEG and WebP files, and what Pillow 13 reads from them. Keys as in make_png_variants.py.

    pip install pillow numpy scipy safetensors && python3 make_codecs.py
"""
import io, os, struct
import numpy as np
from PIL import Image, ImageOps, ImageSequence
from safetensors.numpy import save_file
from scipy import ndimage

rng = np.random.default_rng(3)


def smooth(width, height, channels):
    x = ndimage.gaussian_filter(rng.standard_normal((height, width, channels)), (3, 3, 0))
    x = (x - x.min()) / (x.max() - x.min())
    return (x * 255).astype(np.uint8) if channels > 1 else (x[:, :, 0] * 255).astype(np.uint8)


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def exif(orientation=None, texts=()):
    e = Image.Exif()
    if orientation is not None:
        e[0x0112] = orientation
    for tag, text in texts:
        e[tag] = text
    return e


files = {}
for subsampling in (0, 1, 2):
    for width, height in ((33, 17), (1, 1), (64, 48)):
        for progressive in (False, True):
            files[f"jpeg-{subsampling}-{width}x{height}-{progressive}"] = saved(
                Image.fromarray(smooth(width, height, 3)), "JPEG", quality=85, subsampling=subsampling, progressive=progressive)
files["jpeg-grey"] = saved(Image.fromarray(smooth(31, 20, 1)), "JPEG")
files["jpeg-cmyk"] = saved(Image.fromarray(smooth(31, 20, 4), "CMYK"), "JPEG", quality=95)
for orientation in range(1, 9):
    files[f"jpeg-exif-{orientation}"] = saved(Image.fromarray(smooth(20, 12, 3)), "JPEG", exif=exif(orientation))
files["jpeg-restart"] = saved(Image.fromarray(smooth(60, 40, 3)), "JPEG", restart_marker_blocks=2)
files["webp-lossy"] = saved(Image.fromarray(smooth(33, 21, 3)), "WEBP", quality=80)
files["webp-lossy-alpha"] = saved(Image.fromarray(smooth(33, 21, 4)), "WEBP", quality=80)
files["webp-lossless"] = saved(Image.fromarray(smooth(33, 21, 3)), "WEBP", lossless=True)
files["webp-lossless-alpha"] = saved(Image.fromarray(smooth(33, 21, 4)), "WEBP", lossless=True, exact=True)
files["webp-exif"] = saved(Image.fromarray(smooth(20, 12, 3)), "WEBP", lossless=True, exif=exif(6))
files["webp-workflow"] = saved(Image.fromarray(smooth(9, 8, 3)), "WEBP", lossless=True, exif=exif(
    None, [(0x0110, 'prompt:{"3": {"class_type": "A:B"}}'), (0x010F, 'workflow:{"nodes": []}'), (0x010E, "no name, no colon")]))
files["jpeg-workflow"] = saved(Image.fromarray(smooth(9, 8, 3)), "JPEG", exif=exif(None, [(0x010F, 'workflow:{"nodes": []}')]))
frames = [Image.fromarray(smooth(24, 16, 4)) for _ in range(4)]
files["webp-animated-alpha"] = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=50)
frames = [Image.fromarray(smooth(24, 16, 3)) for _ in range(3)]
files["webp-animated"] = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=70, duration=50)

out = {}
for name, content in files.items():
    out[f"{name}.file"] = np.frombuffer(content, np.uint8)
    images, masks = [], []
    for frame in ImageSequence.Iterator(Image.open(io.BytesIO(content))):
        frame = ImageOps.exif_transpose(frame)
        images.append(np.array(frame.convert("RGB")))
        if "A" in frame.getbands():
            masks.append(255 - np.array(frame.convert("RGBA"))[:, :, 3])
    out[f"{name}.image"] = np.stack(images)
    if masks:
        out[f"{name}.mask"] = np.stack(masks)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "codecs.safetensors")
save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, path)
os.chmod(path, 0o644)
print(len(files))
