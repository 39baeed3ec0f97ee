"""The report is one page: it parses, loads nothing, and says every picture in words."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from coordinator.insight.backtest import Backtest
from coordinator.insight.scores import Case, score
from coordinator.insight.whatif.compare import compare
from coordinator.insight.whatif.page import Compared, Report, page
from coordinator.insight.whatif.sweep import sweep
from tests.coordinator.insight.test_whatif import FAMILY, case, windows

VOID = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """A parser that wants every element closed, and remembers what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._id = ""

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.append((tag, dict(attrs)))
        self._id = dict(attrs).get("id") or ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if self._id:
            self.texts[self._id] = data
            self._id = ""

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.seen if name == tag]


def run_of(cases: list[Case]) -> Backtest:
    scores = score(cases, "ok", retrains=2, promotions=1, seconds=1.0)
    return Backtest(scores, tuple(cases))


CASES = [
    case(
        i + 1,
        "slip" if i % 7 == 0 else "ok",
        0.6 + 0.39 * (i % 10) / 10,
        truth="slip" if i % 7 == 0 or i % 23 == 0 else "ok",
        ask=i % 10 < 4,
    )
    for i in range(120)
]


@pytest.fixture
def report() -> Report:
    run = run_of(CASES)
    other = run_of([replace(c, verdict=case(1).verdict) for c in CASES])
    return Report(
        name="peg & <hole>",
        digest="ab" * 32,
        settings=(("policy", "gate"), ("seed", "0")),
        family=FAMILY,
        run=run,
        policies=(("gate", run.scores), ("never", other.scores)),
        swept=sweep(CASES, windows(120), FAMILY),
        compared=Compared("threshold=0.5", other.scores, compare(CASES, other.cases)),
        notes=("Provisional.",),
    )


@pytest.fixture
def parsed(report: Report) -> Page:
    reader = Page()
    reader.feed(page(report))
    reader.close()
    return reader


def test_the_page_is_whole_and_every_id_is_there_once(parsed: Page) -> None:
    assert parsed.open == []
    ids = [attrs["id"] for _, attrs in parsed.seen if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert parsed.all("html")[0]["lang"] == "en"
    assert len(parsed.all("h1")) == 1


def test_nothing_is_loaded_and_nothing_runs(report: Report, parsed: Page) -> None:
    text = page(report)

    assert "http:" not in text
    assert "https:" not in text
    assert "//" not in text.replace("<!--", "")
    assert "url(" not in text
    tags = {tag for tag, _ in parsed.seen}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "base"}
    assert not [a for _, attrs in parsed.seen for a in attrs if a.startswith("on")]
    policy = next(a for a in parsed.all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in str(policy["content"])


def test_every_figure_is_told_in_words(parsed: Page) -> None:
    pictures = parsed.all("svg")

    assert len(pictures) == len(parsed.all("figure")) == 4
    assert len(parsed.all("figcaption")) == 4
    for picture in pictures:
        assert picture["role"] == "img"
        title, told = str(picture["aria-labelledby"]).split()
        assert parsed.texts[title]
        assert len(parsed.texts[told]) > 20


def test_every_table_says_what_it_is_and_names_its_columns(parsed: Page) -> None:
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    assert all(attrs.get("scope") in {"col", "row"} for attrs in parsed.all("th"))


def test_each_number_of_the_confusion_matrix_leads_to_its_windows(
    parsed: Page, report: Report
) -> None:
    links = [str(a["href"])[1:] for a in parsed.all("a")]
    behind = {str(a["id"]) for a in parsed.all("details") if "id" in a}

    assert links
    assert set(links) == behind
    text = page(report)
    wrong = [c for c in CASES if c.predicted != c.truth]
    assert wrong
    assert all(f'<th scope="row">{c.number}</th>' in text for c in wrong)


def test_names_cannot_become_markup(report: Report) -> None:
    assert "peg &amp; &lt;hole&gt;" in page(report)
    assert "<hole>" not in page(report)


def test_two_pages_of_one_report_are_equal_bytes(report: Report) -> None:
    slower = replace(report.run, scores=replace(report.run.scores, seconds=99.0))

    assert page(report) == page(replace(report, run=slower))


def test_a_run_without_any_case_still_gives_a_page() -> None:
    empty = Report("none", "00" * 32, (), FAMILY, run_of([]))
    reader = Page()
    reader.feed(page(empty))

    assert reader.open == []
    assert "No case has a prediction." in page(empty)


def test_light_dark_and_print_are_styled(report: Report) -> None:
    text = page(report)

    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
