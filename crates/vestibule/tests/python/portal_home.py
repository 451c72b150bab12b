"""Looks at the portal's first page."""

from portal import finish, visit

with visit() as page:
    page.open("/")
    page.hold("home")
    page.click("#where summary")
    page.hold("home-where")
    octets = page.check_first_view("home")
    finish(page, {"octets": octets})
