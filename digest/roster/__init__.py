"""Lists of people as files: those that other systems export, and ours as CSV.

Owns which files are read, what each of their rows says of a person, and how a cell is written.
Decides nothing: what becomes of a row is up to whoever knows who is here already. Reads the files
that it is given by name; a file is read line by line and never held as a whole.
"""

from digest.roster.cells import neutral, term_and_weight
from digest.roster.columns import FORMATS
from digest.roster.entries import Entry, Fault, There
from digest.roster.reading import Roster, open_roster
from digest.roster.writing import COLUMNS, row_of

__all__ = [
    "COLUMNS",
    "FORMATS",
    "Entry",
    "Fault",
    "Roster",
    "There",
    "neutral",
    "open_roster",
    "row_of",
    "term_and_weight",
]
