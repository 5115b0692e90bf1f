-- Operations: alerts, switches, campaigns by hand, health.

-- name: open_alert
insert into alert (alert_id, kind, subject, detail, opened_at)
values (%(alert_id)s, %(kind)s, %(subject)s, %(detail)s, %(at)s)
on conflict (kind, subject) where closed_at is null do nothing

-- name: open_alerts
select kind, subject, detail, opened_at from alert where closed_at is null order by opened_at

-- name: close_alerts
update alert set closed_at = %(at)s where subject = %(subject)s and closed_at is null

-- name: lock_attempts
select attempt_id from attempt where attempt_id = any(%(attempts)s) order by attempt_id for no key update

-- name: insert_campaign
insert into campaign (campaign_id, name, plan, spec, state, next_run_at, created_at, updated_at)
values (%(campaign_id)s, %(name)s, %(plan)s, %(spec)s, 'running', %(next_run_at)s, %(at)s, %(at)s)
on conflict (name) where state in ('running', 'paused') do nothing
returning campaign_id

-- name: campaigns
select c.campaign_id, c.name, c.plan, c.state, c.next_run_at, c.last_run_at, c.created_at,
  (select count(*) from enrollment e where e.campaign_id = c.campaign_id and e.state <> 'holdout'),
  (select count(*) from enrollment e where e.campaign_id = c.campaign_id and e.state = 'holdout'),
  (select count(*) from touch t where t.campaign_id = c.campaign_id and t.state = 'sent'),
  (select count(*) from touch t where t.campaign_id = c.campaign_id and t.state in ('planned', 'deferred', 'queued', 'paused'))
from campaign c
where %(name)s::text is null or c.name = %(name)s or c.campaign_id::text = %(name)s
order by c.created_at

-- name: campaign_outcomes
select t.channel, t.state, coalesce(t.reason, ''), count(*) from touch t
where t.campaign_id = %(campaign_id)s group by 1, 2, 3 order by 1, 2, 4 desc

-- name: move_campaign
update campaign set state = %(to)s, updated_at = %(at)s
where (name = %(name)s or campaign_id::text = %(name)s) and state = any(%(from)s)
returning campaign_id, name

-- name: pause_enrollments
update enrollment set state = 'paused' where campaign_id = %(campaign_id)s and state = 'active' returning enrollment_id

-- name: resume_enrollments
update enrollment set state = 'active' where campaign_id = %(campaign_id)s and state = 'paused' returning enrollment_id

-- name: cancel_enrollments
update enrollment set state = 'stopped', stop_reason = 'campaign_cancelled', ended_at = %(at)s, next_due_at = null
where campaign_id = %(campaign_id)s and state in ('active', 'paused') returning enrollment_id

-- name: pause_touches
update touch set state = 'paused', lease_until = null
where campaign_id = %(campaign_id)s and state in ('planned', 'deferred', 'queued') returning touch_id

-- name: resume_touches
update touch set state = 'planned', not_before = greatest(not_before, %(at)s)
where campaign_id = %(campaign_id)s and state = 'paused' returning touch_id

-- name: cancel_campaign_touches
update touch set state = 'cancelled', reason = 'campaign.cancelled', settled_at = %(at)s, lease_until = null
where campaign_id = %(campaign_id)s and state in ('planned', 'deferred', 'queued', 'paused')
returning touch_id, case_id, step_id, channel

-- name: health
select
  (select count(*) from touch where state in ('planned', 'deferred')),
  (select count(*) from touch where state = 'queued'),
  (select count(*) from attempt where state = 'started'),
  (select count(*) from attempt where state = 'unknown'),
  (select count(*) from inbox where state = 'new'),
  (select count(*) from inbox where state = 'parked'),
  (select count(*) from task where closed_at is null),
  (select count(*) from enrollment where state = 'active')

-- name: unknown_attempts
select attempt_id, case_id, channel, started_at, lookups, lookup_real_at from attempt where state = 'unknown'
order by started_at limit 200

-- name: tallies
select channel, state, coalesce(reason, ''), count(*) from touch group by 1, 2, 3

-- name: attempt_tallies
select channel, outcome, count(*) from attempt group by 1, 2
