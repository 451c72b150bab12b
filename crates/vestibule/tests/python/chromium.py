"""The browser of the tests, as Debian packages it."""

import os

from selenium import webdriver
from selenium.common.exceptions import SessionNotCreatedException
from selenium.webdriver import ChromeOptions, ChromeService

CHROMIUM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"


def options(*more):
    """What every browser of the tests is started with, and more arguments."""
    made = ChromeOptions()
    made.binary_location = CHROMIUM
    common = (
        "--headless=new",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--no-proxy-server",
    )
    for argument in (*common, *more):
        made.add_argument(argument)
    if os.geteuid() == 0:
        made.add_argument("--no-sandbox")
    made.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return made


def started(made):
    """A browser. On a busy machine one may not come up in time; nothing was asked of the bank by then."""
    # The driver is on this machine, whatever proxy the user has.
    os.environ["no_proxy"] = "127.0.0.1,localhost"
    try:
        return webdriver.Chrome(options=made, service=ChromeService(DRIVER))
    except SessionNotCreatedException:
        return webdriver.Chrome(options=made, service=ChromeService(DRIVER))
