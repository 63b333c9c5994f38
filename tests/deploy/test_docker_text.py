"""Hostile text becomes plain lines."""

import struct

import pytest

from webapp.deploy.docker_text import MOST_BYTES, MOST_TEXT, Tail, clean, frames

STAMP = b"2026-11-24T10:00:00.000000000Z "


def framed(stream, message):
    return struct.pack(">BxxxL", stream, len(message)) + message


def told(*messages, lines=100):
    tail = Tail(lines)
    for is_error, message in messages:
        tail.add(is_error, message)
    return tail.finish()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x00b\x08c\x7f", "abc"),
        ("tab\tkept", "tab\tkept"),
        ("\u202eevil\u202c", "evil"),
        ("\x9b31mred", "red"),
        ("50%\r100%", "50%100%"),
        ("\x1b", ""),
    ],
)
def test_escape_sequences_and_control_characters_go(text, shown):
    assert clean(text) == shown


def test_a_long_line_is_cut():
    assert len(clean("x" * 5000)) == MOST_TEXT


def test_both_streams_are_told_apart_however_they_are_cut_into_chunks():
    data = framed(1, b"out\n") + framed(2, b"err\n")
    wanted = [(False, b"out\n"), (True, b"err\n")]
    assert list(frames([data])) == wanted
    assert list(frames([data[i : i + 1] for i in range(len(data))])) == wanted


def test_a_terminal_has_lines_without_headers():
    assert list(frames([STAMP + b"one\r\n" + STAMP, b"two"])) == [
        (False, STAMP + b"one\r\n"),
        (False, STAMP + b"two"),
    ]


def test_a_message_that_was_cut_off_is_not_told():
    assert list(frames([framed(1, b"whole\n") + framed(1, b"half")[:-2]])) == [(False, b"whole\n")]


def test_a_line_has_its_time_and_its_stream():
    [line] = told((True, STAMP + b"fatal\n"))
    assert (line.text, line.is_error, line.at.hour) == ("fatal", True, 10)


def test_a_line_in_pieces_is_one_line():
    lines = told(
        (False, STAMP + b"a" * 9),
        (True, STAMP + b"between\n"),
        (False, STAMP + b"b\n"),
        (False, STAMP + b"c"),
    )
    assert [line.text for line in lines] == ["between", "a" * 9 + "b", "c"]


def test_only_the_last_lines_are_kept():
    assert [line.text for line in told(*[(False, STAMP + b"%d\n" % n) for n in range(9)], lines=2)] == [
        "7",
        "8",
    ]


def test_many_bytes_push_the_oldest_out():
    lines = told(*[(False, STAMP + b"x" * MOST_TEXT + b"\n")] * 1000, lines=5000)
    assert sum(len(line.text) for line in lines) <= MOST_BYTES
    assert len(lines) > 500


def test_bytes_that_are_no_text_do_not_stop_the_log():
    assert told((False, STAMP + b"\xff\xfe\n"))[0].text == "\ufffd\ufffd"
