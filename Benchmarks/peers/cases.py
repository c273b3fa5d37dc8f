"""The measured cases: a network at one size and batch, and the files that its contenders load."""
import dataclasses
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "peers"
SIZES = {"yolov5": 640, "resnet18": 64, "resnet50": 32}  # by prefix of the name
NETWORKS = ["yolov5-spd-n", "yolov5-spd-s", "yolov5-spd-m", "yolov5-spd-l", "resnet18-spd", "resnet50-spd",
            "yolov5s", "resnet50"]
BATCHED = ["yolov5-spd-n", "resnet18-spd", "resnet50-spd"]  # also measured with a batch
QUICK = ["yolov5-spd-n", "resnet18-spd"]


@dataclasses.dataclass(frozen=True)
class Case:
    model: str
    size: int
    batch: int = 1

    @property
    def title(self):
        return f"{self.model} {self.size}x{self.size}" + (f" batch {self.batch}" if self.batch > 1 else "")

    @property
    def folder(self):
        return WORK / "cases" / self.title.replace(" ", "-")

    @property
    def forms(self):
        """The ONNX files of the network: spdc's own, and PyTorch's with space-to-depth written in two ways."""
        names = ["spdc", "slices", "operator"] if "-spd" in self.model else ["spdc", "pytorch"]
        return {name: str(self.folder / f"{name}.onnx") for name in names}

    @property
    def chosen(self):
        """The fastest variant of each peer that has a choice, once choose.py has run."""
        return json.loads((self.folder / "chosen.json").read_text())

    @property
    def onnx(self):
        return self.forms[self.chosen["onnxruntime"]["form"]]

    @property
    def ir(self):
        return str(self.folder / "openvino.xml")

    @property
    def ncnn(self):
        return str(self.folder / "ncnn")

    @property
    def state(self):
        return str(self.folder / "state.pt")

    @property
    def input(self):
        return str(self.folder / "input.npy")

    def compiled(self, contender="spdc"):
        """The files that spdc wrote: packed weights are beside the parameters."""
        return self.folder / contender.removesuffix("-packed")

    @property
    def stem(self):
        return self.model.replace("-", "_")

    def files(self, contender):
        """The files that a contender needs at run time, except its own library."""
        if contender.startswith("spdc"):
            ending = "spdp" if contender == "spdc-packed" else "spdw"
            folder = self.compiled(contender)
            return [folder / f"lib{self.stem}.so", folder / f"{self.stem}.{ending}"]
        if contender == "onnxruntime":
            return [pathlib.Path(self.onnx)]
        if contender.startswith("openvino"):
            return [pathlib.Path(self.ir), pathlib.Path(self.ir).with_suffix(".bin")]
        if contender == "ncnn":
            return [pathlib.Path(self.ncnn + ".param"), pathlib.Path(self.ncnn + ".bin")]
        return [pathlib.Path(self.state)]


def size_of(model):
    return next(size for start, size in SIZES.items() if model.startswith(start))


def plan(networks, batch):
    cases = [Case(m, size_of(m)) for m in networks]
    if batch > 1:
        cases += [Case(m, size_of(m), batch) for m in networks if m in BATCHED]
    return cases
