"""Writes tensorboard.tfevents with TensorBoard's own writer (package tensorboard 2.21, public API and protos)."""
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

with open(Path(__file__).parent / "tensorboard.tfevents", "wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=1700000000.25, file_version="brain.Event:2").SerializeToString())
    for time, step, scalars in [
        (1700000001.25, 1, {"lr": 0.1, "train/loss": 2.25}),
        (1700000002.25, 2, {"lr": 1e-30, "train/loss": 0.0}),
        (1700000003.25, 300000, {"train/loss": float("nan"), "val/top1 ü": float("-inf")}),
    ]:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        writer.write(Event(wall_time=time, step=step, summary=Summary(value=values)).SerializeToString())
    writer.flush()
