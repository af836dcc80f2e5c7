"""The Hengshui demo city: everything on one machine, on invented data, for people who want to see it work."""
