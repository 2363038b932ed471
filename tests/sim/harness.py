"""Drive units from token text: ``feed("0@1 2@2 S0@3 D@4")`` is a channel, ``show(channel)`` prints one back."""

from collections.abc import Callable, Sequence

from fuseflow.dataflow.tokens import StreamKind, parse_tokens, show_tokens
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.channel import Channel, Stamped
from fuseflow.sim.interpret import run


def stamped(text: str, kind: StreamKind = StreamKind.REF) -> list[Stamped]:
    """Tokens of ``text``; a word without ``@stamp`` is stamped with its place, counted from 1."""
    tokens: list[Stamped] = []
    for place, word in enumerate(text.split(), start=1):
        word, _, stamp = word.partition("@")
        (token,) = parse_tokens(word, kind)
        tokens.append((token, int(stamp or place)))
    return tokens


def show(tokens: Sequence[Stamped]) -> str:
    return " ".join(f"{show_tokens([token])}@{stamp}" for token, stamp in tokens)


def feed(unit: Unit, process: Process, inputs: Sequence[str], kinds: Sequence[StreamKind] = ()) -> None:
    """Run ``unit`` on ``inputs``, all there from the start; its input channels must be empty and unbounded."""
    for number, (channel, text) in enumerate(zip(unit.inputs, inputs, strict=True)):
        kind = kinds[number] if kinds else StreamKind.REF
        channel.queue.extend(stamped(text, kind))
        channel.closed = True
    unit.process = process
    run([unit])


def drive(
    make: Callable[[Unit], Process], inputs: Sequence[str], outputs: int, kinds: Sequence[StreamKind] = ()
) -> tuple[Unit, list[str]]:
    """A unit with ``len(inputs)`` inputs and ``outputs`` outputs run to its end; returns it and its outputs as text."""
    sources = [Channel(f"test.out{number}", f"unit.in{number}") for number in range(len(inputs))]
    sinks = [Channel(f"unit.out{number}", None, record=[]) for number in range(outputs)]
    unit = Unit("unit", sources, sinks)
    feed(unit, make(unit), inputs, kinds)
    return unit, [show(sink.record or []) for sink in sinks]
