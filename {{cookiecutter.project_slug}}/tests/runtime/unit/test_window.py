"""The rolling window: what counts, where, and until when."""

from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.outbound.window import Bucket, Window

LENGTH, BUCKETS = 4.0, 4  # a bucket for each second


def window_at(now: float = 0.0) -> Window:
    return Window(LENGTH, BUCKETS, now)


def begin(window: Window, now: float) -> Bucket:
    if now >= window.next_roll:
        window.roll(now)
    return window.add_request()


def failures(window: Window, now: float) -> int:
    if now >= window.next_roll:
        window.roll(now)
    return window.total.failures


def test_a_bucket_takes_its_calls_with_it_when_it_leaves() -> None:
    window = window_at()
    for instant in (0.0, 0.5, 1.5, 3.75):
        window.add_failure(begin(window, instant))
    assert failures(window, 3.875) == 4
    assert failures(window, 4.0) == 2  # the first second is gone
    assert failures(window, 5.0) == 1
    assert failures(window, 6.875) == 1
    assert failures(window, 7.0) == 0


def test_a_gap_longer_than_the_window_clears_everything() -> None:
    window = window_at()
    window.add_success(begin(window, 0.0))
    window.add_failure(begin(window, 1.0))
    window.add_exclusion(begin(window, 2.0))
    begin(window, 1e6)
    counts = window.counts(refused=0)
    assert (counts.requests, counts.successes, counts.failures) == (1, 0, 0)
    assert (counts.exclusions, counts.consecutive_failures) == (0, 0)


def test_an_outcome_counts_in_the_bucket_in_which_its_call_began() -> None:
    window = window_at()
    slow = begin(window, 0.5)
    window.roll(3.5)
    window.add_failure(slow)
    assert failures(window, 3.5) == 1
    assert failures(window, 4.0) == 0  # with its call, not 4 s after its end


def test_a_call_knows_that_its_bucket_has_left() -> None:
    window = window_at()
    slow, later = begin(window, 0.5), begin(window, 3.5)
    window.roll(4.0)
    assert slow.left
    assert not later.left


def test_calls_under_way_excluded_or_cancelled_have_no_share() -> None:
    window = window_at()
    window.add_failure(window.add_request())
    window.add_success(window.add_request())
    window.add_exclusion(window.add_request())
    window.add_request()
    assert window.calls == 2
    assert window.ratio == 0.5
    assert window.counts(refused=0).requests == 4


def test_nothing_counted_is_no_failure() -> None:
    assert window_at().ratio == 0


def test_a_window_that_does_not_roll_keeps_what_it_has() -> None:
    window = window_at()
    window.clear(10.0, rolling=False)
    window.add_success(begin(window, 10.0))
    window.add_success(begin(window, 1e9))
    assert window.counts(refused=0).successes == 2


def test_calls_survive_a_change_of_the_buckets() -> None:
    window = window_at()
    slow = begin(window, 0.5)
    window.add_failure(begin(window, 2.5))
    window.resize(8.0, 16)
    assert failures(window, 7.875) == 1  # counts as long as the new window says
    window.add_failure(slow)
    assert failures(window, 7.875) == 2
    assert failures(window, 8.0) == 1
    assert failures(window, 10.0) == 0


def test_a_shorter_window_drops_what_is_too_old_for_it() -> None:
    window = window_at()
    window.add_failure(begin(window, 0.5))
    window.add_failure(begin(window, 2.5))
    window.resize(2.0, 2)
    assert failures(window, 2.5) == 1
    assert failures(window, 4.0) == 0


Steps = st.lists(
    st.tuples(
        st.floats(min_value=0, max_value=30),
        st.sampled_from(["success", "failure", "exclusion", "none", "resize"]),
        st.floats(min_value=0.01, max_value=10),
        st.integers(min_value=1, max_value=50),
    ),
    max_size=60,
)


@given(steps=Steps, start=st.floats(min_value=0, max_value=1e9))
def test_totals_are_the_sum_of_the_buckets(
    steps: list[tuple[float, str, float, int]], start: float
) -> None:
    window, now = window_at(start), start
    for pause, what, length, buckets in steps:
        now += pause
        bucket = begin(window, now)
        if what == "resize":
            window.resize(length, buckets)
        elif what != "none":
            getattr(window, f"add_{what}")(bucket)
        for name in ("requests", "successes", "failures", "exclusions"):
            parts = [getattr(each, name) for each in window._buckets]
            assert getattr(window.total, name) == sum(parts)
            assert min(parts) >= 0


@given(
    starts=st.lists(st.floats(min_value=0, max_value=50), max_size=40).map(sorted),
    length=st.floats(min_value=0.01, max_value=20),
    buckets=st.integers(min_value=1, max_value=40),
)
def test_a_call_counts_for_the_window_less_a_bucket_at_least(
    starts: list[float], length: float, buckets: int
) -> None:
    window = Window(length, buckets, 0.0)
    slack = 1e-6  # of floating point
    for number, now in enumerate(starts, 1):
        begin(window, now)
        ages = [now - each for each in starts[:number]]
        surely = sum(age < length - length / buckets - slack for age in ages)
        possibly = sum(age < length + slack for age in ages)
        assert surely <= window.total.requests <= possibly
        assert len(window._buckets) <= buckets + 1
