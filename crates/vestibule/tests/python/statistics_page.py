"""Looks at the page of statistics that a bank publishes, which is one file.

Called as `portal.py` says, with the address of the file as `url`. Prints how many rows there are and what stands in front of them as
JSON; the first expectation that is not met ends the program.
"""

from portal import SMALLEST, finish, visit

with visit() as page:
    page.open("")
    page.hold("statistics")
    page.size(SMALLEST)
    # What is wider than the screen is moved within its own place, also without a mouse.
    page.tab_to(".wide")
    rows = page.all("tbody tr")
    finish(page, {"rows": len(rows), "heads": [head.text for head in page.all("tbody th")]})
