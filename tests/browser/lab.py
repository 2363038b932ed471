"""A real JupyterLab on the loopback address and a headless Chromium that looks at it.

Every request that leaves the machine and every error of a page is kept; :meth:`Browser.require_clean` fails on any.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "loopback"
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
}  # fmt: skip
READY = """async () => {
  const widget = jupyterapp.shell.currentWidget;
  await widget.context.ready; await widget.sessionContext.ready; await widget.sessionContext.session.kernel.info;
}"""
RUN_ALL = "() => { jupyterapp.commands.execute('runmenu:run-all'); }"
STARTS_WITHIN_SECONDS = 180
PATIENCE_MS = 180_000
"""How long a page is waited for. A slow machine that still compiles its kernels needs minutes; a pass costs nothing."""


@dataclass
class Lab:
    """A running server: ``folder`` is its root."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    opened: int = 0

    def write(self, name: str, cells: list[str]) -> str:
        """A notebook with these code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)
        return name

    def address(self, name: str) -> str:
        """Address of a notebook in a workspace of its own, so that nothing of an earlier page is restored."""
        self.opened += 1
        return f"http://127.0.0.1:{self.port}/lab/workspaces/w{self.opened}/tree/{name}?token={TOKEN}&reset"

    def end_sessions(self) -> None:
        """Stop every kernel, so that the next notebook starts with a fresh one."""
        for session in json.loads(self._call("GET", "sessions")):
            self._call("DELETE", f"sessions/{session['id']}")

    def _call(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            body: bytes = answer.read()
        return body


def free_port() -> int:
    """A port of the loopback address on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[Lab]:
    """JupyterLab with ``folder`` as its root and settings of its own beside it."""
    work, state = folder / "work", folder / "state"
    work.mkdir(parents=True)
    for name, values in SETTINGS.items():
        path = state / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    environment = {
        **os.environ,
        "JUPYTERLAB_SETTINGS_DIR": str(state / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(state / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(state / "config"),
        "JUPYTER_DATA_DIR": str(state / "data"),
        "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
        "IPYTHONDIR": str(state / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "widgets"), os.environ.get("PYTHONPATH", "")]),
    }
    port = free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={work}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly", "--allow-root",
    ]  # fmt: skip
    log = (state / "server.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    lab = Lab(work, port, process, environment)
    try:
        _await_server(lab)
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def _await_server(lab: Lab) -> None:
    end = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            lab._call("GET", "status")
            return
        except (urllib.error.URLError, OSError):
            log = (lab.folder.parent / "state" / "server.log").read_text(errors="replace")
            if lab.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"JupyterLab did not start:\n{log[-2000:]}") from None
            time.sleep(0.2)


@dataclass
class Browser:
    """Headless Chromium whose pages are watched."""

    chromium: Chromium
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def page(self, *, dark: bool = False, width: int = 1280, height: int = 1000) -> Page:
        """A page with a profile of its own."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        self.watch(page)
        return page

    def watch(self, page: Page) -> None:
        """Keep what leaves the machine and what goes wrong in ``page``."""
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self._request(request.url))
        page.on("websocket", lambda socket: self._request(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.outside.append(url)

    def require_clean(self) -> None:
        """Fail if anything left the machine or a page threw an error."""
        assert not self.outside, f"requests that left the machine: {self.outside}"
        assert not self.errors, f"errors in the page: {self.errors}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or the one that ``CHROMIUM`` names."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise RuntimeError("no chromium on the PATH: apt-get install chromium, or name one in CHROMIUM")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as play:
        engine = play.chromium.launch(executable_path=path, headless=True, args=CHROMIUM_FLAGS)
        try:
            yield Browser(engine)
        finally:
            engine.close()


def open_notebook(lab: Lab, page: Page, name: str, *, dark: bool = False) -> None:
    """Open a notebook and wait until its kernel answers."""
    page.goto(lab.address(name))
    page.wait_for_function("() => window.jupyterapp && jupyterapp.shell && jupyterapp.shell.currentWidget")
    page.wait_for_selector(".jp-Notebook")
    page.evaluate(READY)
    if dark:
        page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
        page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    page.evaluate("() => { jupyterapp.shell.collapseLeft(); }")


def run_all(page: Page) -> None:
    """Start all cells; does not wait."""
    page.evaluate(RUN_ALL)


def python(page: Page, code: str) -> Any:
    """Run ``code`` in the kernel beside the notebook and give back what its last expression prints as JSON."""
    script = """async (code) => {
      const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
      const future = kernel.requestExecute({ code, store_history: false });
      let text = "";
      future.onIOPub = (message) => {
        if (message.header.msg_type === "stream") text += message.content.text;
        if (message.header.msg_type === "error") text += JSON.stringify({error: message.content.ename + ": " + message.content.evalue});
      };
      await future.done;
      return text;
    }"""
    printed = page.evaluate(script, f"import json as _json\nprint(_json.dumps({code}))")
    value = json.loads(printed)
    if isinstance(value, dict) and set(value) == {"error"}:
        raise AssertionError(value["error"])
    return value
