"""The portal's pages of calls: a list that goes on by itself, a filter, and a call that says what was wrong with it.

Input, beside what every script gets: `wrong` (number of a call whose signature is over another text), `plain` (number of one whose
signature nobody can explain), `secret` (what must not be anywhere), `marked` (what is marked in what was signed).
"""

import json
import subprocess

from portal import expect, finish, settings, visit

given = settings()


def curl(*arguments):
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", *arguments], check=False)
    expect(done.returncode == 0, f"curl {arguments} failed")


def rows(page):
    # A list that goes on by itself is drawn anew now and then.
    return page.until(lambda: [[element.text for element in page.all("#calls li")]], "the list cannot be read")[0]


def no_secret(page):
    expect(given["secret"] not in page.driver.page_source, f"a secret is in {page.driver.current_url}")


def live(page):
    page.open("/portal/calls")
    page.wait_for_text("#live", "Live")
    before = len(rows(page))
    expect(before > 3, "the calls that were made are not listed")
    no_secret(page)
    curl(f"{page.url}/bunq/v1/user/77?token={given['secret']}", "-H", f"Authorization: Bearer {given['secret']}")
    page.until(lambda: len(rows(page)) > before, "the new call does not appear")
    first = rows(page)[0]
    expect("/bunq/v1/user/77?token=***" in first and "403" in first, f"the first row says {first}")
    expect("Insufficient authentication" in first, f"the first row does not say why: {first}")
    # Nothing that a caller sends becomes part of the page.
    hostile = "Content-Encoding: <img src=x onerror=alert(1)>"
    curl(f"{page.url}/xs2a-bg/nl/v1/consents?%3Cb%3E", "-H", hostile, "-H", "X-Request-ID: <b>id</b>")
    page.until(lambda: "onerror" in rows(page)[0], "the hostile call does not appear")
    expect(not page.all("#calls img, #calls li b b"), "what a caller sent became markup")
    page.click("#live")
    page.wait_for_text("#live", "Paused")
    paused = len(rows(page))
    curl(f"{page.url}/while-it-waits")
    page.click("#live")
    page.until(lambda: "/while-it-waits" in rows(page)[0], "what came meanwhile does not appear")
    expect(len(rows(page)) == paused + 1, "calls are listed twice")
    page.hold("calls")
    # A bank that was started again knows the page no more; it is loaded anew by itself.
    page.run("document.querySelector('meta[name=portal-token]').content = 'of another start'")
    page.click("#live")
    page.wait_for_text("#live", "Paused")
    page.click("#live")
    token = "return document.querySelector('meta[name=portal-token]').content"
    page.until(lambda: page.run(token) != "of another start", "the page is not loaded anew")
    page.wait_for_text("#live", "Live")
    told = page.console()
    expect(len(told) == 1 and "403" in told[0], f"the console says {told}")


def choose(page):
    page.open("/portal/calls")
    page.type("#path", "/consents")
    page.run("document.querySelector('[name=failed]').click()")
    page.click(".calls-filter button")
    page.until(lambda: "path=%2Fconsents" in page.driver.current_url, "the form is not sent")
    found = rows(page)
    expect(found and all("/consents" in row for row in found), f"the filter lets through {found}")
    # The list goes on with what is asked for alone.
    page.wait_for_text("#live", "Live")
    curl(f"{page.url}/elsewhere")
    curl(f"{page.url}/xs2a-bg/nl/v1/consents/one-more")
    page.until(lambda: "one-more" in rows(page)[0], "the filtered list does not go on")
    expect(not any("elsewhere" in row for row in rows(page)), "the filtered list has another call")
    page.open("/portal/calls?third_party=PSDNL-DNB-R424242")
    page.wait_for_text("#calls-empty", "No call like that")
    page.hold("calls-empty")
    page.open("/portal/calls?status=9xx")
    page.wait_for_text(".problem", "such as 4xx")
    page.hold("calls-problem")


def explained(page):
    page.open(f"/portal/calls?path=%2Fconsents")
    page.click(f"a[href='/portal/calls/{given['wrong']}']")
    page.wait_for_text("#why", "Why it was refused")
    expect("does not verify" in page.text(".call-because"), "the call does not say why it was refused")
    expect("draft-cavage" in page.text("#clause"), "no clause")
    expect("none at the end" in page.text("#remedy"), "no remedy")
    failed = [element.text for element in page.all(".call-checks .failed")]
    expect(len(failed) == 1 and "The signature verifies" in failed[0], f"the checks that failed are {failed}")
    expect(len(page.all(".call-checks li")) > 10, "the checks that were passed are not listed")
    marks = [page.run("return arguments[0].textContent", mark) for mark in page.all(".call-compared mark")]
    expect(given["marked"] in marks, f"marked is {marks}")
    expect("line feed at its end" in page.text("main"), "the mistake is not named")
    no_secret(page)
    curl_text = page.run("return document.querySelector('#curl').textContent")
    expect(curl_text.startswith("curl ") and "x-request-id" in curl_text, f"the command is {curl_text}")
    page.click("button[data-copy-from='#curl']")
    page.until(lambda: page.all("button[data-copied]"), "the command cannot be copied")
    archive = page.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "fetch(document.querySelector('a[download]').href).then(r => r.json()).then(done, e => done(String(e)))"
    )
    expect(archive["log"]["version"] == "1.2", f"the archive is {archive}")
    expect(given["secret"] not in json.dumps(archive), "a secret is in the archive")
    page.hold("call-wrong-signature")
    page.open(f"/portal/calls/{given['plain']}")
    expect("none of the usual mistakes" in page.text(".call-unknown"), "what nobody knows is not said to be unknown")
    page.hold("call-unknown-signature")
    page.open("/portal/calls/999999")
    page.wait_for_text("h1", "not here")
    expect(any("404" in message for message in page.console()), "a call that is not kept is found")
    return curl_text


with visit() as page:
    live(page)
    choose(page)
    command = explained(page)
    page.open("/portal/calls")
    octets = page.check_first_view("calls")
    found = {"command": command, "octets": octets}

with visit(scripts=False) as page:
    page.open("/portal/calls")
    expect(len(rows(page)) > 3, "without scripts there is no list")
    expect(not page.all("#live") or not page.all("#live")[0].is_displayed(), "without scripts nothing is live")
    page.click(f"a[href='/portal/calls/{given['wrong']}']")
    expect("does not verify" in page.text(".call-because"), "without scripts a call cannot be read")
    page.open("/portal/calls")
    page.type("#status", "4xx")
    page.click(".calls-filter button")
    page.until(lambda: "status=4xx" in page.driver.current_url, "without scripts the filter is not sent")
    page.until(lambda: all("2" != row.strip()[0] for row in rows(page)), "without scripts the filter does nothing")
    finish(page, found)
