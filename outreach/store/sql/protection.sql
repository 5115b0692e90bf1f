-- Protection around the lanes: missing news, surges of errors, outages, contact points that stay silent.

-- name: begin_watch
insert into receipt_watch (channel, seen_until, seen_id) values (%(channel)s, %(since)s, '00000000-0000-0000-0000-000000000000')
on conflict (channel) do nothing

-- name: watch_page
-- The next attempts of a channel whose time for news is over, each looked at once, in the order of their ending. Whoever
-- holds the watch of a channel works on it alone; another process goes on to the next.
with mine as materialized (
  select seen_until, seen_id from receipt_watch where channel = %(channel)s for no key update skip locked
)
select a.attempt_id, a.settled_at, a.state = 'accepted' and a.rank < 30 and a.overdue_at is null
from mine, attempt a
where a.channel = %(channel)s and a.settled_at <= %(until)s and (a.settled_at, a.attempt_id) > (mine.seen_until, mine.seen_id)
order by a.settled_at, a.attempt_id
limit %(limit)s

-- name: move_watch
update receipt_watch set seen_until = %(seen_until)s, seen_id = %(seen_id)s where channel = %(channel)s

-- name: mark_overdue
-- It keeps its outcome, and with it its place in every cap; the provider is asked once more.
update attempt set overdue_at = %(at)s, lookups = 0, lookup_real_at = %(real)s
where attempt_id = any(%(attempts)s) and state = 'accepted' and rank < 30 and overdue_at is null
returning attempt_id, touch_id, case_id, contact_point_id, channel

-- name: news_tallies
-- Of the latest attempts of each stretch: how many the provider took, and of how many it has said nothing final since.
select asked.what, asked.channel, latest.taken, latest.waiting
from json_to_recordset(%(rows)s::json) as asked(what text, channel text, since timestamptz, until timestamptz)
cross join lateral (
  select count(*) as taken, count(*) filter (where rank < 30) as waiting
  from (select rank from attempt
        where channel = asked.channel and settled_at > asked.since and settled_at <= asked.until and state = 'accepted'
        order by settled_at desc limit %(sample)s) newest
) latest

-- name: closed_since
select kind, subject, max(closed_at) from alert where closed_at > %(since)s group by kind, subject

-- name: lane_tallies
-- The latest attempts of every lane, by campaign. What a pause ended is past: its window starts anew.
with restarted as materialized (
  select scope || ':' || key as name, max(at) as at from switch_log
  where action in ('resumed', 'ended') and at > %(since)s group by 1
), latest as materialized (
  select lane.channel, newest.*, coalesce(r.at, '-infinity') as restart_at
  from unnest(%(channels)s::text[]) as lane(channel)
  left join restarted r on r.name = 'channel:' || lane.channel
  cross join lateral (
    select attempt_id, touch_id, settled_at, state, outcome, coalesce(error_code, '') as error_code from attempt
    where channel = lane.channel and settled_at > %(since)s and settled_at <= %(at)s
    order by settled_at desc limit %(sample)s
  ) newest
), judged as (
  select l.channel, t.campaign_id, l.settled_at, l.restart_at,
         l.state <> 'released' as counts,
         l.error_code not in ('bad_address', 'opted_out') and (
           l.state in ('rejected', 'unknown') or l.outcome in ('failed', 'bounced', 'not_connected')
         ) and not exists (select from switch_recall r where r.attempt_id = l.attempt_id) as bad,
         l.state = 'released' and l.error_code = 'unavailable' as down,
         max(l.settled_at) filter (where l.state in ('accepted', 'rejected')) over (partition by l.channel) as answered_at
  from latest l join touch t using (touch_id)
)
select j.channel, j.campaign_id, c.name,
       count(*) filter (where j.counts and j.settled_at > j.restart_at),
       count(*) filter (where j.counts and j.bad and j.settled_at > j.restart_at),
       count(*) filter (where j.counts and j.settled_at > coalesce(r.at, '-infinity')),
       count(*) filter (where j.counts and j.bad and j.settled_at > coalesce(r.at, '-infinity')),
       count(*) filter (where j.down and j.settled_at > greatest(j.restart_at, coalesce(j.answered_at, '-infinity'))),
       min(j.settled_at) filter (where j.down and j.settled_at > greatest(j.restart_at, coalesce(j.answered_at, '-infinity')))
from judged j
left join campaign c using (campaign_id)
left join restarted r on r.name = 'campaign:' || j.campaign_id
group by j.channel, j.campaign_id, c.name

-- name: refusal_tallies
-- Of the latest attempts of every lane: how many ended, and how many at an address that is none or with a person who had
-- stopped us. Counted from where somebody last acknowledged the same.
select asked.channel, latest.ended, latest.refused
from json_to_recordset(%(rows)s::json) as asked(channel text, since timestamptz)
cross join lateral (
  select count(*) as ended, count(*) filter (where error_code in ('bad_address', 'opted_out')) as refused
  from (select error_code from attempt
        where channel = asked.channel and settled_at > asked.since and settled_at <= %(at)s and state <> 'released'
        order by settled_at desc limit %(sample)s) newest
) latest

-- name: paused_before
-- How often the system has paused each of these since.
select scope || ':' || key, count(*) from switch_log
where scope || ':' || key = any(%(names)s) and at > %(since)s and action = 'paused' and by = 'system' group by 1

-- name: outages
-- The channels that the system itself has paused: they cannot be used. What a person paused is a decision, no outage.
select key from switch where scope = 'channel' and set_by = 'system' and (until_at is null or until_at > %(at)s)

-- name: claim_reconsidered
-- What an outage holds back and another channel may carry by now: it is decided again. A paused campaign keeps its own.
with held as (
  select t.touch_id from touch t
  where t.state = 'paused' and t.reconsider_at <= %(at)s and t.paused_by is not null and t.expires_at > %(at)s
    and exists (select from switch s where s.scope = 'channel' and s.key = t.channel and s.set_by = 'system'
                and (s.until_at is null or s.until_at > %(at)s))
    and not exists (select from campaign c where c.campaign_id = t.campaign_id and c.state <> 'running' and c.state <> 'finished')
  order by t.reconsider_at limit %(limit)s
  for update of t skip locked
)
update touch set state = 'planned', not_before = %(at)s, paused_by = null, reconsider_at = null
from held where touch.touch_id = held.touch_id
returning touch.touch_id

-- name: worn_points
-- What has gone to contact points in use since something last arrived there or came from there. Calls do not count: nobody
-- has to pick up.
select p.contact_point_id, tip.case_id, run.undelivered, run.undelivered_span, run.silent, run.silent_span
from contact_point p
cross join lateral (
  select greatest(
    coalesce(p.counted_from, '-infinity'),
    coalesce((select max(received_at) from reply where contact_point_id = p.contact_point_id), '-infinity'),
    coalesce((select max(started_at) from attempt
              where contact_point_id = p.contact_point_id and channel = any(%(channels)s) and rank >= 50), '-infinity')) as at
) good
cross join lateral (
  select count(*) filter (where failed) as undelivered,
         coalesce(max(started_at) filter (where failed) - min(started_at) filter (where failed), '0') as undelivered_span,
         count(*) filter (where quiet) as silent,
         coalesce(max(started_at) filter (where quiet) - min(started_at) filter (where quiet), '0') as silent_span
  from (
    select started_at, outcome in ('failed', 'bounced') as failed, overdue_at is not null and rank < 30 as quiet
    from attempt
    where contact_point_id = p.contact_point_id and channel = any(%(channels)s) and state = 'accepted' and started_at > good.at
    order by started_at desc limit 50
  ) since
) run
cross join lateral (
  select case_id from attempt where contact_point_id = p.contact_point_id order by started_at desc limit 1
) tip
where p.contact_point_id = any(%(points)s) and p.state = 'active'
order by p.contact_point_id

-- name: promote_reached
-- Something arrived: what machines had given up is in use again, unless something later went wrong there for good.
update contact_point p set state = 'active', state_reason = null, counted_from = %(at)s, updated_at = %(at)s
from attempt a
where a.attempt_id = any(%(attempts)s) and p.contact_point_id = a.contact_point_id
  and p.state in ('silent', 'invalid') and p.state_reason = any(%(reasons)s)
  and not exists (select from attempt later where later.contact_point_id = p.contact_point_id
                  and later.started_at > a.started_at and later.error_code = 'bad_address')
returning p.contact_point_id, a.case_id

-- name: promote_heard
-- Its owner wrote from it.
update contact_point set state = 'active', state_reason = null, counted_from = %(at)s, updated_at = %(at)s
where contact_point_id = %(point)s and state in ('silent', 'invalid') and state_reason = any(%(reasons)s)
returning contact_point_id

-- name: overdue_count
select channel, count(*) from attempt
where channel = any(%(channels)s) and settled_at > %(since)s and overdue_at is not null and rank < 30 group by channel

-- name: points_by_state
select kind, type, state, coalesce(state_reason, ''), count(*) from contact_point group by 1, 2, 3, 4 order by 1, 2, 3, 4

-- name: delivery_shares
-- What became of everything that ended since, by lane, country and sender. Several senders write their name before the
-- provider's reference.
select a.channel, coalesce(b.country, ''), coalesce(substring(a.provider_ref from '^([A-Za-z0-9_-]{1,40}):'), ''),
       count(*),
       count(*) filter (where a.rank >= 50),
       count(*) filter (where a.outcome in ('failed', 'bounced', 'not_connected') or a.state = 'rejected'),
       count(*) filter (where a.overdue_at is not null and a.rank < 30),
       count(*) filter (where a.state = 'unknown'),
       count(*) filter (where a.error_code in ('bad_address', 'opted_out'))
from attempt a join borrower b using (borrower_id)
where a.channel = any(%(channels)s) and a.settled_at > %(since)s and a.settled_at <= %(at)s and a.state <> 'released'
group by 1, 2, 3 order by 1, 2, 3
