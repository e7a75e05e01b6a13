"""Label vectors of Stable unCLIP (arXiv:2204.06125, section 2.1; noise of families-unet-sampling.md section 16), by numpy."""
import os
import numpy as np
from numpy_layers import save

here = os.path.dirname(os.path.abspath(__file__))
WIDTH = 20


def normal(n, seed):
    """torch's normal numbers for 16 or more elements, from numpy's own Mersenne twister"""
    bits = np.random.MT19937()
    bits._legacy_seeding(seed & 0xFFFFFFFF)
    uniform = lambda count: np.array([int(bits.random_raw()) & 0xFFFFFF for _ in range(count)]) / 2.0**24
    u = uniform(n)

    def block(u):
        r, t = np.sqrt(-2 * np.log(1 - u[:8])), 2 * np.pi * u[8:]
        return np.concatenate([r * np.cos(t), r * np.sin(t)])

    out = u.copy()
    for start in range(0, n - 15, 16):
        out[start : start + 16] = block(u[start : start + 16])
    if n % 16:
        out[n - 16 :] = block(uniform(16))
    return out


bar = lambda t: np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2
betas = [min(1 - bar((i + 1) / 1000) / bar(i / 1000), 0.999) for i in range(1000)]
products = np.cumprod(1 - np.array(betas))

rng = np.random.default_rng(3)
mean, deviation = rng.standard_normal(WIDTH).astype(np.float32), (0.5 + rng.random(WIDTH)).astype(np.float32)
embeds = rng.standard_normal((3, WIDTH)).astype(np.float32)


def augmented(x, strength, seed):
    level = round(999 * strength)
    z = (x - mean) / deviation
    z = np.sqrt(products[level]) * z + np.sqrt(1 - products[level]) * normal(WIDTH, seed)
    angles = level * np.exp(-np.log(10000) * np.arange(WIDTH // 2) / (WIDTH // 2))
    return np.concatenate([z * deviation + mean, np.cos(angles), np.sin(angles)])


SEED = 123456789012 - 10
one = 0.7 * augmented(embeds[0].astype(float), 0.25, SEED)
parts = [(embeds[0], 0.7, 0.25), (embeds[1], -1.5, 0.0), (embeds[2], -1.5, 0.0)]
total = sum(s * augmented(e.astype(float), n, SEED) for e, s, n in parts)
several = augmented(total[:WIDTH], 0.05, SEED)
save(
    os.path.join(here, "augmentation.safetensors"),
    {k: (np.asarray(v), "F32") for k, v in dict(mean=mean, deviation=deviation, embeds=embeds, one=one[None], several=several[None]).items()},
)
