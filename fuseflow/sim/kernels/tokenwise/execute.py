"""The executor: everything that touches a channel or a clock (simulator §1.2 and the table at its head).

A bounded channel needs no queue of credits: a take writes the stamp of its credit over the stamp of the token it took.
Send number k finds the credit of take k - C in the slot of token k - C, which a ring of at least C slots still holds.
"""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.decide import decide
from fuseflow.sim.kernels.tokenwise.layout import (
    ABANDONED,
    ANSWER,
    ASK,
    ASKING,
    BUSY,
    CAPACITY,
    CLOCK,
    CLOSED,
    DONE,
    END_OP,
    ENDED,
    EVENT_COUNT,
    EVENT_LIMIT,
    EVENTS_FULL,
    FAULTY,
    FINISHED,
    FLOW_ROW,
    GROWS,
    HOST,
    INPUTS,
    INS,
    KEPT,
    LEFT,
    LOST,
    LOST_TOKEN,
    MASK,
    NEXT_OP,
    NO_ANSWER,
    NO_ROOM,
    NO_SPACE,
    OP_WORDS,
    OPS,
    OUTPUTS,
    OUTS,
    PORT_BYTES,
    PORT_COUNT_ASKED,
    PORT_LAST,
    PORT_MISSING,
    PORT_REQUESTS,
    PORT_STAMP,
    PRODUCER,
    PROFILED,
    QUEUE,
    QUEUE_HEAD,
    QUEUE_SIZE,
    QUEUE_TAIL,
    QUEUED,
    READER,
    READY,
    RECORDED,
    RING,
    ROOM,
    ROOM_WAITS,
    ROW,
    SEND,
    SEND_CLOCKS,
    SEND_WITH,
    SENT,
    SPACE_WAITS,
    START,
    STARVED,
    STATUS,
    TAKE,
    TAKE_CLOCKS,
    TAKE_HEAD,
    TAKE_MASK,
    TAKEN,
    TICK,
    TOKEN_WAITS,
    TRACED,
    WAITED,
    WAITS_FOR,
    Memory,
)
from fuseflow.sim.kernels.tokenwise.observe import mark, record, settle, span


@kernel
def wake(m: Memory, unit: int) -> None:
    """Put ``unit`` into the queue of those that can go on."""
    if m[unit + QUEUED] == 0 and m[unit + STATUS] != FINISHED:
        m[unit + QUEUED] = 1
        tail = m[QUEUE_TAIL]
        m[m[QUEUE] + tail] = unit
        m[QUEUE_TAIL] = tail + 1 if tail + 1 < m[QUEUE_SIZE] else 0


@kernel
def leave(m: Memory, s: int) -> None:
    """The unit has returned: its outputs are closed, its inputs abandoned."""
    m[LEFT] -= 1
    for number in range(m[s + OUTPUTS]):
        c = m[m[s + OUTS] + number]
        if c == 0:
            continue  # nobody reads it: there is no channel
        m[c + CLOSED] = 1
        if m[c + TOKEN_WAITS] != 0:
            m[c + TOKEN_WAITS] = 0
            wake(m, m[c + READER])
    for number in range(m[s + INPUTS]):
        c = m[m[s + INS] + number]
        m[c + ABANDONED] = 1
        m[c + KEPT] = m[c + SENT]
        if m[c + ROOM_WAITS] != 0:
            m[c + ROOM_WAITS] = 0
            wake(m, m[c + PRODUCER])


@kernel
def advance(m: Memory, s: int) -> int:
    """Run the unit at ``s`` until it waits, has returned, is at fault or needs the host; operations done."""
    clock, busy, start = m[s + CLOCK], m[s + BUSY], m[s + START]
    at, end = m[s + NEXT_OP], m[s + END_OP]
    traced, recorded, profiled = m[TRACED] != 0, m[RECORDED] != 0, m[PROFILED] != 0
    watched = traced or recorded or profiled
    gap = m[s + INPUTS] + 1
    status, done = READY, 0
    while True:
        if at == end:
            at = m[s + OPS]
            end = decide(m, s, at)
            if end < 0:
                status = FAULTY if end == -1 else HOST
                end = at
                break
            continue
        code, c = m[at], m[at + 1]
        done += 1
        if code <= TAKE:
            taken = m[c + TAKEN]
            if taken == m[c + SENT]:
                status = ENDED if m[c + CLOSED] != 0 else STARVED
                m[c + TOKEN_WAITS] = 1
                break
            slot = m[c + RING] + 2 * (taken & m[c + MASK])
            stamp = m[slot + 1]
            if stamp > clock:
                if traced:
                    span(m, m[c + FLOW_ROW] + 2, clock, stamp)
                clock = stamp
            m[m[at + 2]] = m[slot]
            m[m[at + 2] + gap] = taken
            if code == TAKE:
                if profiled and m[c + TAKE_CLOCKS] != 0:
                    if taken - m[c + TAKE_HEAD] > m[c + TAKE_MASK]:
                        status = NO_SPACE
                        break
                    m[m[c + TAKE_CLOCKS] + (taken & m[c + TAKE_MASK])] = clock
                m[slot + 1] = clock + 1
                m[c + TAKEN] = taken + 1
                if watched:
                    if profiled and m[c + TAKE_CLOCKS] != 0:
                        settle(m, c)
                    if traced:
                        mark(m, m[c + FLOW_ROW] + 1, clock)
                if m[c + ROOM_WAITS] != 0:
                    m[c + ROOM_WAITS] = 0
                    wake(m, m[c + PRODUCER])
        elif code <= SEND_WITH:
            if c == 0:
                if code == SEND:
                    start = clock
                at += OP_WORDS
                continue
            if recorded and m[EVENT_COUNT] == m[EVENT_LIMIT]:
                status = EVENTS_FULL
                break
            sent, taken, mask = m[c + SENT], m[c + TAKEN], m[c + MASK]
            abandoned = m[c + ABANDONED] != 0
            if (not abandoned and sent - taken > mask) or (sent > mask and m[c + GROWS] != 0):
                m[c + ROOM_WAITS] = 1
                status = NO_SPACE if mask + 1 < m[c + CAPACITY] else NO_ROOM
                break
            first = clock if code == SEND else start
            over = sent - m[c + CAPACITY]
            if over >= 0:
                if over < taken:
                    credit = m[m[c + RING] + 2 * (over & mask) + 1]
                    if credit > clock:
                        m[c + WAITED] += credit - clock
                        if traced:
                            span(m, m[c + FLOW_ROW] + 3, clock, credit)
                        clock = credit
                elif not abandoned:
                    m[c + ROOM_WAITS] = 1
                    status = NO_ROOM
                    break
            start = first
            stamp = max(first + m[at + 3], clock + 1)
            if watched:
                if recorded:
                    record(m, c, m[at + 2], stamp)
                if traced:
                    mark(m, m[c + FLOW_ROW], stamp)
                if profiled and m[c + SEND_CLOCKS] != 0:
                    m[m[c + SEND_CLOCKS] + (sent & mask)] = clock
            if not abandoned:
                slot = m[c + RING] + 2 * (sent & mask)
                m[slot] = m[at + 2]
                m[slot + 1] = stamp
                m[c + SENT] = sent + 1
                if m[c + TOKEN_WAITS] != 0:
                    m[c + TOKEN_WAITS] = 0
                    wake(m, m[c + READER])
            else:
                m[c + SENT] = sent + 1
                if m[at + 2] != DONE:
                    if m[c + LOST] == 0:
                        m[c + LOST_TOKEN] = m[at + 2]
                    m[c + LOST] += 1
        elif code == TICK:
            if traced:
                span(m, m[s + ROW], clock, clock + c)
            clock += c
            busy += c
        elif code == ROOM:
            if c != 0:
                over = m[c + SENT] - m[c + CAPACITY]
                if over >= 0:
                    if over < m[c + TAKEN]:
                        credit = m[m[c + RING] + 2 * (over & m[c + MASK]) + 1]
                        if credit > clock:
                            m[c + WAITED] += credit - clock
                            if traced:
                                span(m, m[c + FLOW_ROW] + 3, clock, credit)
                            clock = credit
                    elif m[c + ABANDONED] == 0:
                        m[c + ROOM_WAITS] = 1
                        status = NO_ROOM
                        break
        elif code == ASK:
            m[c + PORT_STAMP] = clock + 1
            m[c + PORT_COUNT_ASKED] = m[at + 2]
            m[c + PORT_MISSING] = m[at + 2]
            m[c + PORT_LAST] = clock
            m[c + PORT_REQUESTS] += 1
            m[c + PORT_BYTES] += 4 * m[at + 2]
        elif code == ANSWER:
            if m[c + PORT_MISSING] > 0:
                status = NO_ANSWER
                break
            if m[c + PORT_LAST] > clock:
                if traced:
                    span(m, m[s + ROW] + 1, clock, m[c + PORT_LAST])
                clock = m[c + PORT_LAST]
        else:
            status = FINISHED
            break
        at += OP_WORDS
    m[s + CLOCK], m[s + BUSY], m[s + START] = clock, busy, start
    m[s + NEXT_OP], m[s + END_OP] = at, end
    m[s + STATUS] = status
    if status != FAULTY and status != HOST:
        m[s + WAITS_FOR] = m[at + 1]
    if status == NO_SPACE:
        m[SPACE_WAITS] += 1
    if status == FINISHED:
        leave(m, s)
    return done


@kernel
def run_ready(m: Memory, budget: int) -> int:
    """Run units until none is ready, one needs the host (ASKING), or about ``budget`` operations are done; how many."""
    done = 0
    while done < budget and m[QUEUE_HEAD] != m[QUEUE_TAIL]:
        head = m[QUEUE_HEAD]
        s = m[m[QUEUE] + head]
        m[QUEUE_HEAD] = head + 1 if head + 1 < m[QUEUE_SIZE] else 0
        m[s + QUEUED] = 0
        if m[s + STATUS] == NO_SPACE:
            m[SPACE_WAITS] -= 1
        done += advance(m, s)
        status = m[s + STATUS]
        if status == NO_SPACE and m[m[s + NEXT_OP]] == TAKE:
            m[ASKING] = s
            break
        if status in (FAULTY, HOST, ENDED, EVENTS_FULL):
            m[ASKING] = s
            break
    return done
