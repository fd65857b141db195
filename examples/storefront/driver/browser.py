"""Drives Debian's Chromium without a screen, over its DevTools pipe: no driver, no library, no port.

What the browser complains about (console errors, exceptions, violations of the content security policy) is kept in
`complaints`.
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 20
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Without a sandbox because root may not have one; the pages are our own.
OPTIONS = ("--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-extensions", "--hide-scrollbars", "--force-color-profile=srgb", "--mute-audio",
           "--disable-features=DialMediaRouteProvider,OptimizationHints,Translate")


class BrowserError(Exception):
    """The browser ended, was silent for too long, or a page's script failed."""


def program() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One browser with one page."""

    def __init__(self, path: str):
        self.profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # Chromium reads descriptor 3 and writes descriptor 4. Not sh: Debian's takes no descriptor over 9.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', path, *OPTIONS,
             f"--user-data-dir={self.profile.name}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.profile.name})
        os.close(theirs_in)
        os.close(theirs_out)
        self.reader, self.writer = ours_in, ours_out
        self.buffer = b""
        self.numbers = itertools.count(1)
        self.session = ""
        self.events: list[dict] = []
        self.complaints: list[str] = []
        self._attach()

    def _attach(self) -> None:
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(one for one in targets if one["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def close(self) -> None:
        try:
            self.session = ""
            self.call("Browser.close")
            self.process.wait(PATIENCE_SECONDS)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.reader)
        os.close(self.writer)
        self.profile.cleanup()

    # The protocol: JSON with a zero byte behind, in both directions.

    def call(self, method: str, **params: Any) -> dict:
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._receive(deadline, method)
            if answer.get("id") == number:
                break
            self._note(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _receive(self, deadline: float, what: str) -> dict:
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.reader], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self.reader, 1 << 20) if ready else b""
            if not piece:
                raise BrowserError(f"{what}: the browser {'has ended' if ready else 'did not answer'}")
            self.buffer += piece
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict) -> None:
        """An event: kept if somebody waits for it, and as a complaint if it is one."""
        params = event.get("params", {})
        self.events.append(event)
        if event["method"] == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['text']} ({params['entry'].get('url', '')})")
        elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str([one.get("value") for one in params["args"]]))
        elif event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])

    # What a visitor does.

    def go(self, address: str) -> None:
        """The page before it may be loaded a moment ago, and tell of it only now: this one is known by its loader."""
        self.events.clear()
        loader = self.call("Page.navigate", url=address)["loaderId"]
        self.wait_event("Page.lifecycleEvent", loaderId=loader, name="load")

    def wait_event(self, method: str, **wanted: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any(event["method"] == method and wanted.items() <= event["params"].items() for event in self.events):
            self._note(self._receive(deadline, method))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(f"{script}: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Until the expression is true. A page that is just changing has none of what it names: ask again."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.run(f"Boolean({script})"):
                    return
                last = "is not true"
            except BrowserError as error:
                last = str(error)
            if time.monotonic() > deadline:
                raise BrowserError(f"{script} {last} after {seconds:.0f} s on {self.run('location.href')}: "
                                   f"{self.run('document.body.innerText')[:400]}")
            time.sleep(0.03)

    def text(self, selector: str) -> str:
        return self.run(f"document.querySelector({json.dumps(selector)}).textContent").strip()

    def type(self, selector: str, text: str) -> None:
        """In place of what is there."""
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def press(self, selector: str, times: int = 1) -> None:
        """A real click with the mouse: two at once are a double click."""
        box = json.loads(self.run(
            f"(one => {{ one.scrollIntoView({{block: 'center', behavior: 'instant'}});"
            f" const box = one.getBoundingClientRect();"
            f" return JSON.stringify([box.x + box.width / 2, box.y + box.height / 2]); }})"
            f"(document.querySelector({json.dumps(selector)}))"))
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=count)

    def follow(self, selector: str, times: int = 1) -> None:
        """Presses what leads to another page, and waits for that one."""
        self.run("window.stays = true")
        self.press(selector, times)
        self.wait("!window.stays && document.readyState == 'complete'")

    # What it looks like.

    def look(self, width: int, height: int, dark: bool) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, path: Path) -> None:
        """The whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(picture["data"]))
