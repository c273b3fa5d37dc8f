"""What an experiment consists of: networks that are trained alike, each with several seeds."""
import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = pathlib.Path(__file__).resolve().parent / "models"


@dataclasses.dataclass(frozen=True)
class Network:
    """A shipped model, or one of `models/`; `role` is its colour in plots and its place in comparisons."""
    title: str
    role: str
    file: str = ""

    def argument(self, work, width=None):
        """The MODEL of spdc's commands: a name, or the path of a copy of the file with another width."""
        if not self.file:
            return self.title
        text = (MODELS / self.file).read_text()
        if width:
            text, count = re.subn(r"(?m)^private let width = \d+$", f"private let width = {width}", text)
            if count != 1:
                raise SystemExit(f"{MODELS / self.file} has {count} lines `private let width = …`; 1 wanted")
        copy = work / "models" / self.file
        if not copy.exists() or copy.read_text() != text:  # an unchanged file need not be compiled again
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text)
        return copy


@dataclasses.dataclass(frozen=True)
class Run:
    """One training: a network on a data set, from a seed."""
    network: Network
    model: object
    data: str
    seed: int
    side: int  # of the network's input
    title: str
    folder: pathlib.Path

    @property
    def last(self):
        return self.folder / "checkpoints" / "last.safetensors"

    @property
    def size(self):
        return f"{self.side}x{self.side}"


class Study:
    """An experiment. Its modules define `name`, `networks`, `settings`, `curve`, `prepare`, `runs` and `measure`."""
    name = ""
    networks = ()
    # Columns of results.csv that are kept.
    curves = ()

    def __init__(self, options):
        self.options = options
        self.work = ROOT / "build" / ("experiment-quick" if options.quick else "experiment") / self.name
        self.pages = self.work if options.quick else ROOT / "docs" / "measured"

    @property
    def results(self):
        return self.work / "results.json"

    @property
    def seeds(self):
        return range(1, (self.options.seeds or (2 if self.options.quick else 3)) + 1)

    def run(self, network, model, data, seed, side, label=""):
        title = " ".join(filter(None, (network.title, label, f"seed {seed}")))
        return Run(network, model, str(data), seed, side, title, self.work / title.replace(" ", "-"))
