"""What every block declares: its ports, their stream kinds, and how deep its streams are nested."""

from dataclasses import dataclass

from fuseflow.dataflow.tokens import StreamKind


@dataclass(frozen=True, slots=True)
class PortSpec:
    """One port of a block.

    ``depth`` is the nesting of the stream relative to the block's base depth: a level scanner has base depth ``d``,
    reads at ``d`` and writes at ``d + 1``. The verifier solves for the base and refuses streams that disagree.
    """

    name: str
    kinds: tuple[StreamKind, ...]
    depth: int = 0


CRD = (StreamKind.CRD,)
REF = (StreamKind.REF,)
VAL = (StreamKind.VAL,)
PAYLOAD = (StreamKind.REF, StreamKind.VAL)
ANY = (StreamKind.REF, StreamKind.VAL, StreamKind.CRD)
