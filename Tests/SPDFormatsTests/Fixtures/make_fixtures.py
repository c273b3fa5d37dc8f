"""Writes the fixtures of SPDFormatsTests with the real libraries: numpy, safetensors and torch.

    python make_fixtures.py        (in this folder)

Beside every fixture NAME.EXT that holds weights, NAME.expected.npz holds what it must be read as: float32, row-major,
written by numpy. Everything is seeded and small.
"""
import collections, io, os, pickle, sys, types, zipfile
import numpy as np
import torch
from torch import nn
import safetensors.torch, safetensors.numpy

HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(HERE)
torch.manual_seed(7)
rng = np.random.default_rng(7)


def expect(name, arrays):
    arrays = {k: np.ascontiguousarray(v.detach().float().numpy() if torch.is_tensor(v) else np.asarray(v, np.float32))
              .reshape(np.shape(v)) for k, v in arrays.items()}
    # numpy.savez cannot take every name as a keyword, so the archive is written entry by entry.
    with zipfile.ZipFile(name + ".expected.npz", "w", zipfile.ZIP_STORED) as archive:
        for key, value in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, value)
            archive.writestr(zipfile.ZipInfo(key + ".npy"), buffer.getvalue())


SPECIAL = [0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, -6e-8, 6.1e-5, float("inf"), float("-inf"), 1 / 3]

# --- safetensors -----------------------------------------------------------------------------------------------
for label, dtype in [("fp32", torch.float32), ("fp16", torch.float16), ("bf16", torch.bfloat16), ("fp64", torch.float64)]:
    tensors = {"conv.weight": torch.randn(4, 3, 3, 3).to(dtype), "conv.bias": torch.tensor(SPECIAL).to(dtype),
               "scalar": torch.tensor(1.5).to(dtype), "empty": torch.zeros(0, 3).to(dtype)}
    safetensors.torch.save_file(tensors, f"st-{label}.safetensors")
    expect(f"st-{label}", tensors)
mixed = {"i64": torch.tensor([-5, 0, 1 << 40]), "i32": torch.tensor([-7, 9], dtype=torch.int32),
         "i16": torch.tensor([-300, 300], dtype=torch.int16), "i8": torch.tensor([-128, 127], dtype=torch.int8),
         "u8": torch.tensor([0, 255], dtype=torch.uint8), "bool": torch.tensor([True, False, True])}
safetensors.torch.save_file(mixed, "st-mixed.safetensors",
                            metadata={"names": '["cat", "d\\u00f6g"]', "nc": "2", "note": 'quote " and \\ and\nline'})
expect("st-mixed", mixed)

# --- npy, npz --------------------------------------------------------------------------------------------------
base = (rng.standard_normal((2, 3, 4)) * 40)
for code in ["<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "<i8", ">i4", "<i2", "|i1", "|u1", "<u2", ">u4", "<u8", "|b1"]:
    array = (np.abs(base) if "u" in code else base).astype(code) if code != "|b1" else base > 0
    for order in "CF":
        name = "npy-" + code.replace("<", "le-").replace(">", "be-").replace("|", "") + "-" + order
        np.save(name + ".npy", np.array(array, order=order))
        expect(name, {"array": array.astype(np.float32)})
np.save("npy-scalar.npy", np.float32(2.5)); expect("npy-scalar", {"array": np.float32(2.5)})
np.save("npy-empty.npy", np.zeros((0, 5), np.float32)); expect("npy-empty", {"array": np.zeros((0, 5))})
for version in [(2, 0), (3, 0)]:
    with open(f"npy-v{version[0]}.npy", "wb") as f:
        np.lib.format.write_array(f, base.astype(np.float32), version=version)
    expect(f"npy-v{version[0]}", {"array": base})
np.save("refused-complex.npy", np.zeros(2, np.complex64))
np.save("refused-object.npy", np.array([None, {}], object), allow_pickle=True)
np.save("refused-records.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))

arrays = {"conv.weight": base.astype(np.float32), "bn.bias": np.arange(6, dtype=np.float16),
          "module.bn.count": np.int64(3), "t": np.asfortranarray(base[0])}
np.savez("npz-stored.npz", **arrays)
np.savez_compressed("npz-deflated.npz", **{**arrays, "zeros": np.zeros((40, 50), np.float32)})
plain = {k.removeprefix("module."): v for k, v in arrays.items()}
expect("npz-stored", plain)
expect("npz-deflated", {**plain, "zeros": np.zeros((40, 50))})

# --- torch: state dicts ----------------------------------------------------------------------------------------
net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(4, 2))
net[1](torch.randn(2, 3, 4, 4))
torch.save(net.state_dict(), "pt-state-dict.pt"); expect("pt-state-dict", net.state_dict())
expect("pt-deflated", net.state_dict())
torch.save(net.half().state_dict(), "pt-half.pt"); expect("pt-half", net.state_dict())
net.float()

shared = torch.arange(24, dtype=torch.float32).reshape(4, 6)
strided = collections.OrderedDict()
strided["module.whole"] = shared
strided["module.transposed"] = shared.t()
strided["module.sliced"] = shared[1:3, ::2]
strided["module.column"] = shared[:, 3]
strided["module.channels_last"] = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
strided["module.permuted16"] = torch.randn(3, 4, 2).half().permute(2, 0, 1)
strided["module.permuted8"] = torch.arange(12, dtype=torch.uint8).reshape(3, 4).t()
strided["module.permuted64"] = torch.arange(12).reshape(3, 4).t()
strided["module.expanded"] = torch.tensor([1.0, 2.0]).reshape(2, 1).expand(2, 3)
strided["module.empty"] = torch.zeros(3, 0)
strided["module.scalar"] = torch.tensor(7, dtype=torch.int16)
torch.save({"state_dict": strided, "epoch": 3}, "pt-strided.pt")
expect("pt-strided", {k.removeprefix("module."): v.contiguous() for k, v in strided.items()})

types_ = {"f64": torch.tensor([1.5, -2.25, 1e300, 1e-300], dtype=torch.float64),
          "bf16": torch.tensor(SPECIAL).bfloat16(), "f16": torch.tensor(SPECIAL).half(), "i64": torch.tensor([1 << 33]),
          "i32": torch.tensor([-5], dtype=torch.int32), "i16": torch.tensor([-5], dtype=torch.int16),
          "i8": torch.tensor([-5], dtype=torch.int8), "u8": torch.tensor([250], dtype=torch.uint8),
          "bool": torch.tensor([True, False]), "u16": torch.tensor([65535, 1], dtype=torch.uint16),
          "u32": torch.tensor([4294967295, 1], dtype=torch.uint32)}
torch.save({"model_state_dict": types_}, "pt-types.pt")
expect("pt-types", {k: v.numpy().astype(np.float32) if k in ("u16", "u32") else v for k, v in types_.items()})
for protocol in (3, 4, 5):
    torch.save({"net": net.state_dict(), "nc": 2, "names": {1: "b", 0: "a"}}, f"pt-protocol{protocol}.pt",
               pickle_protocol=protocol)
    expect(f"pt-protocol{protocol}", net.state_dict())
torch.save({"model": {k: v.numpy() for k, v in net.state_dict().items()}}, "pt-numpy.pt")
expect("pt-numpy", net.state_dict())
attributed = nn.Parameter(torch.randn(3)); attributed.note = "kept"
tied = torch.randn(2, 2)
torch.save({"a": tied, "b": tied, "c": attributed}, "pt-tied.pt"); expect("pt-tied", {"a": tied, "b": tied, "c": attributed})

# --- torch: whole modules --------------------------------------------------------------------------------------
# The classes live in modules that exist nowhere else, as those of a training script do.
common = types.ModuleType("models.common"); yolo = types.ModuleType("models.yolo")
sys.modules.update({"models": types.ModuleType("models"), "models.common": common, "models.yolo": yolo})


class Conv(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv, self.bn, self.act = nn.Conv2d(cin, cout, 1, bias=False), nn.BatchNorm2d(cout), nn.SiLU()


class Model(nn.Module):
    def __init__(self, names):
        super().__init__()
        self.yaml = {"nc": 3, "backbone": [[-1, 1, "Conv", [8]]]}
        self.model = nn.Sequential(Conv(2, 3), nn.ModuleList([Conv(3, 2), nn.Linear(2, 2)]))
        self.register_buffer("anchors", torch.arange(6.0).reshape(3, 2))
        self.register_buffer("scratch", torch.ones(2), persistent=False)
        self.register_buffer("nothing", None)
        self.names, self.nc, self.stride = names, 3, torch.tensor([8.0, 16.0])
        self.me = self.yaml


for cls, module in ((Conv, common), (Model, yolo)):
    cls.__module__, cls.__qualname__ = module.__name__, cls.__name__
    setattr(module, cls.__name__, cls)
model, ema = Model(["x", "y", "z"]), Model({0: "cat", 1: "dög", 2: "emu"}).half()
torch.save({"epoch": -1, "best_fitness": np.float64(0.5), "model": model, "ema": ema, "date": "2024-01-01",
            "optimizer": None, "opt": types.SimpleNamespace(lr=0.1)}, "pt-module-ema.pt")
expect("pt-module-ema", ema.state_dict())
torch.save({"epoch": 5, "model": model.half(), "ema": None}, "pt-module.pt"); expect("pt-module", model.state_dict())
torch.save(nn.DataParallel(model), "pt-module-parallel.pt"); expect("pt-module-parallel", model.state_dict())
loop = Model(["a"]); loop.__dict__["loop"] = [loop]; loop.loop.append(loop.loop)
torch.save(loop, "pt-module-loop.pt"); expect("pt-module-loop", loop.state_dict())


# --- refused ---------------------------------------------------------------------------------------------------
class Evil:
    def __reduce__(self): return os.system, ("touch spdc-was-here",)


class Evaluated:
    def __reduce__(self): return eval, ("1 + 1",)


torch.save({"model": Evil()}, "refused-system.pt")
torch.save({"weight": torch.ones(2), "x": Evaluated()}, "refused-eval.pt", pickle_protocol=4)
torch.save(net.state_dict(), "refused-legacy.pt", _use_new_zipfile_serialization=False)
torch.save({"weight": torch.ones(2, dtype=torch.complex64)}, "refused-complex.pt")
torch.save({"epoch": 3, "lr": 0.1}, "refused-no-weights.pt")
torch.jit.script(nn.Linear(2, 2)).save("refused-script.pt")
pickle.dump({"weight": [1.0]}, open("refused-bare.pkl", "wb"))

# --- torch, rewritten: deflated as a re-zipped file is, and big-endian -------------------------------------------
def rewrite(source, target, compression, change=lambda name, data: data):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for info in old.infolist():
            new.writestr(zipfile.ZipInfo(info.filename), change(info.filename, old.read(info)), compression)


rewrite("pt-state-dict.pt", "pt-deflated.pt", zipfile.ZIP_DEFLATED)
weights = {"w": torch.randn(5), "h": torch.randn(3).half()}
element_size = {"0": 4, "1": 2}  # of the storages, by key


def swap(name, data):
    if name.endswith("/byteorder"):
        return b"big"
    parts = name.split("/data/")
    return np.frombuffer(data, f"<u{element_size[parts[1]]}").byteswap().tobytes() if len(parts) == 2 else data


torch.save(weights, "temporary.pt")
rewrite("temporary.pt", "pt-big-endian.pt", zipfile.ZIP_STORED, swap)
os.remove("temporary.pt")
expect("pt-big-endian", weights)
print(sum(os.path.getsize(f) for f in os.listdir(".")), "bytes in", len(os.listdir(".")), "files")
