"""Clicks through the exporter's page: page.py URL ROUTEVPN DIR OWN-NETNS PEER-NETNS

DIR/a is the directory of the links' sockets. The link is cut in these namespaces. Prints a line for each check
and ends with an exception at the first that fails. Screenshots are in DIR. The variable AXE has the path of
axe-core; without it, its rules are not checked.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import CONTRAST, Page, browser, console_errors, ok, wait_for

URL, ROUTEVPN, DIR, OWN_NETNS, PEER_NETNS = sys.argv[1:]
WIDTHS = (320, 1600)
CONTROLS = "a, button, input, summary, [tabindex='0'], [role='img']"
VIEWS = ("map", "links", "routes")
AXE = os.environ.get("AXE") and pathlib.Path(os.environ["AXE"]).read_text(encoding="utf-8")


def show():
    output = subprocess.run([ROUTEVPN, "show", "--run-dir", f"{DIR}/a", "--json"], capture_output=True, check=True)
    return json.loads(output.stdout)[0]


def figures_agree(page):
    """Whether the row of the link has what show has, in the same second."""
    before = show()
    cells = page.texts("#view tbody tr:first-child > *")
    after = show()
    if len(cells) != 12:
        return False
    times = sorted(status["rtt_us"]["smoothed"] / 1000 for status in (before, after))
    rtt = float(cells[3].removesuffix(" ms"))
    wanted = [before["link"], before["state"], before["peer"]["name"], f"{100 * before['loss']:.1f} %",
              str(before["mtu"]), str(before["flaps"])]
    return [cells[i] for i in (0, 1, 2, 5, 9, 10)] == wanted and times[0] - 0.01 <= rtt <= times[1] + 0.01


def check_views(page):
    wait_for("a link that is up on the map", page.has_link_up)
    assert page.text("#gateway") == "a", page.text("#gateway")
    assert page.text("#summary") == "1 of 1 links are up.", page.text("#summary")
    ok("the map has the link")
    page.open("links")
    wait_for("the figures of show --json", lambda: figures_agree(page))
    ok("the table has the figures of show --json")
    page.open("routes")
    wait_for("the session", lambda: page.texts("#view tbody tr > *")[:7] ==
             ["PEER", "private", "Established", "10.255.0.2", "rv0", "1 IPv4", "1 IPv4"])
    ok("the routes have the session of BIRD")


def check_looking_glass(page):
    page.ask("10.2.0.9")
    cells = wait_for("a route", lambda: page.texts("[aria-live] tbody tr > *"))
    assert cells[:5] == ["10.2.0.0/24", "private, master4", "best", "10.255.0.2, link rv0 to b", "PEER"], cells
    ok("the looking glass has the route to an address")
    page.ask("10.2.0.9; down")
    wait_for("a refusal", lambda: "must be an address or a prefix" in page.text("[aria-live]"))
    ok("what is no address is refused")
    page.ask("198.51.100.1")
    wait_for("no route", lambda: page.text("[aria-live]") == "No route covers 198.51.100.1/32.")
    field = page.driver.find_element(By.ID, "prefix")
    field.clear()
    for part in ("10.2", ".0.0", "/16"):
        field.send_keys(part)
        page.wait_until_drawn()
    assert field.get_attribute("value") == "10.2.0.0/16"
    assert page.driver.switch_to.active_element.get_attribute("id") == "prefix"
    ok("the field keeps its text and the focus while the page is drawn")


def check_layout(page):
    for scheme in ("light", "dark"):
        backgrounds = set()
        for width in WIDTHS:
            page.emulate(width, scheme)
            for view in VIEWS:
                page.open(view)
                size = page.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
                assert size[0] <= size[1] == width, (view, scheme, size)
                contrast, where = page.driver.execute_script(CONTRAST)
                assert contrast >= 4.5, (view, scheme, contrast, where)
                violations = page.violations(AXE) if AXE else []
                assert not violations, (view, scheme, width, violations)
                page.driver.save_screenshot(f"{DIR}/{view}-{scheme}-{width}.png")
            backgrounds.add(page.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
        ok(f"no view scrolls sideways or has a contrast below 4.5, at {WIDTHS} pixels, {scheme}: {backgrounds}")
    if AXE:
        ok("no view violates a rule of axe-core")
    # Text of the map is readable on a phone: no smaller than its 12 pixels.
    page.emulate(320, "light")
    page.open("map")
    height = wait_for("the narrow map", lambda: page.driver.execute_script(
        "return document.querySelector('#view svg[viewBox^=\"0 0 2\"] text')?.getBoundingClientRect().height"))
    assert height >= 12, height
    page.emulate(1600, "light")


def names_of_controls(page):
    """As a screen reader says them. None: the page was drawn meanwhile."""
    try:
        return [control.accessible_name for control in page.driver.find_elements(By.CSS_SELECTOR, CONTROLS)
                if control.is_displayed()]
    except StaleElementReferenceException:
        return None


def check_controls(page):
    controls = 0
    for view in VIEWS:
        page.open(view)
        names = wait_for("the controls", lambda: names_of_controls(page))
        assert all(names), (view, names)
        controls += len(names)
    assert controls >= 18, controls
    ok(f"each control has a name: {controls}")
    page.driver.get(URL)
    body = page.driver.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB, Keys.TAB)
    focused = page.driver.switch_to.active_element
    assert focused.text == "Links", focused.text
    focused.send_keys(Keys.ENTER)
    wait_for("the table", lambda: page.texts("#view tbody tr"))
    ok("the views are reached by the keyboard")


def run(*command):
    subprocess.run(command, check=True)


@contextlib.contextmanager
def cable_down(netns):
    run("ip", "-n", netns, "link", "set", "eth0", "down")
    try:
        yield
    finally:
        run("ip", "-n", netns, "link", "set", "eth0", "up")


@contextlib.contextmanager
def filtered(verdict):
    """What arrives at the peer is dropped, or refused by ICMP."""
    nft = ("ip", "netns", "exec", PEER_NETNS, "nft")
    run(*nft, f"add table inet cut; add chain inet cut in {{ type filter hook input priority 0; }}; "
              f"add rule inet cut in udp dport 7754 {verdict}")
    try:
        yield
    finally:
        run(*nft, "delete table inet cut")


@contextlib.contextmanager
def hung_worker():
    pid = show()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def check_cuts(page):
    page.open("map")
    for name, cut in (("cable of the peer", cable_down(PEER_NETNS)), ("own cable", cable_down(OWN_NETNS)),
                      ("silent drop", filtered("drop")), ("refusal by ICMP", filtered("reject")),
                      ("hung worker", hung_worker())):
        wait_for("the link is up on the map", page.has_link_up)
        page.check_cut(name, "#view path.edge:not(.up)", cut, summary="0 of 1 links are up.")
    wait_for("the link is up again", page.has_link_up)
    page.open("links")
    changes = page.texts("#view li")
    assert len(changes) >= 10, changes
    ok(f"the changes are listed: {len(changes)}")


chromium = browser(f"{DIR}/home")
try:
    shown = Page(chromium)
    shown.emulate(1600, "light")
    chromium.get(URL)
    check_views(shown)
    check_looking_glass(shown)
    check_layout(shown)
    check_controls(shown)
    check_cuts(shown)
    # The refusal of a wrong prefix is status 400, which the browser notes as an error of the network.
    errors = [entry for entry in console_errors(chromium)
              if "/api/v1/routes?prefix=10.2.0.9%3B%20down" not in entry["message"]]
    assert not errors, errors
    ok("the console has no error")
finally:
    chromium.quit()
