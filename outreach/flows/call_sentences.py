"""What the turns of a call say on the timeline, in plain English: never what was pressed or said."""

_TURNS = {
    "identity.passed": "The person on the phone was identified.",
    "identity.failed": "The answer to the identity question did not match.",
    "identity.given_up": "The identity question was not answered correctly; nothing about the account was said.",
    "identity.impossible": "Identity could not be checked, so nothing about the account was said.",
    "wrong_party": "The person on the phone said they are not the borrower.",
    "machine": "A machine answered.",
    "voicemail": "A machine answered, and the limited words were left on it.",
    "answered": "The call was answered and the greeting was spoken.",
    "silence": "Nothing was pressed or said.",
    "at_rest": "The case had come to rest since the call was placed, and it ended without a word of the debt.",
    "switched_off": "The call was answered when it had been switched off, and ended without a word.",
    "window_closed": "The call was answered after the permitted hours had ended, and ended without a word.",
    "without_words": "What was to be said could not be put into words; a person takes over.",
    "language": "The person on the phone asked for another language, in which the call went on.",
    "language.missing": "The person on the phone asked for another language, in which the call could not go on.",
    "unclear": "The answer was not understood.",
    "stop": "The person on the phone asked not to be called or contacted any more.",
    "goodbye": "The call ended politely.",
    "agent.answered": "The call was handed on to a person, who answered.",
    "agent.missed": "The call was handed on, but nobody answered; a person calls back.",
}
_WHERE = {
    "menu": "chose",
    "offered": "answered the offers",
    "read_back": "answered the read-back",
    "promise_date": "answered the question for a day",
    "promise_check": "answered the read-back of the day",
    "extension_ask": "answered the question for a new due date",
    "extension_check": "answered the read-back of the new due date",
    "plan_standing": "answered what to do with their plan",
    "plan_cancelling": "answered whether to end their plan",
    "plan_changing": "answered the offers of another plan",
    "plan_read_back": "answered the read-back of another plan",
}


def turn_sentence(what: str) -> str:
    """Return what one turn of a call says on the timeline; ``what`` is its word there."""
    known = _TURNS.get(what)
    if known:
        return known
    state, _, intent = what.rpartition(".")
    return f"On the phone, the borrower {_WHERE.get(state, 'said')}: {(intent or what).replace('_', ' ')}."
