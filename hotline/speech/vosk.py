"""Vosk (https://alphacephei.com/vosk) behind the speech port."""

from __future__ import annotations

import json
import re
from pathlib import Path

import vosk

from hotline.speech.base import Heard
from hotline.speech.models import INSTALL_HINT, ModelFault
from hotline.speech.sound import RATE

# Vosk puts a space between words. Chinese is written without; between two Latin words or numbers the space stays.
_SPACE_IN_CHINESE = re.compile(r"(?<![A-Za-z0-9]) | (?![A-Za-z0-9])")


def written(spaced: str) -> str:
    """Return recogniser output as people write it: 身份证 怎么 补办 → 身份证怎么补办."""
    return _SPACE_IN_CHINESE.sub("", spaced)


class VoskEngine:
    """One loaded model. Raises ``ModelFault`` when Vosk cannot load it.

    The model is always given by path: asked by language, Vosk would download one by itself.
    """

    sample_rate = RATE

    def __init__(self, path: Path) -> None:
        vosk.SetLogLevel(-1)
        try:
            self._model = vosk.Model(str(path))
        except Exception as fault:  # Vosk raises nothing narrower
            raise ModelFault(f"the speech model in {path} cannot be loaded ({fault}). {INSTALL_HINT}") from fault
        self.name = path.name

    def open(self) -> VoskRecogniser:
        """Return a recogniser of its own for one leg (5 MB with the demo model, about 50 MB with small-cn)."""
        return VoskRecogniser(self._model)


class VoskRecogniser:
    """One leg's ear. Not safe to call from two threads at once; releases the GIL while it decodes."""

    def __init__(self, model: vosk.Model) -> None:
        self._kaldi = vosk.KaldiRecognizer(model, RATE)
        self._kaldi.SetWords(True)  # finals then carry the time of each word
        self._fed_bytes = 0
        self._settled_ms = 0
        self._partial = ""

    def accept(self, pcm: bytes) -> list[Heard]:
        """Take sound; return a final result, or a partial one if it is a new one."""
        self._fed_bytes += len(pcm)
        if self._kaldi.AcceptWaveform(pcm):
            return self._final(self._kaldi.Result())
        text = written(json.loads(self._kaldi.PartialResult())["partial"])
        if text == self._partial:
            return []
        self._partial = text
        return [Heard(text, False, self._settled_ms, self._fed_ms)] if text else []

    def pause(self) -> list[Heard]:
        """Return the words that are open, if any, as final: an endpoint of our own where the line says it is silent."""
        return self._final(self._kaldi.FinalResult()) if self._partial else []

    def finish(self) -> list[Heard]:
        """Return the last final result, if words were open, and free the recogniser."""
        last = self._final(self._kaldi.FinalResult())
        del self._kaldi
        return last

    @property
    def _fed_ms(self) -> int:
        return self._fed_bytes * 1000 // (2 * RATE)

    def _final(self, result: str) -> list[Heard]:
        found = json.loads(result)
        self._partial = ""
        start_ms, self._settled_ms = self._settled_ms, self._fed_ms
        if not found["text"]:
            return []
        words = found.get("result", ())
        if words:
            return [Heard(written(found["text"]), True, _ms(words[0]["start"]), _ms(words[-1]["end"]))]
        return [Heard(written(found["text"]), True, start_ms, self._settled_ms)]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
