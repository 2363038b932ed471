"""What stands where in the one int64 array that the token core works on: its *memory*.

Everything is a word of that array: global words, units, channels with their rings, tensor data, workspaces, histograms.
Places are word numbers, so the array may be replaced by a larger copy between two calls of a kernel. Tokens are packed
as in :mod:`fuseflow.dataflow.tokens`; a value is the 32 bits of its float32, a repeat signal ``R`` is 0.
"""

from typing import Final

from numpy import int64
from numpy.typing import NDArray

Memory = NDArray[int64]

EMPTY: Final = -63
DONE: Final = -64
UNBOUNDED: Final = 1 << 62
"""Capacity of a channel without a limit."""

# Global words.
QUEUE: Final = 0
"""Place of the ring of units that can go on; it has one word per unit and one more."""
QUEUE_SIZE: Final = 1
QUEUE_HEAD: Final = 2
QUEUE_TAIL: Final = 3
LEFT: Final = 4
"""Units that have not finished."""
ASKING: Final = 5
"""The unit that needs the host, 0 if none."""
PORTS: Final = 6
"""Place of the list of memory ports, readers first; 0 on ideal memory."""
PORT_COUNT: Final = 7
BANKS: Final = 8
"""Place of the state of the memory's channels."""
BANK_COUNT: Final = 9
NEXT_CYCLE: Final = 10
OFFSET: Final = 11
MEMORY_MODEL: Final = 12
"""0 is ideal, CONTROLLER the reference's, DRAM ours."""
CONTROLLER: Final = 1
DRAM: Final = 2
MEMORY_WORDS: Final = 13
"""Place of the parameters of the memory model."""
TRACED: Final = 16
"""1 if histograms are filled."""
SHIFT: Final = 18
"""An interval is ``1 << SHIFT`` cycles."""
BINS: Final = 19
ROWS: Final = 20
"""Place of the histogram rows, each of BINS words."""
ROW_COUNT: Final = 21
RECORDED: Final = 22
"""1 if single tokens are recorded."""
EVENTS: Final = 23
"""Place of recorded tokens: channel number, token, stamp, number in the stream."""
EVENT_COUNT: Final = 24
EVENT_LIMIT: Final = 25
WINDOW_START: Final = 26
WINDOW_END: Final = 27
PROFILED: Final = 28
"""1 if the fill of channels is measured."""
SPACE_WAITS: Final = 29
"""Units that wait for a larger ring."""
BANK_RING_SIZE: Final = 30
BURSTS: Final = 31
ROW_HITS: Final = 32
GLOBALS: Final = 40

# A channel.
RING: Final = 0
MASK: Final = 1
SENT: Final = 2
TAKEN: Final = 3
CAPACITY: Final = 4
PRODUCER: Final = 5
READER: Final = 6
ROOM_WAITS: Final = 7
"""1 if the producer waits for a take."""
TOKEN_WAITS: Final = 8
"""1 if the reader waits for a send."""
CLOSED: Final = 9
ABANDONED: Final = 10
NUMBER: Final = 11
WAITED: Final = 12
"""Cycles that the producer waited for room."""
FLOW_ROW: Final = 13
"""First of the channel's four histogram rows: tokens sent, tokens taken, cycles waited for a token, for room."""
SEND_CLOCKS: Final = 15
"""Ring of the clocks at the sends (same mask as RING), while the fill is measured."""
TAKE_CLOCKS: Final = 16
TAKE_MASK: Final = 17
TAKE_HEAD: Final = 18
SETTLED: Final = 19
"""Sends of which the number of slots in use is known."""
FILL: Final = 20
"""Most slots in use at once."""
LOST: Final = 21
"""Tokens other than D sent after the reader had returned; the first of them is LOST_TOKEN."""
LOST_TOKEN: Final = 22
GROWS: Final = 23
"""1 while the ring of a bounded channel is smaller than its capacity."""
KEPT: Final = 24
"""Tokens sent when the reader returned."""
CHANNEL_WORDS: Final = 28

# A unit.
KIND: Final = 0
CLOCK: Final = 1
BUSY: Final = 2
PHASE: Final = 3
STATUS: Final = 4
WAITS_FOR: Final = 5
"""The channel or memory port that the unit waits at."""
NEXT_OP: Final = 6
END_OP: Final = 7
START: Final = 8
"""Clock at the last plain SEND; a SEND_WITH counts its latency from there."""
INS: Final = 9
"""Place of the list of input channels, OUTS that of the output channels."""
OUTS: Final = 10
TOKENS: Final = 11
"""Place of the last token read at each input, and a free word; then of the number of each in its stream."""
OPS: Final = 12
INPUTS: Final = 13
OUTPUTS: Final = 14
QUEUED: Final = 15
COUNT: Final = 16
EXTRA: Final = 17
FAULT: Final = 18
FAULT_PORT: Final = 19
FAULT_WITH: Final = 20
FAULT_LIMIT: Final = 21
ROW: Final = 22
"""First of the unit's two histogram rows: cycles busy, cycles waited for memory."""
INDEX: Final = 23
P: Final = 24
"""Parameters of the block, written once by the host."""
R: Final = 40
"""Registers of the block."""
UNIT_WORDS: Final = 64

# Status of a unit.
READY: Final = 0
STARVED: Final = 1
NO_ROOM: Final = 2
NO_SPACE: Final = 3
"""The ring is too small for a channel that may hold more."""
NO_ANSWER: Final = 4
FINISHED: Final = 5
FAULTY: Final = 6
HOST: Final = 7
"""A buffer must be emptied or a table enlarged."""
ENDED: Final = 8
"""It reads a stream whose producer has ended."""
EVENTS_FULL: Final = 9

# Operations: four words each.
PEEK: Final = 0
TAKE: Final = 1
SEND: Final = 2
SEND_WITH: Final = 3
TICK: Final = 4
ROOM: Final = 5
ASK: Final = 6
ANSWER: Final = 7
FINISH: Final = 8
OP_WORDS: Final = 4

# A memory port.
PORT_UNIT: Final = 0
PORT_STAMP: Final = 1
PORT_COUNT_ASKED: Final = 2
"""Addresses of the request that has not been seen by the controller yet."""
PORT_MISSING: Final = 3
"""Answers to come."""
PORT_LAST: Final = 4
PORT_ADDRESSES: Final = 5
"""8 addresses, in bytes."""
PORT_REQUESTS: Final = 14
PORT_BYTES: Final = 15
PORT_WORDS: Final = 16

# Kinds of units.
SOURCE: Final = 1
SINK: Final = 2
SCAN: Final = 3
SCAN_DENSE: Final = 4
SCAN_STORED: Final = 5
SIGNAL: Final = 6
REPEATER: Final = 7
JOIN: Final = 8
LOCATE: Final = 9
ARRAY: Final = 10
ARRAY_STORED: Final = 11
BINARY: Final = 12
UNARY: Final = 13
REDUCE: Final = 14
SUM_ONE: Final = 15
SUM_MANY: Final = 16
WRITE_CRD: Final = 17
WRITE_CRD_STORED: Final = 18
WRITE_VAL: Final = 19
WRITE_VAL_STORED: Final = 20
COORD_DROP: Final = 21
COORD_HOLD: Final = 22
COORD_MASK: Final = 23
FLATTEN: Final = 24
FORK: Final = 25
GATHER: Final = 26
GATHER_GUARDED: Final = 27
STOP_DROP: Final = 28
VALUE_DROP: Final = 29
BROADCAST: Final = 30
CONCAT: Final = 31
