"""What all widgets share: messages in words, actions from the page, the look, and a static form."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import anywidget
import traitlets

from fuseflow.errors import FuseflowError, ScheduleError
from fuseflow_widgets import assets

UNSEEN_SECONDS = 3.0
"""How long a widget may be on no page before its work is stopped; a cell that is moved is away for a moment only."""


def require(shown: object, kinds: tuple[type, ...], widget: str, words: str) -> None:
    """ScheduleError if ``shown`` is none of ``kinds``, with what ``widget`` takes in ``words``."""
    if not isinstance(shown, kinds):
        raise ScheduleError(f"{widget} shows {words}, not a {type(shown).__name__}")


class View(anywidget.AnyWidget):
    """Base of the widgets. ``page`` names the ES module; actions that the page sends are methods in ``actions``.

    The page numbers what it sends and is told when it has been received, so that it can say when the kernel is gone. It
    also says when a view of the widget comes and goes: one whose output was cleared, or whose cell ran again, is seen
    nowhere, and nobody can stop what it does (:meth:`when_unseen`). A page that is reloaded says nothing. An
    error of fuseflow becomes ``notice``; it never leaves an action. ``theme`` is ``auto`` (that of the page around the
    widget), ``light`` or ``dark``.
    """

    page: ClassVar[str]
    _css = assets.style()
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    notice = traitlets.Dict({}).tag(sync=True)

    def __init_subclass__(cls, **settings: Any) -> None:
        if "page" in cls.__dict__:
            cls._esm = assets.module(cls.page)
        super().__init_subclass__(**settings)

    def __init__(self, **traits: Any) -> None:
        self._closers: list[Callable[[], None]] = []
        self._unseen: list[Callable[[], None]] = []
        self._views: set[str] = set()
        super().__init__(**traits)
        self.on_msg(self._received)

    def actions(self) -> dict[str, Callable[..., None]]:
        """What the page may ask for, by name; arguments come as keywords."""
        return {}

    def say(self, text: str, kind: str = "info") -> None:
        """Show ``text`` in the widget; ``kind`` is ``info`` or ``error``. An empty text removes what was said."""
        self.notice = {"kind": kind, "text": text} if text else {}

    def attempt(self, action: Callable[[], Any]) -> bool:
        """Run ``action``; an error of fuseflow is shown and False comes back."""
        try:
            action()
        except FuseflowError as error:
            self.say(str(error), "error")
            return False
        return True

    def when_closed(self, closer: Callable[[], None]) -> None:
        """Call ``closer`` when the widget is closed."""
        self._closers.append(closer)

    def when_unseen(self, call: Callable[[], None]) -> None:
        """Call ``call`` when no page has shown the widget for :data:`UNSEEN_SECONDS`, though one had."""
        self._unseen.append(call)

    def _view(self, name: str, shown: bool) -> None:
        (self._views.add if shown else self._views.discard)(name)
        if self._views:
            return
        try:
            asyncio.get_running_loop().call_later(UNSEEN_SECONDS, self._still_unseen)
        except RuntimeError:  # no event loop, as in a plain script
            self._still_unseen()

    def _still_unseen(self) -> None:
        if not self._views:
            for call in self._unseen:
                call()

    def close(self) -> None:
        """Remove the widget from every page and stop what works for it."""
        # A widget whose making failed is closed too, by the collector.
        closers = getattr(self, "_closers", [])
        while closers:
            closers.pop()()
        super().close()

    def as_text(self) -> str:
        """The widget in words, for places without JavaScript."""
        return repr(self)

    def as_svg(self) -> str:
        """The widget as a picture for places without JavaScript; empty if it has none."""
        return ""

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        shown = super()._repr_mimebundle_(**arguments)
        if shown is None:
            return None
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        data = {**data, "text/plain": self.as_text()}
        picture = self.as_svg()
        if picture:
            data["image/svg+xml"] = picture
        return data, metadata

    def _received(self, _: Any, content: Any, __: Any) -> None:
        if not isinstance(content, dict):
            return
        if "number" in content:
            self.send({"received": content["number"]})
        if "view" in content:
            self._view(str(content["view"]), bool(content.get("shown")))
            return
        name = content.get("action")
        known = self.actions()
        if name not in known:
            self.say(f"the page asked for {name!r}, which this widget does not do; reload the page", "error")
            return
        arguments = content.get("arguments", {})
        self.attempt(lambda: known[name](**arguments))
