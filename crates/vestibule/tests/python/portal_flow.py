"""Goes through the portal's flows as a developer does: to a first balance by the keyboard, a payment with the phone, the
registration at bunq, a value that was changed, a test that is saved; and back from the bank's own page."""

import json

from selenium.webdriver import Keys

from portal import SMALLEST, expect, finish, settings, visit

STEPS = {"ais": 9, "pis": 7, "funds": 7, "bunq": 11}


def done(page):
    return len(page.all(".steps li.done"))


def run(page, flow):
    """The whole flow, by one press."""
    choose(page, flow)
    page.click("#run-all")
    wait_for(page, STEPS[flow], flow)


def wait_for(page, number, what):
    # What failed before stands there until it is its turn again.
    over = lambda: not page.all("#run-all[aria-busy]") and (done(page) >= number or page.all(".steps li.failed"))
    page.until(over, f"{what} does not end")
    expect(done(page) == number, f"{what}: {done(page)} steps of {number} are done: {page.evidence()}")


def choose(page, flow):
    page.click(f"[data-flow={flow}]")
    page.until(lambda: len(page.all(".steps li")) == STEPS[flow], f"{flow} has other steps")


def step(page, name):
    page.click(f"#step-{name}")
    page.until(lambda: page.all(f"#step-{name}[aria-current]"), f"{name} is not chosen")


def steps(page, number):
    for _ in range(number):
        before = done(page)
        page.click("#next")
        page.until(lambda: done(page) == before + 1, "the next step does not lead on")


def change(page, field, text):
    """Types another text into a field, and sends."""
    field = page.one(field)
    page.run("arguments[0].scrollIntoView({block: 'center'})", field)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text, Keys.ENTER)


def first_balance(page):
    """From nothing, with the keyboard alone."""
    page.open("/portal/flow")
    page.one("#begin-button")
    page.hold("flow-empty")
    page.tab_to("#begin-button")
    page.keys(Keys.ENTER)
    page.one("#run-all")
    page.tab_to("#run-all")
    page.keys(Keys.ENTER)
    wait_for(page, STEPS["ais"], "reading accounts")
    page.tab_to("#step-balances")
    page.keys(Keys.ENTER)
    page.wait_for_text(".members", "balances.0.balanceAmount.amount")
    page.hold("flow-ais")
    return page.text(".members")


def tabs(page):
    """How a call can be seen, with the arrows of the keyboard."""
    step(page, "consent")
    page.tab_to("#tab-readable")
    seen = {}
    for name in ("raw", "signing", "curl", "cli", "python", "node", "java", "go"):
        page.keys(Keys.ARROW_RIGHT)
        page.until(lambda: page.all(f"#tab-{name}[aria-selected=true]"), f"no tab {name}")
        page.one("#panel pre")
        seen[name] = page.text("#panel")
        if name in ("signing", "python"):
            page.hold(f"flow-{name}")
    page.keys(Keys.ARROW_RIGHT)
    page.until(lambda: page.all("#tab-readable[aria-selected=true]"), "the tabs do not go round")
    return seen


def refusals(page, *expected):
    """A browser tells of each refusal; that is no fault of the page."""
    told = page.console()
    expect(all(any(one in message for one in expected) for message in told), f"the console says {told}")


def unreachable(page):
    """A bank that does not answer is explained by what the page has already."""
    step(page, "balances")
    page.driver.set_network_conditions(offline=True, latency=0, throughput=0)
    page.click("#send")
    page.wait_for_text(".told", "The bank was not reached")
    page.driver.delete_network_conditions()
    refusals(page, "ERR_INTERNET_DISCONNECTED")
    steps(page, 2)


def payment(page):
    choose(page, "pis")
    expect("Nothing waits" in page.text("#phone"), "something waits before anything was asked")
    steps(page, 3)
    page.wait_for_text("#phone", "EUR 1.50 to Example Shop (NL91ABNA0417164300)")
    expect(not page.seen("#to-phone"), "the phone is beside the steps")
    page.size(SMALLEST)
    expect(page.seen("#to-phone"), "nothing leads to the phone, which is below everything else")
    page.size(None)
    page.hold("flow-phone")
    page.click("#decide-approve")
    page.wait_for_text("#phone", "Approved.")
    steps(page, 3)
    page.wait_for_text(".members", "transactionStatus")
    paid = page.text(".members")
    for decision, code, words in (
        ("reject", "consent_required", "Rejected."),
        ("wrong-answer", "access_denied", "Wrong answers"),
        ("expire", "access_denied", "Nothing happened"),
    ):
        page.click("#again")
        page.until(lambda: done(page) == 0, "it does not start over")
        steps(page, 3)
        page.click(f"#decide-{decision}")
        page.wait_for_text(".told", code)
        expect("What to do" in page.text(".told"), "nobody says what to do")
        expect(words in page.text("#phone"), f"{decision}: the phone says {page.text('#phone')}")
    # A payment of long ago cannot be approved, and the phone does not say that it was.
    page.click("#again")
    page.until(lambda: done(page) == 0, "it does not start over")
    steps(page, 3)
    move_clock(page, "P90D")
    page.click("#decide-approve")
    page.wait_for_text("#phone", "The bank took no decision. It said invalid_request: ")
    refusals(page, "400")
    move_clock(page, "now")
    return paid


def move_clock(page, by):
    before = page.one("#clock time").get_attribute("datetime")
    page.click(f"#clock-{by}")
    page.until(lambda: page.one("#clock time").get_attribute("datetime") != before, "the clock stands")


def changed(page):
    """A value that was changed is marked, refused, explained, kept over a reload, and put back."""
    choose(page, "ais")
    run(page, "ais")
    late = too_late(page)
    step(page, "consent")
    change(page, "#field-json-frequencyPerDay", "7")
    page.wait_for_text(".told", "FORMAT_ERROR")
    told = page.text(".told")
    expect(page.one("#step-consent .mark").is_displayed(), "the step is not marked")
    page.driver.refresh()
    page.wait_for_text(".told", "FORMAT_ERROR")
    expect(page.one("#field-json-frequencyPerDay").get_attribute("value") == "7", "what was changed is lost")
    refusals(page, "400")
    page.hold("flow-refused")
    refused = saved(page)
    expect(not page.seen("#stale"), "what was sent is what is there")
    page.click(".entry.edited .plain")
    page.until(lambda: not page.all(".entry.edited"), "it is not put back")
    # What was changed after it was sent is in no test, and the page says so.
    page.one("#stale")
    stale = saved(page)
    page.wait_for_text("#problem", "what you changed after that in “Ask for a consent” is not in the test")
    expect(stale == refused, f"the test has what was not sent: {stale}")
    page.hold("flow-stale")
    page.click("#send")
    page.until(lambda: page.all("#step-consent .badge.good"), "the original is refused")
    expect(not page.seen("#stale"), "it was sent as it is")
    return told, late, refused


def went_back(page):
    """A bank that went back to a snapshot does not know what this browser keeps: that is said before a call fails by it."""
    page.manage("PUT", "/snapshots/flow")
    page.run("localStorage.clear()")
    page.open("/portal/flow?flow=ais")
    page.click("#begin-button")
    run(page, "ais")
    page.manage("POST", "/snapshots/flow/restore")
    page.driver.refresh()
    page.wait_for_text("#problem", "The bank went back to what it was before")
    page.click("#problem a")
    page.wait_for_text("#customer-lost", "Get a customer again")
    page.click("#customer-form button[type=submit]")
    page.one("#customer[data-state='done']")
    page.open("/portal/flow?flow=ais")
    page.wait_for_text("#problem", "before this third party registered: start over")
    run(page, "ais")
    expect(not page.seen("#problem .problem"), "it is said although it was mended")
    page.check_console("a bank that went back")


def no_certificate(page):
    """Where the bank wants a TLS client certificate with each call, the page says so before the first one, with what to do."""
    page.url = settings()["mtls"]
    page.open("/portal/flow?flow=pis&run")
    page.click("#begin-button")
    page.wait_for_text("#problem", "so nothing was sent")
    page.wait_for_text("#mtls pre", "vestibule tpp flow pis --headless approve --bank https://")
    expect(not page.one("#run-all").is_enabled() and not page.one("#next").is_enabled(), "a flow that fails can be begun")
    page.click("#send")
    page.wait_for_text("#problem", "so nothing was sent")
    expect(not page.all("#steps .badge"), "something was sent")
    page.hold("flow-mtls")
    page.open("/")
    page.wait_for_text("#mtls", "vestibule tpp register --bank https://")
    expect(not page.seen("#registration-form"), "a registration that fails can be begun")
    page.check_console("a first page that cannot register")
    page.open("/portal/flow?flow=bunq&run")
    page.until(lambda: page.all("li.done #step-accounts"), "bunq's interface asks for no such certificate")
    expect(not page.seen("#mtls"), "it is said where it does not hold")


def written_by_hand(page):
    """A value of the run that somebody wrote is a place in the test: the next run has another one."""
    step(page, "accounts")
    token = page.run("return JSON.parse(Object.entries(localStorage).find(([key]) => key.startsWith('vestibule:runs:'))[1])")
    token = next(run["kept"]["accessToken"] for name, run in token.items() if name.endswith(" nl ais"))
    change(page, "#field-header-authorization", f"bearer {token}")
    page.until(lambda: page.all("#step-accounts .badge.good"), "the token that was written is refused")
    steps(page, 2)
    test = saved(page)
    expect(token not in test and "bearer {{accessToken}}" in test, test)
    page.click("#step-accounts")
    page.click(".entry.edited .plain")
    return test


def out_of_order(page):
    """A call whose values are not known yet says which step gives them."""
    page.click("#again")
    page.until(lambda: done(page) == 0, "it does not start over")
    step(page, "accounts")
    page.click("#send")
    page.wait_for_text("#problem", "which “Ask for a consent” gives")
    step(page, "onboard")
    change(page, "#field-path", "xs2a-bg/nl/onboarding/v1")
    page.wait_for_text("#problem", "begins with one “/”")
    page.click(".entry.edited .plain")
    page.until(lambda: not page.all(".entry.edited"), "it is not put back")


def with_state(page, work):
    """Does something with the page's own module for what it keeps."""
    page.driver.execute_async_script(
        "const done = arguments[0];"
        "const at = document.querySelector('script[src*=\"/flow.js\"]').src.replace('flow.js', 'state.js');"
        f"import(at).then(s => {{ {work}; done(); }});"
    )


def beside(page):
    """Another third party has runs of its own, which are forgotten with it."""
    with_state(page, "s.keepThirdParty({...s.thirdParty(), id: 'other', name: 'Other <b>TPP</b>'})")
    page.until(lambda: done(page) == 0, "the other one has the runs of the first")
    expect("Other <b>TPP</b>" in page.text("#party"), "the other one is not there")
    step(page, "register")
    runs = "return Object.keys(localStorage).filter(key => key.startsWith('vestibule:runs:')).map(key => localStorage[key]).join()"
    expect('"other nl ais"' in page.run(runs), "its run is not kept")
    page.run("const p = document.querySelector('#party'); p.selectedIndex = 0; p.dispatchEvent(new Event('change'))")
    page.until(lambda: done(page) > 0, "the first one has lost its runs")
    with_state(page, "s.forgetThirdParty('other')")
    page.until(lambda: "Other" not in page.text("#party"), "the other one is still there")
    expect('"other ' not in page.run(runs), "its run has its secrets still")
    expect(done(page) > 0, "the first one has lost its runs")


def while_it_runs(page):
    """Whatever is chosen meanwhile, here or in another tab, what runs is one flow of one third party to its end."""
    choose(page, "ais")
    page.click("#again")
    page.until(lambda: done(page) == 0, "it does not start over")
    # In one go, so that it has not ended before.
    page.run("document.querySelector('#run-all').click(); document.querySelector('[data-flow=pis]').click()")
    with_state(page, "s.keepThirdParty({...s.thirdParty(), id: 'other', name: 'Another'})")
    page.until(lambda: "Another" in page.text("#party") and done(page) == 0, "who came meanwhile has what ran")
    with_state(page, "s.forgetThirdParty('other')")
    page.until(lambda: done(page) == 9, "the flow did not go on to its end")
    expect("flow=ais" in page.driver.current_url, "another flow was chosen while one ran")


def started_again(page):
    """A page of a bank that was started again says that it has to be loaded again."""
    page.click("#again")
    steps(page, 3)
    page.run("document.querySelector('meta[name=portal-token]').content = 'of another start'")
    page.click("#decide-approve")
    page.wait_for_text(".told", "Reload this page")
    refusals(page, "403")
    page.driver.refresh()
    page.click("#decide-approve")
    page.wait_for_text("#phone", "Approved.")


def clock(page):
    before = page.one("#clock time").get_attribute("datetime")
    today = page.one("#today").get_attribute("datetime")
    page.click("#clock-P90D")
    page.until(lambda: page.one("#clock time").get_attribute("datetime") > before, "the clock stands")
    after = page.one("#clock time").get_attribute("datetime")
    page.until(lambda: page.one("#today").get_attribute("datetime") > today, "the head of the page has the day before")
    page.click("#clock-now")
    page.until(lambda: page.one("#clock time").get_attribute("datetime") < after, "the clock is not put back")
    page.run("document.querySelector('#clock-date').value = ''")
    page.click("#clock-set")
    page.wait_for_text("#clock", "Choose a day first")
    page.run("document.querySelector('#clock-date').value = '2030-01-31'")
    page.click("#clock-set")
    page.wait_for_text("#clock time", "2030-01-31")
    page.click("#clock-now")
    page.until(lambda: page.one("#clock time").get_attribute("datetime") < after, "the clock is not put back")
    return [before, after]


def too_late(page):
    """A call that is sent again after its token has ended is a test, with the clock before it."""
    move_clock(page, "P1D")
    step(page, "balances")
    page.click("#send")
    page.until(lambda: page.all("#step-balances .badge.bad"), "a token of yesterday is good")
    refusals(page, "401")
    expect("has to approve again" in page.text(".told"), page.text(".told"))
    late = saved(page)
    move_clock(page, "now")
    return late


def saved(page):
    """What "Save as test" writes."""
    page.run("window.saved = null; const made = URL.createObjectURL; URL.createObjectURL = b => { b.text().then(t => window.saved = t); return made(b); }")
    page.click("#save")
    return page.until(lambda: page.run("return window.saved"), "nothing is saved")


def archived(page):
    """What "Download as HAR" writes, and the secrets of the run."""
    page.run("window.saved = null; const made = URL.createObjectURL; URL.createObjectURL = b => { b.text().then(t => window.saved = t); return made(b); }")
    page.click("#archive")
    text = page.until(lambda: page.run("return window.saved"), "no archive is saved")
    runs = "return Object.entries(localStorage).filter(([key]) => key.startsWith('vestibule:runs:')).map(([, text]) => text)"
    kept = [run["kept"] for text in page.run(runs) for run in json.loads(text).values()]
    names = ("initialAccessToken", "accessToken", "clientSecret", "code", "apiKey", "installationToken", "sessionToken", "customerToken")
    return {"har": text, "secrets": [run[name] for run in kept for name in names if name in run]}


def real_page(page):
    """The bank's own page, in place of the phone, and back."""
    choose(page, "ais")
    page.click("#again")
    page.until(lambda: done(page) == 0, "it does not start over")
    steps(page, 3)
    link = page.one("#phone a").get_attribute("href")
    page.driver.get(link)
    page.click("button[value='cancel']")
    page.wait_for_text("#arrived", "has it already")
    page.hold("callback")
    callback = page.driver.current_url
    page.click("main a.button")
    page.wait_for_text("#phone", "Rejected.")
    return callback


def at_once(page):
    """A link that runs a flow does so after the one press that makes a third party and a customer."""
    page.open("/portal/flow?flow=funds&run")
    page.click("#begin-button")
    wait_for(page, STEPS["funds"], "a flow that runs at once")
    page.open("/portal/flow?flow=pis&run")
    wait_for(page, STEPS["pis"], "a flow that runs at once")
    page.check_console("a flow that runs at once")


def elsewhere(page):
    """A flow of one tenant alone is not begun at another, and says where it is."""
    page.open("/portal/flow?flow=bunq&tenant=uk&run")
    page.click("#begin-button")
    page.wait_for_text("#problem", "customers of uk, so nothing was sent")
    expect(not page.all(".steps .badge"), "something was sent")
    page.click("#problem a")
    page.until(lambda: page.text("#tenant") == "nl" and page.all(".steps li"), "nl is not chosen")
    expect(not page.all("#flow-about a"), "bunq is elsewhere at nl")
    page.check_console("a flow of another tenant")


def strict():
    """At a bank that holds to the letter."""
    with visit() as page:
        page.open("/portal/flow?flow=ais&run")
        page.click("#begin-button")
        wait_for(page, STEPS["ais"], "reading accounts at a strict bank")
        page.check_console("a strict bank")
        finish(page, {"steps": done(page)})
        raise SystemExit(0)


if settings().get("strict"):
    strict()

with visit() as page:
    at_once(page)
    elsewhere(page)
    page.run("localStorage.clear()")
    found = {"balance": first_balance(page)}
    found["octets"] = page.check_first_view("flow")
    unreachable(page)
    found["tabs"] = tabs(page)
    found["test"] = saved(page)
    found["archive"] = archived(page)
    found["written"] = written_by_hand(page)
    found["paid"] = payment(page)
    run(page, "funds")
    run(page, "bunq")
    page.hold("flow-bunq")
    found["bunq"] = saved(page)
    found["bunqs_archive"] = archived(page)
    found["told"], found["late"], found["refused"] = changed(page)
    out_of_order(page)
    run(page, "ais")
    beside(page)
    while_it_runs(page)
    started_again(page)
    run(page, "ais")
    found["clock"] = clock(page)
    found["moved"] = saved(page)
    found["callback"] = real_page(page)
    page.open("/portal/callback?code=%3Cb%3E&state=x&error=%3Cscript%3E")
    page.wait_for_text("#arrived", "No flow of this browser")
    page.check_console("a callback of nobody")
    went_back(page)
    no_certificate(page)
    with visit(scripts=False) as quiet:
        quiet.open("/portal/flow")
        expect("vestibule tpp flow ais" in quiet.text("main"), "without scripts there is nothing to read")
        expect(not quiet.one("main").find_element("css selector", "#begin").is_displayed(), "a button without a script")
    finish(page, found)
