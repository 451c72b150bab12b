"""Looks at guides and reference, and uses the forms of the reference.

Input beside what `portal` wants: `party`, a third party as the pages keep one, and `iban`, an account of a customer.
"""

import json

from portal import expect, finish, settings, visit

# The first views that are held against their size.
SMALL = ["/portal/guides", "/portal/guides/quick-start", "/portal/reference", "/portal/reference/management"]


def keep_party(page):
    """A third party in this browser, as the home page would keep it."""
    party = settings()["party"]
    state = {"tenant": "nl", "thirdParties": [party], "thirdParty": party["id"], "customers": [], "customer": None}
    page.run(
        "localStorage.setItem(`vestibule:${document.querySelector('meta[name=bank]').content}`, arguments[0])",
        json.dumps(state),
    )


def send(page):
    """Sends the form, and waits for another answer than the one before."""
    page.run("document.querySelector('#status').textContent = ''")
    page.click("#try button[type=submit]")
    return page.until(lambda: page.run("return document.querySelector('#status').textContent"), "no answer")


def field(page, name, value):
    page.run(
        "const field = document.querySelector(`#try [name='${arguments[0]}']`); field.value = arguments[1]",
        name,
        value,
    )


def value(page, name):
    return page.run("return document.querySelector(`#try [name='${arguments[0]}']`).value", name)


def check_guides(page):
    page.open("/portal/guides")
    page.hold("guides")
    for name in ("quick-start", "signatures", "errors"):
        page.open(f"/portal/guides/{name}")
        page.hold(f"guide-{name}")
    page.open("/portal/guides/signatures")
    page.click(".contents a[href='#when-it-does-not-verify']")
    top = page.run("return document.querySelector('#when-it-does-not-verify').getBoundingClientRect().top")
    expect(0 <= top < 400, f"the contents do not lead to the heading: {top}")
    page.click(".prose .command .copy")
    page.until(lambda: page.all(".prose .copy[data-copied]"), "nothing is copied")


def check_reference(page):
    page.open("/portal/reference")
    page.hold("reference")
    page.open("/portal/reference/berlin-group")
    page.hold("reference-interface")
    page.open("/portal/reference/management/make-customer")
    page.hold("reference-operation")


def check_management(page):
    """The management API takes the form of this page."""
    page.open("/portal/reference/management/make-customer")
    status = send(page)
    expect(status.startswith("201"), f"a customer is made: {status}")
    made = json.loads(page.run("return document.querySelector('#answer').textContent"))
    expect(made["persona"] == "household", made)
    sent = page.run("return document.querySelector('#request-sent').textContent")
    expect("portal-token" not in sent and "/test-accounts" in sent, sent)
    page.run("document.querySelector('#body').value = '{\"persona\": \"nobody\"}'")
    status = send(page)
    expect(status.startswith("400"), f"an unknown persona: {status}")
    expect("unknown_persona" in page.run("return document.querySelector('#answer').textContent"), "the refusal is shown")
    # The refusal that the browser itself notes is no fault of the page.
    page.console()
    page.hold("reference-answer")


def check_signed(page):
    """Calls of the dialects are signed with the third party that the browser keeps."""
    page.open("/portal/reference/berlin-group/get-tenant-onboarding-v1")
    expect("Become one" in page.text("#signer"), page.text("#signer"))
    status = send(page)
    expect(status.startswith("401"), f"nobody signed: {status}")
    page.console()
    keep_party(page)
    page.open("/portal/reference/berlin-group/get-tenant-onboarding-v1")
    expect(settings()["party"]["name"] in page.text("#signer"), page.text("#signer"))
    status = send(page)
    expect(status.startswith("200"), f"the signed call: {status} {page.text('#answer')}")
    page.open("/portal/reference/berlin-group/post-tenant-v1-consents")
    body = json.loads(value(page, "body"))
    expect("access" in body, body)
    for kind in body["access"]:
        body["access"][kind] = [{"iban": settings()["iban"]}]
    field(page, "body", json.dumps(body))
    status = send(page)
    expect(status.startswith("201"), f"a consent: {status} {page.text('#answer')}")
    consent = json.loads(page.text("#answer"))["consentId"]
    page.open("/portal/reference/berlin-group/get-tenant-v1-consents-consent-status")
    expect(value(page, "consent") == consent, "the id goes into the next form")
    status = send(page)
    expect(status.startswith("200") and "received" in page.text("#answer"), f"{status} {page.text('#answer')}")
    page.open("/portal/reference/bunq/post-v1-installation")
    status = page.until(lambda: "BEGIN PUBLIC KEY" in value(page, "body") and send(page), "no key in the body")
    expect(status.startswith("200"), f"an installation: {status} {page.text('#answer')}")
    page.open("/portal/reference/bunq/post-v1-device-server")
    expect(len(value(page, "X-Bunq-Client-Authentication")) > 30, "the token goes into the next form")
    status = send(page)
    expect("User credentials are incorrect" in page.text("#answer"), f"the signature is good: {status}")
    page.console()


with visit() as page:
    check_guides(page)
    check_reference(page)
    check_management(page)
    check_signed(page)
    octets = {}
    for path in SMALL:
        page.open(path)
        octets[path] = page.check_first_view(path)
    finish(page, {"octets": octets})

with visit(scripts=False) as page:
    page.open("/portal/reference/management/make-customer")
    expect(page.text("h1").startswith("Make a customer"), page.text("h1"))
    expect("needs scripts" in page.text(".try"), page.text(".try"))
    expect("digipassNumber" in page.text("main") and not page.all("#try button")[0].is_displayed(), "it can be read")
    page.open("/portal/guides/errors")
    expect("SIGNATURE_INVALID" in page.text(".prose"), "the guide can be read")
