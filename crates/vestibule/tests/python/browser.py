"""Goes through the bank's pages in headless Chromium, as a customer does.

Opens an authorization URL, logs in with an account number and the answer of the digipass simulator
on the page, decides, and follows the browser back to the third party. Each scenario needs an
authorization URL of its own, for a consent whose accounts the customer chooses at the bank:

    approve     with the mouse
    phone       with the keyboard alone, on a small screen, without scripts
    cancel      instead of logging in
    wrong       three wrong answers
    languages   in every language, by the links of the page; with a dark screen
    several     several accounts are chosen, after none was
    payments    two payments: one is to be made, one is not; with the keyboard alone, on a small screen
    pay         one payment, with the mouse, in the light and in the dark; after a wrong answer
    keyboard    one payment, with the keyboard alone, on the smallest screen, without scripts
    bulk        a hundred transfers, on the smallest screen
    stop, keep  a payment that was approved before, with the keyboard and with the mouse

With `--listen` the third party's port is opened for as long as the program runs. Without it nobody
needs to be there: the address at which the browser ends counts. Prints a JSON object with
`scenario`, `final` (path and query of where the browser came back) and `checks`, what was found on
the way. The first expectation that is not met ends the program with a message and status 1.
"""

import argparse
import base64
import json
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import chromium
from selenium.common.exceptions import (
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

DESKTOP = (1200, 900)
PHONE = (390, 844)
SMALLEST = (320, 640)
TIMEOUT = 30
LANGUAGES = ["en", "nl", "fr"]

IBAN = "#iban"
ANSWER = "#answer"
LOG_IN = "button[value='log-in']"
CANCEL = "button[value='cancel']"
DEVICE_NUMBER = "#number"
SIMULATE = "button[value='simulate']"
SIMULATED = "#simulated"
CHALLENGE = "output.challenge"
ALERT = "[role='alert']"
ACCOUNT = "input[type='radio']"
SEVERAL = "input[type='checkbox']"
APPROVE = "button[value='approve']"
PAYING_ACCOUNT = "input[name='account']"

SCRIPT_PROBE = "data:text/html,<title>off</title><script>document.title = 'on'</script>"


def expect(condition, text):
    if not condition:
        sys.exit(text)


class ThirdParty:
    """Where the browser comes back to: a listener, or an address at which nobody is."""

    def __init__(self, port):
        self.server = None
        self.requests = SimpleQueue()
        if port is None:
            return
        try:
            self.server = ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        except OSError as error:
            sys.exit(f"port {port} of the third party: {error}")

    def handler(self):
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                requests.put(self.path)
                body = b"back at the third party"
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Standard error is for expectations that are not met."""

        return Handler

    def __enter__(self):
        if self.server is not None:
            Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()

    def final(self, driver):
        """Path and query of the first request, or of the address that the browser shows."""
        if self.server is None:
            url = urlsplit(driver.current_url)
            return f"{url.path}?{url.query}"
        try:
            return self.requests.get(timeout=TIMEOUT)
        except Empty:
            sys.exit(f"the browser did not come back to the third party: {evidence(driver)}")


def options(screen):
    # No names: everything is on this machine.
    made = chromium.options("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    if screen:
        made.add_experimental_option("mobileEmulation", {"deviceMetrics": device(screen)})
        blocked = {"profile.managed_default_content_settings.javascript": 2}
        made.add_experimental_option("prefs", blocked)
    else:
        made.add_argument(f"--window-size={DESKTOP[0]},{DESKTOP[1]}")
    return made


def device(size):
    return {"width": size[0], "height": size[1], "pixelRatio": 2.0, "mobile": True, "touch": True}


@contextmanager
def browser(screen):
    driver = chromium.started(options(screen))
    try:
        driver.set_page_load_timeout(TIMEOUT)
        yield driver
    finally:
        driver.quit()


def console(driver):
    """What the page complained about, violations of its policy among it.

    The driver loses what comes while a page replaces one of another site; the browser keeps it and
    tells it again, perhaps for the second time, to whoever asks anew.
    """
    driver.execute_cdp_cmd("Log.disable", {})
    driver.execute_cdp_cmd("Log.enable", {})
    entries = driver.get_log("browser")
    loud = (entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE"))
    return list(dict.fromkeys(loud))


def is_gone(element):
    """Whether the page of an element has been replaced.

    The driver says so in two ways: as an error of its own kind, and, when it asks the browser in
    the very moment of the change, as an unknown error with the text of the browser.
    """
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        if "does not belong to the document" in (error.msg or ""):
            return True
        raise
    return False


def evidence(driver):
    """Where the browser stands, for messages."""
    return json.dumps({"url": driver.current_url, "console": console(driver)})


class Mouse:
    """A customer who points and clicks."""

    def __init__(self, driver):
        self.driver = driver

    def press(self, selector):
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def choose(self, selector):
        self.press(selector)

    def fill(self, selector, text):
        field = self.driver.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text)


class Keyboard:
    """A customer who has no mouse."""

    def __init__(self, driver):
        self.driver = driver

    def send(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def go_to(self, selector):
        """Presses Tab until an element has the focus."""
        wanted = self.driver.find_element(By.CSS_SELECTOR, selector)
        for _ in self.driver.find_elements(By.CSS_SELECTOR, "a, input, button, summary, body"):
            if self.driver.switch_to.active_element == wanted:
                return
            self.send(Keys.TAB)
        sys.exit(f"Tab does not lead to {selector}: {evidence(self.driver)}")

    def press(self, selector):
        self.go_to(selector)
        self.send(Keys.ENTER)

    def choose(self, selector):
        self.go_to(selector)
        self.send(Keys.SPACE)

    def fill(self, selector, text):
        self.go_to(selector)
        everything = ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a")
        everything.key_up(Keys.CONTROL).perform()
        self.send(text)


class Visit:
    """One way through the pages."""

    def __init__(self, driver, customer, third_party, settings):
        self.driver = driver
        self.customer = customer
        self.third_party = third_party
        self.settings = settings
        self.checks = {}

    def open(self):
        self.driver.get(self.settings.url)
        self.expect_page(LOG_IN)

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        found = self.find(selector)
        expect(found, f"no {selector} on the page: {evidence(self.driver)}")
        return found[0].text

    def expect_page(self, selector):
        """The page that has an element is there."""
        expect(self.find(selector), f"not the page with {selector}: {evidence(self.driver)}")

    def press(self, selector):
        """Presses what leads to another page, and waits for that page."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        self.customer.press(selector)
        try:
            gone = WebDriverWait(self.driver, TIMEOUT, poll_frequency=0.1)
            gone.until(lambda _: is_gone(page))
        except TimeoutException:
            sys.exit(f"{selector} leads nowhere: {evidence(self.driver)}")

    def log_in(self, answer):
        self.customer.fill(IBAN, self.settings.iban)
        self.customer.fill(ANSWER, answer)
        self.press(LOG_IN)

    def simulate(self):
        """The answer that the simulator gives to the challenge, which stays the same."""
        challenge = self.text(CHALLENGE)
        self.customer.fill(DEVICE_NUMBER, self.settings.device_number)
        self.press(SIMULATE)
        answer = self.text(SIMULATED)
        shown = self.text(CHALLENGE)
        expect(shown == challenge, f"the challenge was {challenge}, after the simulation {shown}")
        return answer

    def answer(self):
        """Lets the simulator answer the challenge of a payment: its number is there already."""
        challenge = self.text(CHALLENGE)
        self.press(SIMULATE)
        shown = self.text(CHALLENGE)
        expect(shown == challenge, f"the challenge was {challenge}, after the simulation {shown}")
        typed = self.find(ANSWER)[0].get_attribute("value")
        expect(typed == self.text(SIMULATED), f"the answer is not filled in: {typed}")
        return challenge

    def approve(self):
        self.expect_page(APPROVE)
        if self.find(ACCOUNT):
            self.customer.choose(ACCOUNT)
        self.press(APPROVE)

    def screenshot(self, name):
        """The whole page, not only what fits the window."""
        settings = {"captureBeyondViewport": True, "format": "png"}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", settings)
        path = Path(self.settings.screenshots) / name
        path.write_bytes(base64.b64decode(taken["data"]))

    def back(self, **wanted):
        """Checks how the browser came back; `None` stands for any value."""
        final = self.third_party.final(self.driver)
        answer = parse_qs(urlsplit(final).query, keep_blank_values=True)
        sent = parse_qs(urlsplit(self.settings.url).query)
        if not self.settings.bare:
            wanted = {"state": sent.get("state", [None])[0], **wanted}
        # An interface of plain OAuth does not name its issuer.
        if "code_challenge" in sent:
            wanted["iss"] = None
        for name, value in wanted.items():
            got = answer.get(name, [])
            fits = len(got) == 1 and value in (None, got[0])
            expect(fits, f"{name} should be {value or 'there'}: the browser came back to {final}")
        decided = ("code" in answer) + ("error" in answer)
        expect(decided == (0 if self.settings.bare else 1), f"the browser came back to {final}")
        return final

    def check_page(self, name):
        """No scripts, and nothing in the console."""
        scripts = self.find("script")
        expect(not scripts, f"the page {name} has {len(scripts)} scripts")
        messages = console(self.driver)
        expect(not messages, f"the console of the page {name} says {messages}")
        self.checks[name] = {"scripts": len(scripts), "console": messages}

    def check_cookie(self):
        """As the bank set it: the driver's own list has `Lax` for cookies that do not say so."""
        cookies = self.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]
        expect(len(cookies) == 1, f"one cookie should be there: {[c['name'] for c in cookies]}")
        kept = {member: cookies[0].get(member) for member in ("name", "httpOnly", "sameSite")}
        expect(kept["httpOnly"] and kept["sameSite"] == "Lax", f"the session cookie is {kept}")
        self.checks["cookie"] = kept

    def check_no_cookie(self):
        cookies = self.driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"]
        expect(not cookies, f"the session cookie stays: {[c['name'] for c in cookies]}")

    def check_width(self, name):
        """Nobody has to scroll sideways. Phones zoom out of wide pages: their own width counts."""
        metrics = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
        width, most = metrics["cssContentSize"]["width"], self.settings.screen[0]
        expect(width <= most, f"the page {name} is {width} wide, the screen {most}")
        self.checks[name] = {"width": width}

    def check_scripts_are_off(self):
        self.driver.get(SCRIPT_PROBE)
        expect(self.driver.title == "off", "the browser runs scripts")
        self.checks["scripts"] = self.driver.title

    def lighten(self):
        light = [{"name": "prefers-color-scheme", "value": "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": light})

    def darken(self):
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})


def approve(visit):
    visit.open()
    visit.check_page("log-in")
    visit.check_cookie()
    answer = visit.simulate()
    visit.check_page("simulator")
    visit.screenshot("log-in.png")
    visit.log_in(answer)
    visit.check_page("decision")
    visit.check_cookie()
    visit.screenshot("decide.png")
    visit.approve()
    final = visit.back(code=None)
    visit.check_no_cookie()
    return final


def phone(visit):
    visit.check_scripts_are_off()
    visit.open()
    visit.check_width("log-in")
    answer = visit.simulate()
    visit.screenshot("phone-log-in.png")
    visit.log_in(answer)
    visit.check_width("decision")
    visit.screenshot("phone-decide.png")
    visit.approve()
    return visit.back(code=None)


def cancel(visit):
    visit.open()
    visit.press(CANCEL)
    return visit.back(error="consent_required")


def wrong(visit):
    visit.open()
    # Six digits, as an answer has, and one more: never right by accident.
    answer = "0000000"
    alerts = []
    for _ in range(2):
        visit.log_in(answer)
        alerts.append(visit.text(ALERT))
    expect(len(set(alerts)) == 2, f"the alert does not count: {alerts}")
    visit.screenshot("wrong.png")
    visit.checks["alerts"] = alerts
    visit.log_in(answer)
    return visit.back(error="access_denied")


def languages(visit):
    visit.open()
    headings = {}
    for code in LANGUAGES:
        if visit.find("html")[0].get_attribute("lang") != code:
            visit.press(f"nav a[hreflang='{code}']")
        expect_language(visit, code)
        headings[code] = visit.text("h1")
    expect(len(set(headings.values())) == len(LANGUAGES), f"the headings are {headings}")
    visit.checks["headings"] = headings
    visit.darken()
    answer = visit.simulate()
    visit.screenshot("dark.png")
    visit.log_in(answer)
    expect_language(visit, LANGUAGES[-1])
    visit.screenshot("dark-decide.png")
    visit.approve()
    return visit.back(code=None)


def several(visit):
    visit.open()
    visit.log_in(visit.simulate())
    visit.check_page("accounts")
    boxes = visit.find(SEVERAL)
    expect(len(boxes) > 1, f"there are {len(boxes)} accounts to choose from")
    visit.press(APPROVE)
    expect(visit.find(ALERT), f"nothing was chosen and nothing was said: {evidence(visit.driver)}")
    for number in (1, len(boxes)):
        visit.customer.choose(f"#account-{number}")
    visit.screenshot("accounts.png")
    visit.press(APPROVE)
    visit.checks["accounts"] = len(boxes)
    return visit.back(code=None)


def payments(visit):
    visit.open()
    visit.log_in(visit.simulate())
    visit.check_page("payments")
    visit.check_width("payments")
    visit.checks["text"] = visit.text("main")
    visit.customer.choose("#pay-1")
    # In a group of radio buttons Tab leads to the first one, and arrows to the others.
    visit.customer.choose("#pay-2")
    visit.customer.send(Keys.ARROW_DOWN)
    chosen = visit.find("#refuse-2")[0].is_selected()
    expect(chosen, f"the arrow does not lead to the next choice: {evidence(visit.driver)}")
    visit.screenshot("payments.png")
    visit.press(APPROVE)
    visit.expect_page(CHALLENGE)
    visit.check_width("answer")
    visit.answer()
    visit.screenshot("payments-answer.png")
    visit.press(APPROVE)
    return visit.back(code=None)


def pay(visit):
    visit.open()
    visit.log_in(visit.simulate())
    visit.check_page("payment")
    visit.checks["text"] = visit.text("main")
    name = "pay-choose" if visit.find(PAYING_ACCOUNT) else "pay"
    visit.screenshot(f"{name}.png")
    visit.darken()
    visit.screenshot(f"{name}-dark.png")
    visit.lighten()
    if visit.find(PAYING_ACCOUNT):
        visit.customer.choose(PAYING_ACCOUNT)
    before = visit.text(CHALLENGE)
    visit.customer.fill(ANSWER, "0000000")
    visit.press(APPROVE)
    visit.checks["alert"] = visit.text(ALERT)
    visit.screenshot(f"{name}-wrong.png")
    after = visit.answer()
    expect(before != after, f"after a wrong answer the challenge is still {before}")
    visit.check_page("answered")
    visit.screenshot(f"{name}-answered.png")
    visit.press(APPROVE)
    return visit.back()


def keyboard(visit):
    visit.check_scripts_are_off()
    visit.open()
    visit.log_in(visit.simulate())
    visit.check_width("payment")
    visit.screenshot("keyboard-pay.png")
    if visit.find(PAYING_ACCOUNT):
        visit.customer.choose(PAYING_ACCOUNT)
    visit.answer()
    visit.check_width("answered")
    visit.press(APPROVE)
    return visit.back()


def bulk(visit):
    visit.open()
    visit.log_in(visit.simulate())
    visit.check_width("bulk")
    visit.screenshot("bulk.png")
    visit.customer.go_to("summary")
    visit.customer.send(Keys.ENTER)
    rows = [row for row in visit.find("tbody tr") if row.is_displayed()]
    visit.checks["rows"] = len(rows)
    visit.checks["text"] = visit.text("main")
    visit.check_width("unfolded")
    visit.screenshot("bulk-unfolded.png")
    visit.answer()
    visit.press(APPROVE)
    return visit.back()


def stop(visit):
    visit.open()
    visit.log_in(visit.simulate())
    visit.check_width("stop")
    visit.checks["text"] = visit.text("main")
    visit.screenshot("stop.png")
    visit.press(APPROVE)
    return visit.back()


def keep(visit):
    visit.open()
    visit.log_in(visit.simulate())
    visit.check_page("keep")
    visit.screenshot("keep.png")
    visit.press(CANCEL)
    return visit.back()


def expect_language(visit, code):
    lang = visit.find("html")[0].get_attribute("lang")
    expect(lang == code, f"the language of the page is {lang}, not {code}")


SCENARIOS = {
    "approve": approve,
    "phone": phone,
    "cancel": cancel,
    "wrong": wrong,
    "languages": languages,
    "several": several,
    "payments": payments,
    "pay": pay,
    "keyboard": keyboard,
    "bulk": bulk,
    "stop": stop,
    "keep": keep,
}

# Those with a small screen have a keyboard and no mouse.
SCREENS = {
    "phone": PHONE,
    "payments": PHONE,
    "keyboard": SMALLEST,
    "bulk": SMALLEST,
    "stop": SMALLEST,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="authorization URL, with its PKCE challenge")
    parser.add_argument("--iban", required=True, help="account number of the customer")
    parser.add_argument("--device-number", required=True, help="number of the customer's digipass")
    parser.add_argument("--scenario", required=True, choices=SCENARIOS)
    parser.add_argument("--screenshots", required=True, help="folder for PNG files")
    parser.add_argument("--bare", action="store_true", help="nothing is added to the address of the way back")
    parser.add_argument("--listen", type=int, metavar="PORT", help="port of the redirect URI")
    return parser.parse_args()


def run(settings):
    Path(settings.screenshots).mkdir(parents=True, exist_ok=True)
    settings.screen = SCREENS.get(settings.scenario)
    with ThirdParty(settings.listen) as third_party, browser(settings.screen) as driver:
        customer = Keyboard(driver) if settings.screen else Mouse(driver)
        visit = Visit(driver, customer, third_party, settings)
        final = SCENARIOS[settings.scenario](visit)
    return {"scenario": settings.scenario, "final": final, "checks": visit.checks}


try:
    print(json.dumps(run(arguments())))
except WebDriverException as error:
    sys.exit(f"the browser failed: {error.msg}")
