"""Miniature tiny autoencoders (TAESD, github.com/madebyollin/taesd) with 4 and 16 channels, and what they make of a
picture and a latent, by numpy."""
import os
import numpy as np
from numpy_layers import Maker, conv, nearest, relu, save

here = os.path.dirname(os.path.abspath(__file__))
WIDTH = 4


def block(maker, name, skip):
    layers = [maker.conv(f"{name}.conv.{k}", WIDTH, WIDTH) for k in (0, 2, 4)]
    shortcut = maker.conv(f"{name}.skip", WIDTH, WIDTH, 1, bias=False) if skip else None

    def run(x):
        h = conv(relu(conv(relu(conv(x, layers[0])), layers[1])), layers[2])
        return relu(h + (conv(x, shortcut) if shortcut else x))

    return run


def encoder(maker, channels):
    steps, n = [], 0

    def add(step):
        nonlocal n
        steps.append(step)
        n += 1

    def plain(outputs, inputs, **more):
        layer = maker.conv(str(n), outputs, inputs)
        add(lambda x: conv(x, layer))

    def halving():
        layer = maker.conv(str(n), WIDTH, WIDTH, bias=False)
        add(lambda x: conv(x, layer, stride=2))

    plain(WIDTH, 3)
    add(block(maker, str(n), False))
    for _ in range(3):
        halving()
        for _ in range(3):
            add(block(maker, str(n), False))
    plain(channels, WIDTH)

    def run(x):
        for step in steps:
            x = step(x)
        return x

    return run


def decoder(maker, channels, skip):
    # 0 is the clamp and 2 the ReLU: they have no weights.
    first = maker.conv("1", WIDTH, channels)
    steps, n = [lambda x: relu(conv(3 * np.tanh(x / 3), first))], 3
    for _ in range(3):
        for _ in range(3):
            steps.append(block(maker, str(n), skip))
            n += 1
        layer = maker.conv(str(n + 1), WIDTH, WIDTH, bias=False)
        steps.append(lambda x, layer=layer: conv(nearest(x, 2), layer))
        n += 2
    steps.append(block(maker, str(n), skip))
    last = maker.conv(str(n + 1), 3, WIDTH, gain=2.0, center=0.4)
    steps.append(lambda x: conv(x, last))

    def run(x):
        for step in steps:
            x = step(x)
        return x

    return run


rng = np.random.default_rng(9)
picture = rng.random((1, 27, 17, 3)).astype(np.float32)
expected = {"picture": (picture, "F32")}
cropped = picture[0, 1:25, 0:16].astype(np.float64).transpose(2, 0, 1)
for name, channels, scale, shift, skip in [("taesd", 4, 0.18215, 0, False), ("taef1", 16, 0.3611, 0.1159, True)]:
    encode, decode = Maker(11 + channels), Maker(12 + channels)
    run_encoder, run_decoder = encoder(encode, channels), decoder(decode, channels, skip)
    save(os.path.join(here, name + "_encoder.safetensors"), encode.tensors)
    save(os.path.join(here, name + "_decoder.safetensors"), decode.tensors)
    latent = (rng.standard_normal((1, channels, 3, 2)) / scale + shift).astype(np.float32)
    expected[name + ".latent"] = (latent, "F32")
    expected[name + ".encoded"] = ((run_encoder(cropped) / scale + shift)[None], "F32")
    decoded = run_decoder((latent[0].astype(np.float64) - shift) * scale)
    expected[name + ".decoded"] = (np.clip(decoded, 0, 1).transpose(1, 2, 0)[None], "F32")
save(os.path.join(here, "tiny-expected.safetensors"), expected)
