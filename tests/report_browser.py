#!/usr/bin/python3
"""The report's page in headless Chromium: report_browser.py PATH_OF_RESMARK [SCREENSHOTS]

Every plot must have its marks and a table as long, tips must come by mouse, finger and keyboard,
nothing may be wider than a phone, no console message and nothing fetched, and text from a result file
must stay text. With SCREENSHOTS, a folder, it leaves pictures there. Needs Debian's chromium,
chromium-driver and python3-selenium, which scripts/setup --browser installs.
"""
import base64
import json
import pathlib
import subprocess
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

import made_up_result

AXE = pathlib.Path(__file__).resolve().parent.parent / "data" / "axe.js"
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>&amp;"
LAYERS = len(made_up_result.LAYERS)
COUNTING = sum(1 for layer in made_up_result.LAYERS if layer[9])
# The marks of each section when the fastest configuration, avx512 on 4 threads, is shown.
MARKS = {"roofline": COUNTING, "layers": LAYERS, "isas": 3, "layer-isas": 3 * LAYERS, "scaling-threads": 9}
RANKING = {"ranking": 3, "ranking-latency": 3}
checks = failures = 0


def check(what, truth):
    global checks, failures
    checks += 1
    if not truth:
        failures += 1
        print(f"FAIL: {what}")


def browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def make_report(resmark, folder, name, results):
    paths = []
    for file, result in results.items():
        paths.append(folder / file)
        paths[-1].write_text(json.dumps(result))
    page = folder / name
    subprocess.run([resmark, "report", *paths, "-o", page], check=True)
    return page


class Page:
    """A page in a window of a size, in light or dark."""

    def __init__(self, driver, path, width, theme, media="screen"):
        self.driver, self.name = driver, f"{path.stem}-{width}-{theme}"
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                               {"media": media, "features": [{"name": "prefers-color-scheme", "value": theme}]})
        driver.get(path.as_uri())
        self.width = width

    def js(self, code, *arguments):
        return self.driver.execute_script("return " + code, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def tip(self, section):
        return self.js("document.querySelector(arguments[0] + ' .plot .tip')?.textContent ?? ''", "#" + section)

    def wait_for_tip(self, section, text):
        """Whether the section's tip comes to hold the text; blanks may differ, since lines are broken."""
        squeezed = "".join(text.split())
        try:
            WebDriverWait(self.driver, 10, 0.05).until(
                lambda _: squeezed in "".join(self.tip(section).replace("\u200b", "").split()))
            return True
        except Exception:  # pylint: disable=broad-except
            return False

    def picture(self, folder):
        height = self.js("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": self.width, "height": height, "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        (folder / f"{self.name}.png").write_bytes(base64.b64decode(shot["data"]))


def check_marks(page, marks):
    for section, count in marks.items():
        found = page.all(f"#{section} .mark > *")
        check(f"{page.name}: {section} has {len(found)} marks instead of {count}", len(found) == count)
        rows = page.all(f"#{section} tbody tr")
        check(f"{page.name}: {section}'s table has {len(rows)} rows instead of {count}", len(rows) == count)
        named = page.js("arguments[0].every((mark) => mark.getAttribute('aria-label') && mark.getBBox().width > 0)", found)
        check(f"{page.name}: a mark of {section} has no name or no size", named)
    sections = page.js("[...document.querySelectorAll('section')].filter((s) => s.querySelector('.plot')).map((s) => s.id)")
    check(f"{page.name}: plots {sections} instead of {[*marks, 'latency']}", sorted(sections) == sorted([*marks, "latency"]))


def check_latency(page):
    bins = page.js("[...document.querySelectorAll('#latency tbody tr')].map((row) => Number(row.lastChild.textContent))")
    check(f"{page.name}: the bins of latency hold {bins}", sum(bins) == made_up_result.REPETITIONS)
    check(f"{page.name}: the bins are not drawn", len(page.all("#latency .mark > *")) == len(bins) > 3)
    check(f"{page.name}: percentiles are missing", len(page.all("#latency .percentile line, #latency line.percentile")) == 4)


def check_roofs(page):
    check(f"{page.name}: not three roofs", len(page.all("#roofline .roof")) == 3)
    text = page.js("document.querySelector('#roofline svg:not([class*=swatch])').closest('.plot').textContent")
    for roof in ("L1 1200 GB/s", "L2 360 GB/s", "DRAM 48.0 GB/s", "FMA ceiling"):
        check(f"{page.name}: no roof '{roof}' in {text}", roof in text)
    floors = page.all("#layers .floor > *")
    check(f"{page.name}: {len(floors)} floors", len(floors) == LAYERS)


def check_whole(page):
    wide = page.js("document.documentElement.scrollWidth")
    check(f"{page.name}: {wide} pixels wide", wide <= page.width)
    outside = page.js("[...document.querySelectorAll('.plot svg *')].filter((e) => {"
                      "const box = e.getBoundingClientRect(); return box.width && (box.right > innerWidth + 1 || box.left < -1)})"
                      ".map((e) => e.outerHTML.slice(0, 80))")
    check(f"{page.name}: drawn outside of the window: {outside}", not outside)
    fetched = page.js("performance.getEntriesByType('resource').map((entry) => entry.name)")
    check(f"{page.name}: it fetched {fetched}", not [name for name in fetched if not name.startswith("data:")])
    log = page.driver.get_log("browser")
    check(f"{page.name}: console says {log}", not log)


def check_theme(page, theme):
    paper, ink = page.js("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
                         ".map((colour) => colour.match(/\\d+/g).reduce((sum, value) => sum + Number(value), 0))")
    check(f"{page.name}: {ink} on {paper}", paper > 700 > ink + 500 if theme == "light" else ink > 600 > paper + 400)


def check_accessible(page):
    """What axe finds wrong for people who use a screen reader, a keyboard, or weak eyes; all tables are open."""
    page.js("document.querySelectorAll('details').forEach((table) => { table.open = true; })")
    page.driver.execute_script(AXE.read_text(encoding="utf-8"))
    found = page.driver.execute_async_script("axe.run(document).then(arguments[0])")
    for fault in found["violations"]:
        check(f"{page.name}: {fault['id']}: {fault['help']}: {fault['nodes'][0]['html'][:200]}", False)
    check(f"{page.name}: axe passed {len(found['passes'])} rules only", len(found["passes"]) > 30)


def check_mouse(page, section):
    mark = page.all(f"#{section} .mark > *")[1]
    label = mark.get_attribute("aria-label")
    page.js("arguments[0].scrollIntoView({block: 'center'})", mark)
    webdriver.ActionChains(page.driver).move_to_element(mark).perform()
    check(f"{page.name}: no tip of {section} under the mouse, but '{page.tip(section)}'", page.wait_for_tip(section, label))


def check_finger(page, section):
    mark = page.all(f"#{section} .mark > *")[2]
    page.js("arguments[0].scrollIntoView({block: 'center'})", mark)
    box = page.js("arguments[0].getBoundingClientRect().toJSON()", mark)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    label = mark.get_attribute("aria-label")
    check(f"{page.name}: no tip of {section} under the finger, but '{page.tip(section)}'", page.wait_for_tip(section, label))


def check_keys(page, section):
    """From the lists of choices by Tab into the plot, then by arrows; one tab stop a plot."""
    marks = page.all(f"#{section} .mark > *")
    stops = [mark for mark in marks if mark.get_attribute("tabindex") == "0"]
    check(f"{page.name}: {section} has {len(stops)} tab stops", len(stops) == 1)
    keys = lambda key: webdriver.ActionChains(page.driver).send_keys(key).perform()
    for _ in range(80):
        keys(Keys.TAB)
        if page.js("document.activeElement === arguments[0]", marks[0]):
            break
    check(f"{page.name}: {section} is not reached by Tab", page.wait_for_tip(section, marks[0].get_attribute("aria-label")))
    for key, index in ((Keys.ARROW_DOWN, 1), (Keys.END, len(marks) - 1), (Keys.ARROW_LEFT, len(marks) - 2), (Keys.HOME, 0)):
        keys(key)
        check(f"{page.name}: {section}, mark {index}: no tip by key, but '{page.tip(section)}'",
              page.wait_for_tip(section, marks[index].get_attribute("aria-label")))
    keys(Keys.ESCAPE)
    check(f"{page.name}: Escape leaves the tip", page.tip(section) == "")


def check_choice(page):
    """Another configuration: what is drawn changes, and the list keeps the focus."""
    choice = Select(page.all("#choose-run")[0])
    choice.select_by_visible_text("avx512 auto, 2 threads, batch 1")
    text = page.js("document.getElementById('headline').textContent")
    check(f"{page.name}: the configuration was not changed: {text}", "2 threads, batch 1" in text)
    check_marks(page, {**MARKS, "scaling-batch": 2})
    check(f"{page.name}: the list lost the focus", page.js("document.activeElement.id") == "choose-run")
    choice = Select(page.all("#choose-run")[0])
    choice.select_by_visible_text("avx512 auto, 2 threads, batch 1, cold caches")
    text = page.js("document.getElementById('layers').textContent")
    check(f"{page.name}: cold caches have layers: {text}", "not measured one by one" in text)


def check_hostile(page):
    check(f"{page.name}: a result's text became a script", page.js("document.title") == f"resmark: {HOSTILE}")
    check(f"{page.name}: a result's text became an element", not page.all("img"))
    check(f"{page.name}: a machine's name is not shown as it is", page.js("document.querySelector('h1').textContent") == HOSTILE)
    reasons = page.js("document.getElementById('headline').textContent")
    check(f"{page.name}: no reasons: {reasons}", f"{HOSTILE} — {HOSTILE}" in reasons)
    word = page.js("document.querySelector('.badge').textContent.trim()")
    check(f"{page.name}: the verdict is {word}", word == "? SUSPECT")


def check_print(driver, path):
    page = Page(driver, path, 1280, "dark", media="print")
    paper = page.js("getComputedStyle(document.body).backgroundColor")
    check(f"{page.name}: printed on {paper}", paper == "rgb(255, 255, 255)")
    Page(driver, path, 1280, "dark")
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    check(f"{page.name}: not printed", pdf.startswith(b"%PDF") and len(pdf) > 20000)
    return pdf


def check_single(driver, path, pictures):
    for width, theme in ((1280, "light"), (390, "dark")):
        page = Page(driver, path, width, theme)
        check_marks(page, MARKS)
        check_latency(page)
        check_roofs(page)
        check_theme(page, theme)
        if pictures:
            page.picture(pictures)
        for section in (*MARKS, "latency"):
            (check_finger if width < 600 else check_mouse)(page, section)
        check_whole(page)
    check_keys(page, "roofline")
    check_choice(page)


def check_several(driver, path, pictures):
    for width, theme in ((1280, "dark"), (390, "light")):
        page = Page(driver, path, width, theme)
        check_marks(page, {**MARKS, **RANKING})
        check_hostile(page)
        check_mouse(page, "ranking")
        check_whole(page)
        if pictures:
            page.picture(pictures)
        check_accessible(page)
    check(f"{page.name}: one subject is called several", "Beware" not in page.js("document.getElementById('ranking').textContent"))
    names = page.js("[...document.querySelectorAll('#ranking tbody tr')].map((row) => row.children[3].textContent.replace(/.*\\//, ''))")
    check(f"{page.name}: ranked {names}", names == ["hostile.json", "a.json", "slow.json"])


def check_crowd(driver, path):
    page = Page(driver, path, 390, "light")
    note = page.js("document.querySelector('#ranking .note').textContent")
    check(f"{page.name}: what is left out: {note}", "the table has the fastest 1000 of 1003, and resmark report --csv" in note)
    rows = page.js("document.querySelectorAll('#ranking tbody tr').length")
    check(f"{page.name}: {rows} rows in the table", rows == 1000)
    footer = page.js("document.querySelector('footer').textContent")
    check(f"{page.name}: counted: {footer}", "from 1003 result files. The layers of 987 of them" in footer)
    check_whole(page)


def check_mixed(driver, path):
    page = Page(driver, path, 390, "light")
    note = page.js("document.querySelector('#ranking .note').textContent")
    check(f"{page.name}: different work is ranked without a word: {note}",
          "resnet50_v2 (gluon) 96×96, fp32; resnet50_v2 (gluon) 64×64, fp32" in note)
    labels = page.js("[...document.querySelectorAll('#latency svg text')].map((text) => text.textContent)")
    check(f"{page.name}: few repetitions on an axis of {labels}", {"0", "1", "2"} <= set(labels) and labels.count("1") == 1)
    check_whole(page)


def main():
    resmark = pathlib.Path(sys.argv[1]).resolve()
    pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    reason = {"code": "steal", "text": HOSTILE, "advice": HOSTILE}
    single = {"a.json": made_up_result.result()}
    several = {**single, "slow.json": made_up_result.result("Slow CPU", 2.0),
               "hostile.json": made_up_result.result(HOSTILE, 0.5, [reason], kernel=HOSTILE[:60])}
    with tempfile.TemporaryDirectory() as folder:
        one = make_report(resmark, pathlib.Path(folder), "single.html", single)
        many = make_report(resmark, pathlib.Path(folder), "several.html", several)
        other = made_up_result.result("Slow CPU", 2.0)
        other["resmark"]["network"]["size"] = 96
        for row in other["resmark"]["end_to_end"]:
            row["samples"] = {key: [1, 2, 2] for key in row["samples"]}
            row["repetitions"] = 3
        mixed = make_report(resmark, pathlib.Path(folder), "mixed.html", {"a.json": other, "b.json": made_up_result.result("Slow CPU", 3.0)})
        small = made_up_result.result()
        del small["resmark"]["end_to_end"][1:], small["resmark"]["layers"][6:]
        crowd = make_report(resmark, pathlib.Path(folder), "crowd.html", {f"{i}.json": small for i in range(1003)})
        driver = browser()
        try:
            check_single(driver, one, pictures)
            check_several(driver, many, pictures)
            check_mixed(driver, mixed)
            check_crowd(driver, crowd)
            pdf = check_print(driver, many)
        finally:
            driver.quit()
    if pictures:
        (pictures / "several.pdf").write_bytes(pdf)
    print(f"{checks} checks in the browser, {failures} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
