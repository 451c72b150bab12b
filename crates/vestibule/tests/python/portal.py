"""What the tests of the portal's pages share: a browser, ways to look at a page, and what holds of every page.

A script of a page is called with the address of the sandbox, and JSON on its standard input. It opens one browser, looks at
many things, and prints what it found as JSON:

    from portal import visit, finish

    with visit() as page:
        page.open("/portal/calls")
        page.hold("calls")
        finish(page, {"rows": len(page.all("tbody tr"))})

`hold` is what every page is held against: nothing in the console, no sideways scrolling at 320 px, axe-core without a violation in
the light and in the dark, a first view under 100 kB; and it keeps screenshots of all four in `target/screenshots`. The first
expectation that is not met ends the program with a message and status 1.
"""

import base64
import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import chromium
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

DESKTOP = (1280, 900)
SMALLEST = (320, 640)
# How long something may take on a loaded machine.
TIMEOUT = 30
# Octets of a page's first view.
FIRST_VIEW = 100_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def expect(condition, text):
    if not condition:
        sys.exit(text)


def settings():
    """What the test says: url, axe, screenshots, and whatever else its script needs."""
    if not hasattr(settings, "read"):
        settings.read = json.load(sys.stdin)
    return settings.read


@contextmanager
def visit(scripts=True, size=DESKTOP):
    """A page of a new browser."""
    # Names that are somebody here, whose certificates no browser knows; every other one is nobody.
    mapped = settings().get("map", {})
    names = [f"MAP {name} {address}" for name, address in mapped.items()]
    rules = ", ".join([*names, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"])
    made = chromium.options(f"--host-resolver-rules={rules}", f"--window-size={size[0]},{size[1]}")
    if mapped:
        made.add_argument("--ignore-certificate-errors")
    if not scripts:
        made.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    driver = chromium.started(made)
    try:
        driver.set_page_load_timeout(TIMEOUT)
        driver.set_script_timeout(TIMEOUT)
        yield Page(driver)
    except WebDriverException as error:
        sys.exit(f"the browser failed: {error.msg} at {driver.current_url}")
    finally:
        driver.quit()


def finish(page, found):
    """Prints what was found."""
    print(json.dumps({"url": page.driver.current_url, **found}))


def is_of_another_page(error):
    """Whether an element was asked for something in the moment in which another page came.

    The driver says so in two ways: as an error of its own kind, and, when it asks the browser in the very moment of the
    change, as an unknown error with the text of the browser.
    """
    return isinstance(error, StaleElementReferenceException) or "does not belong to the document" in (error.msg or "")


class Page:
    """What a browser shows."""

    def __init__(self, driver):
        self.driver = driver
        self.url = settings()["url"]

    def open(self, path):
        self.driver.get(self.url + path)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def seen(self, selector):
        """The first element for a selector that can be seen, if there is one."""
        return next((element for element in self.all(selector) if element.is_displayed()), None)

    def one(self, selector):
        """The same; waits for it."""
        return self.until(lambda: self.seen(selector), f"no {selector}")

    def text(self, selector):
        """What it says. A page may draw it anew between finding and reading."""

        def read():
            element = self.seen(selector)
            return element and [element.text]

        return self.until(read, f"no {selector}")[0]

    def until(self, ready, what):
        """Waits until something holds, and returns it."""
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                found = ready()
            except WebDriverException as error:
                if not is_of_another_page(error):
                    raise
                found = None
            if found:
                return found
            if time.monotonic() > end:
                sys.exit(f"{what}: {self.evidence()}")
            time.sleep(0.03)

    def wait_for_text(self, selector, text):
        """Waits until an element says something."""

        def says():
            return any(text in element.text for element in self.all(selector))

        self.until(says, f"{selector} does not say {text!r}")

    def click(self, selector):
        def press():
            element = self.seen(selector)
            if element:
                self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
            return element

        self.until(press, f"no {selector}")

    def type(self, selector, text):
        field = self.one(selector)
        field.clear()
        field.send_keys(text)

    def tab_to(self, selector):
        """Presses Tab until an element has the focus, as somebody without a mouse does."""
        wanted = self.one(selector)
        for _ in range(400):
            if self.driver.switch_to.active_element == wanted:
                return
            self.keys(Keys.TAB)
        sys.exit(f"Tab does not lead to {selector}: {self.evidence()}")

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def manage(self, method, path, body=None):
        """Calls the management API as a program does."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if data else {}
        request = Request(settings()["management"] + path, data=data, headers=headers, method=method)
        with urlopen(request, timeout=TIMEOUT) as answer:
            return json.load(answer)

    def color_scheme(self, scheme):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def size(self, size):
        """A screen of another size; none is that of the window."""
        if size is None:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            return
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def screenshot(self, name):
        """The whole page, not only what fits the window."""
        self.run("scrollTo(0, 0)")
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
        path = Path(settings()["screenshots"]) / f"portal-{name}.png"
        path.write_bytes(base64.b64decode(taken["data"]))

    def console(self):
        """What the page complained about, violations of its policy among it."""
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def evidence(self):
        """Where the browser stands, for messages."""
        body = self.all("main")
        return json.dumps({
            "url": self.driver.current_url,
            "console": self.console(),
            "main": body[0].text[:3000] if body else None,
        })

    def check_console(self, name):
        messages = self.console()
        expect(not messages, f"the console of {name} says {messages}")

    def check_width(self, name, width):
        """Nobody has to scroll sideways."""
        metrics = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
        found = metrics["cssContentSize"]["width"]
        if found > width:
            wide = self.run(
                "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > arguments[0] + 1)"
                ".slice(0, 8).map(e => e.tagName + '.' + e.className + '#' + e.id)",
                width,
            )
            sys.exit(f"the page {name} is {found} wide, the screen {width}: {wide}")

    def check_axe(self, name):
        """No violation that axe-core finds."""
        if not self.run("return typeof axe === 'object'"):
            self.run(Path(settings()["axe"]).read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']})"
            ".then(r => done(r.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.target.join(' ')"
            " + ' ' + n.any.map(a => a.message).join(', ')).join('; ')}`)), e => done([String(e)]))",
            RULES,
        )
        expect(not found, f"axe finds in {name}: {found}")

    def check_first_view(self, name):
        """A page and everything that it loads by itself stay small. Loads the page again."""
        self.driver.refresh()
        octets = self.until(
            lambda: self.run(
                "if (document.readyState !== 'complete') return 0;"
                "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
                ".filter(e => e.name.startsWith(location.origin) && !e.initiatorType.includes('fetch'))"
                ".reduce((sum, e) => sum + e.encodedBodySize, 0)"
            ),
            "the page does not load",
        )
        expect(0 < octets < FIRST_VIEW, f"the first view of {name} has {octets} octets, not less than {FIRST_VIEW}")
        return octets

    def hold(self, name):
        """Holds the page, as it is now, against what holds of every page, and keeps screenshots."""
        self.check_console(name)
        # The head of a page stays where it is, over whatever it has been scrolled to.
        self.run("scrollTo(0, 0)")
        for scheme in ("light", "dark"):
            self.color_scheme(scheme)
            self.check_axe(f"{name}, {scheme}")
            self.screenshot(f"{name}-{scheme}")
            self.size(SMALLEST)
            self.check_width(f"{name}, {scheme}", SMALLEST[0])
            self.check_axe(f"{name}, {scheme}, small")
            self.screenshot(f"{name}-{scheme}-small")
            self.size(None)
        self.color_scheme("light")
        self.check_console(name)
