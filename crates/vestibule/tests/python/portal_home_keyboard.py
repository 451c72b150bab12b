"""Goes over the portal's first page with the keyboard alone, and reads it without scripts on the smallest screen."""

from portal import SMALLEST, expect, finish, visit
from selenium.webdriver import Keys

with visit() as page:
    page.open("/")
    page.keys(Keys.TAB)
    focused = page.driver.switch_to.active_element.text
    expect(focused == "Skip to the content", f"the first Tab leads to {focused}")
    page.tab_to("#where summary")
    page.keys(Keys.ENTER)
    page.one("#where .panel")
    page.keys(Keys.ESCAPE)
    expect(not page.one("#where summary").find_element("xpath", "..").get_attribute("open"), "Escape does not close the panel")
    page.one(".persona")
    page.tab_to("#identifier")
    identifier = page.one("#identifier").get_attribute("value")
    page.keys(Keys.ENTER)
    page.one("#party[data-state='done']")
    # The focus goes on to the button of the next card.
    page.until(lambda: page.driver.switch_to.active_element.text == "Register", "the focus is not at Register")
    page.keys(Keys.ENTER)
    page.one("#registration[data-state='done']")
    page.until(lambda: page.driver.switch_to.active_element.text == "Get this customer", "the focus is not at the customer")
    page.one("#persona-household").send_keys(Keys.ARROW_DOWN)
    page.tab_to("#customer-form button[type='submit']")
    page.keys(Keys.ENTER)
    page.one("#customer[data-state='done']")
    expect("student" in page.text("#customer-done"), "the arrow does not choose the next kind of customer")
    page.tab_to("#customer .calls > summary")
    page.keys(Keys.ENTER)
    page.check_console("keyboard")

with visit(scripts=False) as page:
    page.size(SMALLEST)
    page.open("/")
    text = page.text("main")
    for said in ("Become a third party", "Register", "Get a customer", "Do something", "/test-certificates", "tpp register", "/test-accounts", "tpp flow ais"):
        expect(said in text, f"without scripts the page does not say {said}: {text}")
    expect(not [e for e in page.all("form, .copy") if e.is_displayed()], "without scripts there is something that does nothing")
    page.check_width("home without scripts", SMALLEST[0])
    page.screenshot("home-without-scripts")
    page.click("#where summary")
    page.one("#where a[href='?tenant=uk']").click()
    expect(page.text("#tenant") == "uk", "the link of a tenant leads nowhere")
    finish(page, {"identifier": identifier})
