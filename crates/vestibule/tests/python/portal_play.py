"""Looks at the portal's page with things to play with, and plays."""

from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from portal import expect, finish, settings, visit


def put(page, selector, text):
    field = page.one(selector)
    field.clear()
    field.send_keys(text)


def check_refused(page):
    """Browsers write calls that are refused on purpose into the console, and nothing else stands there."""
    told = page.console()
    expect(all("Failed to load resource" in str(message) for message in told), f"the console says {told}")


with visit() as page:
    page.open("/portal/play")
    page.until(lambda: len(page.all("#clocks tbody tr")) == 4, "four clocks")
    page.until(lambda: "No fault waits" in page.text("#faults"), "no fault")
    page.hold("play")

    # The clock, by keyboard alone.
    today = page.one("#today").get_attribute("datetime")
    page.one('[data-advance="P90D"]').send_keys(Keys.ENTER)
    page.until(lambda: page.text("#clocks").count("90 d ahead") == 4, "four clocks that were moved")
    page.until(lambda: page.one("#today").get_attribute("datetime") > today, "the head of the page has the day before")
    page.one("#clock-reset").send_keys(Keys.SPACE)
    page.until(lambda: "ahead" not in page.text("#clocks"), "clocks as they were")
    page.until(lambda: page.one("#today").get_attribute("datetime") == today, "the head of the page has another day")

    # A fault strikes, and is gone.
    put(page, "#fault-next", "2")
    page.click("#fault-form button.primary")
    page.until(lambda: "the next 2 calls" in page.text("#faults"), "a fault that waits")
    status = page.driver.execute_async_script("fetch('/bunq/openapi.json').then(a => arguments[0](a.status))")
    expect(status == 503, f"a call that a fault strikes: {status}")
    page.click(".faults button")
    page.until(lambda: "No fault waits" in page.text("#faults"), "no fault any more")
    page.click("#fault-form summary")
    put(page, "#fault-path", "nonsense")
    page.click("#fault-form button.primary")
    page.until(lambda: "path is the path of a call" in page.text("#fault-problem"), "why a path is refused")

    # Data of one's own.
    put(page, "#iban", settings()["iban"])
    put(page, "#amount", "5.25")
    page.click("#transaction-form button")
    page.until(lambda: "5.25 EUR is booked" in page.text("#data-done"), "a transaction")
    page.click("#file-form button")
    page.until(lambda: "1 customer and 1 transaction were" in page.text("#data-done"), "a file that was loaded")
    put(page, "#document", "customers: 1")
    page.click("#file-form button")
    page.until(lambda: "line 1, customers" in page.text("#data-problem"), "what is wrong with a file")

    # Snapshots, by keyboard alone.
    page.until(lambda: "There is no snapshot" in page.text("#snapshots"), "no snapshot")
    put(page, "#snapshot-name", "early")
    page.one("#snapshot-name").send_keys(Keys.ENTER)
    page.until(lambda: "early" in page.text("#snapshots"), "a snapshot")
    page.one('[data-advance="P1D"]').send_keys(Keys.ENTER)
    page.until(lambda: page.text("#clocks").count("1 d ahead") == 4, "clocks that were moved")
    page.one("#snapshots button").send_keys(Keys.ENTER)
    page.until(lambda: "as it was when early was saved" in page.text("#snapshot-done"), "the bank as it was")
    page.until(lambda: "ahead" not in page.text("#clocks"), "clocks as they were saved")
    check_refused(page)
    page.hold("play-snapshots")
    page.click("#snapshots li button:last-child")
    page.until(lambda: "There is no snapshot" in page.text("#snapshots"), "no snapshot any more")
    page.click("section[aria-labelledby=snapshots-title] summary")
    page.click("#reset")
    page.until(lambda: "as at its first start" in page.text("#snapshot-done"), "a bank that was reset")

    # Certificates.
    page.click("#certificate-form button")
    page.until(lambda: "BEGIN CERTIFICATE" in page.text("#certificate-done"), "a certificate")
    check_refused(page)
    page.hold("play-done")
    octets = page.check_first_view("play")
    finish(page, {"octets": octets})
