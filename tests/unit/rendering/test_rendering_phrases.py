"""Phrases are found however they are typed, and only where they stand as words."""

import string
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.rendering.catalog import Catalog
from outreach.rendering.forbidden import families
from outreach.rendering.phrases import PhraseBook, normal, read_phrase


def found(phrase: str, text: str) -> bool:
    return bool(PhraseBook([read_phrase("family", "en", phrase)]).find(text))


@pytest.mark.parametrize(
    "text",
    [
        "You will be arrested.",
        "YOU WILL BE ARRESTED",
        "arrest",
        "Ａｒｒｅｓｔ warrant",
        "ar\u200brest",
        "árrest",
        "we may ask for your arrest, today",
    ],
)
def test_case_width_accents_and_invisible_characters_hide_nothing(text: str) -> None:
    assert found("arrest*", text)


@pytest.mark.parametrize("text", ["Please rest.", "A caress", "unarrested", ""])
def test_a_word_is_found_only_as_a_word(text: str) -> None:
    assert not found("arrest*", text)


def test_alternatives_gaps_and_apostrophes() -> None:
    assert found("your employer/boss", "We will write to YOUR   BOSS.")
    assert not found("your employer/boss", "your bosses")
    assert found("within ... hours", "within the next 24 hours")
    assert not found("within ... hours", "within reason. Our hours are 9 to 5")
    assert not found("within ... hours", "within one two three four hours")
    assert found("why havent you", "Why haven’t you paid?")


def test_chinese_is_found_in_either_script_however_it_is_spaced(catalog: Catalog) -> None:
    for text in ("我们将起诉您", "我們將起訴您", "我们将起 诉您", "我們將　起訴　您"):
        assert {family for family, _ in families(catalog.lists, text, "zh")} == {"legal_threat"}


def test_words_of_a_language_without_lists_are_held_against_all_of_them(catalog: Catalog) -> None:
    assert families(catalog.lists, "Vous serez arrested", "fr")
    assert families(catalog.lists, "逮捕", "")


@pytest.mark.parametrize(
    ("family", "language", "text"),
    [
        ("authority_posing", "en", "This is the Police Department."),
        ("authority_posing", "es", "Le escribe la Fiscalía."),
        ("authority_posing", "zh", "這裡是檢察院"),
        ("arrest_threat", "en", "You could go to JAIL"),
        ("arrest_threat", "es", "irá a la cárcel"),
        ("arrest_threat", "zh", "您将被拘留"),
        ("legal_threat", "en", "We will sue you."),
        ("legal_threat", "es", "Habrá una demanda en su contra."),
        ("legal_threat", "zh", "承担法律后果"),
        ("credit_blacklist_threat", "en", "You will be black listed"),
        ("credit_blacklist_threat", "es", "lo pondremos en la lista negra"),
        ("credit_blacklist_threat", "zh", "列入黑名單"),
        ("tell_others_threat", "en", "we will call your family"),
        ("tell_others_threat", "es", "llamaremos a sus vecinos"),
        ("tell_others_threat", "zh", "联系您的紧急联系人"),
        ("insult", "en", "Don't be a deadbeat"),
        ("insult", "es", "usted es moroso"),
        ("insult", "zh", "無恥"),
        ("publish_threat", "en", "we will make this debt public"),
        ("publish_threat", "es", "en redes sociales"),
        ("publish_threat", "zh", "将予以曝光"),
        ("new_loan_push", "en", "Ask about a new loan"),
        ("new_loan_push", "es", "le ofrecemos otro préstamo"),
        ("new_loan_push", "zh", "可以借新還舊"),
        ("private_account_payment", "en", "Send it to my personal account"),
        ("private_account_payment", "es", "pague a mi cuenta"),
        ("private_account_payment", "zh", "转到个人账户"),
        ("overstated_sum", "en", "plus late fees"),
        ("overstated_sum", "es", "más intereses moratorios"),
        ("overstated_sum", "zh", "加收違約金"),
        ("false_deadline", "en", "Pay within 24 hours or we will act"),
        ("false_deadline", "es", "dentro de las próximas 24 horas"),
        ("false_deadline", "zh", "请在24小时内还款"),
        ("pressure", "en", "FINAL NOTICE"),
        ("pressure", "es", "último aviso"),
        ("pressure", "zh", "請立即還款"),
        ("parcel_lure", "en", "Your parcel is waiting"),
        ("parcel_lure", "es", "su paquete le espera"),
        ("parcel_lure", "zh", "您有快递"),
        ("asks_why_unpaid", "en", "Why have you not paid?"),
        ("asks_why_unpaid", "es", "¿Por qué no ha pagado?"),
        ("asks_why_unpaid", "zh", "您為什麼還沒還"),
    ],
)
def test_each_family_is_found_in_each_language_with_the_phrase_that_matched(
    catalog: Catalog, family: str, language: str, text: str
) -> None:
    hits = dict(families(catalog.lists, text, language))
    assert family in hits
    assert hits[family].split(":")[0] in {language, "zh-Hant"}


def test_every_family_has_words_in_every_language_and_says_what_bars_it(catalog: Catalog) -> None:
    assert len(catalog.lists.families) >= 14
    for family in catalog.lists.families.values():
        assert family.sources
        assert family.says.endswith(".")
        assert family.name in catalog.lists.why(family.name)


@pytest.mark.parametrize("phrase", ["... arrest", "arrest ...", "ar*", "your /boss", "", "a..b"])
def test_a_phrase_that_cannot_be_read_says_so(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_phrase("family", "en", phrase)


_TYPED = st.sampled_from([str.upper, str.title, lambda text: unicodedata.normalize("NFD", text)])


@given(st.text(string.ascii_letters + string.digits + " ", max_size=60))
def test_full_width_and_upper_case_compare_alike(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if c != " " else "\u3000" for c in text.upper())
    assert normal(wide) == normal(text)


@given(st.text(max_size=40), st.text(max_size=40), _TYPED)
def test_a_threat_is_found_wherever_it_stands(before: str, after: str, typed: Callable[[str], str]) -> None:
    assert found("go to jail", f"{before} . {typed('go to jail')} . {after}")
