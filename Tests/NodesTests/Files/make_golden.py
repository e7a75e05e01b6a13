#!/usr/bin/env python3
"""Cuts the reference's cases down to the nodes that run without a model.

    python3 make_golden.py GOLDENS

GOLDENS is the folder with sd15/NAME.json and sd15/NAME.expected.safetensors. Writes golden/NAME.json and
golden/NAME.safetensors: graphs of the nodes named below and those they take values from. A node marked "given" is not
run: its value is the stored one, "model" stands for a model with the noise levels of SD1. Tensors that the reference's
files leave out because an earlier case of the family holds them are put back where a given node needs them.
"""
import json, pathlib, struct, sys

GOLDENS = pathlib.Path(sys.argv[1]) / "sd15"
HERE = pathlib.Path(__file__).parent / "golden"
GIVEN = {"CLIPTextEncode": "conditioning", "VAEEncode": "latent", "KSampler": "latent", "SamplerCustomAdvanced": "latent",
         "CheckpointLoaderSimple": "model", "EmptyLatentImage": None}
LEFT_OUT = {"SaveImage", "PreviewImage", "SaveLatent", "MaskPreview", "PreviewAny", "VAEDecode", "KSampler", "SamplerCustom",
            "SamplerCustomAdvanced", "CFGGuider", "DualCFGGuider", "KSamplerSelect", "SamplerEulerAncestral",
            "SamplerDPMPP_2M_SDE", "CLIPTextEncode", "CheckpointLoaderSimple", "VAEEncode", "DisableNoise", "LoadImage",
            "EmptyLatentImage", "RandomNoise"}
CASES = ["image-mask", "image-scale", "latent-ops", "latent-scale", "batch", "cond-area", "cond-mask", "cond-ops",
         "custom-sampler"]


def load(path):
    blob = path.read_bytes()
    size = struct.unpack("<Q", blob[:8])[0]
    header = json.loads(blob[8 : 8 + size])
    header.pop("__metadata__", None)
    return {k: (v["dtype"], v["shape"], blob[8 + size + v["data_offsets"][0] : 8 + size + v["data_offsets"][1]])
            for k, v in header.items()}


def save(path, tensors):
    header, data = {}, b""
    for key in sorted(tensors):
        dtype, shape, raw = tensors[key]
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


family = {p.stem: (json.loads(p.read_text()), load(GOLDENS / (p.stem + ".expected.safetensors")))
          for p in sorted(GOLDENS.glob("*.json"))}


def signature(graph, node):
    """What a node computes, without the ids of the file."""
    inputs = {k: signature(graph, graph[v[0]]) + [v[1]] if isinstance(v, list) else v for k, v in node["inputs"].items()}
    return [node["class_type"], json.dumps(inputs, sort_keys=True)]


def held_elsewhere(graph, node, suffix):
    for name in sorted(family, key=lambda n: (n != "t2i", n)):
        other, tensors = family[name]
        for key, candidate in other.items():
            if key + suffix in tensors and signature(other, candidate) == signature(graph, node):
                return tensors[key + suffix]
    return None


for name in CASES:
    graph, expected = family[name]
    cut = {}

    def add(key, is_root):
        node = graph[key]
        kind = node["class_type"]
        if key in cut:
            return
        if kind in GIVEN and GIVEN[kind]:
            cut[key] = {"class_type": kind, "given": GIVEN[kind], "inputs": {}}
            return
        for value in node["inputs"].values():
            if isinstance(value, list):
                add(value[0], False)
        cut[key] = {"class_type": kind, "inputs": node["inputs"]}

    for key, node in graph.items():
        if node["class_type"] not in LEFT_OUT:
            add(key, True)
    tensors = {}
    for key, node in cut.items():
        tensors.update({k: v for k, v in expected.items() if k.split(".")[0] == key})
        wanted = {"conditioning": [".0.0.0", ".0.0.1.pooled_output"], "latent": [".0.samples"]}.get(node.get("given"), [])
        for suffix in wanted:
            if key + suffix not in tensors:
                tensor = held_elsewhere(graph, graph[key], suffix)
                if tensor is None:
                    sys.exit(f"{name}: {key}{suffix} is nowhere")
                tensors[key + suffix] = tensor
    if name == "image-scale":
        tensors = {k: v for k, v in tensors.items() if cut[k.split(".")[0]]["class_type"] != "LoadImage"}
    ordered = {k: cut[k] for k in graph if k in cut}
    (HERE / (name + ".json")).write_text(
        "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in ordered.items()) + "\n}\n")
    save(HERE / (name + ".safetensors"), tensors)
    print(name, len(ordered), "nodes", sum(len(t[2]) for t in tensors.values()), "bytes")
