"""Fiber groups in the compiled engine: the nodes of a group run on records, and the group runs as one task."""

from collections.abc import Callable, Sequence

from fuseflow.sim.kernels.layout import FINISHED, FULL, GROW, MISFIT, STATUS, TAKEN, Words
from fuseflow.sim.records import UNLIMITED, Fibers
from fuseflow.sim.stream import Stream


class IrregularError(Exception):
    """The records of a group cannot hold what came, or the streams misfit: the token kernels have to say which."""


class Member:
    """One node of a group, or the expansion of one of its streams.

    ``run(limit)`` takes the records before ``limit`` as far as it can. ``sources`` are the states of those that make
    what it takes from the group; ``inputs`` and ``outputs`` are its streams of tokens.
    """

    def __init__(
        self,
        state: Words,
        run: Callable[[int], None],
        sources: Sequence[Words],
        inputs: Sequence[Stream],
        outputs: Sequence[Stream],
    ) -> None:
        self.state = state
        self.run = run
        self.sources = tuple(sources)
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)


class GroupTask:
    """A fiber group as the scheduler sees it."""

    def __init__(self, fibers: Fibers, members: Sequence[Member]) -> None:
        self.fibers = fibers
        self.members = tuple(members)
        self.active = list(members)
        self.inputs = tuple(dict.fromkeys(stream for member in members for stream in member.inputs))
        self._seen = 0

    @property
    def finished(self) -> bool:
        return not self.active

    def ready(self, least: int) -> bool:
        """Whether a step may get further than the last one: there are ``least`` new tokens, or room again."""
        if sum(stream.total for stream in self.inputs) >= self._seen + least:
            return True
        return any(
            member.state[STATUS] in (FULL, GROW)
            and all(2 * stream.make_room() >= stream.size for stream in member.outputs)
            for member in self.active
        )

    def step(self) -> bool:
        """Run the members, each on what those before it have made; whether anything moved.

        Raises IrregularError where records cannot go on.
        """
        self._seen = sum(stream.total for stream in self.inputs)
        moved = finished = False
        for member in self.active:
            state = member.state
            limit = min((int(source[TAKEN]) for source in member.sources), default=UNLIMITED)
            taken = int(state[TAKEN])
            if limit <= taken:
                continue
            before = []
            for stream in member.outputs:
                stream.make_room()
                before.append(stream.tail)
            member.run(limit)
            moved = moved or int(state[TAKEN]) != taken
            for stream, tail in zip(member.outputs, before, strict=True):
                moved = moved or stream.tail != tail
                stream.settle(tail)
            if state[STATUS] == MISFIT:
                raise IrregularError
            finished = finished or state[STATUS] == FINISHED
        if finished:
            self.active = [member for member in self.active if member.state[STATUS] != FINISHED]
        self.fibers.drop()
        return moved

    def relieve(self) -> list["Stream | Fibers"]:
        """What may have to grow before the group can go on."""
        tight: list[Stream | Fibers] = []
        for member in self.active:
            if member.state[STATUS] == FULL and member.outputs:
                tight.append(min(member.outputs, key=lambda stream: stream.make_room()))
            elif member.state[STATUS] in (FULL, GROW):
                tight.append(self.fibers)
        return tight
