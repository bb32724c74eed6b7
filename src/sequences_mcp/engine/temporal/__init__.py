"""The clock on Temporal: a workflow for each run keeps its timers, and activities take what is due.

The database stays the truth. A workflow knows the id of its run and nothing else of it; when it wakes, it has an
activity do what is due by the database, and sleeps until what that says comes next.
"""
