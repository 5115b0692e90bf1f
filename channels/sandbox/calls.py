"""Twilio Calls: create, list, fetch, update, and the lifecycle of a call with its callbacks."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

import orjson

from channels.sandbox.carrier import Carrier, Names, rfc2822
from channels.sandbox.chance import draw
from channels.sandbox.hand import Hand
from channels.sandbox.http import Answer, Request, Response
from channels.sandbox.listener import Given, PickUp, picks_up
from channels.sandbox.listing import Shelf
from channels.sandbox.people import People, Temper
from channels.sandbox.problems import problem
from channels.sandbox.senders import Senders
from channels.sandbox.walk import Leg, Walk
from channels.sandbox.witness import token_of

_E164: Final = re.compile(r"\+[1-9]\d{6,14}").fullmatch
_URL: Final = re.compile(r"https?://[^\s/]+\S*").fullmatch
_MAGIC_TO: Final = {"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}
_PRICE: Final = 0.014
"""US dollars a minute that has begun."""
_EVENT_OF: Final = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
_BY_HAND: Final = Temper("human")
_MACHINE: Final = Temper("voicemail")
_OPEN: Final = frozenset({"queued", "ringing", "in-progress"})


@dataclass(slots=True)
class CallRecord:
    """One call as the carrier keeps it. Instants are seconds since 1970."""

    sid: str
    account: str
    to: str
    from_: str
    created: float
    form: Mapping[str, str]
    events: frozenset[str]
    status: str = "queued"
    start: float | None = None
    end: float | None = None
    duration: int | None = None
    price: str | None = None
    answered_by: str | None = None
    posted: int = 0
    direction: str = "outbound-api"
    rings_by_hand: bool = False  # it rings until a person at the page answers
    hand: Hand | None = None
    leg: Leg = field(default_factory=Leg)

    def as_json(self) -> dict[str, object]:
        """Return the Call resource."""
        uri = f"/2010-04-01/Accounts/{self.account}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.end or self.start or self.created),
            "parent_call_sid": None,
            "account_sid": self.account,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.from_,
            "from_formatted": self.from_,
            "phone_number_sid": None,
            "status": self.status,
            "start_time": rfc2822(self.start),
            "end_time": rfc2822(self.end),
            "duration": None if self.duration is None else str(self.duration),
            "price": self.price,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by,
            "api_version": "2010-04-01",
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "uri": f"{uri}.json",
            "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        }


class Calls:
    """The Calls resource."""

    def __init__(self, carrier: Carrier, senders: Senders) -> None:
        self._carrier = carrier
        self._senders = senders
        self._names = Names("CA")
        path = f"/2010-04-01/Accounts/{carrier.account.sid}/Calls.json"
        self.shelf: Shelf[CallRecord] = Shelf("calls", path, "StartTime", lambda call: call.start)

    def create(self, request: Request) -> Answer:
        """POST Calls.json."""
        form = request.form()
        events = parse_qs(request.body.decode("latin-1")).get("StatusCallbackEvent", ["completed"])
        return self._carrier.accept(lambda: self._take(form, frozenset(" ".join(events).split())))

    def fetch(self, sid: str) -> Response:
        """GET Calls/{sid}.json."""
        call = self.shelf.by_sid.get(sid)
        return problem(20404) if call is None else Response(200, orjson.dumps(call.as_json()))

    def update(self, sid: str, request: Request) -> Response:
        """POST Calls/{sid}.json: cancel before the answer, complete at any time, or give new instructions."""
        call = self.shelf.by_sid.get(sid)
        if call is None:
            return problem(20404)
        form = request.form()
        status = form.get("Status")
        if call.status not in _OPEN or (status == "canceled" and call.status == "in-progress"):
            return problem(21220)
        if status in {"canceled", "completed"}:
            self._end(call, "canceled" if call.status != "in-progress" else "completed")
        elif form.get("Url") or form.get("Twiml"):
            call.form = {**call.form, "Twiml": "", "Url": "", **form}
            call.leg.redirected = True
            if call.hand is not None:
                call.hand.interrupt(over=False)
        return Response(200, orjson.dumps(call.as_json()))

    def delete(self, sid: str) -> Response:
        """DELETE Calls/{sid}.json, once the call is over."""
        call = self.shelf.by_sid.get(sid)
        if call is None:
            return problem(20404)
        if call.status in _OPEN:
            return problem(20009)
        self.shelf.remove(call)
        return Response(204)

    def pick_up(self, sid: str, *, machine: bool = False) -> None:
        """Have a person answer a call that rings, or let the answering machine. Raises ValueError."""
        call = self._ringing(sid)
        self._answer(call, _MACHINE if machine else _BY_HAND, PickUp("in-progress", 0.0, machine=machine))

    def decline(self, sid: str) -> None:
        """Have a person refuse a call that rings. Raises ValueError."""
        self._end(self._ringing(sid), "busy", sip=486)

    def give(self, sid: str, given: Given) -> None:
        """Have a person press keys or speak in a call. Raises ValueError."""
        hand = self._talking(sid).hand
        if hand is None or not hand.give(given):
            raise ValueError("nobody listens in this call")

    def hang_up(self, sid: str) -> None:
        """Have a person end a call. Raises ValueError."""
        self._end(self._talking(sid), "completed")

    def call_in(self, person: str, number: str, url: str) -> str:
        """Have a person call a number; ``url`` gives the instructions. Return the call's SID."""
        account, now = self._carrier.account.sid, self._carrier.clock.epoch()
        call = CallRecord(
            self._names.new(), account, number, person, now, {"Url": url}, frozenset(), "in-progress", now,
            direction="inbound",
        )  # fmt: skip
        self.shelf.add(call)
        self._carrier.witness.record(
            "call_from_person", channel="voice", to=number, ref=call.sid, status="in-progress", **{"from": person}
        )
        self._converse(call, _BY_HAND)
        return call.sid

    def _ringing(self, sid: str) -> CallRecord:
        call = self.shelf.by_sid.get(sid)
        if call is None or call.status != "ringing" or not call.rings_by_hand:
            raise ValueError("the call no longer rings")
        return call

    def _talking(self, sid: str) -> CallRecord:
        call = self.shelf.by_sid.get(sid)
        if call is None or call.status != "in-progress" or call.hand is None:
            raise ValueError("the call is over")
        return call

    def _take(self, form: Mapping[str, str], events: frozenset[str]) -> Response:
        code = self._refusal(form)
        token = token_of(form.get("StatusCallback", "")) or token_of(form.get("Url", ""))
        if code is not None:
            self._carrier.witness.record("call_refused", channel="voice", to=form.get("To"), code=code, token=token)
            return problem(code)
        account, now = self._carrier.account.sid, self._carrier.clock.epoch()
        call = CallRecord(self._names.new(), account, form["To"], form["From"], now, form, events)
        self.shelf.add(call)
        self._carrier.witness.record(
            "call_taken", channel="voice", to=call.to, ref=call.sid, token=token, url=form.get("Url"),
            callback=form.get("StatusCallback"), status="queued", **{"from": call.from_},
        )  # fmt: skip
        if not self._carrier.script.mute:
            self._dial(call)
        return Response(201, orjson.dumps(call.as_json()))

    def _refusal(self, form: Mapping[str, str]) -> int | None:
        to, sender = form.get("To", ""), form.get("From", "")
        if not to:
            return 21201
        if not sender:
            return 21213
        if _E164(to) is None:
            return 21217
        if _E164(sender) is None or not self._senders.owns(sender, ""):
            return 21212
        if not form.get("Twiml") and _URL(form.get("Url", "")) is None:
            return 21205
        if to in _MAGIC_TO:
            return _MAGIC_TO[to]
        temper = self._carrier.people.profile(to).temperament
        return temper.code or 21214 if temper is not None and temper.name == "reject" else None

    def _dial(self, call: CallRecord) -> None:
        people = self._carrier.people
        touch = people.touched("voice", call.to)
        temper = people.temper("voice", call.to, touch)
        held = float(temper.code or 600) if temper.name == "slow" else 0.0
        call.rings_by_hand = call.to in people.by_hand and can_ring(people, call.to)
        chance = draw(self._carrier.seed, "pick_up", call.to, touch)
        pick_up = picks_up(temper, float(call.form.get("Timeout", "60")), chance)
        self._carrier.agenda.after(held, lambda: self._ring(call, temper, pick_up))

    def _ring(self, call: CallRecord, temper: Temper, pick_up: PickUp) -> None:
        if call.status != "queued":
            return
        self._post(call, "initiated")
        call.status = "ringing"
        self._post(call, "ringing")
        self._carrier.handsets.call_state(call.sid, "ringing")
        if call.rings_by_hand:
            limit = float(call.form.get("Timeout", "60"))
            self._carrier.agenda.after(limit, lambda: self._answer(call, temper, PickUp("no-answer", limit, sip=487)))
            return
        wait = self._carrier.script.timing.ring_seconds
        self._carrier.agenda.after(wait, lambda: self._answer(call, temper, pick_up))

    def _answer(self, call: CallRecord, temper: Temper, pick_up: PickUp) -> None:
        if call.status != "ringing":
            return
        if pick_up.status != "in-progress":
            self._end(call, pick_up.status, sip=pick_up.sip)
            return
        call.status, call.start = "in-progress", self._carrier.clock.epoch()
        call.answered_by = _answered_by(call.form.get("MachineDetection"), machine=pick_up.machine)
        self._post(call, "in-progress")
        self._converse(call, temper)

    def _converse(self, call: CallRecord, temper: Temper) -> None:
        by_hand = call.direction == "inbound" or (call.rings_by_hand and temper is _BY_HAND)
        call.hand = Hand() if by_hand else None
        self._carrier.handsets.call_state(call.sid, "in-progress")
        self._carrier.deliveries.begin()
        self._carrier.deliveries.run(asyncio.get_running_loop().create_task(self._talk(call, temper)))

    async def _talk(self, call: CallRecord, temper: Temper) -> None:
        try:
            self._tell_machine(call)
            person = call.from_ if call.direction == "inbound" else call.to
            walk = Walk(
                self._carrier, call.leg, sid=call.sid, person=person, temper=temper, hand=call.hand,
                fields=lambda: self._fields(call, "in-progress"),
            )  # fmt: skip
            await walk.run(lambda: call.form, lambda: call.status == "in-progress")
            if call.status == "in-progress":
                self._end(call, "completed")
        finally:
            self._carrier.deliveries.end()

    def _tell_machine(self, call: CallRecord) -> None:
        """Post the asynchronous machine detection result, when it was asked for."""
        url = call.form.get("AsyncAmdStatusCallback")
        if call.form.get("AsyncAmd") == "true" and url and call.answered_by:
            fields = {"CallSid": call.sid, "AccountSid": call.account, "AnsweredBy": call.answered_by,
                      "MachineDetectionDuration": "3200"}  # fmt: skip
            self._carrier.deliveries.form(call.sid, url, fields, "machine_posted", last=False)

    def _end(self, call: CallRecord, status: str, *, sip: int = 200) -> None:
        call.status = status
        if call.hand is not None:
            call.hand.interrupt(over=True)
        call.duration = round(call.leg.seconds) if status == "completed" else 0
        if status == "completed":  # a price comes late: null in the answer to the create request
            call.price = f"{-_PRICE * max(1, -(-call.duration // 60)):.5f}"
        call.end = (call.start or self._carrier.clock.epoch()) + call.duration
        leg = call.leg
        self._carrier.witness.record(
            "call_ended", channel="voice", to=call.to, ref=call.sid, status=status, duration=call.duration,
            answered_by=call.answered_by, said=leg.said, digits=leg.digits, spoken=leg.spoken,
            token=token_of(call.form.get("StatusCallback", "")) or token_of(call.form.get("Url", "")),
        )  # fmt: skip
        self._post(call, status, sip=sip)

    def _post(self, call: CallRecord, status: str, *, sip: int = 200) -> None:
        """Tell the status callback, when the event was asked for; every final status is the event completed."""
        url = call.form.get("StatusCallback")
        event = _EVENT_OF.get(status, "completed")
        if event not in call.events or not url:
            return
        fields = self._fields(call, status) | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.posted),
            "Timestamp": rfc2822(self._carrier.clock.epoch()) or "",
        }
        call.posted += 1
        if event == "completed":
            duration = call.duration or 0
            fields |= {"CallDuration": str(duration), "Duration": str(-(-duration // 60)), "SipResponseCode": str(sip)}
        self._carrier.deliveries.form(call.sid, url, fields, "status_posted", last=event == "completed", status=status)

    def _fields(self, call: CallRecord, status: str) -> dict[str, str]:
        fields = {
            "AccountSid": call.account, "ApiVersion": "2010-04-01", "CallSid": call.sid, "CallStatus": status,
            "Called": call.to, "Caller": call.from_, "Direction": call.direction, "From": call.from_, "To": call.to,
        }  # fmt: skip
        if call.answered_by is not None and call.form.get("AsyncAmd") != "true":
            fields["AnsweredBy"] = call.answered_by
        return fields


def can_ring(people: People, number: str) -> bool:
    """Say whether a handset that a person holds can ring: nobody switched it off or busy."""
    switched = people.switched.get(number, {}).get("voice")
    return switched is None or switched.name == "human"


def _answered_by(detection: str | None, *, machine: bool) -> str | None:
    if detection not in {"Enable", "DetectMessageEnd"}:
        return None
    if not machine:
        return "human"
    return "machine_end_beep" if detection == "DetectMessageEnd" else "machine_start"
