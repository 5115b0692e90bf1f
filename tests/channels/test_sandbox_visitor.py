"""Scripted people who follow a link: what they find on a page, what they fill in, and where they stop."""

import pytest

from channels.sandbox.dialogue import Exchange, react
from channels.sandbox.people import Profile
from channels.sandbox.visitor import Page, link_in, next_form

DOOR = """<form method="post" action="/p/x/identify"><input type="hidden" name="proof" value="p1">
<input id="birth_year" name="birth_year"><input name="postcode"><button>Continue</button></form>"""
OFFERS = """<a href="/p/x/plan">again</a>
<form action="/p/x/plan"><input type="hidden" name="count" value="2"><button name="do" value="choose">A</button></form>
<form action="/p/x/plan"><input type="hidden" name="count" value="3"><button name="do" value="choose">B</button></form>
<form action="/p/x/plan"><input name="count" value="2"><button name="do" value="show">Show</button></form>"""
CHECK = """<form action="/p/x/check"><input type="hidden" name="shown" value="s1"><button>Yes</button></form>
<form action="/p/x/leave"><input type="hidden" name="proof" value="p1"><button>Leave</button></form>"""
KNOWN = {"birth_year": "1984", "postcode": "10007"}


def test_the_link_of_the_system_is_found_among_others_and_without_the_words_around_it() -> None:
    words = "Pay: https://pay.example.com/us Your page: http://127.0.0.1:80/p/abc-_1. Reply STOP"
    assert link_in(words, "http://127.0.0.1:80/v1/callbacks/sms") == "http://127.0.0.1:80/p/abc-_1"
    assert link_in("Pay: https://pay.example.com/us", "http://127.0.0.1:80/v1/callbacks/sms") is None


def test_who_is_asked_answers_what_they_know_and_keeps_what_the_form_held() -> None:
    found = next_form(Page(DOOR), KNOWN, 1)
    assert found is not None
    assert (found[0].action, found[1]) == ("/p/x/identify", {"proof": "p1"} | KNOWN)


def test_who_does_not_know_an_answer_fills_nothing_in() -> None:
    assert next_form(Page(DOOR), {"birth_year": "1984"}, 1) is None


@pytest.mark.parametrize(("chooses", "count"), [(1, "2"), (2, "3"), (9, "3")])
def test_the_offer_they_choose_is_posted_by_its_own_button(chooses: int, count: str) -> None:
    found = next_form(Page(OFFERS), KNOWN, chooses)
    assert found is not None
    assert found[1] == {"count": count, "do": "choose"}


def test_the_plan_read_back_is_confirmed_and_nobody_signs_out_by_accident() -> None:
    found = next_form(Page(CHECK), KNOWN, 1)
    assert found is not None
    assert (found[0].action, found[1]) == ("/p/x/check", {"shown": "s1"})
    assert next_form(Page(CHECK.splitlines()[1]), KNOWN, 1) is None


def test_a_profile_says_which_offer_is_taken_by_text() -> None:
    opened = Exchange(opened=True)
    offered = "Reply with the number:\n1) 2 x $10\n2) 3 x $7\n3) 4 x $5"
    taken = [react("installments", opened, offered, ready=True, chooses=each) for each in (None, 1, 3, 7)]
    assert [turn and turn.literal for turn in taken] == ["2", "1", "3", "1"]


def test_a_profile_holds_what_its_person_answers_when_asked_who_they_are() -> None:
    profile = Profile.parse({"sms": "portal", "birth_year": 1984, "postcode": "10007", "chooses": 2}, "profile")
    assert (profile.birth_year, profile.postcode, profile.account_last4, profile.chooses) == (1984, "10007", None, 2)
