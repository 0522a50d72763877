"""A whole store moved into another database: SQLite, PostgreSQL, and back.

Copies every row as it is, compares both sides row by row, and leaves the store that it reads as it
was. While a copy is not finished no program opens it; a run that was killed is gone on with.
"""
