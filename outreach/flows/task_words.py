"""What tasks are about, in plain words for the person who gets one."""

from typing import Final

KINDS: Final[dict[str, str]] = {
    "answer_unsaid": "The borrower waits for an answer that could not leave. Answer them another way.",
    "attorney": "A lawyer speaks for the borrower. Find out who, and deal with the lawyer only.",
    "bankruptcy": "The borrower speaks of a bankruptcy. Check it, and stop what has to stop.",
    "call_without_words": "A call could not go on because its words could not be put together. Call back.",
    "callback_request": "The borrower asks to be called by a person.",
    "check_number": "Somebody else has this number or mailbox. Correct it; find another for the borrower.",
    "complaint": "The borrower complains.",
    "counter_out_of_bounds": "The borrower named installments that are out of bounds. Look at what is possible.",
    "deceased": "The borrower is said to have died. Check it with care.",
    "dispute": "The borrower says that something about this debt is not right.",
    "extension_out_of_bounds": "The borrower asks for more time than may be granted without a person.",
    "extension_request": "The borrower asks for more time.",
    "hand_off": "A person is asked for.",
    "hardship": "The borrower is in hardship. Find out what helps.",
    "interrupted": "The case came to rest while the borrower was about to agree to something.",
    "no_offer_fits": "The borrower asks for installments, and no offer fits.",
    "no_way_to_begin": "The borrower asked for something that could not be begun.",
    "not_understood": "What the borrower said was not understood, several times.",
    "offers_declined": "The borrower wants none of the installments that were offered.",
    "payment_claim": "The borrower says they have paid. Look for the payment.",
    "personal_times": "The borrower named more times not to be reached than the rules allow to be barred.",
    "plan_has_ended": "The borrower wanted to end a plan that had ended meanwhile.",
    "plan_stands": "The borrower asks for terms while a plan stands.",
    "possible_stop": "This may be a refusal, and counts as one until a person has read it.",
    "promise_out_of_bounds": "The borrower promised a day or an amount that is out of bounds.",
    "question_unsaid": "The borrower answered a question that never reached them. Nothing was agreed.",
    "review_reply": "This needs a person to read it.",
    "shared_address": "Several borrowers have this number or mailbox, and any of them may have answered. Find out who.",
    "too_many_turns": "The conversation went on too long without an end.",
}
"""By kind. A test holds that every kind that code or a shipped dialogue opens stands here."""


def task_sentence(kind: str) -> str:
    """Return what a kind of task asks of a person; one of a lender's own dialogue is spelled out."""
    return KINDS.get(kind) or f"Handed to a person: {kind.replace('_', ' ')}."
