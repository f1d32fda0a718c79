"""Headless Chromium, for the tests of the exporter's page."""
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

DEADLINE_S = 30
CUT_TO_PIXEL_S = 1.5

# The least contrast of text with its background (WCAG 2.1, 1.4.3), over all elements that have text of their own.
CONTRAST = """
const light = (colour) => {
  const part = colour.match(/[0-9.]+/g).slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
};
const behind = light(getComputedStyle(document.body).backgroundColor);
let least = [99, ''];
for (const element of document.querySelectorAll('body *')) {
  if (element.localName === 'title') continue;  // not painted
  if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) continue;
  const style = getComputedStyle(element);
  const front = light(element instanceof SVGElement ? style.fill : style.color);
  const contrast = (Math.max(front, behind) + 0.05) / (Math.min(front, behind) + 0.05);
  if (contrast < least[0]) least = [contrast, element.outerHTML.slice(0, 100)];
}
return least;
"""

# What axe-core finds, one text for each rule that is violated.
AXE_RUN = """
const done = arguments[arguments.length - 1];
axe.run().then((result) => done(result.violations.map(
    (rule) => rule.id + ": " + rule.help + ": " + rule.nodes[0].html.slice(0, 200))), (error) => done([String(error)]));
"""

# Notes the time at which a frame is painted that has an element of this selector, in milliseconds since 1970.
WATCH = """
window.paintedAt = null;
const look = () => {
  if (document.querySelector(arguments[0]) === null) return requestAnimationFrame(look);
  requestAnimationFrame(() => { window.paintedAt = Date.now(); });
};
look();
"""


def ok(text):
    print("ok -", text, flush=True)


def wait_for(text, check):
    end = time.monotonic() + DEADLINE_S
    while not (result := check()):
        if time.monotonic() > end:
            raise AssertionError(text + ": not within the deadline")
        time.sleep(0.02)
    return result


class Page:
    def __init__(self, driver):
        self.driver = driver

    def text(self, selector):
        # In one script: the page replaces elements at each event.
        return self.driver.execute_script("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def texts(self, selector):
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((element) => element.textContent)", selector)

    def has_link_up(self):
        return self.driver.execute_script("return document.querySelector('#view path.edge.up') !== null")

    def check_cut(self, text, selector, cut, summary=None):
        """The map soon has an element of the selector after the cut, a context which then mends it."""
        self.driver.execute_script(WATCH, selector)
        before = time.time()
        with cut:
            # The commands that cut take some milliseconds themselves.
            at = (before + time.time()) / 2
            painted = wait_for(f"{text}: the cut on the map",
                               lambda: self.driver.execute_script("return window.paintedAt"))
            assert summary in (None, self.text("#summary")), self.text("#summary")
        seconds = painted / 1000 - at
        assert seconds <= CUT_TO_PIXEL_S, f"{text}: the map shows the cut after {seconds:.3f} s"
        ok(f"{text}: the map shows the cut after {seconds:.3f} s")

    def wait_until_drawn(self):
        """Until an event has replaced the rows of the view."""
        self.driver.execute_script("window.marked = document.querySelector('#view tbody tr')")
        wait_for("an event", lambda: self.driver.execute_script("return !window.marked.isConnected"))

    def open(self, name):
        self.driver.find_element(By.CSS_SELECTOR, f'nav a[href="#{name}"]').click()
        chosen = "return document.querySelector('nav a[aria-current]')?.hash"
        wait_for(f"the view {name}", lambda: self.driver.execute_script(chosen) == "#" + name)

    def ask(self, prefix):
        field = self.driver.find_element(By.ID, "prefix")
        field.clear()
        field.send_keys(prefix, Keys.ENTER)

    def violations(self, axe):
        """By axe-core, the text of its program."""
        self.driver.execute_script(f"if (!window.axe) {{ {axe} }}")
        return self.driver.execute_async_script(AXE_RUN)

    def emulate(self, width, scheme):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def browser(directory):
    options = webdriver.ChromeOptions()
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     f"--user-data-dir={directory}/chromium"):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
    return webdriver.Chrome(service=service, options=options)


def console_errors(driver):
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
