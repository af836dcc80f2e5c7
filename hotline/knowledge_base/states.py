"""States of an entry and of a suggestion, as tables: the only ways they change."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class EntryState(StrEnum):
    """Only published entries are ever suggested."""

    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class EntryAction(StrEnum):
    """What an editor does with an entry."""

    SUBMIT = "submit"
    SEND_BACK = "send_back"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    REVISE = "revise"


ENTRY: Final[dict[tuple[EntryState, EntryAction], EntryState]] = {
    (EntryState.DRAFT, EntryAction.SUBMIT): EntryState.REVIEW,
    (EntryState.REVIEW, EntryAction.SEND_BACK): EntryState.DRAFT,
    (EntryState.REVIEW, EntryAction.PUBLISH): EntryState.PUBLISHED,
    (EntryState.PUBLISHED, EntryAction.WITHDRAW): EntryState.WITHDRAWN,
    (EntryState.WITHDRAWN, EntryAction.REVISE): EntryState.DRAFT,
    (EntryState.WITHDRAWN, EntryAction.PUBLISH): EntryState.PUBLISHED,  # withdrawn by mistake
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
