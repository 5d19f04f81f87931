"""Text from files, made safe to print: control characters removed, so that no file can steer a terminal."""

from __future__ import annotations

import re

# Terminal control sequences (ECMA-48): first whole sequences, then every single control character that is left.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI sequences: colours, cursor movement, erasing.
    # OSC, DCS and other strings, such as window titles.
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"  # Escapes of two or three characters: reset, character sets.
)
# C0 but tab and newline, DEL, C1; and the marks, embeddings, overrides and isolates of the bidirectional algorithm.
UNSAFE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[{UNSAFE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")  # Bytes of a file name that are no UTF-8.


def printable(text: str) -> str:
    """The text without what a terminal would obey; tabs and newlines stay.

    Removes control characters (C0, DEL, C1), whole escape sequences, and characters that change the direction of
    writing. Half of a surrogate pair becomes U+FFFD, since no output encodes it.
    """
    return _SURROGATE.sub("\ufffd", _UNSAFE.sub("", _SEQUENCE.sub("", text)))
