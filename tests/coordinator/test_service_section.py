"""Where the page for tablets may be served."""

import pytest

from coordinator import config
from coordinator.config.service import ServiceSection, is_loopback
from coordinator.errors import ConfigError


def section(text: str) -> ServiceSection:
    """The section of a plant's configuration that says this much of the page."""
    common = config.template().replace("web_port = 0", "web_port = 8080", 1)
    return config.parse(
        common.replace('web_host = "127.0.0.1"', text, 1).replace("# web_names", "# x")
    ).service


def test_there_is_no_page_unless_a_port_is_named() -> None:
    assert config.parse(config.template()).service.web_port == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"]
)
def test_loopback_needs_no_reason(host: str) -> None:
    assert is_loopback(host)
    assert section(f'web_host = "{host}"').web_host == host


ELSEWHERE = ("0.0.0.0", "::", "10.1.2.3", "andon.plant.example")  # noqa: S104 - refused


@pytest.mark.parametrize("host", ELSEWHERE)
def test_elsewhere_is_refused_without_a_reason(host: str) -> None:
    with pytest.raises(ConfigError, match="web_without_tls_because"):
        section(f'web_host = "{host}"')


@pytest.mark.parametrize("reason", ["", "yes", " " * 40])
def test_a_word_is_no_reason(reason: str) -> None:
    with pytest.raises(ConfigError, match="serves no TLS"):
        section(f'web_host = "0.0.0.0"\nweb_without_tls_because = "{reason}"')


def test_elsewhere_is_allowed_with_a_reason() -> None:
    found = section(
        'web_host = "10.1.2.3"\n'
        'web_without_tls_because = "a switch of its own, nobody else is on it"'
    )

    assert found.web_host == "10.1.2.3"


def test_a_host_elsewhere_does_not_matter_where_no_page_is_served() -> None:
    assert ServiceSection(web_host="0.0.0.0").web_port == 0  # noqa: S104 - not bound
