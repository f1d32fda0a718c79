"""The map of 200 gateways and 5,856 links in headless Chromium: large_map.py [MILLISECONDS FRAMES]

Serves the page with such a network, whose states change all the time, and prints how long the first frame with all
links takes, and the frames per second while the page is scrolled and the map is zoomed. Ends with an exception when
the first frame takes longer than MILLISECONDS, 1000, or there are fewer FRAMES per second, 30.
"""
import http.server
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

from browser import browser, ok

FIRST_FRAME_MS, LEAST_FRAMES = (int(word) for word in sys.argv[1:] or (1000, 30))
GATEWAYS, LINKS = 200, 5856
PAGE = pathlib.Path(__file__).parents[2] / "src/exporter/page"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}

# Counts frames for 3 s, while an action is made in each.
FRAMES = """
const [action, done] = arguments;
const drawing = document.querySelector('svg.network');
const begin = performance.now();
let frames = 0;
const frame = () => {
  frames += 1;
  if (action === 'scroll') scrollTo(0, frames % 2 ? 100 : 0);
  else drawing.dispatchEvent(new KeyboardEvent('keydown', {key: frames % 20 < 10 ? '+' : '-'}));
  const passed = performance.now() - begin;
  if (passed < 3000) requestAnimationFrame(frame);
  else done(1000 * frames / passed);
};
requestAnimationFrame(frame);
"""
# The time from the request of the page to the frame that has all links.
FIRST_FRAME = """
const [links, done] = arguments;
const look = () => {
  if (document.querySelectorAll('#view path.up').length < links) return requestAnimationFrame(look);
  requestAnimationFrame(() => done(performance.now()));
};
look();
"""


def made_network():
    pairs = [(a, b) for a in range(GATEWAYS) for b in range(a + 1, GATEWAYS) if a // 2 != b // 2]
    random.seed(1)
    chosen = sorted(random.sample(pairs, LINKS))
    gateways = [{"name": f"V{i // 2}-{i % 2 + 1}", "site": f"site{i // 2}", "exporter": "10.0.0.1:9586", "lan": ["lan"]}
                for i in range(GATEWAYS)]
    return {"gateways": gateways, "links": [{"gateways": pair, "names": [f"rv{pair[1]}", f"rv{pair[0]}"]} for pair in chosen]}


NETWORK = made_network()


def made_states():
    """One link in fifty changes its rate."""
    ends = [[] for _ in range(GATEWAYS)]
    for link in NETWORK["links"]:
        for gateway, name in zip(link["gateways"], link["names"]):
            link["bytes"] = link.get("bytes", 0) + (random.randrange(10**7) if random.randrange(50) == 0 else 0)
            ends[gateway].append({"link": name, "state": "up", "carrier": True, "rtt_us": {"smoothed": 1500.0}, "loss": 0,
                                  "rx": {"bytes": link["bytes"]}, "tx": {"bytes": 0}})
    lan = [{"name": "lan", "running": True}]
    return {"version": "1", "gateways": [{"fault": None, "error": None, "at_ms": int(1000 * time.monotonic()), "links": links,
                                          "interfaces": lan} for links in ends]}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answers = {"/api/v1/network": lambda: {"version": "1", **NETWORK}, "/api/v1/network/states": made_states,
                   "/api/v1/status": lambda: {"links": [], "birds": [], "faults": []}}
        if self.path in answers:
            return self.answer("application/json", json.dumps(answers[self.path]()).encode())
        file = PAGE / ("index.html" if self.path == "/" else self.path[1:])
        if not file.is_file():  # there are no events: the page asks for the status
            return self.send_error(503)
        return self.answer(TYPES[file.suffix], file.read_bytes())

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory() as directory:
    chromium = browser(directory)
    try:
        chromium.set_window_size(1600, 900)
        chromium.set_script_timeout(60)
        chromium.get(f"http://127.0.0.1:{server.server_port}/")
        first = chromium.execute_async_script(FIRST_FRAME, LINKS)
        assert first <= FIRST_FRAME_MS, f"the first frame with {LINKS} links came after {first:.0f} ms"
        ok(f"the first frame with {GATEWAYS} gateways and {LINKS} links came after {first:.0f} ms")
        for action in ("scroll", "zoom"):
            frames = chromium.execute_async_script(FRAMES, action)
            assert frames >= LEAST_FRAMES, f"{action}: {frames:.0f} frames/s"
            ok(f"{action}: {frames:.0f} frames/s")
    finally:
        chromium.quit()
