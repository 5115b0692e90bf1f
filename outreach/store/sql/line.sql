-- Lines: calls in progress, over all processes.

-- name: lock_line
select pg_advisory_xact_lock(hashtextextended('line:' || %(line)s, 0))

-- name: calls_in_progress
select channel, count(*) from attempt
where channel = any(%(channels)s) and channel in ('voice', 'ivr') and over_at is null and started_at > %(since)s
  and state in ('started', 'accepted', 'unknown')
group by channel

-- name: end_calls
update attempt set over_at = %(at)s where attempt_id = any(%(attempts)s) and over_at is null

-- name: let_go_of_calls
-- Nobody locked is waited for: the next sweep finds what is left.
with lost as (
  select attempt_id from attempt
  where channel = any(%(channels)s) and channel in ('voice', 'ivr') and over_at is null and started_at <= %(before)s
    and state in ('accepted', 'unknown', 'rejected', 'released')
  order by started_at limit %(limit)s
  for update skip locked
)
update attempt a set over_at = %(at)s from lost where a.attempt_id = lost.attempt_id
returning a.attempt_id, a.case_id, a.channel, a.state
