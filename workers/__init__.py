"""Everything that happens after the commit: relay, jobs, timetable."""
