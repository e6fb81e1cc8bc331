"""The picture of a drill is one whole SVG, whatever was recorded."""

from xml.etree.ElementTree import fromstring

from hypothesis import given
from hypothesis import strategies as st

from tools.drill.picture import draw
from tools.drill.records import Kind, Record, Records
from tools.drill.stage import Picture, Span

SVG = "{http://www.w3.org/2000/svg}"


def record(intended: float, latency: float, status: int, error: str) -> Record:
    ended = intended + latency
    return Record("GET /api/version", intended, intended, ended, status, error, "", "")


RECORDS = st.builds(
    record,
    st.floats(1000, 1300),
    st.floats(0, 60),
    st.sampled_from([0, 200, 201, 404, 429, 500, 503, 504]),
    st.sampled_from(["", "hung up", "reset"]),
)
SPANS = st.builds(Span, st.text("<&>'\" ab"), st.floats(0, 2000), st.floats(0, 2000))


@given(st.lists(RECORDS, max_size=60), st.lists(SPANS, max_size=3), st.text("<&\"'x"))
def test_any_records_can_be_drawn(records: list[Record], faults: list[Span], title: str) -> None:
    text = draw(Picture(title, Records(records), tuple(faults)))
    assert "nan" not in text
    root = fromstring(text)
    assert title in [element.text or "" for element in root.iter(f"{SVG}text")]
    assert len(list(root.iter(f"{SVG}rect"))) >= len(faults)


def test_it_shows_the_fault_and_the_classes_that_there_were() -> None:
    records = [record(1000 + n / 10, 0.01, 200, "") for n in range(100)]
    records += [record(1004 + n / 10, 0.3, 503, "") for n in range(20)]
    root = fromstring(draw(Picture("a drill", Records(records), (Span("it broke", 1004, 1006),))))
    said = [element.text for element in root.iter(f"{SVG}text")]
    assert "it broke" in said
    assert Kind.OK in said
    assert Kind.REFUSED in said
    assert Kind.FAILED not in said
    [fault] = [e for e in root.iter(f"{SVG}rect") if e.get("class") == "fault"]
    share = float(fault.attrib["width"]) / (960 - 64 - 16)
    assert 0.18 < share < 0.22
