"""Logs a run to TensorBoard: event files below `trackers/tensorboard/`, written without TensorFlow or torch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

from evolve.trackers import Subject


class TensorBoard:
    """A run as scalars and texts; a resumed run goes on in the same folder."""

    package: ClassVar[str] = "tensorboard"

    def __init__(self, subject: Subject) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(subject.folder / "tensorboard" / subject.key))
        self._step = 0
        self._say("settings", "\n".join(f"- {name}: {value}" for name, value in subject.settings.items()))
        self._say("state", "running")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write each number as a scalar."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._step = step
        self._add(Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()]))

    def end(self, state: str, results: Mapping[str, str | float]) -> None:
        """Write the results: numbers as scalars, words as texts."""
        self.log(self._step, {name: value for name, value in results.items() if not isinstance(value, str)})
        words = {name: value for name, value in results.items() if isinstance(value, str)}
        for name, value in {"state": state, **words}.items():
            self._say(name, value)
        self._writer.close()

    def _say(self, tag: str, text: str) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING

        plugin = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()], tensor_shape=shape)
        self._add(Summary(value=[Summary.Value(tag=tag, metadata=plugin, tensor=tensor)]))

    def _add(self, summary: object) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=self._step, summary=summary))
        self._writer.flush()
