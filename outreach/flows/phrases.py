"""Phrases for what is named in one word: channels, raw outcomes, events of the lender, turns of a call."""

CHANNELS = {"sms": "text", "email": "email", "voice": "call", "ivr": "keypad call", "portal": "web page"}

OUTCOMES = {
    "answered_unverified": "someone answered",
    "bounced": "the email came back",
    "busy": "the line was busy",
    "conversation": "the borrower answered and was identified",
    "delivered": "it was delivered",
    "failed": "it was not delivered",
    "limited_content_left": "a voicemail without account details was left",
    "no_answer": "nobody answered",
    "not_connected": "the call did not connect",
    "read": "it was read",
    "voicemail_left": "a voicemail was left",
    "voicemail_possible": "a machine answered",
    "wrong_party": "someone else answered",
}

EVENTS = {
    "case.opened": "The lender opened the case.",
    "case.updated": "The lender updated what is owed.",
    "consent.given": "The lender recorded consent.",
    "consent.revoked": "The lender recorded that consent was taken back.",
    "borrower.located": "The lender recorded where the borrower said to be.",
    "contact.recorded": "Another system recorded a contact; it counts toward the limits.",
    "contact_point.reassigned": "The lender recorded that a number or mailbox has another owner now.",
    "contact_point.updated": "The lender changed what is known of a number or mailbox.",
    "hold.lifted": "The lender lifted a hold.",
    "hold.placed": "The lender placed a hold.",
}
