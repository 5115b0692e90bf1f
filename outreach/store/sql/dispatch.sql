-- The hot path: everything one batch of touches needs, set-based, in a handful of statements.

-- name: lock_borrowers_of
-- The borrowers of touches that are still queued, and whoever has the same number or mailbox: they share its caps, so
-- they are locked together, in id order.
with asked as materialized (
  select distinct borrower_id from touch where touch_id = any(%(touches)s) and state = 'queued'
), everyone as materialized (
  select borrower_id from asked
  union
  select theirs.borrower_id
  from asked
  join contact_point ours using (borrower_id)
  join contact_point theirs on theirs.value = ours.value and theirs.kind = ours.kind
)
select borrower_id, borrower_id in (select borrower_id from asked)
from borrower where borrower_id in (select borrower_id from everyone)
order by borrower_id
for no key update of borrower

-- name: lock_borrowers
with everyone as materialized (
  select unnest(%(borrowers)s::uuid[]) as borrower_id
  union
  select theirs.borrower_id
  from contact_point ours
  join contact_point theirs on theirs.value = ours.value and theirs.kind = ours.kind
  where ours.borrower_id = any(%(borrowers)s::uuid[])
)
select borrower_id from borrower where borrower_id in (select borrower_id from everyone)
order by borrower_id
for no key update of borrower

-- name: queued_touches
-- Locked in id order, as every other writer of many touches does, then read in the order of what matters most.
with mine as materialized (
  select touch_id as locked_id from touch
  where touch_id = any(%(touches)s) and state = 'queued' and channel = %(channel)s
  order by touch_id
  for update
)
select touch_id, enrollment_id, campaign_id, case_id, borrower_id, plan, plan_version, step_id, channel, fallback,
       template, purpose, context, priority, due_at, expires_at, tries
from touch join mine on touch_id = locked_id
order by priority desc, due_at, touch_id

-- name: borrowers
select borrower_id, given_name, family_name, birth_year, postcode, country, subdivision, locale, jurisdictions, zones,
       located_jurisdictions, located_zones
from borrower where borrower_id = any(%(borrowers)s)

-- name: cases
select c.case_id, c.account_id, a.external_id, c.borrower_id, c.creditor_id, c.state, c.stage, a.product, a.currency,
       a.balance_minor, a.amount_due_minor, a.due_on, c.timeline_seq, c.timeline_hash, a.charged_off, a.time_barred,
       a.accelerated, a.creditor_kind
from cases c join account a using (account_id)
where c.case_id = any(%(cases)s)

-- name: last_texts
select r.borrower_id, r.contact_point_id,
       max(r.received_at) filter (where (i.payload->>'by_whatsapp')::boolean), max(r.received_at)
from cases c join reply r on r.case_id = c.case_id join inbox i on i.inbox_id = r.inbox_id
where c.borrower_id = any(%(borrowers)s) and r.channel = 'sms' and r.received_at > %(since)s
group by r.borrower_id, r.contact_point_id

-- name: points
select contact_point_id, borrower_id, kind, value, type, label, state, regions, zones, priority, confirmed
from contact_point where borrower_id = any(%(borrowers)s)
order by borrower_id, priority, contact_point_id

-- name: consents
-- The newest word for each kind, channel, contact point and programme; at one instant a refusal is the last word.
select distinct on (borrower_id, kind, channel, contact_point_id, creditor_id)
       borrower_id, kind, channel, state, at, contact_point_id, expires_at, evidence, creditor_id, reopens
from consent where borrower_id = any(%(borrowers)s) and at <= %(until)s
order by borrower_id, kind, channel, contact_point_id, creditor_id, at desc, state = 'revoked' desc, consent_id desc

-- name: has_consents
select 1 from consent where borrower_id = %(borrower_id)s and channel = %(channel)s limit 1

-- name: suppressions
select borrower_id, channel, reason, since_at, contact_point_id, until_at, case_id, creditor_id
from suppression
where borrower_id = any(%(borrowers)s) and since_at <= %(until)s and (lifted_at is null or lifted_at > %(at)s)
  and (until_at is null or until_at > %(at)s)

-- name: holds
select borrower_id, kind, since_at, case_id, until_at
from hold
where borrower_id = any(%(borrowers)s) and since_at <= %(until)s and (lifted_at is null or lifted_at > %(at)s)
  and (until_at is null or until_at > %(at)s)

-- name: personal_windows
select borrower_id, effect, opens, closes, days, channel, until_at
from personal_window where borrower_id = any(%(borrowers)s) and (until_at is null or until_at > %(at)s)

-- name: permissions
select borrower_id, kind, since_at, until_at, channel, evidence, used_at is not null
from permission
where borrower_id = any(%(borrowers)s) and since_at > %(since)s and (until_at is null or until_at > %(at)s)

-- name: history
-- The longest answer of all: ids come as text, which is what the gate compares and the driver reads fastest.
select borrower_id::text, started_at, channel, outcome, case_id::text, creditor_id, contact_point_id::text, purpose
from attempt
where borrower_id = any(%(borrowers)s) and started_at > %(since)s and started_at <= %(until)s and state <> 'released'
order by borrower_id, started_at

-- name: heard
select borrower_id, received_at, channel, case_id, contact_point_id
from reply
where borrower_id = any(%(borrowers)s) and received_at > %(since)s and received_at <= %(until)s

-- name: shared_history
-- What went to our point on behalf of somebody else who has the same number: counts for that number, never says whose.
-- Most people share nothing: the look at attempts is made for each shared point found, never for all attempts at once.
select ours.borrower_id, a.started_at, a.channel, a.outcome, a.creditor_id, ours.contact_point_id, a.purpose
from contact_point ours
join contact_point theirs
  on theirs.value = ours.value and theirs.kind = ours.kind and theirs.borrower_id <> ours.borrower_id
cross join lateral (
  select started_at, channel, outcome, creditor_id, purpose
  from attempt
  where contact_point_id = theirs.contact_point_id and started_at > %(since)s and started_at <= %(until)s
    and state <> 'released'
  offset 0
) a
where ours.borrower_id = any(%(borrowers)s)

-- name: recorded
-- What other systems did: with these people, or with somebody else at a number or mailbox they share. A notice that had to
-- go before counts however long ago it went. A number that is none of the borrower's is told apart from one not known.
select r.borrower_id, r.at, r.channel, r.outcome,
       array(select case_id from cases where account_id = any(r.account_ids)) as cases, r.creditor_id,
       case when r.value is null then '' else coalesce(p.contact_point_id::text, 'elsewhere') end,
       r.direction, r.purpose, r.notice, true
from recorded_contact r
left join contact_point p on p.borrower_id = r.borrower_id and p.value = r.value
where r.borrower_id = any(%(borrowers)s) and r.at <= %(until)s and (r.at > %(since)s or r.notice <> '')
union all
select p.borrower_id, r.at, r.channel, r.outcome, '{}', r.creditor_id, p.contact_point_id::text, r.direction, r.purpose,
       r.notice, false
from contact_point p
cross join lateral (
  select * from recorded_contact
  where value = p.value and borrower_id <> p.borrower_id and at > %(since)s and at <= %(until)s
  offset 0
) r
where p.borrower_id = any(%(borrowers)s)

-- name: live_arrangements
select distinct on (a.case_id) a.case_id, a.arrangement_id, a.state, a.frequency, a.total_minor, a.currency
from arrangement a
where a.case_id = any(%(cases)s) and a.state in ('proposed', 'confirmed', 'active')
order by a.case_id, a.proposed_at desc

-- name: installments_of
select arrangement_id, no, due_on, amount_minor, paid_minor
from installment where arrangement_id = any(%(arrangements)s) order by arrangement_id, no

-- name: live_promises
select case_id, promise_id, amount_minor, currency, due_on, paid_minor
from promise where case_id = any(%(cases)s) and state = 'open'

-- name: server_clock
-- The one place where the database says what time it is: to compare, never to use.
select clock_timestamp()

-- name: insert_decisions
insert into decision select * from json_populate_recordset(null::decision, %(rows)s::json)

-- name: insert_attempts
insert into attempt select * from json_populate_recordset(null::attempt, %(rows)s::json)

-- name: insert_touches
insert into touch select * from json_populate_recordset(null::touch, %(rows)s::json)

-- name: move_touches
update touch t set
  state            = m.state,
  reason           = m.reason,
  not_before       = coalesce(m.not_before, t.not_before),
  channel          = coalesce(m.channel, t.channel),
  fallback         = coalesce(m.fallback, t.fallback),
  contact_point_id = coalesce(m.contact_point_id, t.contact_point_id),
  tries            = coalesce(m.tries, t.tries),
  settled_at       = coalesce(m.settled_at, t.settled_at),
  paused_by        = m.paused_by,
  reconsider_at    = m.reconsider_at,
  lease_until      = null
from json_to_recordset(%(rows)s::json) as m(
  touch_id uuid, state text, reason text, not_before timestamptz, channel text, fallback text[], contact_point_id uuid,
  tries smallint, settled_at timestamptz, paused_by text[], reconsider_at timestamptz)
where t.touch_id = m.touch_id

-- name: withdraw_returned
-- What came back from a provider while its campaign was paused or cancelled, or its enrollment stopped: those cannot reach
-- a touch that has started, so it is called off now. The shares wait for a pause or stop that is under way.
with back as (
  select t.touch_id, c.state as campaign_state, e.state as enrollment_state
  from touch t
  left join lateral (select state from campaign where campaign_id = t.campaign_id for share) c on true
  left join lateral (select state from enrollment where enrollment_id = t.enrollment_id for share) e on true
  where t.touch_id = any(%(touches)s) and t.state in ('planned', 'deferred', 'paused')
)
update touch t set
  state      = case when b.campaign_state = 'paused' and b.enrollment_state is distinct from 'stopped' then 'paused' else 'cancelled' end,
  reason     = case when b.enrollment_state = 'stopped' then 'stopped.enrollment'
                    when b.campaign_state = 'paused' then t.reason else 'campaign.cancelled' end,
  settled_at = case when b.campaign_state = 'paused' and b.enrollment_state is distinct from 'stopped' then t.settled_at
                    else %(at)s::timestamptz end
from back b
where t.touch_id = b.touch_id and (b.campaign_state in ('paused', 'cancelled') or b.enrollment_state = 'stopped')
returning t.touch_id, t.case_id, t.step_id, t.channel, t.state, t.reason

-- name: release_queued
-- Give back what a lane could not take now. Waits for nobody: whoever has one locked is about to change it anyway, and
-- what is left over is found by its lease.
with mine as (
  select touch_id from touch where touch_id = any(%(touches)s) and state = 'queued' for update skip locked
)
update touch set state = 'planned', not_before = %(not_before)s, lease_until = null, reason = %(reason)s
from mine where touch.touch_id = mine.touch_id

-- name: settle_attempts
-- A receipt may have come first: state and outcome only move forward.
update attempt a set
  state          = case when a.state in ('started', 'unknown') then s.state else a.state end,
  outcome        = case when s.rank > a.rank or a.state = 'started' and a.rank = 0 then s.outcome else a.outcome end,
  rank           = greatest(a.rank, s.rank),
  settled_at     = coalesce(a.settled_at, s.settled_at),
  provider_ref   = coalesce(a.provider_ref, s.provider_ref),
  provider_code  = coalesce(s.provider_code, a.provider_code),
  error_code     = coalesce(s.error_code, a.error_code),
  segments       = coalesce(s.segments, a.segments),
  price_micros   = coalesce(s.price_micros, a.price_micros),
  currency       = coalesce(s.currency, a.currency),
  decided_by     = coalesce(s.decided_by, a.decided_by),
  lookup_real_at = s.lookup_real_at
from json_to_recordset(%(rows)s::json) as s(
  attempt_id uuid, state text, outcome text, rank smallint, settled_at timestamptz, provider_ref text, provider_code text,
  error_code text, segments smallint, price_micros bigint, lookup_real_at timestamptz, currency text, decided_by text)
where a.attempt_id = s.attempt_id
returning a.attempt_id, a.state

-- name: lock_heads
select case_id, timeline_seq, timeline_hash from cases where case_id = any(%(cases)s) order by case_id for no key update

-- name: append_links
insert into timeline (case_id, seq, at, kind, data, prev_hash, hash)
select case_id, seq, at, kind, data, prev_hash, hash from json_populate_recordset(null::timeline, %(rows)s::json)

-- name: move_heads
update cases c set timeline_seq = h.seq, timeline_hash = h.hash
from json_to_recordset(%(rows)s::json) as h(case_id uuid, seq integer, hash text)
where c.case_id = h.case_id

-- name: mark_points
update contact_point set state = m.state, state_reason = m.reason, updated_at = %(at)s
from json_to_recordset(%(rows)s::json) as m(contact_point_id uuid, state text, reason text)
where contact_point.contact_point_id = m.contact_point_id

-- name: insert_suppressions
insert into suppression select * from json_populate_recordset(null::suppression, %(rows)s::json)

-- name: points_at
-- Everyone who has a number or mailbox, whatever became of it.
select contact_point_id, borrower_id, kind, state, created_at from contact_point where value = %(value)s
order by contact_point_id

-- name: update_points
update contact_point p set
  label        = coalesce(m.label, p.label),
  state        = coalesce(m.state, p.state),
  state_reason = case when m.state is null then p.state_reason else m.reason end,
  confirmed    = coalesce(m.confirmed, p.confirmed),
  counted_from = case when m.state = 'active' then %(at)s::timestamptz else p.counted_from end,
  updated_at   = %(at)s
from json_to_recordset(%(rows)s::json) as m(contact_point_id uuid, label text, state text, reason text, confirmed boolean)
where p.contact_point_id = m.contact_point_id

-- name: confirm_points
-- The person's own use of a number or mailbox confirms it.
update contact_point set confirmed = true, updated_at = %(at)s
where borrower_id = %(borrower_id)s and value = %(value)s and state = 'active' and not confirmed
returning contact_point_id

-- name: use_permissions
update permission set used_at = %(at)s where borrower_id = any(%(borrowers)s) and kind = %(kind)s and used_at is null
