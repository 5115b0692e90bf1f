-- What comes back: receipts, replies, calls that were answered, events from the lender.

-- name: insert_inbox
insert into inbox (inbox_id, channel, dedupe_key, kind, state, received_at, payload, retry_real_at)
select inbox_id, channel, dedupe_key, kind, 'new', received_at, payload, retry_real_at
from json_populate_recordset(null::inbox, %(rows)s::json)
on conflict (channel, dedupe_key) do nothing
returning inbox_id, dedupe_key

-- name: claim_inbox
select inbox_id, channel, kind, received_at, payload, tries from inbox
where inbox_id = any(%(inbox)s) and state = 'new'
order by inbox_id
for update skip locked

-- name: due_inbox
-- Rows whose wake-up was lost, or that wait for their attempt to be known.
select inbox_id, kind from inbox where state = 'new' and retry_real_at <= %(real)s order by retry_real_at limit %(limit)s

-- name: lease_inbox
update inbox set retry_real_at = %(until)s where inbox_id = any(%(inbox)s) and state = 'new'

-- name: close_inbox
update inbox i set state = m.state, note = m.note, tries = i.tries + 1, retry_real_at = m.retry_real_at
from json_to_recordset(%(rows)s::json) as m(inbox_id uuid, state text, note text, retry_real_at timestamptz)
where i.inbox_id = m.inbox_id

-- name: attempts_by_news
-- The attempts that receipts speak of, by our token or by the provider's reference, locked in id order.
select attempt_id, touch_id, case_id, borrower_id, contact_point_id, channel, state, outcome, rank, token, provider_ref,
       answered_by, anomaly, error_code
from attempt
where token = any(%(tokens)s) or provider_ref = any(%(refs)s)
order by attempt_id
for no key update

-- name: apply_news
update attempt a set
  state            = m.state,
  outcome          = m.outcome,
  rank             = m.rank,
  anomaly          = coalesce(m.anomaly, a.anomaly),
  provider_ref     = coalesce(a.provider_ref, m.provider_ref),
  provider_code    = coalesce(m.provider_code, a.provider_code),
  error_code       = coalesce(m.error_code, a.error_code),
  answered_by      = coalesce(m.answered_by, a.answered_by),
  duration_seconds = greatest(m.duration_seconds, a.duration_seconds),
  decided_by       = coalesce(m.decided_by, a.decided_by),
  segments         = coalesce(m.segments, a.segments),
  price_micros     = coalesce(m.price_micros, a.price_micros),
  currency         = coalesce(m.currency, a.currency),
  settled_at       = coalesce(a.settled_at, %(at)s)
from json_to_recordset(%(rows)s::json) as m(
  attempt_id uuid, state text, outcome text, rank smallint, anomaly text, provider_ref text, provider_code text,
  error_code text, answered_by text, duration_seconds integer, decided_by text, segments smallint, price_micros bigint,
  currency text)
where a.attempt_id = m.attempt_id

-- name: touches_of_attempts
select touch_id, state from touch where touch_id = any(%(touches)s) order by touch_id for no key update

-- name: owners_of_address
-- Whose number or mailbox it is or was: the borrower we last wrote to there first. Several owners share one number.
select p.borrower_id, p.contact_point_id, max(a.started_at) as last_at, p.state
from contact_point p
left join attempt a on a.contact_point_id = p.contact_point_id
where p.value = %(value)s
group by p.borrower_id, p.contact_point_id, p.state
order by last_at desc nulls last, p.contact_point_id

-- name: attempt_by_token
select attempt_id, touch_id, case_id, borrower_id, contact_point_id, creditor_id, channel, state, outcome, rank, template, locale,
       started_at
from attempt where token = %(token)s

-- name: attempt_by_reference
select attempt_id, touch_id, case_id, borrower_id, contact_point_id, creditor_id, channel, state, outcome, rank, template, locale,
       started_at
from attempt where provider_ref = %(reference)s or attempt_id = %(attempt_id)s::uuid
order by started_at desc limit 1

-- name: last_attempt
-- The case a reply is about: the one we last wrote about to this borrower, on this channel first.
select case_id, creditor_id, contact_point_id from attempt
where borrower_id = %(borrower_id)s and state in ('accepted', 'unknown', 'started') and started_at > %(since)s
order by (channel = %(channel)s) desc, started_at desc limit 1

-- name: open_case_of
select case_id from cases where borrower_id = %(borrower_id)s and state = 'open' order by opened_at, case_id limit 1

-- name: insert_reply
insert into reply select * from json_populate_recordset(null::reply, %(rows)s::json)

-- name: open_dialogue
select dialogue_id, case_id, kind, surface, state, awaiting, data, turns, opened_at, expires_at from dialogue
where borrower_id = %(borrower_id)s and surface = %(surface)s and closed_at is null
for update

-- name: save_dialogue
insert into dialogue (dialogue_id, borrower_id, case_id, kind, surface, state, awaiting, data, turns, opened_at, updated_at,
  expires_at, closed_at, outcome)
values (%(dialogue_id)s, %(borrower_id)s, %(case_id)s, %(kind)s, %(surface)s, %(state)s, %(awaiting)s, %(data)s, %(turns)s,
  %(at)s, %(at)s, %(expires_at)s, %(closed_at)s, %(outcome)s)
on conflict (dialogue_id) do update set
  kind = excluded.kind, state = excluded.state, awaiting = excluded.awaiting, data = excluded.data, turns = excluded.turns,
  updated_at = excluded.updated_at, expires_at = excluded.expires_at, closed_at = excluded.closed_at, outcome = excluded.outcome

-- name: close_dialogues
update dialogue set closed_at = %(at)s, updated_at = %(at)s, outcome = %(outcome)s
where borrower_id = %(borrower_id)s and closed_at is null
returning dialogue_id, case_id, kind

-- name: expire_dialogues
update dialogue set closed_at = %(now)s, updated_at = %(now)s, outcome = 'timed_out'
where dialogue_id in (select dialogue_id from dialogue where closed_at is null and expires_at <= %(now)s
                      limit %(limit)s for update skip locked)
returning dialogue_id, case_id, kind, state

-- name: insert_holds
insert into hold select * from json_populate_recordset(null::hold, %(rows)s::json)

-- name: lift_holds
update hold set lifted_at = %(at)s
where borrower_id = %(borrower_id)s and kind = %(kind)s and lifted_at is null
  and (case_id is null or case_id = %(case_id)s)
returning hold_id

-- name: insert_consents
insert into consent (consent_id, borrower_id, contact_point_id, kind, channel, state, at, expires_at, source, wording, evidence,
  creditor_id, route, reopens, recorded_at)
select consent_id, borrower_id, contact_point_id, kind, channel, state, at, expires_at, source, wording, evidence, creditor_id,
  route, coalesce(reopens, false), recorded_at
from json_populate_recordset(null::consent, %(rows)s::json)

-- name: lift_suppressions
update suppression set lifted_at = %(at)s
where borrower_id = %(borrower_id)s and lifted_at is null and channel = any(%(channels)s) and reason = %(reason)s
  and since_at <= %(before)s
returning suppression_id

-- name: lift_refusals
-- What the person refused themselves, as far as it bears on one contact point and one programme; what somebody else said of
-- a number (wrong person, reassigned) stays. A refusal on every channel ends whole: its other channels are put back.
update suppression set lifted_at = %(at)s
where borrower_id = %(borrower_id)s and lifted_at is null and channel = any(%(channels)s::text[] || 'any'::text)
  and since_at <= %(before)s
  and (left(reason, 8) = 'opt_out.' or reason = any(%(reasons)s))
  and (contact_point_id is null or %(point)s::uuid is null or contact_point_id = %(point)s)
  and (creditor_id is null or %(creditor)s::text is null or creditor_id = %(creditor)s)
returning channel, reason, since_at, contact_point_id, creditor_id

-- name: lift_broad_refusals
-- What the person refused about every programme: it is put back for the one they meant.
update suppression set lifted_at = %(at)s
where borrower_id = %(borrower_id)s and lifted_at is null and creditor_id is null
  and (left(reason, 8) = 'opt_out.' or reason = any(%(reasons)s))
returning channel, reason, since_at, contact_point_id, creditor_id

-- name: creditors_of
select distinct creditor_id from account where borrower_id = %(borrower_id)s

-- name: insert_permission
insert into permission (permission_id, borrower_id, kind, channel, since_at, until_at, evidence)
values (%(permission_id)s, %(borrower_id)s, %(kind)s, %(channel)s, %(since_at)s, %(until_at)s, %(evidence)s)

-- name: insert_personal_window
insert into personal_window (personal_window_id, borrower_id, effect, opens, closes, days, channel, since_at, until_at)
values (%(personal_window_id)s, %(borrower_id)s, %(effect)s, %(opens)s, %(closes)s, %(days)s, %(channel)s, %(since_at)s, %(until_at)s)

-- name: cancel_open_touches
-- What a stop pulls back: everything of this borrower that has not started, on the channels named.
update touch set state = 'cancelled', reason = %(reason)s, settled_at = %(at)s, lease_until = null
where borrower_id = any(%(borrowers)s) and state in ('planned', 'deferred', 'queued', 'paused')
  and (%(channels)s::text[] is null or channel = any(%(channels)s))
  and (%(case_id)s::uuid is null or case_id = %(case_id)s)
  and purpose <> all(%(keep)s)
returning touch_id, case_id, step_id, channel

-- name: insert_task
insert into task (task_id, case_id, kind, opened_at, due_at, detail)
values (%(task_id)s, %(case_id)s, %(kind)s, %(at)s, %(due_at)s, %(detail)s)

-- name: insert_installments
insert into installment (arrangement_id, no, due_on, amount_minor, paid_minor)
select arrangement_id, no, due_on, amount_minor, coalesce(paid_minor, 0) from json_populate_recordset(null::installment, %(rows)s::json)

-- name: move_arrangement
update arrangement set state = %(state)s, ended_at = %(ended_at)s where arrangement_id = %(arrangement_id)s

-- name: pay_installments
update installment i set paid_minor = m.paid_minor
from json_to_recordset(%(rows)s::json) as m(arrangement_id uuid, no smallint, paid_minor bigint)
where i.arrangement_id = m.arrangement_id and i.no = m.no

-- name: move_promise
update promise set state = %(state)s, paid_minor = %(paid_minor)s, ended_at = %(ended_at)s where promise_id = %(promise_id)s

-- name: borrowers_of_cases
select distinct borrower_id from cases where case_id = any(%(cases)s)

-- name: insert_events
insert into event_in (source, event_id, type, subject, occurred_at, received_at, data)
select source, event_id, type, subject, occurred_at, received_at, data
from json_populate_recordset(null::event_in, %(rows)s::json)
on conflict (source, event_id) do nothing
returning source, event_id

-- name: cases_by_account
-- The case an event speaks of: the open one of the account, else its latest.
select distinct on (a.external_id) a.external_id, c.case_id, c.borrower_id
from account a join cases c using (account_id)
where a.external_id = any(%(accounts)s)
order by a.external_id, (c.state = 'open') desc, c.opened_at desc

-- name: borrowers_by_ref
select external_id, borrower_id from borrower where external_id = any(%(refs)s)

-- name: update_accounts
update account a set
  amount_due_minor = m.amount_due_minor,
  balance_minor    = m.balance_minor,
  due_on           = m.due_on,
  charged_off      = m.charged_off,
  time_barred      = m.time_barred,
  accelerated      = m.accelerated,
  creditor_kind    = m.creditor_kind,
  updated_at       = %(at)s
from json_to_recordset(%(rows)s::json) as m(account_id uuid, amount_due_minor bigint, balance_minor bigint, due_on date,
  charged_off boolean, time_barred boolean, accelerated boolean, creditor_kind text)
where a.account_id = m.account_id

-- name: move_cases
update cases c set state = m.state, closed_at = case when m.state = 'closed' then %(at)s::timestamptz end
from json_to_recordset(%(rows)s::json) as m(case_id uuid, state text)
where c.case_id = m.case_id and c.state <> m.state

-- name: open_case
insert into cases (case_id, account_id, borrower_id, creditor_id, state, opened_at)
select %(case_id)s, a.account_id, a.borrower_id, a.creditor_id, 'open', %(at)s from account a where a.external_id = %(account)s
on conflict (account_id) where state = 'open' do nothing
returning case_id, borrower_id

-- name: insert_payment
insert into payment (source, external_id, case_id, amount_minor, currency, received_at)
values (%(source)s, %(external_id)s, %(case_id)s, %(amount_minor)s, %(currency)s, %(at)s)
on conflict (source, external_id) do nothing
returning external_id

-- name: reverse_payment
update payment set reversed_at = %(at)s
where source = %(source)s and external_id = %(external_id)s and reversed_at is null
returning case_id, amount_minor

-- name: notify_due
-- Wakes the schedulers of every process: something may be due now.
select pg_notify('outreach_due', '')

-- name: open_cases_of
select case_id from cases where borrower_id = %(borrower_id)s and state = 'open' order by case_id

-- name: answered_call
-- The call a provider asks words for, and what may be spoken on it.
select a.attempt_id, a.case_id, a.borrower_id, a.contact_point_id, a.channel, a.locale, a.body, a.template,
       a.template_hash, a.leave_by
from attempt a
where a.token = %(token)s and a.channel in ('voice', 'ivr') and a.started_at > %(since)s

-- name: call_dialogue
-- The dialogue of one call, ended or not: a repeated request gets the same answer again.
select dialogue_id, case_id, kind, surface, state, awaiting, data, turns, opened_at, expires_at from dialogue
where dialogue_id = %(dialogue_id)s
for update

-- name: unfinished_call
-- A call that ended while something was on the table: what is answered by text afterwards may finish it.
select dialogue_id, case_id, kind, surface, state, awaiting, data, turns, opened_at, expires_at from dialogue
where borrower_id = %(borrower_id)s and surface = 'ivr' and awaiting in ('offer_choice', 'confirmation')
  and updated_at > %(since)s and (outcome is null or outcome in ('cut_off', 'timed_out'))
order by updated_at desc limit 1
for update

-- name: close_surface
-- A call that was cut off leaves its dialogue open; the next call on the same surface ends it.
update dialogue set closed_at = %(at)s, updated_at = %(at)s, outcome = %(outcome)s
where borrower_id = %(borrower_id)s and surface = %(surface)s and closed_at is null

-- name: raise_outcome
-- What a call itself learned. Forward only: a lower rank changes nothing.
update attempt set outcome = %(outcome)s, rank = %(rank)s, settled_at = coalesce(settled_at, %(at)s)
where attempt_id = %(attempt_id)s and rank < %(rank)s

-- name: tasks_of_case
select task_id, kind, opened_at, due_at, closed_at, detail from task where case_id = %(case_id)s order by opened_at

-- name: locate_borrower
-- Where the borrower says to be. An older word does not undo a newer one.
update borrower set located_jurisdictions = %(jurisdictions)s, located_zones = %(zones)s, located_at = %(at)s
where borrower_id = %(borrower_id)s and (located_at is null or located_at <= %(at)s)
returning borrower_id

-- name: accounts_of
-- The accounts of these references, with their borrowers and creditors.
select external_id, account_id, borrower_id, creditor_id from account where external_id = any(%(refs)s)

-- name: insert_recorded
-- The same contact again changes nothing, except that its outcome moves forward.
insert into recorded_contact as r (recorded_contact_id, made_by, external_id, borrower_id, account_ids, creditor_id, channel,
  direction, purpose, outcome, rank, notice, value, at, recorded_at)
select recorded_contact_id, made_by, external_id, borrower_id, account_ids, creditor_id, channel, direction, purpose, outcome,
  rank, notice, value, at, recorded_at
from json_populate_recordset(null::recorded_contact, %(rows)s::json)
on conflict (made_by, external_id) do update set outcome = excluded.outcome, rank = excluded.rank
where r.rank < excluded.rank and r.borrower_id = excluded.borrower_id
returning made_by, external_id
