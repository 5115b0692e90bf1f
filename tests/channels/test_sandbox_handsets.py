"""The handsets' pages over real HTTP: what was sent is seen, what a person answers by hand reaches the other side."""

import asyncio
import re
import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import unescape
from typing import Any, Self

import httpx
import pytest
from sandbox_listener import Listener, Seen, read_by_adapter, twilio_client
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.contract import Reply
from channels.email.bounces import read_mail
from channels.email.findings import MailKind, Reason
from channels.sandbox.client import Entry, Sandbox
from channels.sandbox.deliveries import mail_signature
from channels.sandbox.guard import Guard
from channels.sandbox.hand import Hand
from channels.sandbox.handsets import Handsets, Letter
from channels.sandbox.http import Request
from channels.sandbox.listener import Given

PERSON, SENDER, MAILBOX = "+12025550143", "+12025550100", "alex@example.com"
EVIL = "<script>alert('x')</script> & \"so\""
FAST = {"sent_seconds": 0, "delivered_seconds": 0, "ring_seconds": 0, "minute_seconds": 0}


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    script = {
        "numbers": [SENDER], "timing": FAST, "inbound": {"voice": f"{listener.url}/call/in"},
        "patterns": [{"match": "*", "temperament": "silent"}],
    }  # fmt: skip
    with Sandbox(callback_base=listener.url, script=script) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    return running


class Page:
    """A browser without scripts: it looks at pages and sends the forms it finds there."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._http = httpx.Client(base_url=sandbox.http_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def look(self, path: str = "/handsets") -> httpx.Response:
        return self._http.get(path)

    def proof(self) -> str:
        return re.findall(r'name="proof" value="([^"]+)"', self.look().text)[0]

    def send(self, path: str, **fields: str) -> httpx.Response:
        return self._http.post(path, data={"proof": self.proof(), **fields})

    def take(self, address: str) -> str:
        """Open a handset and return where it is."""
        answer = self.send("/handsets/open", address=address)
        assert answer.status_code == 303
        return answer.headers["location"].partition("#")[0]

    def of(self, address: str) -> str:
        """Find the one handset of an address and return where it is."""
        return self.send("/handsets", find=address).headers["location"].partition("#")[0]


@pytest.fixture
def page(sandbox: Sandbox) -> Iterator[Page]:
    with Page(sandbox) as opened:
        yield opened


def text(sandbox: Sandbox, body: str = "Hello", **more: Any) -> Any:
    sent = twilio_client(sandbox).messages.create(**({"to": PERSON, "from_": SENDER, "body": body} | more))
    sandbox.client.wait_idle()
    return sent


def mail(sandbox: Sandbox, html: str, subject: str = "A note", **more: str) -> None:
    made = EmailMessage()
    for name, value in more.items():
        made[name] = value
    made["From"], made["To"], made["Subject"] = "Example Bank <pay@bank.example.com>", MAILBOX, subject
    made["Reply-To"], made["Message-ID"] = "reply+tok@bank.example.com", "<one@bank.example.com>"
    made.set_content("The plain part")
    made.add_alternative(html, subtype="html")
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as smtp:
        smtp.send_message(made, from_addr="bounce+tok@bank.example.com")


def state_of(sandbox: Sandbox, sid: str) -> str:
    return str(twilio_client(sandbox).messages(sid).fetch().status)


def wait_for_entry(sandbox: Sandbox, kind: str, count: int = 1) -> list[Entry]:
    """Wait until the carrier's log holds ``count`` entries of a kind."""
    after = 0
    while True:
        entries = list(sandbox.client.log())
        found = [entry for entry in entries if entry["kind"] == kind]
        if len(found) >= count:
            return found
        assert after < 2_000, f"{len(found)} of {count} {kind}"
        after += 1


def test_what_was_sent_is_on_the_page_as_text(sandbox: Sandbox, page: Page) -> None:
    text(sandbox, EVIL)
    listed, shown = page.look().text, page.look(page.of(PERSON)).text
    for html in (listed, shown):
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html
        assert html.count("<script") == 1  # ours
    assert f"from {SENDER}, delivered" in shown


def test_a_link_in_a_text_can_be_followed_and_carries_nothing_else(sandbox: Sandbox, page: Page) -> None:
    text(sandbox, 'Pay: https://pay.example.com/a?x=1&y="2". Thanks')
    shown = page.look(page.of(PERSON)).text
    assert '<a href="https://pay.example.com/a?x=1&amp;y=" target="_blank" rel="noopener noreferrer">' in shown


@pytest.mark.parametrize("path", ["/handsets", "/handsets/999999", "/handsets/open/away"])
def test_every_page_forbids_whatever_it_does_not_need(sandbox: Sandbox, page: Page, path: str) -> None:
    answer = page.look(path)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "form-action", "connect-src")} == {"'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "http" not in re.sub(r'"http-equiv"', "", answer.text)  # nothing is asked of another place


def test_html_of_a_mail_is_in_a_closed_frame_and_nowhere_else(sandbox: Sandbox, page: Page) -> None:
    evil = '<p style="color:red">Pay "now"</p><img src="https://track.example.com/1.gif"><script>alert(1)</script>'
    mail(sandbox, evil, subject=EVIL)
    answer = page.look(page.of(MAILBOX))
    (frame,) = re.findall(r"<iframe ([^>]*)></iframe>", answer.text)
    assert re.match(r"sandbox title=", frame)  # every right withheld
    assert evil in unescape(re.findall(r'srcdoc="([^"]*)"', frame)[0])
    assert "<script>alert" not in answer.text
    assert "The plain part" in answer.text
    assert "from pay@bank.example.com" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self' 'unsafe-inline';" in policy


def test_an_answer_by_hand_reaches_the_other_side_as_twilio_signs_it(
    sandbox: Sandbox, page: Page, listener: Listener
) -> None:
    text(sandbox)
    assert page.send(f"{page.of(PERSON)}/text", to=SENDER, words="I can pay\r\non Friday ✓").status_code == 303
    (seen,) = listener.wait_for(1, "/v1/callbacks/sms")
    assert (seen.form["From"], seen.form["To"], seen.form["Body"]) == (PERSON, SENDER, "I can pay\non Friday ✓")
    assert RequestValidator(sandbox.auth_token).validate(seen.url, seen.form, seen.headers["x-twilio-signature"])
    (reply,) = read_by_adapter(seen, listener, sandbox)
    assert isinstance(reply, Reply)
    sandbox.client.wait_idle()
    assert f"to {SENDER}, taken" in page.look(page.of(PERSON)).text


def test_an_answer_that_is_turned_away_is_marked(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    listener.answers = lambda _: (403, b"")
    page.send(f"{page.take(PERSON)}/text", to=SENDER, words="Hello")
    sandbox.client.wait_idle()
    assert "turned away (HTTP 403)" in page.look(page.of(PERSON)).text


def test_a_mail_answered_by_hand_is_a_signed_reply_to_it(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    mail(sandbox, "<p>Hello</p>")
    here = page.of(MAILBOX)
    (key,) = re.findall(r'<option value="([^"]+)"', page.look(here).text)
    assert page.send(f"{here}/mail", answers=unescape(key), words="I will pay on Friday").status_code == 303
    (seen,) = listener.wait_for(1, "/v1/inbound/email")
    epoch = int(re.findall(r"t=(\d+)", seen.headers["x-outreach-signature"])[0])
    assert seen.headers["x-outreach-signature"] == mail_signature(sandbox.inbound_secret, epoch, seen.body)
    raw = seen.body.decode()
    for line in ("To: reply+tok@bank.example.com", "In-Reply-To: <one@bank.example.com>", "Subject: Re: A note"):
        assert f"{line}\r\n" in raw
    assert "I will pay on Friday" in raw
    assert "> The plain part" in raw


def test_a_mail_reported_as_junk_becomes_a_complaint_that_the_intake_understands(
    sandbox: Sandbox, page: Page, listener: Listener
) -> None:
    mail(sandbox, "<p>Hello</p>")
    here = page.of(MAILBOX)
    assert page.send(f"{here}/junk", item=key_of_mail(page, here)).status_code == 303
    (seen,) = listener.wait_for(1, "/v1/inbound/email")
    (found,) = read_mail(seen.body)
    assert (found.kind, found.recipient, found.reason) == (MailKind.COMPLAINT, MAILBOX, Reason.ABUSE)
    assert b"To: bounce+tok@bank.example.com" in seen.body
    sandbox.client.wait_idle()
    assert "You reported a mail as junk, taken" in page.look(here).text


def test_one_click_unsubscribe_is_posted_as_mail_programs_do(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    offer = {"List-Unsubscribe": f"<{listener.url}/v1/unsubscribe/tok>",
             "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}  # fmt: skip
    mail(sandbox, "<p>Hello</p>", **offer)
    here = page.of(MAILBOX)
    assert page.send(f"{here}/unsubscribe", item=key_of_mail(page, here)).status_code == 303
    (seen,) = listener.wait_for(1, "/v1/unsubscribe/tok")
    assert (seen.body, seen.headers["content-type"]) == (
        b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded",
    )  # fmt: skip


def test_a_mail_that_offers_no_one_click_has_no_button_for_it(sandbox: Sandbox, page: Page) -> None:
    mail(sandbox, "<p>Hello</p>", **{"List-Unsubscribe": "<https://bank.example.com/u>"})
    here = page.of(MAILBOX)
    assert "/unsubscribe" not in page.look(here).text
    assert page.send(f"{here}/unsubscribe", item=key_of_mail(page, here)).status_code == 400


def key_of_mail(page: Page, here: str) -> str:
    return unescape(re.findall(r'<option value="([^"]+)"', page.look(here).text)[0])


def test_the_script_answers_until_a_person_writes_and_never_after(
    sandbox: Sandbox, page: Page, listener: Listener
) -> None:
    sandbox.client.profile({PERSON: {"temperament": "help", "says": "HELP from the script", "delay_minutes": 0}})
    text(sandbox)
    listener.wait_for(1, "/v1/callbacks/sms")
    here = page.of(PERSON)
    page.send(f"{here}/text", to=SENDER, words="Me again")
    listener.wait_for(2, "/v1/callbacks/sms")
    sandbox.client.profile({PERSON: {"temperament": "stop", "says": "STOP from the script", "delay_minutes": 0}})
    text(sandbox, "And now?")
    sandbox.client.wait_idle()
    assert [f["Body"] for f in listener.forms("/v1/callbacks/sms")] == ["HELP from the script", "Me again"]
    assert "You answer for it" in page.look(here).text


def test_what_the_script_had_planned_is_not_said_once_a_person_writes(sandbox: Sandbox, listener: Listener) -> None:
    profile = {"temperament": "promise", "says": "too late", "delay_minutes": 5}
    script = {"numbers": [SENDER], "timing": FAST | {"minute_seconds": 60}, "profiles": {PERSON: profile}}
    start = datetime(2026, 3, 2, 15, tzinfo=UTC)
    with Sandbox(callback_base=listener.url, script=script, start=start) as stepped, Page(stepped) as page:
        text(stepped)
        assert stepped.client.state().next_at is not None
        page.send(f"{page.of(PERSON)}/text", to=SENDER, words="First")
        stepped.client.set_clock(start + timedelta(hours=1))
        stepped.client.wait_idle()
        assert [form["Body"] for form in listener.forms("/v1/callbacks/sms")] == ["First"]


def test_a_handset_given_back_is_answered_by_the_script_again(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    here = page.take(PERSON)
    page.send(f"{here}/hold", on="yes")
    assert "You answer for it" in page.look(here).text
    page.send(f"{here}/hold", on="no")
    sandbox.client.profile({PERSON: {"temperament": "chatter", "says": "who is this", "delay_minutes": 0}})
    text(sandbox)
    assert listener.wait_for(1, "/v1/callbacks/sms")[0].form["Body"] == "who is this"


@pytest.mark.parametrize(("switch", "status", "code"), [("off", "undelivered", 30003), ("gone", "undelivered", 30005)])
def test_a_handset_can_be_switched_off(sandbox: Sandbox, page: Page, switch: str, status: str, code: int) -> None:
    here = page.take(PERSON)
    page.send(f"{here}/switch", to=switch)
    found = twilio_client(sandbox).messages(text(sandbox).sid).fetch()
    assert (found.status, found.error_code) == (status, code)
    assert f"not delivered (error {code})" in page.look(here).text
    page.send(f"{here}/switch", to="script")
    assert state_of(sandbox, text(sandbox).sid) == "delivered"


def test_a_mailbox_can_be_full_and_be_emptied(sandbox: Sandbox, page: Page) -> None:
    here = page.take(MAILBOX)
    page.send(f"{here}/switch", to="full")
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="452"):
        mail(sandbox, "<p>x</p>")
    assert "the mailbox is full (452)" in page.look(here).text
    page.send(f"{here}/switch", to="on")
    mail(sandbox, "<p>x</p>")
    assert "The plain part" in page.look(here).text


@pytest.mark.parametrize(("said", "code"), [("delivered", None), ("undelivered", 30007)])
def test_delivery_can_be_said_by_hand(
    sandbox: Sandbox, page: Page, listener: Listener, said: str, code: int | None
) -> None:
    here = page.take(PERSON)
    page.send(f"{here}/switch", to="held")
    sid = text(sandbox, status_callback=f"{listener.url}/status?t=abc").sid
    assert "sent, not yet delivered" in page.look(here).text
    assert page.send(f"{here}/confirm", item=sid, status=said, code=str(code or "")).status_code == 303
    sandbox.client.wait_idle()
    form = listener.forms("/status")[-1]
    assert (form["MessageStatus"], form.get("ErrorCode")) == (said, str(code) if code else None)
    again = page.send(f"{here}/confirm", item=sid, status="delivered", code="")
    assert (again.status_code, "story is over" in again.text) == (400, True)
    assert len(listener.forms("/status")) == 2


def ask(words: str, action: str, **gather: Any) -> tuple[int, bytes]:
    response = VoiceResponse()
    question = Gather(action=action, **({"num_digits": 4, "timeout": 5} | gather))
    question.say(words)
    response.append(question)
    return 200, str(response).encode()


def turns(seen: Seen) -> tuple[int, bytes]:
    """Ask for a year, then what to do, and say goodbye."""
    if seen.path.endswith(("/start", "/in")):
        return ask("Your year of birth?", "/call/year")
    if seen.path.endswith("/year"):
        return ask(f"{seen.form['Digits']}, thank you. What shall we do?", "/call/wish", input="dtmf speech")
    if seen.path.endswith("/wish"):
        heard = seen.form.get("SpeechResult") or seen.form["Digits"]
        return 200, f"<Response><Say>We heard {heard}.</Say></Response>".encode()
    return 204, b""


def ring(sandbox: Sandbox, page: Page, listener: Listener) -> tuple[str, str]:
    """Take a handset, have it rung, and return where it is and the call's SID."""
    listener.answers = turns
    here = page.take(PERSON)
    page.send(f"{here}/hold", on="yes")
    made = twilio_client(sandbox).calls.create(
        to=PERSON, from_=SENDER, url=f"{listener.url}/call/start", status_callback=f"{listener.url}/status"
    )
    sid = str(made.sid)
    while "ringing" not in page.look(here).text:
        assert str(twilio_client(sandbox).calls(sid).fetch().status) in {"queued", "ringing"}
    return here, sid


def test_keys_pressed_by_hand_move_a_call(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    here, sid = ring(sandbox, page, listener)
    page.send(f"{here}/ring", item=sid, what="answer")
    listener.wait_for(1, "/call/start")
    wait_for_entry(sandbox, "call_said", 1)
    for key in "1984":  # one by one, as on a keypad
        assert page.send(f"{here}/press", item=sid, key=key).status_code == 303
    assert listener.wait_for(1, "/call/year")[0].form["Digits"] == "1984"
    wait_for_entry(sandbox, "call_said", 2)
    assert page.send(f"{here}/speak", item=sid, words="a payment plan").status_code == 303
    (wish,) = listener.wait_for(1, "/call/wish")
    assert wish.form["SpeechResult"] == "a payment plan"
    assert RequestValidator(sandbox.auth_token).validate(wish.url, wish.form, wish.headers["x-twilio-signature"])
    assert listener.wait_for(1, "/status")[0].form["CallStatus"] == "completed"
    shown = re.sub(r"<[^>]+>|\s+", " ", page.look(here).text)
    words = ["Your year of birth?", "1984", "What shall we do?", "a payment plan", "We heard a payment plan."]
    assert [w for w in words if w not in shown] == []
    assert page.send(f"{here}/press", item=sid, keys="1").status_code == 400


@pytest.mark.parametrize(("what", "status", "duration"), [("decline", "busy", "0"), ("voicemail", "completed", None)])
def test_a_call_can_be_declined_or_left_to_the_machine(
    sandbox: Sandbox, page: Page, listener: Listener, what: str, status: str, duration: str | None
) -> None:
    here, sid = ring(sandbox, page, listener)
    page.send(f"{here}/ring", item=sid, what=what)
    form = listener.wait_for(1, "/status")[0].form
    assert form["CallStatus"] == status
    assert duration is None or form["CallDuration"] == duration
    assert len(listener.forms("/call/year")) == 0  # a machine presses nothing


def test_a_person_can_hang_up_in_the_middle(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    here, sid = ring(sandbox, page, listener)
    page.send(f"{here}/ring", item=sid, what="answer")
    wait_for_entry(sandbox, "call_said", 1)
    page.send(f"{here}/hang-up", item=sid)
    assert listener.wait_for(1, "/status")[0].form["CallStatus"] == "completed"
    sandbox.client.wait_idle()
    assert [seen.path for seen in listener.seen] == ["/call/start", "/status"]


def test_a_person_can_call_back(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    listener.answers = turns
    here = page.take(PERSON)
    assert page.send(f"{here}/call", to=SENDER).status_code == 303
    (seen,) = listener.wait_for(1, "/call/in")
    assert (seen.form["Direction"], seen.form["From"], seen.form["To"]) == ("inbound", PERSON, SENDER)
    wait_for_entry(sandbox, "call_said", 1)
    sid = seen.form["CallSid"]
    page.send(f"{here}/press", item=sid, keys="1984")
    assert listener.wait_for(1, "/call/year")[0].form["Digits"] == "1984"
    page.send(f"{here}/hang-up", item=sid)
    assert wait_for_entry(sandbox, "call_ended")[0]["digits"] == ["1984"]


def test_search_finds_by_part_of_a_number_or_an_address(sandbox: Sandbox, page: Page) -> None:
    for address in (PERSON, "+12025550144", MAILBOX):
        page.take(address)
    several = page.send("/handsets", find="(202) 555-01").text
    assert (PERSON in several, "+12025550144" in several, MAILBOX in several) == (True, True, False)
    assert page.send("/handsets", find="ALEX@").status_code == 303
    dashed = page.take("us-00963@example.com")
    assert page.send("/handsets", find=" US-0096 ").headers["location"].startswith(dashed)
    nobody = page.send("/handsets", find="+4477").text
    assert "No handset or mailbox has" in nobody


@pytest.mark.parametrize("address", ["", "12", "+0123456789", "a@b@c", "a b@example.com", "<x>@example.com"])
def test_only_numbers_and_addresses_become_handsets(sandbox: Sandbox, page: Page, address: str) -> None:
    assert page.send("/handsets/open", address=address).status_code == 400
    assert page.look().text.count("data-key=") == 0


def test_a_form_of_another_page_is_turned_away_and_does_nothing(
    sandbox: Sandbox, page: Page, listener: Listener
) -> None:
    here = page.take(PERSON)
    fields = {"to": SENDER, "words": "forged"}
    url = f"{sandbox.http_url}{here}/text"
    elsewhere = {"Origin": "https://elsewhere.example.com"}
    assert httpx.post(url, data=fields).status_code == 403
    assert httpx.post(url, data={**fields, "proof": "guessed"}).status_code == 403
    assert httpx.post(url, data={**fields, "proof": page.proof()}, headers=elsewhere).status_code == 403
    control = f"{sandbox.http_url}/sandbox/say"
    said = {"from": PERSON, "to": SENDER, "text": "forged"}
    assert httpx.post(control, json=said, headers=elsewhere).status_code == 403
    sandbox.client.wait_idle()
    assert listener.seen == []


@pytest.mark.parametrize("path", ["/handsets", "/handsets.js", "/sandbox/log"])
def test_a_name_that_only_leads_to_this_machine_is_turned_away(sandbox: Sandbox, path: str) -> None:
    for host, status in (("rebound.example.com", 403), ("localhost", 200), ("[::1]:8010", 200)):
        assert httpx.get(f"{sandbox.http_url}{path}", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("peer", "anyone", "allowed"),
    [("127.0.0.1", False, True), ("::1", False, True), ("::ffff:127.0.0.1", False, True), ("192.0.2.7", False, False),
     ("2001:db8::1", False, False), ("", False, False), ("192.0.2.7", True, True)],
)  # fmt: skip
def test_other_machines_are_turned_away_unless_told(peer: str, *, anyone: bool, allowed: bool) -> None:
    request = Request("GET", b"/handsets", b"", [], [(b"Host", b"127.0.0.1:8010")], peer)
    assert (Guard(anyone=anyone).refusal(request) is None) == allowed


def test_a_browser_that_opens_the_address_lands_at_the_handsets(sandbox: Sandbox) -> None:
    answer = httpx.get(f"{sandbox.http_url}/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/handsets")


def test_only_the_newest_are_kept() -> None:
    handsets = Handsets(most_handsets=3, most_items=10, most_letters=1_000)
    for n in range(50):
        handsets.observe("text_taken", n, {"to": f"+1202555{n:04}", "from": SENDER, "ref": f"SM{n}", "body": "x"})
    assert [each.address for each in handsets.find()] == ["+12025550049", "+12025550048", "+12025550047"]
    assert handsets.item("SM46") is None
    assert handsets.numbered(1) is None
    for n in range(50, 100):
        handsets.observe("text_taken", n, {"to": PERSON, "from": SENDER, "ref": f"SM{n}", "body": "x"})
    assert [item.key for item in handsets.of(PERSON).newest(99)] == [f"SM{n}" for n in range(90, 100)]


def test_long_letters_push_older_ones_out() -> None:
    handsets = Handsets(most_handsets=9, most_items=99, most_letters=1_000)
    for n in range(5):
        facts = {"to": MAILBOX, "from": "pay@bank.example.com", "ref": f"MX{n}", "body": "x" * 100}
        handsets.observe("mail_taken", n, facts)
        handsets.enclose(f"MX{n} {MAILBOX}", Letter(html="y" * 200, head="z" * 100))
    handsets.observe("mail_taken", 9, {"to": MAILBOX, "ref": "last", "body": "x"})
    assert [item.key.split()[0] for item in handsets.of(MAILBOX).newest(9)] == ["MX3", "MX4", "last"]


def test_a_call_that_never_ends_does_not_grow_without_end() -> None:
    handsets = Handsets()
    handsets.observe("call_taken", 0, {"to": PERSON, "from": SENDER, "ref": "CA1", "status": "queued"})
    for _ in range(2_000):
        handsets.observe("call_said", 0, {"to": PERSON, "ref": "CA1", "said": "again " * 10_000})
    item = handsets.item("CA1")
    assert item is not None
    assert sum(len(line.words) for line in item.lines) < 2_000_000


async def test_a_hand_ends_a_number_at_its_finishing_key_or_after_a_pause() -> None:
    hand = Hand(patience_seconds=5)

    async def answer(*given: Given, limit: int | None, pause: float = 5) -> Given | None:
        waiting = asyncio.ensure_future(hand.next(digits=True, speech=False, limit=limit, finish="#", pause=pause))
        await asyncio.sleep(0)
        for each in given:
            hand.give(each)
        return await waiting

    assert await answer(Given(digits="1"), Given(digits="2#"), limit=9) == Given(digits="12#")
    assert await answer(Given(speech="hello"), Given(digits="12"), limit=2) == Given(digits="12")
    assert await answer(Given(digits="7"), limit=None, pause=0.001) == Given(digits="7")
    hand.interrupt(over=True)
    assert await answer(limit=1) is None


def test_a_request_that_says_nothing_of_its_host_is_turned_away(sandbox: Sandbox) -> None:
    host, port = sandbox.http_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(b"GET /handsets HTTP/1.0\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_fields_of_a_form_survive_their_letters(sandbox: Sandbox, page: Page, listener: Listener) -> None:
    words = "50% + más & 好 = ok?"
    page.send(f"{page.take(PERSON)}/text", to=SENDER, words=words)
    assert listener.wait_for(1, "/v1/callbacks/sms")[0].form["Body"] == words
