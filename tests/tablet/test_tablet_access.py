"""Everybody can use the page: gloves, sun, screen readers, both languages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.house.sources import ROOT
from tests.tablet.conftest import MakePlant, OpenTablet
from tests.tablet.plant import ATTACK, GERMAN, Plant
from tests.tablet.seat import LANDSCAPE, PORTRAIT
from tests.tablet.walk import CELLS, FEW, SCREENS, prepare, walk

AXE = ROOT / "tablet/node_modules/axe-core/axe.min.js"
LEAST_PX = 48
LEAST_GAP_PX = 8

BROWSER = [pytest.mark.browser, pytest.mark.slow]

AXE_RUN = """async () => {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return found.violations.map((one) => [
    one.id, one.help, one.nodes.map((node) => node.html.slice(0, 200)),
  ]);
}"""

TARGETS = """() => [...document.querySelectorAll("button, input, a, select")]
  .filter((one) => !one.closest("[inert]"))
  .map((one) => {
    const box = one.getBoundingClientRect();
    const { width, height } = box;
    const scrolls = one.closest(".inside, main");
    const clip = scrolls ? scrolls.getBoundingClientRect() : box;
    const x = box.x, y = Math.max(box.y, clip.y);
    const bottom = Math.min(box.bottom, clip.bottom);
    const top = document.elementFromPoint(x + width / 2, (y + bottom) / 2);
    const seen = top !== null && (one.contains(top) || top.contains(one));
    const name = one.innerText || one.id;
    return { name, x, y, width, height, bottom, seen: seen && bottom > y };
  })
  .filter((one) => one.seen)"""


def too_small(targets: list[dict[str, Any]]) -> list[str]:
    return [
        f"{one['name']!r} {one['width']:.0f} x {one['height']:.0f}"
        for one in targets
        if min(one["width"], one["height"]) < LEAST_PX
    ]


def too_close(targets: list[dict[str, Any]]) -> list[str]:
    found = []
    for place, one in enumerate(targets):
        for other in targets[place + 1 :]:
            across = max(
                other["x"] - one["x"] - one["width"],
                one["x"] - other["x"] - other["width"],
            )
            down = max(
                other["y"] - one["bottom"],
                one["y"] - other["bottom"],
            )
            if max(across, down) < LEAST_GAP_PX - 0.01:
                found.append(f"{one['name']!r} and {other['name']!r}")
    return found


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "size", "board", "close"),
    [
        pytest.param("en", PORTRAIT, "Board", "Close", id="english-portrait"),
        pytest.param("de", LANDSCAPE, "Übersicht", "Schließen", id="german-landscape"),
    ],
)
async def test_every_screen_is_for_gloves_and_for_screen_readers(
    make_plant: MakePlant,
    tablet: OpenTablet,
    language: str,
    size: tuple[int, int],
    board: str,
    close: str,
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `npm ci` in tablet/")
    plant = await make_plant(cells=CELLS, requests=FEW)
    await prepare(plant)
    one = await tablet(plant, "", size=size, language=language)
    await one.page.evaluate(AXE.read_text(encoding="utf-8"))
    faults: list[str] = []
    walked = []
    async for screen in walk(plant, one, board, close):
        walked.append(screen)
        await one.page.wait_for_timeout(150)
        targets = await one.page.evaluate(TARGETS)
        wide = await one.page.evaluate(
            "document.documentElement.scrollWidth - window.innerWidth"
        )
        found = [
            *await one.page.evaluate(AXE_RUN),
            *(f"too small: {name}" for name in too_small(targets)),
            *(f"too close: {names}" for names in too_close(targets)),
            *([f"{wide} px too wide"] if wide > 0 else []),
        ]
        faults += [f"{screen}: {fault}" for fault in found]

    assert "\n".join(faults) == ""
    assert sorted(walked) == sorted(SCREENS)
    assert await one.page.title() == "andon"
    assert await one.count("img") == 0


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("theme", ["night", "sun"])
async def test_every_light_has_contrast_enough(
    plant: Plant, tablet: OpenTablet, theme: str
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `npm ci` in tablet/")
    ana = await tablet(plant)
    await ana.page.evaluate(AXE.read_text(encoding="utf-8"))
    await plant.cells["press-2"].ask()
    await plant.cells["press-3"].end()
    await ana.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    await ana.see(".cell.s-offline")
    faults = await ana.page.evaluate(AXE_RUN)
    await ana.open_question("press-2")
    faults += await ana.page.evaluate(AXE_RUN)

    assert faults == []


@pytest.mark.browser
@pytest.mark.slow
async def test_a_question_is_answered_with_keys_alone(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.see(".question")
    await ana.page.focus(".question")
    await ana.page.keyboard.press("Enter")
    await ana.ready()
    assert await ana.page.evaluate("document.activeElement.tagName") == "H1"
    for _ in range(30):
        await ana.page.keyboard.press("Tab")
        if "good" in await ana.page.evaluate("document.activeElement.innerText"):
            break
    await ana.page.keyboard.press("Enter")

    await ana.see_text("Stored")
    assert len(await plant.answers(request_id)) == 1


@pytest.mark.browser
@pytest.mark.slow
async def test_escape_shuts_what_lies_over_a_screen(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await ana.tap(".hold")
    await ana.see(".sheet")
    assert await ana.page.evaluate("document.querySelector('main').inert")
    await ana.page.keyboard.press("Escape")

    await ana.gone(".sheet")


@pytest.mark.browser
@pytest.mark.slow
async def test_german_is_one_tap_away_and_has_the_plants_own_words(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-1"].ask()
    await ana.tap(".gear")
    await ana.tap(".sheet button:has-text('Deutsch')")
    await ana.tap(".sheet .close")
    await ana.see_text("Fragen", ".queue")
    assert await ana.page.evaluate("document.documentElement.lang") == "de"
    assert "FRAGT" in await ana.text(".cell.s-asking .band")
    await ana.open_question("press-1")
    shown = await ana.text(".answers")
    signals = await ana.text(".traces")

    assert GERMAN["misaligned"] in shown
    assert "noch einmal" in shown
    assert GERMAN["force_z"] in signals or "force_z" not in signals


@pytest.mark.browser
@pytest.mark.slow
async def test_what_people_and_machines_write_is_shown_and_not_obeyed(
    plant: Plant, tablet: OpenTablet
) -> None:
    nasty = "<b onclick=alert(1)>eve</b>"
    eve = await tablet(plant, nasty)
    await plant.cells["press-1"].ask(part=ATTACK)
    await eve.open_question("press-1")
    await eve.tap("button:has-text('Something else')")
    sheet = await eve.text(".sheet")
    part = await eve.text(".ask .who p")
    person = await eve.text(".top .person")

    assert ATTACK in sheet + await eve.text(".answers")
    assert ATTACK in part
    assert nasty in person
    assert await eve.count("img, b[onclick]") == 0
    assert await eve.page.title() == "andon"


@pytest.mark.browser
@pytest.mark.slow
async def test_the_page_lets_no_script_in_and_nothing_out(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    tried = await ana.page.evaluate(
        """async () => {
          const found = [];
          try { document.body.innerHTML = "<i>x</i>"; found.push("markup"); } catch {}
          const script = document.createElement("script");
          try { script.textContent = "window.let_in = 1"; } catch {}
          document.head.append(script);
          if (window.let_in) found.push("script");
          try { await fetch("https://andon.example/"); found.push("fetch"); } catch {}
          return found;
        }"""
    )
    ana.complaints.clear()  # the browser says what it refused

    assert tried == []


@pytest.mark.browser
@pytest.mark.slow
async def test_the_page_can_be_installed(plant: Plant, tablet: OpenTablet) -> None:
    ana = await tablet(plant)
    manifest = json.loads(
        await ana.page.evaluate(
            "fetch(document.querySelector('[rel=manifest]').href).then((r) => r.text())"
        )
    )
    active = await ana.page.evaluate(
        "navigator.serviceWorker.ready.then((found) => found.active !== null)"
    )

    assert manifest["display"] == "standalone"
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"192x192", "512x512"}
    assert active
