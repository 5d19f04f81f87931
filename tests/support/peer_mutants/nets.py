"""By which net a deliberate fault is caught.

Some faults break a promise, or do not always elect again: random schedules within what the algorithm assumes convict
them, and a scene does as well. The others break a rule without which it elects all the same, only later, dearer, or
with more leaders at once: a scene shows each, or a test of what is drawn.
"""

SEARCH, SCENES, DRAWS = "search", "scenes", "draws"
