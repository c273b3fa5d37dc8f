"""The contenders. Each makes training steps on a batch that stays in place: forward pass, loss, backward pass, SGD.

imports() imports the libraries (not counted as memory); step() returns the loss before its update; gradients() are
the L2 norms of the last gradients by parameter. SETTINGS is the description in the documentation.
"""
import ctypes

from training_cases import RATES


def aligned(count):
    """A zeroed array, aligned to 64 bytes."""
    import numpy as np
    raw = np.zeros(count + 16, np.float32)
    return raw[-raw.ctypes.data // 4 % 16:][:count]


class Module:
    """The C that spdc generated, through step.c."""

    def __init__(self, case):
        self.library = ctypes.CDLL(str(case.folder / "spdc" / "libstep.so"))
        self.library.bench_state_count.restype = ctypes.c_size_t
        self.library.bench_arena_bytes.restype = ctypes.c_size_t
        self.library.bench_status.restype = ctypes.c_char_p

    def parameters(self):
        """(name, offset in the state, whether it is trained) of each parameter."""
        name, offset, count, group = ctypes.c_char_p(), ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_int32()
        index = 0
        while self.library.bench_parameter(ctypes.c_size_t(index), *map(ctypes.byref, (name, offset, count, group))):
            yield name.value.decode(), slice(offset.value, offset.value + count.value), group.value >= 0
            index += 1


class Spdc:
    SETTINGS = ("`spdc compile --train --update-in-backward`, as `spdc train` compiles where gradients are neither clipped nor accumulated: "
                "parameters and momentum, each gradient in the arena until its update")

    @staticmethod
    def imports():
        import numpy  # noqa: F401

    def __init__(self, case, threads):
        import numpy as np
        self.module, self.values = Module(case), case.values
        library = self.module.library
        self.state = [aligned(library.bench_state_count()) for _ in range(2)]
        self.state[0][:] = np.load(case.values, mmap_mode="r")
        self.arena = aligned(library.bench_arena_bytes(threads) // 4)
        self.images = aligned(case.images().size)
        self.images[:] = case.images().ravel()
        self.data = case.targets() if case.is_detector else case.labels()
        self.losses = np.zeros(4, np.float32)
        pointers = (ctypes.c_void_p * 2)(*(a.ctypes.data for a in self.state))
        data = ctypes.c_void_p(self.data.ctypes.data)
        self.arguments = (
            pointers, ctypes.c_void_p(self.arena.ctypes.data), threads, ctypes.c_void_p(self.images.ctypes.data),
            None if case.is_detector else data, data if case.is_detector else None,
            len(self.data) if case.is_detector else 0, *(ctypes.c_double(v) for v in RATES.values()),
            ctypes.c_void_p(self.losses.ctypes.data))

    def step(self):
        status = self.module.library.bench_step(*self.arguments)
        if status != 0:
            raise RuntimeError(self.module.library.bench_status(status).decode())
        return float(self.losses[0])

    def gradients(self):
        """Norms of the first step, whose momentum is the gradient plus the decay of the original parameter."""
        import numpy as np
        values = np.load(self.values, mmap_mode="r")
        return {name: float(np.linalg.norm(
                    self.state[1][place].astype(np.float64) - RATES["weight_decay"] * values[place].astype(np.float64)))
                for name, place, trained in self.module.parameters() if trained}


class Torch:
    LAYOUT = "contiguous_format"
    DTYPE = "float32"
    SETTINGS = "eager, fused SGD"

    @staticmethod
    def imports():
        import networks  # noqa: F401
        import synthetic  # noqa: F401
        import torch  # noqa: F401
        import yolo_loss  # noqa: F401

    def __init__(self, case, threads):
        import networks
        import synthetic
        import torch
        import yolo_loss
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        layout, dtype = getattr(torch, self.LAYOUT), getattr(torch, self.DTYPE)
        self.module = synthetic.fill(networks.build(case.model)).train().to(dtype, memory_format=layout)
        self.images = torch.from_numpy(case.images()).to(dtype, memory_format=layout)
        self.optimiser = torch.optim.SGD(self.module.parameters(), **RATES, fused=True)
        if case.is_detector:
            targets, anchors = torch.from_numpy(case.targets()).to(dtype), self.module.model[-1].anchors
            network = self.prepare(self.module)
            self.forward = lambda: yolo_loss.loss(network(self.images), targets, anchors)
        else:
            labels = torch.from_numpy(case.labels()).long()
            network = self.prepare(lambda x: torch.nn.functional.cross_entropy(self.module(x), labels))
            self.forward = lambda: network(self.images)

    def prepare(self, function):
        return function

    def step(self):
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.forward()
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def gradients(self):
        return {name: p.grad.double().norm().item() for name, p in self.module.named_parameters()}


class TorchChannelsLast(Torch):
    LAYOUT = "channels_last"
    SETTINGS = "eager, fused SGD, weights and input in channels-last order"


class TorchCompile(Torch):
    LAYOUT = "channels_last"
    SETTINGS = ("torch.compile (Inductor, C++) of network and cross-entropy, of the network alone for detectors; "
                "channels-last, fused SGD")

    def prepare(self, function):
        import torch
        return torch.compile(function, fullgraph=True, dynamic=False)


class TorchDouble(Torch):
    """The reference that the contenders' first steps are compared with."""
    DTYPE = "float64"


REFERENCE = "torch-float64"
TRAINERS = {"spdc": Spdc, "torch": Torch, "torch-channels-last": TorchChannelsLast, "torch-compile": TorchCompile}
