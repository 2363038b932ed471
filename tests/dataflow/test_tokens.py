"""Streams as text: what is printed reads back, and what is no token is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuseflow.dataflow import DONE, EMPTY, REPEAT, Stop, StreamKind, Token, parse_tokens, show_tokens
from fuseflow.errors import VerifyError

PAYLOADS: dict[StreamKind, st.SearchStrategy[Token]] = {
    StreamKind.CRD: st.integers(min_value=0, max_value=2**31),
    StreamKind.REF: st.integers(min_value=0, max_value=2**31),
    StreamKind.VAL: st.integers(min_value=-99_999, max_value=99_999).map(lambda n: n / 8),
    StreamKind.SIGNAL: st.just(REPEAT),
}


def streams(kind: StreamKind) -> st.SearchStrategy[list[Token]]:
    stops = st.just(Stop(0)) if kind is StreamKind.SIGNAL else st.integers(0, 12).map(Stop)
    return st.lists(st.one_of(PAYLOADS[kind], stops, st.just(EMPTY))).map(lambda tokens: [*tokens, DONE])


@pytest.mark.parametrize("kind", list(StreamKind))
def test_round_trip(kind: StreamKind) -> None:
    @given(streams(kind))
    def check(tokens: list[Token]) -> None:
        # Six digits are printed of a value.
        shown = show_tokens(tokens)
        assert show_tokens(parse_tokens(shown, kind)) == shown
        if kind is not StreamKind.VAL:
            assert parse_tokens(shown, kind) == tokens

    check()


def test_printed_as_in_the_literature() -> None:
    text = "0 2 S0 3 S1 N S12 D"
    tokens = [0, 2, Stop(0), 3, Stop(1), EMPTY, Stop(12), DONE]
    assert parse_tokens(text, StreamKind.CRD) == tokens
    assert show_tokens(tokens) == text
    assert parse_tokens("R R S R S D", StreamKind.SIGNAL) == [REPEAT, REPEAT, Stop(0), REPEAT, Stop(0), DONE]
    assert show_tokens([1.5, -2.0, Stop(0), DONE]) == "1.5 -2 S0 D"


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("0 1.5 D", StreamKind.CRD, r"token 1 of a crd stream is '1\.5'; expected a number, S<level>, N or D"),
        ("R D", StreamKind.REF, "token 0 of a ref stream is 'R'"),
        ("1 S D", StreamKind.VAL, "token 1 of a val stream is 'S'"),
    ],
)
def test_what_is_no_token_is_refused(text: str, kind: StreamKind, message: str) -> None:
    with pytest.raises(VerifyError, match=message):
        parse_tokens(text, kind)
