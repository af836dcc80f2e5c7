"""How well and how cheaply the hotline hears: ``python -m bench.speech --model DIR --clips DIR [--calls N]``.

The same clips are decoded twice, in turns of six clips (bare, ours, bare, ours …), so that a machine that warms up or
gets busy favours neither:

* bare: Vosk alone, in a process of its own, fed the same 200 ms chunks at the same pace on as many lanes, with results
  and partial results fetched, nothing done with them;
* ours: websocket frames of 20 ms sent in real time over loopback into the media process under gunicorn (signature,
  token, JSON, base64, mu-law, pool, Vosk, recorder, SQLite, hints).

Both are given one core; the sender has another. ``ratio`` is CPU of ours over CPU of bare, median of the turns;
``rtf_*`` CPU seconds a second of sound. ``ratio_flat_out`` compares with bare Vosk fed as fast as it can decode, whose
caches stay warm: no live call can have that. ``final_delay_ms``: from sending the frame with which bare Vosk had the
final to the desk being told. ``--calls N`` then lets ever more calls (two legs each, both with sound) talk, N at most,
and prints ``max_calls``.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import re
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import truediv
from pathlib import Path
from typing import Any

import vosk

from bench.media_load import Clip, Lane, MediaProcess, media_process, play
from hotline.speech.clips import read_wav
from hotline.speech.models import check_model
from hotline.speech.sound import CHUNK_BYTES, FRAME_BYTES, RATE, pcm_of
from hotline.speech.vosk import written

LANES = 6  # three calls, both legs with sound, on one core
FRAMES_A_CHUNK = CHUNK_BYTES // FRAME_BYTES
SILENCE = b"\xff"
DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
SETTLES_IN_S = 2.0  # after the last word, before the CPU is read
LATE_MS = 3000  # a search step is lost when its slowest final comes later than this


@dataclass
class Bare:
    """What bare Vosk made of one clip: its finals, and after how many chunks it had each."""

    finals: list[str] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)


def read_clips(folder: Path) -> list[Clip]:
    """Return every WAV under ``folder`` that has its text beside it."""
    clips = []
    for wav in sorted(folder.rglob("*.wav")):
        text = wav.with_suffix(".txt")
        if text.exists():
            mulaw = read_wav(wav)
            mulaw += SILENCE * (-len(mulaw) % FRAME_BYTES)
            clips.append(Clip(wav.stem, mulaw, text.read_text().strip()))
    if not clips:
        raise SystemExit(f"{folder} holds no WAV with a .txt beside it")
    return clips


def turns_of(clips: Sequence[Clip], lanes: int) -> list[list[list[Clip]]]:
    """Deal the clips out into turns: one clip a lane, all of a turn about as long."""
    ordered = sorted(clips, key=lambda clip: -clip.seconds)
    return [[[clip] for clip in ordered[start : start + lanes]] for start in range(0, len(ordered), lanes)]


# --- bare Vosk ---


LOADED: list[vosk.Model] = []  # in the process of bare Vosk only


@contextmanager
def bare_process(model: Path, core: int) -> Iterator[ProcessPoolExecutor]:
    """Run a process that holds bare Vosk, on one core."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=load, initargs=(str(model), core)) as process:
        yield process


def load(model: str, core: int) -> None:
    """Load the model into this process."""
    os.sched_setaffinity(0, {core})
    vosk.SetLogLevel(-1)
    LOADED.append(vosk.Model(model))


def decode(lanes: list[list[Clip]], paced: bool) -> tuple[float, dict[str, Bare]]:
    """Decode every lane with bare Vosk in this process; return CPU seconds and what each clip gave."""
    found: dict[str, Bare] = {}
    begun = time.process_time()
    if paced:
        offset = CHUNK_BYTES / RATE / len(lanes)
        threads = [
            threading.Thread(target=decode_lane, args=(LOADED[0], lane, found, number * offset))
            for number, lane in enumerate(lanes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        for lane in lanes:
            decode_lane(LOADED[0], lane, found, None)
    return time.process_time() - begun, found


def decode_lane(loaded: vosk.Model, lane: list[Clip], found: dict[str, Bare], offset: float | None) -> None:
    """Decode the clips of one lane one after the other, in real time unless ``offset`` is None."""
    due = time.monotonic() + (offset or 0.0)
    for clip in lane:
        kaldi, bare = vosk.KaldiRecognizer(loaded, RATE), Bare()
        kaldi.SetWords(True)
        for number, start in enumerate(range(0, len(clip.mulaw), CHUNK_BYTES), 1):
            chunk = pcm_of(clip.mulaw[start : start + CHUNK_BYTES])
            if offset is not None:
                due += len(chunk) / 2 / RATE
                time.sleep(max(0.0, due - time.monotonic()))
            if kaldi.AcceptWaveform(chunk):
                take_final(bare, kaldi.Result(), number)
            else:
                kaldi.PartialResult()
        take_final(bare, kaldi.FinalResult(), number + 1)
        found[clip.name] = bare


def take_final(bare: Bare, result: str, chunk: int) -> None:
    """Note a final that has words."""
    if text := written(json.loads(result)["text"]):
        bare.finals.append(text)
        bare.chunks.append(chunk)


# --- figures ---


def plain(said: str) -> str:
    """Return text for counting errors: no punctuation, no spaces, digits as characters."""
    return re.sub(r"[\W_]", "", said.translate(DIGITS)).lower()


def distance(one: str, other: str) -> int:
    """Return the least number of characters to put in, take out or change."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def cer(clips: Sequence[Clip], heard: dict[str, str]) -> float:
    """Return the character error rate over all clips together."""
    wrong = sum(distance(plain(clip.text), plain(heard.get(clip.name, ""))) for clip in clips)
    return wrong / sum(len(plain(clip.text)) for clip in clips)


def percentile(values: list[float], share: float) -> float | None:
    """Return the value below which ``share`` of them lie; None of none."""
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1) if values else None


@dataclass
class Round:
    """One turn of ours: what it cost, heard and lost."""

    cpu_s: float
    texts: dict[str, str]
    same: bool
    delays_ms: list[float]
    lost_frames: int
    rss_mb: float


def run_ours(media: MediaProcess, dealt: list[list[Clip]], bare: dict[str, Bare]) -> Round:
    """Play every lane once and compare with what bare Vosk made of the same clips."""
    before = media.figures()
    lanes = [Lane(media, leg_id, clips) for leg_id, clips in zip(media.leg_ids, dealt, strict=False)]
    frames = sum(clip.frames for clips in dealt for clip in clips)
    talking: list[float] = []
    begun = media.cpu_s()
    play(lanes, lambda: talking.append(media.rss_mb()))
    time.sleep(SETTLES_IN_S)
    cpu_s = media.cpu_s() - begun
    after = media.settled(before["media"]["pool_bytes_decoded"] + frames * FRAME_BYTES)
    texts: dict[str, str] = {}
    delays, same = [], True
    for lane, was, now in zip(lanes, before["lanes"], after["lanes"], strict=False):
        # rows are written in the order they were heard, so the n-th hint belongs to the n-th final of the lane
        heard = list(zip(now["finals"], now["told"], strict=False))[len(was["finals"]) :]
        for number, played in enumerate(lane.played, was["streams"] + 1):
            wanted = bare[played.clip.name]
            got = [(said, told) for (stream, said), told in heard if stream == number]
            texts[played.clip.name] = "".join(said for said, _ in got)
            same = same and [said for said, _ in got] == wanted.finals
            for chunk, (_, told) in zip(wanted.chunks, got, strict=False):
                frame = chunk * FRAMES_A_CHUNK - 1
                left = played.sent[frame] if frame < len(played.sent) else played.stopped
                delays.append(1000 * (told - left))
    decoded = after["media"]["pool_bytes_decoded"] - before["media"]["pool_bytes_decoded"]
    return Round(
        cpu_s=cpu_s,
        texts=texts,
        same=same,
        delays_ms=delays,
        lost_frames=frames - decoded // FRAME_BYTES,
        rss_mb=max(talking, default=0.0),
    )


def compare(model: Path, clips: list[Clip], rounds: int) -> tuple[dict[str, Any], dict[str, Bare]]:
    """Take turns, bare and ours; return the figures and what bare Vosk made of each clip."""
    cores = sorted(os.sched_getaffinity(0))
    core, mine = cores[-1], set(cores[:-1]) or set(cores)
    turns = turns_of(clips, LANES)
    seconds = rounds * sum(clip.seconds for clip in clips)
    bare: dict[str, Bare] = {}
    bare_cpu, flat_cpu, ours = [], [], []
    with bare_process(model, core) as process, media_process(model, LANES, {core}, mine) as media:
        idle = media.rss_mb()
        # what a process does once in its life is not at issue: a turn of each before the measuring
        process.submit(decode, turns[-1], paced=True).result()
        play([Lane(media, leg_id, lane) for leg_id, lane in zip(media.leg_ids, turns[-1], strict=False)], lambda: None)
        for dealt in turns * rounds:
            flat_cpu.append(process.submit(decode, dealt, paced=False).result()[0])
            cpu_s, found = process.submit(decode, dealt, paced=True).result()
            bare |= found
            bare_cpu.append(cpu_s)
            ours.append(run_ours(media, dealt, bare))
            load = os.getloadavg()[0]
            print(
                f"turn {len(ours)}: bare {cpu_s:.2f} s, ours {ours[-1].cpu_s:.2f} s, load {load:.1f}", file=sys.stderr
            )
    os.sched_setaffinity(0, cores)
    delays = [delay for turn in ours for delay in turn.delays_ms]
    ours_cpu = [turn.cpu_s for turn in ours]
    return {
        "cer": round(cer(clips, {name: said for turn in ours for name, said in turn.texts.items()}), 4),
        "rtf_bare": round(sum(bare_cpu) / seconds, 5),
        "rtf_ours": round(sum(ours_cpu) / seconds, 5),
        "ratio": round(statistics.median(map(truediv, ours_cpu, bare_cpu)), 3),
        "ratio_of_sums": round(sum(ours_cpu) / sum(bare_cpu), 3),
        "ratio_flat_out": round(statistics.median(map(truediv, ours_cpu, flat_cpu)), 3),
        "same_text": all(turn.same for turn in ours),
        "final_delay_ms_p50": percentile(delays, 0.5),
        "final_delay_ms_p99": percentile(delays, 0.99),
        "lost_frames": sum(turn.lost_frames for turn in ours),
        "live_calls_a_core": LANES // 2,
        "rss_mb_per_call": round((max(turn.rss_mb for turn in ours) - idle) / (LANES // 2), 1),
        "clips": len(clips),
        "seconds": round(seconds, 1),
        "turns": len(ours),
    }, bare


def find_most_calls(model: Path, clips: list[Clip], bare: dict[str, Bare], most: int, step_s: float) -> int:
    """Return the largest number of calls, ``most`` at most, that lose no frame and get every final in time."""

    def holds(calls: int) -> bool:
        dealt: list[list[Clip]] = [[] for _ in range(2 * calls)]
        for number, lane in enumerate(dealt):
            while sum(clip.seconds for clip in lane) < step_s:
                lane.append(clips[(7 * number + len(lane)) % len(clips)])
        turn = run_ours(media, dealt, bare)
        slowest = percentile(turn.delays_ms, 0.99)
        good = turn.lost_frames == 0 and turn.same and slowest is not None and slowest <= LATE_MS
        print(f"{calls} calls: lost {turn.lost_frames}, slowest final {slowest} ms", file=sys.stderr)
        return good

    cores = os.sched_getaffinity(0)
    with media_process(model, 2 * most, set(cores), set(cores)) as media:
        play([Lane(media, media.leg_ids[0], clips[:1])], lambda: None)  # what a process does once in its life
        good, bad = 0, most + 1
        trying = min(4, most)
        while bad - good > 1:
            if holds(trying):
                good = trying
            else:
                bad = trying
            trying = min(2 * good, most) if bad > most else (good + bad) // 2
    return good


def checksum(folder: Path) -> str:
    """Return a digest over every clip and text, so that figures can be told to be of the same data."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".wav", ".txt"}:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def main() -> None:
    """Measure and print one JSON object as the last line."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--model", type=Path, required=True)
    ask.add_argument("--clips", type=Path, required=True)
    ask.add_argument("--calls", type=int, help="find the most live calls the machine holds, trying at most this many")
    ask.add_argument("--rounds", type=int, default=2)
    ask.add_argument("--step-seconds", type=float, default=10.0, help="how long each try of --calls talks")
    args = ask.parse_args()
    model, clips = check_model(args.model).resolve(), read_clips(args.clips)
    load = os.getloadavg()[0]
    figures, bare = compare(model, clips, args.rounds)
    if args.calls:
        figures["max_calls"] = find_most_calls(model, clips, bare, args.calls, args.step_seconds)
    packages = ("vosk", "flask", "gunicorn", "websockets", "sqlalchemy")
    figures |= {
        "model": model.name,
        "data_sha256": checksum(args.clips),
        "versions": {"python": sys.version.split()[0]} | {name: importlib.metadata.version(name) for name in packages},
        "cores": os.cpu_count(),
        "load_before": load,
        "load_after": os.getloadavg()[0],
    }
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
