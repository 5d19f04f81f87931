"""Print one schedule's rows and measures in the old words: `python -m tests.safety_net.show raft-options 7`.

Run it in a work tree of the old commit and in the new one, and compare the two with `diff`.
"""

from __future__ import annotations

import sys

from tests.safety_net import drive, schedules

if __name__ == "__main__":
    _, family, seed = sys.argv
    print("\n".join(drive.rows_of_schedule(schedules.FAMILIES[family](int(seed)), int(seed))))
