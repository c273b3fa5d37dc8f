"""The peers: how each loads a network and runs it once, with its fastest settings.

Each engine is a class: imports() imports its libraries (not counted as loading), __init__ loads a network from its
files, run() is one inference on an input buffer that stays in place, output() is the last result as an array. SETTINGS is
the description in the documentation. All are float32 unless the name says otherwise.
"""


class OnnxRuntime:
    PACKAGE = "onnxruntime"
    SETTINGS = ("all graph optimisations (NCHWc layout among them), sequential, intra-op threads that spin while a run "
                "lasts; input and output bound in place (I/O binding)")

    @staticmethod
    def imports():
        import onnxruntime  # noqa: F401

    def __init__(self, case, threads, x):
        import numpy as np
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self.session = ort.InferenceSession(case.onnx, options, providers=["CPUExecutionProvider"])
        entry, result = self.session.get_inputs()[0], self.session.get_outputs()[0]
        self.y = ort.OrtValue.ortvalue_from_numpy(np.zeros(result.shape, np.float32))
        self.binding = self.session.io_binding()
        self.binding.bind_ortvalue_input(entry.name, ort.OrtValue.ortvalue_from_numpy(x))
        self.binding.bind_ortvalue_output(result.name, self.y)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def output(self):
        return self.y.numpy()


class OpenVINO:
    PACKAGE = "openvino"
    PRECISION = "f32"
    SETTINGS = ("its own IR in float32, PERFORMANCE_HINT LATENCY, INFERENCE_PRECISION_HINT f32, NUM_STREAMS 1, "
                "INFERENCE_NUM_THREADS, no pinning")

    @staticmethod
    def imports():
        import openvino  # noqa: F401

    def __init__(self, case, threads, x):
        import openvino as ov
        model = ov.Core().compile_model(case.ir, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self.PRECISION, "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False})
        self.request = model.create_infer_request()
        self.request.set_input_tensor(ov.Tensor(x, shared_memory=True))

    def run(self):
        self.request.infer()

    def output(self):
        return self.request.get_output_tensor(0).data


class OpenVINOBf16(OpenVINO):
    PRECISION = "bf16"
    SETTINGS = "as openvino, with INFERENCE_PRECISION_HINT bf16: not the same precision, for the record"


class Ncnn:
    PACKAGE = "ncnn"
    SETTINGS = ("through pnnx from PyTorch, float32 weights; space-to-depth as ncnn's Reorg, with the following weights "
                "in Reorg's channel order; packed layouts and light mode on, float16 and bfloat16 off, Winograd and "
                "sgemm as a short trial found best; it has no batch, so a batch is one run per image")

    OPTIONS = {"default": [], "no-sgemm": ["sgemm"], "no-winograd63": ["winograd63"],
               "no-sgemm-winograd63": ["sgemm", "winograd63"], "no-winograd": ["winograd"]}

    @staticmethod
    def imports():
        import ncnn  # noqa: F401

    def __init__(self, case, threads, x):
        import ncnn
        self.net = ncnn.Net()
        o = self.net.opt
        o.num_threads = threads
        o.lightmode = o.use_packing_layout = True
        for option in self.OPTIONS[case.chosen["ncnn"]["form"]]:
            setattr(o, f"use_{option}_convolution", False)
        o.use_vulkan_compute = False
        o.use_fp16_packed = o.use_fp16_storage = o.use_fp16_arithmetic = False
        o.use_bf16_packed = o.use_bf16_storage = False
        for status in (self.net.load_param(case.ncnn + ".param"), self.net.load_model(case.ncnn + ".bin")):
            if status != 0:
                raise RuntimeError(f"ncnn does not load {case.ncnn}")
        self.inputs = [ncnn.Mat(image) for image in x]
        self.results = []

    def run(self):
        self.results = []
        for image in self.inputs:
            extractor = self.net.create_extractor()
            extractor.input("in0", image)
            self.results.append(extractor.extract("out0"))

    def output(self):
        import numpy as np
        for status, _ in self.results:
            if status != 0:
                raise RuntimeError(f"ncnn's extract returned {status}")
        return np.stack([np.array(y) for _, y in self.results])


class Torch:
    PACKAGE = "torch"
    LAYOUT = "contiguous_format"
    SETTINGS = "eager, inference mode, oneDNN convolutions"

    @staticmethod
    def imports():
        import networks  # noqa: F401
        import torch  # noqa: F401

    def __init__(self, case, threads, x):
        import networks
        import torch
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        with torch.device("meta"):
            module = networks.build(case.model)
        module.load_state_dict(torch.load(case.state, mmap=True, weights_only=True), assign=True)
        layout = getattr(torch, self.LAYOUT)
        module = module.eval().requires_grad_(False).to(memory_format=layout)
        self.module = self.prepare(module)
        self.x = torch.from_numpy(x).to(memory_format=layout)
        self.context = torch.inference_mode

    def prepare(self, module):
        return module

    def run(self):
        with self.context():
            self.y = self.module(self.x)

    def output(self):
        return self.y.contiguous().numpy()


class TorchChannelsLast(Torch):
    LAYOUT = "channels_last"
    SETTINGS = "eager, inference mode, weights and input in channels-last order"


class TorchCompile(Torch):
    LAYOUT = "channels_last"
    SETTINGS = "torch.compile (Inductor, C++) with freezing: batch normalisation folded, weights packed"

    @staticmethod
    def imports():
        Torch.imports()
        import torch._inductor.config  # noqa: F401

    def prepare(self, module):
        import torch
        import torch._inductor.config as config
        config.freezing = True
        return torch.compile(module, fullgraph=True, dynamic=False)

    def run(self):
        import torch
        with torch.no_grad():  # freezing does not work in inference mode
            self.y = self.module(self.x)


ENGINES = {
    "onnxruntime": OnnxRuntime, "openvino": OpenVINO, "openvino-bf16": OpenVINOBf16, "ncnn": Ncnn,
    "torch": Torch, "torch-channels-last": TorchChannelsLast, "torch-compile": TorchCompile,
}
