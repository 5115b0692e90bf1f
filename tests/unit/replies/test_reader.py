"""The reader on single replies: what each must mean, and what it must never mean."""

# ruff: noqa: E501 - tables of texts

from datetime import date
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.located_yaml import ConfigError
from outreach.replies.codec import parse_lines
from outreach.replies.reader import read
from outreach.replies.reading import Awaiting, Intent, OpenOffer, Reading, ReplyContext
from outreach.replies.rules import load_language

WEDNESDAY = date(2026, 3, 11)
OFFERS = tuple(OpenOffer(option, count, minor, "USD") for option, count, minor in [(1, 2, 30000), (2, 3, 20000)])


def reading(text: str, *, lang: str | None = None, currency: str = "USD", **context: object) -> Reading:
    return read(
        text,
        lang=lang,
        ref_date=WEDNESDAY,
        default_currency=currency,
        context=ReplyContext(**context),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "text",
    ["STOP", "Stop.", "stop please", "no mas", "退订", "TD", "ＴＤ", "leave me alone", "s.t.o.p", "st\u200bop", "🛑", "STPO",
     "Stop texting me! I'll pay Friday", "NO MÁS", "Cancelar", "退訂", "I SAID STOP", "Unsubscribe me", "OPT-OUT"],
)  # fmt: skip
def test_a_refusal_in_any_form_must_stop(text: str) -> None:
    assert reading(text).must_stop


@pytest.mark.parametrize(
    "text",
    ["I'll stop by the bank", "end of the month", "can't stop thinking", "cancel the late fee?", "我没退订过", "el interés es alto",
     "pago para el viernes", "please don't stop the autopay", "bus stop", "make ends meet is hard"],
)  # fmt: skip
def test_a_stop_word_that_means_something_else_does_not_stop(text: str) -> None:
    assert not reading(text).must_stop


@pytest.mark.parametrize(
    "text",
    ["Lose. My. Number.", "bin my number", "i'll block you if you don't stop", "you've been blocked", "give it a rest with the reminders",
     "plz sto txting me", "me pueden sacar de la lista?", "menos mensajes, estoy harta", "TDTD", "可以放过我吗 一直传"],
)  # fmt: skip
def test_a_refusal_in_less_usual_words_must_stop(text: str) -> None:
    assert reading(text).must_stop


@pytest.mark.parametrize(
    "text",
    ["take the payment from my card today", "no dejen de avisarme por favor", "dejen de cobrarme de más", "voy a la parada del bus",
     "别停提醒，挺有用的", "I never asked you to stop emailing me", "estoy parado sin trabajo", "don't stop the reminders, they help"],
)  # fmt: skip
def test_ending_something_other_than_contact_does_not_stop(text: str) -> None:
    assert not reading(text).must_stop


@pytest.mark.parametrize(
    ("text", "day"),
    [("a week from tuesday", "2026-03-24"), ("the last friday of the month", "2026-03-27"), ("by eod", "2026-03-11"), ("friday next week", "2026-03-20"),
     ("twenty first of march", "2026-03-21"), ("el quince de abril", "2026-04-15"), ("de hoy en ocho", "2026-03-18"), ("15", "2026-03-15"),
     ("10 days", "2026-03-21"), ("sometime in may", None), ("a primeros de mes", None), ("31 of april", None)],
)  # fmt: skip
def test_a_day_that_was_asked_for_is_read_however_it_is_said(text: str, day: str | None) -> None:
    found = reading(text, awaiting=Awaiting.PROMISE_DATE)
    assert (found.on and found.on.isoformat()) == day


@pytest.mark.parametrize(
    ("text", "minor", "count"),
    [("I can pay 40 a week starting friday", 4000, None), ("twice a month 30 each", 3000, None), ("5 x $20?", 2000, 5),
     ("fifty dollars a week for ten weeks", 5000, 10), ("分十二期每期200", 20000, 12), ("6 mensualidades de 250", 25000, 6)],
)  # fmt: skip
def test_parts_are_read_with_what_each_is_and_how_many(text: str, minor: int, count: int | None) -> None:
    found = reading(text)
    assert (found.intent, found.amount_minor, found.count) == (Intent.INSTALLMENTS, minor, count)


@pytest.mark.parametrize("text", ["press 1", "Reply 1", "oprimo 1", "按1"])
def test_a_promised_key_counts_when_its_pressing_is_told(text: str) -> None:
    assert reading(text, keys={"1": Intent.PAY_NOW}).intent is Intent.PAY_NOW


@pytest.mark.parametrize("text", ["Kind regards, Bill", "the starting date", "from my remote office"])
def test_true_words_are_not_taken_for_typos(text: str) -> None:
    assert not {Intent.ABUSIVE, Intent.HARDSHIP, Intent.STOP} & set(reading(text).intents)


def test_an_answer_may_be_put_together_from_several() -> None:
    asked = {"awaiting": Awaiting.CONFIRMATION}
    assert reading("hold on, not yet", **asked).intent is Intent.CONFIRM_NO
    assert reading("um yes that is correct", **asked).intent is Intent.CONFIRM_YES
    assert reading("thank you!").intent is Intent.CHIT_CHAT


def test_an_unclear_possible_stop_stops_with_low_confidence() -> None:
    found = reading("I'll stop by Friday")
    assert found.must_stop
    assert found.confidence <= 0.6


def test_a_named_channel_limits_the_refusal_and_none_named_covers_all() -> None:
    assert reading("stop calling me").stop_channels == ("voice", "ivr")
    assert reading("STOP").stop_channels == ("sms", "email", "voice", "ivr")


@pytest.mark.parametrize(
    ("text", "awaiting", "intent"),
    [
        ("yes", None, Intent.CONFIRM_YES),
        ("yes", Awaiting.OPT_IN, Intent.START),
        ("好的", Awaiting.OPT_IN, Intent.START),
        ("sí", Awaiting.CONFIRMATION, Intent.CONFIRM_YES),
        ("ok", None, Intent.CHIT_CHAT),
        ("2", None, Intent.UNCLEAR),
        ("2", Awaiting.CONFIRMATION, Intent.UNCLEAR),
        ("2", Awaiting.OFFER_CHOICE, Intent.CHOOSE_OPTION),
        ("9", Awaiting.OFFER_CHOICE, Intent.UNCLEAR),
    ],
)
def test_what_was_asked_decides_a_bare_answer(text: str, awaiting: Awaiting | None, intent: Intent) -> None:
    offers = OFFERS if awaiting is Awaiting.OFFER_CHOICE else ()
    assert reading(text, awaiting=awaiting, offers=offers).intent is intent


def test_a_key_means_what_the_last_prompt_promised() -> None:
    found = reading("r", keys={"R": Intent.STOP})
    assert found.must_stop
    assert reading("1", keys={"1": Intent.CONFIRM_YES}).intent is Intent.CONFIRM_YES


def test_the_safest_intent_acts_first_and_the_rest_are_kept() -> None:
    found = reading("wrong number, stop texting me")
    assert found.intents[:2] == (Intent.STOP, Intent.WRONG_PARTY)
    assert reading("I lost my job and want a payment plan").intents[0] is Intent.HARDSHIP


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fri", "2026-03-13"), ("the 15th", "2026-03-15"), ("mañana", "2026-03-12"), ("dentro de 3 días", "2026-03-14"),
        ("下周五", "2026-03-20"), ("月底", "2026-03-31"), ("15号发工资", "2026-03-15"), ("后天", "2026-03-13"), ("feb 30", None),
        ("the 32nd", None), ("next week", None), ("in a few days", None), ("Friday or Monday", None), ("31 de abril", None),
        ("the 5th", "2026-04-05"), ("next friday", "2026-03-20"), ("in two weeks", "2026-03-25"), ("三天后", "2026-03-14"),
    ],
)  # fmt: skip
def test_dates_are_the_borrowers_and_never_guessed(text: str, expected: str | None) -> None:
    found = reading(f"{text}")
    assert (found.on.isoformat() if found.on else None) == expected


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("I can pay $40", "USD", (4000, "USD")), ("40 usd", "USD", (4000, "USD")), ("还300块", "CNY", (30000, "CNY")),
        ("pago 1.200,50 €", "EUR", (120050, "EUR")), ("£20 a month", "GBP", (2000, "GBP")), ("pago $500", "MXN", (50000, "MXN")),
        ("转你三百五", "CNY", (35000, "CNY")), ("1,200.50 dollars", "USD", (120050, "USD")), ("$10 or $20", "USD", None),
        ("5000円", "JPY", (5000, "JPY")), ("kwd 1.250", "KWD", (1250, "KWD")), ("I owe $600 but can pay $40", "USD", (4000, "USD")),
    ],
)  # fmt: skip
def test_amounts_are_exact_minor_units(text: str, currency: str, expected: tuple[int, str] | None) -> None:
    found = reading(text, currency=currency)
    assert ((found.amount_minor, found.currency) if found.amount_minor else None) == expected


@pytest.mark.parametrize(
    ("text", "count"), [("in 3 payments", 3), ("3 cuotas", 3), ("分3期", 3), ("分三期", 3), ("split into four", 4)]
)
def test_numbers_of_installments(text: str, count: int) -> None:
    assert reading(text).count == count


def test_quoted_mail_is_not_the_borrowers_words() -> None:
    mail = "I already paid\n\nOn Tue, Mar 10, 2026 at 9:00 AM Lender <a@example.com> wrote:\n> Reply STOP to opt out\n"
    found = read(mail, channel="email", ref_date=WEDNESDAY)
    assert found.intents == (Intent.ALREADY_PAID,)


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("no more texts, email me instead", ("sms",)),
        ("you can text me but do not call", ("voice", "ivr")),
        ("dejen de llamarme, mejor por correo", ("voice", "ivr")),
        ("短信不要发了，有事打电话", ("sms",)),
        ("唔好再打俾我", ("voice", "ivr")),
        ("不要再傳簡訊了", ("sms",)),
        ("do not call or text me again", ("sms", "email", "voice", "ivr")),
        ("quit emailing me", ("email",)),
        ("no more messages", ("sms", "email", "voice", "ivr")),
    ],
)
def test_a_partial_refusal_covers_what_it_names_and_not_what_it_offers_instead(
    text: str, channels: tuple[str, ...]
) -> None:
    assert reading(text).stop_channels == channels


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("唔好再煩我", Intent.STOP), ("冇錢", Intent.HARDSHIP), ("佢已經過咗身", Intent.DECEASED), ("你打錯咗", Intent.WRONG_PARTY),
        ("我要申訴", Intent.COMPLAINT), ("被資遣了", Intent.HARDSHIP), ("這是詐騙嗎", Intent.HELP), ("我已經繳了", Intent.ALREADY_PAID),
        ("過咗數啦", Intent.ALREADY_PAID), ("我被冒名貸款", Intent.DISPUTE),
    ],
)  # fmt: skip
def test_traditional_characters_and_dialect_read_like_the_rest(text: str, intent: Intent) -> None:
    assert reading(text, lang="zh").intent is intent


@pytest.mark.parametrize(
    ("text", "safest", "rest"),
    [
        ("this is not my debt, talk to my lawyer", Intent.ATTORNEY, Intent.DISPUTE),
        ("I lost my job, can I pay 20 a week", Intent.HARDSHIP, Intent.INSTALLMENTS),
        ("filed chapter 7, stop calling", Intent.STOP, Intent.BANKRUPTCY),
        ("my dad passed away, you have the wrong person", Intent.WRONG_PARTY, Intent.DECEASED),
    ],
)
def test_what_is_safest_acts_first_and_the_rest_is_kept(text: str, safest: Intent, rest: Intent) -> None:
    found = reading(text)
    assert found.intent is safest
    assert rest in found.also
    assert found.must_pause


@given(st.text(max_size=300))
def test_any_text_gives_a_reading(text: str) -> None:
    found = reading(text)
    assert 0 <= found.confidence <= 1
    assert found.must_stop == bool(found.stop_channels)


_ODD = st.text(
    st.sampled_from(
        "stop停退订no más ñ¿?!.,0123456789/年月号日周五二$€£¥\u200b\ufe0f\U0001f6d1 ＳＴＯＰ下个半百千万feb30th"
    ),
    max_size=60,
)


@given(_ODD, st.sampled_from([*Awaiting, None]), st.sampled_from(["sms", "email"]))
def test_text_made_of_the_readers_own_words_gives_a_real_day_and_a_whole_amount(
    text: str, awaiting: Awaiting | None, channel: str
) -> None:
    found = read(text, channel=channel, ref_date=WEDNESDAY, default_currency="USD", context=ReplyContext(awaiting))
    assert found.on is None or date(1990, 1, 1) < found.on < date(2100, 1, 1)
    assert found.amount_minor is None or found.amount_minor > 0
    assert (found.amount_minor is None) == (found.currency is None)
    assert found.intent is not Intent.START or awaiting is Awaiting.OPT_IN or "opt-in" not in found.explanation


@given(
    st.sampled_from(["STOP", "stop", "Stop", "StOp", "ＳＴＯＰ", "退订", "退訂", "ALTO", "baja", "unsubscribe"]),
    st.sampled_from(["", " ", ".", "!!!", " please", " 🙏", "\n", "…"]),
    st.sampled_from([*Awaiting, None]),
    st.sampled_from(["en", "es", "zh", None]),
    st.sampled_from(["sms", "email", "portal", "ivr"]),
)
def test_a_stop_word_alone_stops_whatever_was_asked_and_wherever(
    word: str, after: str, awaiting: Awaiting | None, lang: str | None, channel: str
) -> None:
    assert read(word + after, lang=lang, channel=channel, context=ReplyContext(awaiting)).must_stop


@given(st.lists(st.sampled_from(["STOP", "Pay $40 by Friday", "unsubscribe", "I filed chapter 7"]), max_size=4))
def test_quoted_lines_change_nothing(quoted: list[str]) -> None:
    own = "I will pay $60 on Monday."
    mail = own + "\n\nOn Tue, Mar 10, 2026 at 9:00 AM Lender <a@example.com> wrote:\n"
    mail += "".join(f"> {line}\n" for line in quoted)
    assert read(mail, channel="email", ref_date=WEDNESDAY, default_currency="USD") == read(
        own, channel="email", ref_date=WEDNESDAY, default_currency="USD"
    )


def test_a_yes_opts_in_only_when_that_was_asked() -> None:
    said = ["yes", "sí", "好的", "ok", "Y", "dale", "係"]
    assert {reading(text, awaiting=awaiting).intent for text in said for awaiting in (None, *Awaiting)
            if awaiting is not Awaiting.OPT_IN}.isdisjoint({Intent.START})  # fmt: skip
    assert {reading(text, awaiting=Awaiting.OPT_IN).intent for text in said} == {Intent.START}


def test_a_bad_line_becomes_an_error_line_and_the_rest_go_on() -> None:
    lines = [
        b'{"id": 1, "text": "STOP"}',
        b"{",
        b'{"id": 3, "text": 4}',
        b'{"id": 4, "text": "x", "channel": "fax"}',
        b"",
    ]
    answers = [orjson.loads(line) for line in parse_lines(lines)]
    assert answers[0]["must_stop"] is True
    assert [answer["error"]["field"] for answer in answers[1:]] == ["", "text", "channel"]
    assert answers[1]["line"] == 2


def test_a_typo_in_the_rules_is_reported_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "en.yaml"
    path.write_text(
        "language: en\nintents:\n  stop:\n    phrase: [stop]\n  halt:\n    whole: [x]\n  help:\n    whole: ['(a']\n"
    )
    with pytest.raises(ConfigError) as failure:
        load_language(path)
    places = [(problem.line, problem.field) for problem in failure.value.problems]
    assert (4, "intents.stop.phrase") in places
    assert (6, "intents.halt") in places or (5, "intents.halt") in places
    assert (8, "intents.help.whole[0]") in places


@pytest.mark.parametrize("text", ["That's not right", "no, incorrect", "eso está mal", "不对"])
def test_a_bare_no_to_what_was_read_back_disputes_no_debt(text: str) -> None:
    reading = read(text, context=ReplyContext(awaiting=Awaiting.CONFIRMATION))
    assert (reading.intent, reading.also) == (Intent.CONFIRM_NO, ())


def test_small_talk_written_down_as_such_is_no_insult() -> None:
    assert read("you're welcome").intent is Intent.CHIT_CHAT
