"""States of entries, their versions, tasks and suggestions, as tables: the only ways they change."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class EntryState(StrEnum):
    """Only published entries are ever suggested."""

    DRAFT = "draft"  # never published so far
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class EntryAction(StrEnum):
    """What becomes of an entry as a whole."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    RESTORE = "restore"


ENTRY: Final[dict[tuple[EntryState, EntryAction], EntryState]] = {
    (EntryState.DRAFT, EntryAction.PUBLISH): EntryState.PUBLISHED,
    (EntryState.PUBLISHED, EntryAction.PUBLISH): EntryState.PUBLISHED,  # its next version
    (EntryState.WITHDRAWN, EntryAction.PUBLISH): EntryState.PUBLISHED,
    (EntryState.PUBLISHED, EntryAction.WITHDRAW): EntryState.WITHDRAWN,
    (EntryState.WITHDRAWN, EntryAction.RESTORE): EntryState.PUBLISHED,  # withdrawn by mistake
}


class VersionState(StrEnum):
    """Where one text of an entry stands."""

    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"


class VersionAction(StrEnum):
    """What editors do with a text. ``SUPERSEDE`` happens to the one before when the next is published."""

    SAVE = "save"
    SUBMIT = "submit"
    TAKE_BACK = "take_back"
    SEND_BACK = "send_back"
    PUBLISH = "publish"
    SUPERSEDE = "supersede"
    DROP = "drop"


VERSION: Final[dict[tuple[VersionState, VersionAction], VersionState]] = {
    (VersionState.DRAFT, VersionAction.SAVE): VersionState.DRAFT,
    (VersionState.DRAFT, VersionAction.SUBMIT): VersionState.REVIEW,
    (VersionState.DRAFT, VersionAction.DROP): VersionState.DROPPED,
    (VersionState.REVIEW, VersionAction.TAKE_BACK): VersionState.DRAFT,
    (VersionState.REVIEW, VersionAction.SEND_BACK): VersionState.DRAFT,
    (VersionState.REVIEW, VersionAction.PUBLISH): VersionState.PUBLISHED,
    (VersionState.PUBLISHED, VersionAction.SUPERSEDE): VersionState.SUPERSEDED,
}


class ReviewAnswer(StrEnum):
    """What the owner of an entry says when asked whether it still holds."""

    HOLDS = "holds"
    CHANGE = "change"


class SignalKind(StrEnum):
    """How knowledge failed somebody on the floor."""

    WRONG = "wrong"  # an answer was marked as not fitting or out of date
    NO_RESULT = "no_result"  # an operator searched and found nothing
    NO_ENTRY = "no_entry"  # a call was settled, or an order opened, without an entry
    REVIEW = "review"  # its owner wants it changed


class TaskState(StrEnum):
    """Where a knowledge task stands."""

    OPEN = "open"
    STARTED = "started"  # a draft was begun for it
    DONE = "done"
    DROPPED = "dropped"


class TaskAction(StrEnum):
    """What becomes of a task. ``FINISH`` happens when the draft begun for it is published."""

    START = "start"
    FINISH = "finish"
    DROP = "drop"
    REOPEN = "reopen"


TASK: Final[dict[tuple[TaskState, TaskAction], TaskState]] = {
    (TaskState.OPEN, TaskAction.START): TaskState.STARTED,
    (TaskState.OPEN, TaskAction.FINISH): TaskState.DONE,
    (TaskState.STARTED, TaskAction.FINISH): TaskState.DONE,
    (TaskState.OPEN, TaskAction.DROP): TaskState.DROPPED,
    (TaskState.STARTED, TaskAction.DROP): TaskState.DROPPED,
    (TaskState.STARTED, TaskAction.REOPEN): TaskState.OPEN,  # its draft was dropped
    (TaskState.DROPPED, TaskAction.REOPEN): TaskState.OPEN,
}


class OfferState(StrEnum):
    """What an editor makes of words offered as a similar question."""

    OFFERED = "offered"
    TAKEN = "taken"
    REFUSED = "refused"


class OfferAction(StrEnum):
    """What an editor does with an offer. ``REOPEN`` takes back a refusal."""

    TAKE = "take"
    REFUSE = "refuse"
    REOPEN = "reopen"


OFFER: Final[dict[tuple[OfferState, OfferAction], OfferState]] = {
    (OfferState.OFFERED, OfferAction.TAKE): OfferState.TAKEN,
    (OfferState.OFFERED, OfferAction.REFUSE): OfferState.REFUSED,
    (OfferState.REFUSED, OfferAction.REOPEN): OfferState.OFFERED,
}


class SuggestionState(StrEnum):
    """What the operator made of an answer that was shown."""

    SHOWN = "shown"
    USED = "used"
    WRONG = "wrong"


class Mark(StrEnum):
    """What an operator does with a suggestion."""

    USE = "use"
    MARK_WRONG = "mark_wrong"
    UNDO = "undo"


# the same key pressed twice is one mark; changing one's mind goes through undo
SUGGESTION: Final[dict[tuple[SuggestionState, Mark], SuggestionState]] = {
    (SuggestionState.SHOWN, Mark.USE): SuggestionState.USED,
    (SuggestionState.USED, Mark.USE): SuggestionState.USED,
    (SuggestionState.SHOWN, Mark.MARK_WRONG): SuggestionState.WRONG,
    (SuggestionState.WRONG, Mark.MARK_WRONG): SuggestionState.WRONG,
    (SuggestionState.USED, Mark.UNDO): SuggestionState.SHOWN,
    (SuggestionState.WRONG, Mark.UNDO): SuggestionState.SHOWN,
    (SuggestionState.SHOWN, Mark.UNDO): SuggestionState.SHOWN,
}
