"""Goes through a customer's own pages in headless Chromium: the bank for tests fills the log-in in, the customer looks at
accounts and what moved on them, at who has access, and withdraws it; with the mouse, with the keyboard alone, without scripts.

Called as `portal.py` says, with `base`, where the pages begin, `consent`, the id of what is to be withdrawn, and `payment`, that
of one that waits; another consent is left for the keyboard. Prints what it found as JSON; the first expectation that is not met ends the program.
"""

from selenium.webdriver import Keys

from portal import SMALLEST, expect, finish, settings, visit

FILL = "button[name='customer']"
LOG_IN = "button[value='log-in']"
LOG_OUT = "button[value='log-out']"


def fill_in(page):
    """One click fills in number and answer, the next one logs in."""
    page.open(settings()["base"] + "?lang=en")
    expect(page.text(".mark").startswith("TEST"), "the mark of a bank for tests is missing")
    page.click(FILL)
    page.wait_for_text("[role='status']", "are filled in")


def with_the_mouse():
    found = {}
    base, access = settings()["base"], f"/access/{settings()['consent']}"
    with visit() as page:
        page.open(base + "?lang=en")
        page.hold("customer-log-in")
        fill_in(page)
        page.hold("customer-filled-in")
        page.click(LOG_IN)
        page.wait_for_text("h1", "My bank")
        page.hold("customer-overview")
        found["overview"] = page.text("main")
        page.click("section[aria-labelledby='accounts'] a")
        page.wait_for_text("h2", "Movements")
        page.hold("customer-movements")
        found["movements"] = len(page.all("table.moves td.number"))
        page.click("a[rel='next']")
        page.wait_for_text("p.buttons", "Newest")
        found["older"] = len(page.all("table.moves td.number"))
        page.open(base + access)
        page.hold("customer-access")
        page.click("button[value='withdraw']")
        page.wait_for_text("dl", "Withdrawn by you")
        page.hold("customer-withdrawn")
        page.open(base + "/payments/" + settings()["payment"])
        page.hold("customer-payment")
        for name in ["payments", "access"]:
            page.open(f"{base}/{name}?lang=de")
            page.hold(f"customer-list-of-{name}-de")
        page.open(base)
        page.click("nav a[hreflang='nl']")
        page.wait_for_text("h1", "Mijn bank")
        page.hold("customer-overview-nl")
        page.open(base + "/access/unknown")
        hold_refusal(page, "customer-not-found", 404)
        page.open(base)
        # The language that was chosen stays.
        page.click(LOG_OUT)
        page.wait_for_text("h1", "Inloggen")
        page.open(base + access)
        hold_refusal(page, "customer-logged-out", 403)
        page.click("a.button")
        page.wait_for_text("h1", "Inloggen")
    return found


def hold_refusal(page, name, status):
    """As `hold`, for a page at which the browser itself complains of its status."""
    messages = page.console()
    expect(all(f"status of {status}" in message for message in messages), f"the console of {name} says {messages}")
    page.hold(name)


def press(page, selector, ready, text):
    """Goes to an element by Tab, presses Enter and waits for the page after it."""
    page.tab_to(selector)
    page.keys(Keys.ENTER)
    page.wait_for_text(ready, text)


def with_the_keyboard():
    """On the smallest screen, without a mouse and without scripts."""
    base = settings()["base"]
    with visit(scripts=False, size=SMALLEST) as page:
        page.size(SMALLEST)
        page.driver.get("data:text/html,<title>off</title><script>document.title = 'on'</script>")
        expect(page.driver.title == "off", "the browser runs scripts")
        page.open(base + "?lang=en")
        page.check_width("log-in", SMALLEST[0])
        press(page, FILL, "[role='status']", "are filled in")
        page.screenshot("customer-keyboard-filled-in")
        press(page, LOG_IN, "h1", "My bank")
        page.check_width("overview", SMALLEST[0])
        press(page, ".rows a.button", "h2", "Withdraw this access?")
        page.check_width("access", SMALLEST[0])
        press(page, "button[value='withdraw']", "dl", "Withdrawn by you")
        page.screenshot("customer-keyboard-withdrawn")
        press(page, "main p a", "h1", "My bank")
        press(page, "section[aria-labelledby='accounts'] a", "h2", "Movements")
        page.check_width("movements", SMALLEST[0])
        finish(page, {"keyboard": True, **found})


found = with_the_mouse()
with_the_keyboard()
