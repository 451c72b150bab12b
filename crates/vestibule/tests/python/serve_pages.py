"""Goes through the pages of a gateway in headless Chromium, under the bank's own looks and texts: log-in, consent, payment, error
pages, the customer's own pages, and the way to the bank's provider where there is one; with the mouse, and with the keyboard alone on
the smallest screen without scripts.

Called as `portal.py` says, with `iban` and `device_number` of the customer. Of a gateway whose customers answer at its pages: `consent`,
`payment` and `keyboard`, authorization URLs, and `callback`, where the browser comes back to. Of one with a provider that lets nobody
in: `refused`, an authorization URL. Prints what it found as JSON; the first expectation that is not met ends the program.
"""

import hashlib
import hmac

from selenium.webdriver import Keys

from portal import SMALLEST, expect, finish, settings, visit

PAGE = "/auth/internalonly/authorise.html"
IBAN = "#iban"
ANSWER = "#answer"
CHALLENGE = "output.challenge"
LOG_IN = "button[value='log-in']"
APPROVE = "button[value='approve']"


def answer(challenge):
    """What the customer's device answers, which they hold in their hands: HMAC-SHA-256, truncated as in RFC 4226."""
    plain = "".join(challenge.split())
    key = "".join(settings()["device_number"].split())
    tag = hmac.new(key.encode(), plain.encode(), hashlib.sha256).digest()
    at = tag[-1] & 15
    number = (int.from_bytes(tag[at : at + 4], "big") & 0x7FFFFFFF) % 1_000_000
    return f"{number:06}" if number else "111111"


def hold(page, name, status=200):
    """As `Page.hold`, for pages of which the browser itself may complain because of their status."""
    messages = page.console()
    expect(all(f"status of {status}" in message for message in messages), f"the console of {name} says {messages}")
    expect(page.all("footer a[href^='https://']"), f"what the bank adds is not at the foot of {name}")
    page.hold(f"serve-{name}")


def log_in(page):
    page.type(IBAN, settings()["iban"])
    page.type(ANSWER, answer(page.text(CHALLENGE)))
    page.click(LOG_IN)


def is_back(page):
    """Nobody is at the third party; the address at which the browser ends counts."""
    page.until(lambda: page.driver.current_url.startswith(settings()["callback"]), "not back at the third party")
    # The browser itself complains that there is nobody.
    page.console()
    return page.driver.current_url


def with_the_mouse():
    found = {}
    with visit() as page:
        page.open(settings()["consent"])
        page.one(LOG_IN)
        hold(page, "log-in")
        page.type(IBAN, settings()["iban"])
        page.type(ANSWER, "0000000")
        page.click(LOG_IN)
        page.one("[role='alert']")
        hold(page, "log-in-wrong")
        log_in(page)
        page.one(APPROVE)
        hold(page, "consent")
        found["consent"] = page.text("main")
        page.click(APPROVE)
        found["consent_back"] = is_back(page)
        page.open(settings()["payment"])
        log_in(page)
        page.one(APPROVE)
        hold(page, "payment")
        found["payment"] = page.text("main")
        page.type(ANSWER, answer(page.text(CHALLENGE)))
        page.click(APPROVE)
        found["payment_back"] = is_back(page)
        for name, path, status in [("expired", PAGE, 403), ("not-found", "/nothing", 404)]:
            page.console()
            page.open(path)
            hold(page, name, status)
        page.open("/auth/nl/customer")
        log_in(page)
        page.one("button[value='log-out']")
        hold(page, "own-pages")
        found["foot"] = page.text("footer")
    return found


def press(page, selector):
    page.tab_to(selector)
    page.keys(Keys.ENTER)


def fill(page, selector, text):
    page.tab_to(selector)
    page.keys(text)


def with_the_keyboard():
    with visit(scripts=False, size=SMALLEST) as page:
        page.size(SMALLEST)
        page.open(settings()["keyboard"])
        page.one(LOG_IN)
        page.check_width("log-in", SMALLEST[0])
        # The foot is reached like everything else.
        page.tab_to("footer a")
        page.open(PAGE)
        challenge = page.text(CHALLENGE)
        fill(page, IBAN, settings()["iban"])
        fill(page, ANSWER, answer(challenge))
        press(page, LOG_IN)
        page.one(APPROVE)
        page.check_width("consent", SMALLEST[0])
        page.screenshot("serve-keyboard-consent")
        press(page, APPROVE)
        return {"keyboard_back": is_back(page)}


def with_a_provider():
    found = {}
    with visit() as page:
        page.open("/auth/nl/customer")
        page.one("main a.button")
        hold(page, "provider")
        # The provider sends the browser back at once, and nobody is logged in.
        page.open(settings()["refused"])
        found["refused"] = page.text("[role='alert']")
        hold(page, "provider-refused", 403)
        page.size(SMALLEST)
        page.tab_to("button[value='cancel']")
        page.keys(Keys.ENTER)
        found["refused_back"] = is_back(page)
        finish(page, found)


if "refused" in settings():
    with_a_provider()
else:
    found = with_the_mouse()
    found |= with_the_keyboard()
    with visit() as page:
        finish(page, found)
