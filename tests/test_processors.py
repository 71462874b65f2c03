import pytest

from backlight import processors


def test_there_is_a_processor():
    assert 1 <= processors.processors() == processors.processors()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *(("150000 100000", 1), ("200000 100000\n", 2), ("50000 100000", 1), ("1600000 100000", 16)),
        *(("max 100000", 2**31), ("", 2**31), ("200000", 2**31)),
    ],
)
def test_a_containers_quota_is_read(tmp_path, text, count):
    (tmp_path / "cpu.max").write_text(text, encoding="utf-8")
    assert processors._quota(tmp_path / "cpu.max") == count


def test_without_a_container_there_is_no_quota(tmp_path):
    assert processors._quota(tmp_path / "cpu.max") == 2**31
