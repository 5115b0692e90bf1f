-- What falls due, and what was lost on the way. Claims use SKIP LOCKED, so any number of schedulers may run.

-- name: claim_prompt_enrollments
-- What an event started does not wait behind a campaign's thousands. A case that another transaction writes to is left
-- for the next round: who claims waits for nobody, so it stands in no circle of waiting.
select e.enrollment_id, e.case_id, e.borrower_id, e.plan, e.plan_version, e.campaign_id, e.trigger_key, e.anchor_on,
       e.anchor_at, e.context, e.next_step, e.next_due_at, e.priority
from enrollment e join cases c using (case_id)
where e.state = 'active' and e.priority >= 60 and e.next_due_at <= %(now)s
order by e.next_due_at
limit %(limit)s
for no key update of e, c skip locked

-- name: claim_enrollments
select e.enrollment_id, e.case_id, e.borrower_id, e.plan, e.plan_version, e.campaign_id, e.trigger_key, e.anchor_on,
       e.anchor_at, e.context, e.next_step, e.next_due_at, e.priority
from enrollment e join cases c using (case_id)
where e.state = 'active' and e.next_due_at <= %(now)s
order by e.next_due_at
limit %(limit)s
for no key update of e, c skip locked

-- name: advance_enrollments
update enrollment e set
  next_step   = m.next_step,
  next_due_at = m.next_due_at,
  state       = m.state,
  stop_reason = coalesce(m.stop_reason, e.stop_reason),
  ended_at    = m.ended_at
from json_to_recordset(%(rows)s::json) as m(
  enrollment_id uuid, next_step smallint, next_due_at timestamptz, state text, stop_reason text, ended_at timestamptz)
where e.enrollment_id = m.enrollment_id

-- name: claim_ready
-- Each lane and level takes what it has room for, the earliest first; leases are real time.
with ready as materialized (
  select due.touch_id
  from json_to_recordset(%(rows)s::json) as lane(channel text, level smallint, room integer)
  cross join lateral (
    select touch_id from touch
    where state in ('planned', 'deferred') and channel = lane.channel and lane_level(priority) = lane.level
      and not_before <= %(now)s
    order by not_before, priority desc
    limit lane.room
    for update skip locked
  ) due
)
update touch set state = 'queued', lease_until = %(lease_until)s
from ready where touch.touch_id = ready.touch_id
returning touch.touch_id, touch.channel, touch.priority

-- name: claim_lost
-- Wake-ups that never arrived: the lease ran out while the touch was still queued.
with lost as (
  select touch_id from touch where state = 'queued' and lease_until < %(real)s
  order by lease_until limit %(limit)s for update skip locked
)
update touch set lease_until = %(lease_until)s
from lost where touch.touch_id = lost.touch_id
returning touch.touch_id, touch.channel, touch.priority

-- name: claim_stranded
-- An attempt that was started and never settled: its process died. It may have left.
select attempt_id, touch_id, case_id, borrower_id from attempt
where state = 'started' and started_real_at < %(before)s
order by started_real_at limit %(limit)s
for update skip locked

-- name: claim_lookups
select attempt_id, touch_id, case_id, borrower_id, contact_point_id, channel, token, body, started_at, started_real_at, lookups
from attempt
where state = 'unknown' and lookup_real_at <= %(real)s
order by lookup_real_at limit %(limit)s
for update skip locked

-- name: claim_overdue_lookups
-- Taken by the provider, and no final news since: it is asked, as about those of unknown outcome.
select attempt_id, touch_id, case_id, borrower_id, contact_point_id, channel, token, body, started_at, started_real_at, lookups
from attempt
where state = 'accepted' and overdue_at is not null and lookup_real_at <= %(real)s and rank < 30
order by lookup_real_at limit %(limit)s
for update skip locked

-- name: postpone_lookups
update attempt a set lookups = m.lookups, lookup_real_at = m.lookup_real_at
from json_to_recordset(%(rows)s::json) as m(attempt_id uuid, lookups smallint, lookup_real_at timestamptz)
where a.attempt_id = m.attempt_id

-- name: addresses
select contact_point_id, value from contact_point where contact_point_id = any(%(points)s)

-- name: touch_states
select touch_id, state, fallback, tries, expires_at from touch where touch_id = any(%(touches)s) for update

-- name: expire_touches
update touch set state = 'expired', reason = 'expiry.passed', settled_at = %(now)s, lease_until = null
where touch_id in (
  select touch_id from touch where state in ('planned', 'deferred') and expires_at <= %(now)s and not_before <= %(now)s
  limit %(limit)s for update skip locked
) or touch_id in (
  select touch_id from touch where state = 'paused' and paused_by is not null and expires_at <= %(now)s
  limit %(limit)s for update skip locked
)
returning touch_id, case_id, step_id, template

-- name: next_instant
-- The next moment at which anything falls due: what a stepped clock may jump to.
select least(
  (select min(next_due_at) from enrollment where state = 'active'),
  (select min(not_before) from touch where state in ('planned', 'deferred')),
  (select min(next_run_at) from campaign where state = 'running'),
  (select min(expires_at) from dialogue where closed_at is null)
)

-- name: unfinished
select
  (select count(*) from touch where state = 'queued'),
  (select count(*) from attempt where state = 'started'),
  (select count(*) from inbox where state = 'new'),
  (select count(*) from touch where state in ('planned', 'deferred') and not_before <= %(now)s),
  (select count(*) from enrollment where state = 'active' and next_due_at <= %(now)s),
  (select count(*) from campaign where state = 'running' and next_run_at <= %(now)s)

-- name: due_campaigns
-- The last column is when its state last changed: started, ran, paused, resumed.
select campaign_id, name, plan, spec, next_run_at, updated_at from campaign
where state = 'running' and next_run_at <= %(now)s
for update skip locked

-- name: campaign_ran
update campaign set last_run_at = %(now)s, next_run_at = %(next_run_at)s, state = %(state)s, updated_at = %(now)s
where campaign_id = %(campaign_id)s

-- name: insert_enrollments
insert into enrollment (enrollment_id, case_id, borrower_id, plan, plan_version, campaign_id, trigger_key, anchor_on,
  anchor_at, context, state, next_step, next_due_at, priority, created_at)
select enrollment_id, case_id, borrower_id, plan, plan_version, campaign_id, trigger_key, anchor_on, anchor_at,
  coalesce(context, '{}'), state, next_step, next_due_at, priority, created_at
from json_populate_recordset(null::enrollment, %(rows)s::json)
on conflict (case_id, plan, trigger_key) do nothing
returning enrollment_id, case_id

-- name: stop_enrollments
-- One that has planned its last step is over only when that step has left: until then it can be stopped.
update enrollment e set state = 'stopped', stop_reason = %(reason)s, ended_at = %(at)s, next_due_at = null
where case_id = any(%(cases)s) and plan = any(%(plans)s)
  and (state in ('active', 'paused') or state = 'completed' and exists (
    select from touch t where t.case_id = e.case_id and t.enrollment_id = e.enrollment_id
      and t.state in ('planned', 'deferred', 'queued', 'paused', 'started')))
returning enrollment_id, case_id, plan, trigger_key

-- name: stop_enrollments_of_causes
update enrollment e set state = 'stopped', stop_reason = %(reason)s, ended_at = %(at)s, next_due_at = null
where case_id = %(case_id)s
  and (trigger_key = any(%(causes)s) or regexp_replace(trigger_key, ':again-.*$', '') = any(%(causes)s))
  and (state in ('active', 'paused') or state = 'completed' and exists (
    select from touch t where t.case_id = e.case_id and t.enrollment_id = e.enrollment_id
      and t.state in ('planned', 'deferred', 'queued', 'paused', 'started')))
returning enrollment_id, case_id, plan, trigger_key

-- name: cancel_touches
update touch set state = 'cancelled', reason = %(reason)s, settled_at = %(at)s, lease_until = null
where case_id = any(%(cases)s) and state in ('planned', 'deferred', 'queued', 'paused') and purpose = any(%(purposes)s)
returning touch_id, case_id, step_id, channel

-- name: cancel_touches_of_enrollments
update touch set state = 'cancelled', reason = %(reason)s, settled_at = %(at)s, lease_until = null
where borrower_id = any(%(borrowers)s) and enrollment_id = any(%(enrollments)s)
  and state in ('planned', 'deferred', 'queued', 'paused')
returning touch_id, case_id, step_id, channel

-- name: upsert_plan_version
insert into plan_version (version, name, body, created_at) values (%(version)s, %(name)s, %(body)s, %(at)s)
on conflict (version) do nothing

-- name: plan_versions
select version, name, body from plan_version where version = any(%(versions)s)

-- name: upsert_policy_version
insert into policy_version (version, body, created_at) values (%(version)s, %(body)s, %(at)s) on conflict (version) do nothing

-- name: policy_version
select body from policy_version where version = %(version)s

-- name: condition_facts
-- What conditions may ask, and where and when the borrower lives, for the cases of one batch.
select c.case_id, c.borrower_id, c.creditor_id, a.product, a.currency, a.amount_due_minor, a.due_on, b.locale, b.country,
       b.subdivision, b.zones,
       (select count(*) from cases o where o.borrower_id = c.borrower_id and o.state = 'open'),
       t.sent, t.last_at,
       (select r.intent from reply r where r.case_id = c.case_id order by r.received_at desc limit 1)
from cases c
join account a using (account_id)
join borrower b on b.borrower_id = c.borrower_id
left join lateral (
  select count(*) as sent, max(started_at) as last_at from attempt
  where attempt.case_id = c.case_id and state in ('accepted', 'unknown', 'started')
) t on true
where c.case_id = any(%(cases)s)

-- name: audience
-- The same facts for every open case, in case order, one page after another.
select c.case_id, c.borrower_id, c.creditor_id, a.product, a.currency, a.amount_due_minor, a.due_on, b.locale, b.country,
       b.subdivision, b.zones,
       (select count(*) from cases o where o.borrower_id = c.borrower_id and o.state = 'open'),
       t.sent, t.last_at,
       (select r.intent from reply r where r.case_id = c.case_id order by r.received_at desc limit 1),
       exists (select from hold h where h.borrower_id = c.borrower_id and h.lifted_at is null
               and (h.case_id is null or h.case_id = c.case_id) and (h.until_at is null or h.until_at > %(now)s)),
       exists (select from suppression s where s.borrower_id = c.borrower_id and s.lifted_at is null and s.channel = 'any'),
       exists (select from arrangement g where g.case_id = c.case_id and g.state in ('confirmed', 'active')),
       exists (select from promise p where p.case_id = c.case_id and p.state = 'open'),
       exists (select from contact_point x where x.borrower_id = c.borrower_id and x.state = 'active')
from cases c
join account a using (account_id)
join borrower b on b.borrower_id = c.borrower_id
left join lateral (
  select count(*) as sent, max(started_at) as last_at from attempt
  where attempt.case_id = c.case_id and state in ('accepted', 'unknown', 'started')
) t on true
where c.state = 'open' and c.case_id > %(after)s
order by c.case_id
limit %(limit)s

-- name: latest_enrollments
-- Per case, the newest enrollment on a plan, and whether one with this very cause exists.
select distinct on (case_id) case_id, enrollment_id, state, trigger_key, created_at
from enrollment where case_id = any(%(cases)s) and plan = %(plan)s
order by case_id, created_at desc, enrollment_id desc

-- name: campaign_slots
select campaign_id, slot_at, day_on, day_count, spec from campaign where campaign_id = any(%(campaigns)s)
order by campaign_id for update

-- name: move_campaign_slots
update campaign c set slot_at = m.slot_at, day_on = m.day_on, day_count = m.day_count
from json_to_recordset(%(rows)s::json) as m(campaign_id uuid, slot_at timestamptz, day_on date, day_count integer)
where c.campaign_id = m.campaign_id
