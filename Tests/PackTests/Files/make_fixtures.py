"""Expected values for PackTests, by numpy, scipy, Pillow and Python itself: another path than ours to what
spec/pack-nodes.md says. Writes pictures.json, texts.json and expressions.json beside itself.

Made with Python 3.12, numpy 2.4.6, scipy 1.17.1, Pillow 13.0.0,
OpenCV 5.0.0.
"""
import csv, io, json, math, os, random
import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage, linalg

rng = np.random.default_rng(7)
here = os.path.dirname(os.path.abspath(__file__))
pictures = {}


def put(name, array):
    array = np.asarray(array, np.float32)
    pictures[name] = {"shape": list(array.shape), "values": [float(f"{v:.6g}") for v in array.ravel()]}
    return array


def u8(x):
    return np.clip(x * 255.0, 0, 255).astype(np.uint8)


def pil(x, size, f):
    """[h, w(, c)] floats through bytes to (width, height)"""
    return np.asarray(Image.fromarray(u8(x)).resize(size, f), np.float32) / 255.0


# Pictures and masks to start from.
def noise(*shape):
    """Numbers of few digits, so that both sides start from the same ones."""
    return (rng.integers(0, 1001, shape) / 1000).astype(np.float32)

a = put("a", noise(1, 9, 13, 3))
b = put("b", noise(1, 12, 7, 3))
mask = put("mask", (noise(1, 9, 13) > 0.7) * noise(1, 9, 13))

# Resampling in floats with a widened kernel: Pillow's own on float images.
def float_bicubic(x, w, h):
    return np.stack([np.asarray(Image.fromarray(x[0, :, :, c], "F").resize((w, h), Image.BICUBIC)) for c in range(3)], -1)[None]

put("concat right", np.concatenate([a, float_bicubic(b, int(9 * (7 / 12)), 9)], 2))
put("concat down", np.concatenate([a, float_bicubic(b, 13, int(13 / (7 / 12)))], 1))
put("concat left unmatched", np.concatenate([np.pad(b, ((0, 0), (0, 0), (0, 0), (0, 0))), np.pad(a, ((0, 0), (1, 2), (0, 0), (0, 0)))], 2))

# Colours.
def mkl(target, ref):
    x, y = target.reshape(-1, 3).astype(np.float64), ref.reshape(-1, 3).astype(np.float64)
    cx, cy = np.cov(x.T), np.cov(y.T)
    rx = np.real(linalg.sqrtm(cx)); ix = linalg.inv(rx)
    t = ix @ np.real(linalg.sqrtm(rx @ cy @ rx)) @ ix
    return ((x - x.mean(0)) @ t + y.mean(0)).reshape(target.shape)

put("mkl", np.clip(mkl(a, b), 0, 1))
put("mkl half", np.clip(a + 0.5 * (mkl(a, b) - a), 0, 1))
put("remapped", np.clip(mask / mask.max() * (0.65 - 0.1) + 0.1, 0, 1))
put("rec709", (0.25 * a + 0.75 * (a @ np.array([0.2126, 0.7152, 0.0722]))[..., None]))

# Blurs and windows.
def kernel(k):
    r = (k - 1) / 2; s = 0.3 * (r - 1) + 0.8
    w = np.exp(-np.arange(-(k // 2), k // 2 + 1) ** 2 / (2 * s * s)); return w / w.sum()

def mirror_blur(x, k):
    for axis in (1, 2): x = ndimage.convolve1d(x.astype(np.float64), kernel(k), axis=axis, mode="mirror")
    return x

put("mask blur 6", mirror_blur(mask, 7))
put("gaussian symmetric", ndimage.gaussian_filter(mask[0].astype(np.float64), 1.7, mode="reflect", truncate=4.0)[None])
for k in (1, 2, 3, 4, 7): put(f"window {k}", ndimage.grey_dilation(mask[0], size=(k, k))[None])

hole = np.zeros((1, 40, 40)); hole[0, 8:34, 6:36] = 0.3
put("fill mask", hole)
grey = put("fill image", noise(1, 40, 40, 3))
put("fill neutral", np.where(hole[..., None] > 0, 0.5, grey))
def softened(m, r):
    e = 1 - ndimage.grey_dilation(1 - m[0], size=(2 * r + 1, 2 * r + 1), mode="constant", cval=0)
    s = 0.3 * (r - 1) + 0.8
    w = np.exp(-np.arange(-r, r + 1) ** 2 / (2 * s * s)); w /= w.sum()
    for axis in (0, 1): e = ndimage.convolve1d(e, w, axis=axis, mode="mirror")
    return (m[0] * e)[None, ..., None]
put("fill neutral 4", (grey - 0.5) * (1 - softened((hole > 0).astype(np.float64), 5)) + 0.5)

# Shapes.
def drawn(shape, x, y, w, h, fw, fh):
    im = Image.new("L", (fw, fh)); d = ImageDraw.Draw(im)
    box = (x - w // 2, y - h // 2, x + w // 2, y + h // 2)
    if shape == "circle": d.ellipse(box, fill=255)
    elif shape == "square": d.rectangle(box, fill=255)
    else: d.polygon([(box[0], box[3]), (box[2], box[3]), (x, box[1])], fill=255)
    return np.asarray(im, np.float32) / 255

shapes = [(s, random.Random(i).randint(0, 30), random.Random(i + 50).randint(0, 20), random.Random(i + 100).randint(8, 40),
           random.Random(i + 150).randint(8, 40)) for i, s in enumerate(["circle", "square", "triangle"] * 6)]
pictures["shapes"] = [{"shape": s, "x": x, "y": y, "width": w, "height": h,
                       "rows": ["".join("#" if v else "." for v in row) for row in drawn(s, x, y, w, h, 31, 23)]}
                      for s, x, y, w, h in shapes]

# Canny by OpenCV: on the picture itself, and after OpenCV's resizing.
import cv2
yy, xx = np.mgrid[0:40, 0:64]
smooth = np.stack([np.sin(xx / 7.0) * np.cos(yy / 5.0), np.cos((xx + yy) / 6.0), np.sin(np.hypot(xx - 30, yy - 20) / 3.0)], -1)
smooth = put("smooth", np.round((smooth * 0.5 + 0.5) * 1000)[None] / 1000)[0]
def canny(x, resolution, low, high):
    x = u8(x); h, w = x.shape[:2]; k = resolution / min(h, w)
    th, tw = int(np.round(h * k)), int(np.round(w * k))
    x = cv2.resize(x, (tw, th), interpolation=cv2.INTER_CUBIC if k > 1 else cv2.INTER_AREA)
    x = np.pad(x, ((0, -th % 64), (0, -tw % 64), (0, 0)), mode="edge")
    return cv2.Canny(x, low, high)[:th, :tw]
pictures["canny"] = [{"resolution": r, "low": l, "high": h, "rows": ["".join("#" if v else "." for v in row) for row in canny(smooth, r, l, h)]}
                     for r, l, h in [(40, 100, 200), (40, 30, 60), (64, 50, 120), (25, 60, 150), (20, 100, 200)]]

# Copies of a picture on its sides.
q = (u8(a[0]) / np.float32(255))
e = np.tile(q, (2, 3, 1)); put("expanded", e[None])
m = np.ones((18, 39), np.float32); m[9:18, 0:13] = 0; put("expanded mask", m[None, None])
w = np.ones((9, 26, 3), np.float32); w[:, 13:] = q; put("expanded white", w[None])


# Inpaint-CropAndStitch.
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS, "nearest": Image.NEAREST}

def blend(x, pixels):
    if pixels <= 0: return x
    return np.clip(ndimage.gaussian_filter(x.astype(np.float64), pixels * 0.5 / 4, mode="reflect", truncate=4.0), 0, 1)

def expand(x, pixels):
    if pixels <= 0: return x
    k = math.ceil(pixels / 4 * 1.5 + 1)
    return ndimage.grey_dilation(x, size=(k, k))

def fill(x):
    out = x.copy()
    for t in [1, .99, .97, .95, .93, .9, .8, .7, .6, .5, .4, .3, .2, .1]:
        closed = ndimage.binary_closing(x >= np.float32(t), np.ones((3, 3)), border_value=1)
        out = np.maximum(out, ndimage.binary_fill_holes(closed) * np.float32(t))
    return out

def bbox(x):
    ys, xs = np.nonzero(x > 0)
    return None if len(ys) == 0 else [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]

def crop(image, mask, context=None, fill_holes=True, grow=0, invert=False, blend_pixels=32, hipass=0.1, extend=None,
         factor=1.2, target=None, padding=32, down="bilinear", up="bicubic"):
    context = np.zeros_like(mask) if context is None else context
    if fill_holes: mask = fill(mask)
    mask = expand(mask, grow)
    if invert: mask = 1 - mask
    mask = blend(expand(mask, blend_pixels), blend_pixels)
    if hipass >= 0.01: mask = np.where(mask < hipass, 0, mask); context = np.where(context < hipass, 0, context)
    if extend:
        (t, bo, l, r) = extend; h, wd = mask.shape
        nh, nw = int(h * (1 + (t - 1) + (bo - 1))), int(wd * (1 + (l - 1) + (r - 1)))
        pt, pl = int(h * (t - 1)), int(wd * (l - 1))
        pads = ((pt, nh - h - pt), (pl, nw - wd - pl))
        image = np.pad(image, pads + ((0, 0),), mode="edge")
        mask = np.pad(mask, pads, constant_values=1); context = np.pad(context, pads)
    h, wd = mask.shape
    box = bbox(mask) or [0, 0, wd, h]
    if factor >= 1.01:
        dx, dy = round((box[2] - box[0]) * (factor - 1) / 2), round((box[3] - box[1]) * (factor - 1) / 2)
        box = [max(box[0] - dx, 0), max(box[1] - dy, 0), min(box[2] + dx, wd), min(box[3] + dy, h)]
    other = bbox(context)
    if other: box = [min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3])]
    bw, bh = box[2] - box[0], box[3] - box[1]
    tw, th = target or (bw, bh)
    up_to = lambda v: v if padding <= 1 else -(-v // padding) * padding
    tw, th = up_to(tw), up_to(th)
    nw, nh = bw, bh
    if bw / bh < tw / th: nw = max(int(bh * (tw / th)), bw)
    else: nh = max(int(bw / (tw / th)), bh)
    if not target: nw, nh = max(nw, tw), max(nh, th)
    def place(old, length, new, side):
        if new > side: return -((new - side) // 2)
        return min(max(old - (new - length) // 2, 0), side - new)
    x, y = place(box[0], bw, nw, wd), place(box[1], bh, nh, h)
    pads = ((max(-y, 0), max(y + nh - h, 0)), (max(-x, 0), max(x + nw - wd, 0)))
    canvas = np.pad(image, pads + ((0, 0),), mode="edge"); cm = np.pad(mask, pads, constant_values=1)
    y0, x0 = y + pads[0][0], x + pads[1][0]
    ci, cmask = canvas[y0:y0 + nh, x0:x0 + nw], cm[y0:y0 + nh, x0:x0 + nw]
    if target:
        f = FILTERS[up if tw > nw or th > nh else down]
        ci, cmask = pil(ci, (tw, th), f), pil(cmask, (tw, th), f)
    return dict(canvas=canvas, box=(x0, y0, nw, nh), orig=(pads[1][0], pads[0][0], wd, h), image=ci, mask=cmask,
                blend=blend(cmask, blend_pixels), up=up, down=down)

def stitch(s, image):
    x, y, w, h = s["box"]; ih, iw = image.shape[:2]
    f = FILTERS[s["up"] if w > iw or h > ih else s["down"]]
    i, m = pil(image, (w, h), f), np.clip(pil(s["blend"], (w, h), f), 0, 1)[..., None]
    out = s["canvas"].copy(); out[y:y + h, x:x + w] = m * i + (1 - m) * out[y:y + h, x:x + w]
    ox, oy, ow, oh = s["orig"]; return out[oy:oy + oh, ox:ox + ow]

scene = put("scene", noise(1, 48, 64, 3))
spot = np.zeros((48, 64), np.float32); spot[12:26, 20:38] = 1; spot[17:20, 26:30] = 0
put("spot", spot[None])
corner = np.zeros((48, 64), np.float32); corner[0:9, 50:64] = 0.8
put("corner", corner[None])
cases = {
    "defaults": (spot, dict(target=(64, 64))),
    "own size": (spot, dict(target=None, padding=8, blend_pixels=4)),
    "small target": (spot, dict(target=(16, 24), padding=8, blend_pixels=0, hipass=0.0, factor=1.0)),
    "corner, wide": (corner, dict(target=(96, 32), padding=0, blend_pixels=6, grow=3, down="lanczos", up="lanczos")),
    "context": (corner, dict(target=(32, 32), padding=16, context=spot, blend_pixels=2)),
    "outpainting": (spot * 0, dict(target=(64, 64), padding=8, extend=(1.25, 1.0, 1.0, 1.5), blend_pixels=5)),
    "inverted": (spot, dict(target=(32, 32), invert=True, fill_holes=False, blend_pixels=1)),
}
pictures["crops"] = []
for name, (m, options) in cases.items():
    c = crop(scene[0], m, **options)
    put(f"crop {name} image", c["image"][None]); put(f"crop {name} mask", c["mask"][None])
    put(f"crop {name} stitched", stitch(c, 1 - c["image"])[None])
    pictures["crops"].append({"name": name, "box": [int(v) for v in c["box"]]})

json.dump(pictures, open(os.path.join(here, "pictures.json"), "w"), separators=(",", ":"))

# Text.
samples = ["hello World", "ÄÖü ß ǆ ﬁ", "  spaced\tout \n", "", "ŉ İstanbul", "x\u0301y", "a1B2"]
operations = {"uppercase": str.upper, "lowercase": str.lower, "capitalize": str.capitalize, "invert_case": str.swapcase,
              "reverse": lambda s: s[::-1], "trim": str.strip, "remove_spaces": lambda s: s.replace(" ", "")}
texts = {"operations": [[o, s, f(s)] for o, f in operations.items() for s in samples if not (o == "lowercase" and "İ" in s)]}
rows = ["a,b,c\nd,'e,f',g", "'it''s',x\n,\n1", "'unclosed,2", "no quotes here", "a'b,c'"]
texts["csv"] = [[t, "\n".join(v for r in csv.reader(t.strip().splitlines(), quotechar="'") for v in r)] for t in rows]
texts["floats"] = [[v, str(v)] for v in [1.0, 0.1, 1e-05, 1.45, 123456789.0, 1e16, 1e22, -2.5, 0.30000000000000004]]
texts["rounded"] = [[v, n, round(v, n)] for v in [2.675, 1.005, 0.5, 1234.5678, -1.25, 1e-7, 2.5] for n in (0, 1, 2, 6)]
json.dump(texts, open(os.path.join(here, "texts.json"), "w"), separators=(",", ":"))

# Expressions: random ones with Python's own values. Beyond 64 bits there is none.
gen = random.Random(11)
def expression(depth):
    if depth == 0 or gen.random() < 0.15:
        return gen.choice([str(gen.randint(0, 30)), f"{gen.random() * 9:.3f}", "a", "b", "c", str(gen.randint(0, 9))])
    k = gen.random()
    if k < 0.6:
        op = gen.choice(["+", "-", "*", "/", "//", "%", "+", "-", "*"])
        return f"{expression(depth - 1)} {op} {expression(depth - 1)}"
    if k < 0.68: return f"-{expression(depth - 1)}"
    if k < 0.8: return f"({expression(depth - 1)})"
    if k < 0.84: return f"({expression(depth - 1)}) ** {gen.randint(0, 3)}"
    if k < 0.88: return f"{gen.choice(['min', 'max'])}({expression(depth - 1)}, {expression(depth - 1)})"
    if k < 0.91: return f"round({expression(depth - 1)}, {gen.randint(0, 3)})"
    if k < 0.94: return f"{expression(depth - 1)} {gen.choice(['<', '<=', '==', '!=', '>', '>='])} {expression(depth - 1)}"
    if k < 0.96: return f"{expression(depth - 1)} if {expression(depth - 1)} else {expression(depth - 1)}"
    if k < 0.98: return f"{expression(depth - 1)} {gen.choice(['and', 'or'])} not {expression(depth - 1)}"
    return f"({gen.randint(0, 99)} {gen.choice(['&', '|', '^', '<<', '>>'])} {gen.randint(0, 9)})"

known = {"a": 7, "b": -3, "c": 2.5}
out = []
while len(out) < 600:
    text = expression(gen.randint(1, 5))
    try: value = eval(text, {"__builtins__": {"min": min, "max": max, "round": round}}, dict(known))
    except ZeroDivisionError: out.append([text, "error"]); continue
    except (OverflowError, TypeError, SyntaxError): continue
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)): continue
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2 ** 62: continue
    out.append([text, str(value)])
json.dump(out, open(os.path.join(here, "expressions.json"), "w"), separators=(",", ":"))
