"""``python -m hotline`` is the ``hotline`` command."""

from hotline.cli import main

main(prog_name="hotline")
