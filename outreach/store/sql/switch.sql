-- Kill switches: what is paused, what that holds back, and how it goes on.

-- name: switches
select scope, key from switch where until_at is null or until_at > %(at)s

-- name: set_switch
-- One in force only becomes longer, and the system changes nothing about one that a person has set.
with done as (
  insert into switch as s (scope, key, since_at, reason, set_by, until_at)
  values (%(scope)s, %(key)s, %(at)s, %(reason)s, %(by)s, %(until)s)
  on conflict (scope, key) do update set
    since_at = case when s.until_at <= excluded.since_at then excluded.since_at else s.since_at end,
    until_at = case when s.until_at <= excluded.since_at then excluded.until_at
                    when s.until_at is null or excluded.until_at is null then null
                    else greatest(s.until_at, excluded.until_at) end,
    reason = excluded.reason,
    set_by = excluded.set_by
  where s.until_at <= excluded.since_at or excluded.set_by <> 'system'
  returning scope, key, reason, set_by, until_at
)
insert into switch_log (switch_log_id, at, action, scope, key, by, reason, until_at)
select %(log_id)s, %(at)s, 'paused', scope, key, set_by, reason, until_at from done

-- name: clear_switch
with gone as (delete from switch where scope = %(scope)s and key = %(key)s returning scope, key, reason, until_at)
insert into switch_log (switch_log_id, at, action, scope, key, by, reason, until_at, catch_up)
select %(log_id)s, %(at)s, 'resumed', scope, key, %(by)s, reason, until_at, %(catch_up)s from gone

-- name: end_switches
with gone as (delete from switch where until_at <= %(at)s returning scope, key, reason, until_at)
insert into switch_log (switch_log_id, at, action, scope, key, by, reason, until_at, catch_up)
select gen_random_uuid(), %(at)s, 'ended', scope, key, 'system', reason, until_at, 're-decide' from gone

-- name: list_switches
select s.scope, s.key, s.since_at, s.reason, s.set_by, s.until_at, c.name,
  (select count(*) from touch t where t.state = 'paused' and t.paused_by @> array[s.scope || ':' || s.key])
from switch s left join campaign c on s.scope = 'campaign' and c.campaign_id::text = s.key
where s.until_at is null or s.until_at > %(at)s
order by s.since_at, s.scope, s.key

-- name: switch_log
select l.at, l.action, l.scope, l.key, l.by, l.reason, l.until_at, l.catch_up, c.name
from switch_log l left join campaign c on l.scope = 'campaign' and c.campaign_id::text = l.key
order by l.at desc, l.switch_log_id desc limit %(limit)s

-- name: free_touches
-- What no switch holds back any more.
select touch_id, borrower_id from touch t
where state = 'paused' and paused_by is not null and not exists (
  select from switch s where (s.until_at is null or s.until_at > %(at)s) and s.scope || ':' || s.key = any(t.paused_by))
order by touch_id limit %(limit)s

-- name: release_held
-- Each goes on as whoever lifted its switches chose. A campaign that is paused itself keeps its own.
with free as (
  select t.touch_id, c.state as campaign_state, exists (
    select from unnest(t.paused_by) as named(switch)
    cross join lateral (
      select catch_up from switch_log l where l.scope || ':' || l.key = named.switch and l.action in ('resumed', 'ended')
      order by at desc limit 1) latest
    where latest.catch_up = 'drop') as dropped
  from touch t left join campaign c using (campaign_id)
  where t.touch_id = any(%(touches)s) and t.state = 'paused' and t.paused_by is not null and not exists (
    select from switch s where (s.until_at is null or s.until_at > %(at)s) and s.scope || ':' || s.key = any(t.paused_by))
)
update touch t set
  state      = case when free.dropped then 'cancelled' when free.campaign_state = 'paused' then 'paused' else 'planned' end,
  reason     = case when free.dropped then 'paused.dropped' else t.reason end,
  not_before = greatest(t.not_before, %(at)s),
  settled_at = case when free.dropped then %(at)s::timestamptz else t.settled_at end,
  paused_by  = null
from free where t.touch_id = free.touch_id
returning t.touch_id, t.case_id, t.step_id, t.channel, t.state

-- name: due_waiting
-- What is due and has not been looked at yet, in pages.
select touch_id, borrower_id, channel, plan, campaign_id, places_of(borrower_id) from touch
where state in ('planned', 'deferred', 'queued') and not_before <= %(at)s and touch_id > %(after)s
order by touch_id limit %(limit)s

-- name: drop_waiting
update touch set state = 'cancelled', reason = 'paused.dropped', settled_at = %(at)s, lease_until = null
where touch_id = any(%(touches)s) and state in ('planned', 'deferred', 'queued') and not_before <= %(at)s
returning touch_id, case_id, step_id, channel

-- name: waiting_groups
-- What waits, grouped by what a switch can name: in a lane, due until an instant, and steps that are not touches yet.
select 'queued', channel, plan, null::text, null::integer, campaign_id, places_of(borrower_id) as places, count(*)
from touch where state = 'queued' group by channel, plan, campaign_id, places
union all
select 'due', channel, plan, null, null, campaign_id, places_of(borrower_id) as places, count(*)
from touch where state in ('planned', 'deferred') and not_before <= %(until)s and expires_at > %(at)s
group by channel, plan, campaign_id, places
union all
select 'due', null, plan, plan_version, next_step, campaign_id, places_of(borrower_id) as places, count(*)
from enrollment where state = 'active' and next_due_at <= %(until)s
group by plan, plan_version, next_step, campaign_id, places

-- name: calls_under_way
-- Calls that were placed and have not ended, as far as anybody told us; a talk goes on while its turns do.
select a.attempt_id, a.case_id, a.channel, a.token, a.provider_ref, t.plan, t.campaign_id, places_of(a.borrower_id),
       d.dialogue_id is not null, r.attempt_id is not null
from attempt a
join touch t using (touch_id)
left join switch_recall r using (attempt_id)
left join dialogue d on d.dialogue_id = a.attempt_id and d.closed_at is null and d.expires_at > %(at)s
where a.channel in ('voice', 'ivr') and a.started_at > %(since)s and a.started_at <= %(at)s
  and a.state in ('started', 'accepted', 'unknown') and (a.rank < 30 or d.dialogue_id is not null)
order by a.started_at

-- name: late_calls
-- Calls that nobody has answered when their permitted hours end, as far as anybody told us.
select a.attempt_id, a.case_id, a.channel, a.token, a.provider_ref
from attempt a
left join switch_recall r using (attempt_id)
left join dialogue d on d.dialogue_id = a.attempt_id
where a.leave_by <= %(at)s and a.leave_by > %(since)s and a.state = 'accepted' and a.rank < 30
  and a.provider_ref is not null and r.attempt_id is null and d.dialogue_id is null
order by a.leave_by
limit %(limit)s

-- name: insert_recalls
insert into switch_recall (attempt_id, at, recalled)
select attempt_id, at, recalled from json_populate_recordset(null::switch_recall, %(rows)s::json)
on conflict (attempt_id) do nothing

-- name: scopes_of_call
select t.plan, t.campaign_id, places_of(a.borrower_id) from attempt a join touch t using (touch_id)
where a.attempt_id = %(attempt_id)s

-- name: rivals
-- What else is due to these people and matters more than the least of a batch, one statement for the whole batch.
select touch_id, enrollment_id, campaign_id, case_id, borrower_id, plan, plan_version, step_id, channel, fallback,
       template, purpose, context, priority, due_at, expires_at, tries
from touch
where borrower_id = any(%(borrowers)s) and state in ('planned', 'deferred', 'queued') and priority > %(above)s
  and not_before <= %(at)s and not_before > %(since)s and expires_at > %(at)s and touch_id <> all(%(touches)s)
order by priority desc, due_at, touch_id

-- name: coming_touches
-- Touches whose time comes soon and that matter more than what is written aside from their plans.
select not_before, touch_id, enrollment_id, campaign_id, case_id, borrower_id, plan, plan_version, step_id, channel,
       fallback, template, purpose, context, priority, due_at, expires_at, tries
from touch
where borrower_id = any(%(borrowers)s) and state in ('planned', 'deferred') and priority > %(above)s
  and not_before > %(now)s and not_before <= %(until)s
order by not_before, priority desc, touch_id

-- name: coming_steps
-- Steps that fall due soon and matter more than what is written aside from their plans.
select enrollment_id, case_id, borrower_id, plan, plan_version, campaign_id, trigger_key, anchor_on, anchor_at, context,
       next_step, next_due_at, priority
from enrollment
where borrower_id = any(%(borrowers)s) and state = 'active' and priority > %(above)s
  and next_due_at > %(now)s and next_due_at <= %(until)s
order by next_due_at, priority desc, enrollment_id

-- name: left_since
-- What left to these people lately, newest first: who may have used a slot that others wanted.
select a.borrower_id, a.touch_id, t.priority, a.started_at
from attempt a join touch t using (touch_id)
where a.borrower_id = any(%(borrowers)s) and a.started_at >= %(since)s and a.started_at <= %(at)s
  and a.state not in ('released', 'rejected')
order by a.started_at desc, t.priority desc, a.touch_id

-- name: in_lanes
select channel, lane_level(priority), count(*) from touch where state = 'queued' group by 1, 2

-- name: due_bulk
-- Counted no further than asked: how long a lane is beyond that changes nothing.
select lane.channel, waiting.count
from json_to_recordset(%(rows)s::json) as lane(channel text, most integer)
cross join lateral (
  select count(*) from (
    select from touch where state in ('planned', 'deferred') and channel = lane.channel and lane_level(priority) = 0
      and not_before <= %(at)s
    limit lane.most) counted
) waiting

-- name: count_due
select count(*) from (select from enrollment where state = 'active' and next_due_at <= %(at)s limit %(most)s) due
