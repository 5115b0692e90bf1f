-- Aftercare: what a text cost, and its words taken off the provider, once it is over.

-- name: begin_aftercare
-- A channel whose aftercare begins, or begins again, starts no further back than %(since)s.
insert into aftercare_watch (channel, seen_until, seen_id) values (%(channel)s, %(since)s, '00000000-0000-0000-0000-000000000000')
on conflict (channel) do update set seen_until = excluded.seen_until, seen_id = excluded.seen_id
where aftercare_watch.seen_until < excluded.seen_until

-- name: aftercare_page
-- The next attempts of a channel in the order of their ending. Whoever holds the watch works on it alone.
with mine as materialized (
  select seen_until, seen_id from aftercare_watch where channel = %(channel)s for no key update skip locked
)
select a.attempt_id, a.settled_at, a.state in ('accepted', 'unknown')
from mine, attempt a
where a.channel = %(channel)s and a.settled_at <= %(until)s and (a.settled_at, a.attempt_id) > (mine.seen_until, mine.seen_id)
order by a.settled_at, a.attempt_id
limit %(limit)s

-- name: list_aftercare
with mine as (select attempt_id from attempt where attempt_id = any(%(attempts)s) order by attempt_id for no key update)
update attempt a set aftercare_at = %(at)s, aftercares = 0 from mine where a.attempt_id = mine.attempt_id

-- name: move_aftercare
update aftercare_watch set seen_until = %(seen_until)s, seen_id = %(seen_id)s where channel = %(channel)s

-- name: due_aftercare
-- Waits for nobody: what somebody writes to is taken the next time.
select attempt_id, provider_ref, coalesce(aftercares, 0) from attempt
where channel = %(channel)s and aftercare_at <= %(now)s
order by aftercare_at, attempt_id limit %(limit)s
for no key update skip locked

-- name: postpone_aftercare
update attempt a set aftercare_at = m.aftercare_at, aftercares = m.aftercares
from json_to_recordset(%(rows)s::json) as m(attempt_id uuid, aftercare_at timestamptz, aftercares smallint)
where a.attempt_id = m.attempt_id

-- name: record_aftercare
-- What is known already stays when the provider says nothing of it.
update attempt a set
  segments     = coalesce(m.segments, a.segments),
  price_micros = coalesce(m.price_micros, a.price_micros),
  currency     = coalesce(m.currency, a.currency),
  words_off_at = case when m.words_off then coalesce(a.words_off_at, %(at)s::timestamptz) else a.words_off_at end,
  aftercare_at = case when m.complete then null else a.aftercare_at end
from json_to_recordset(%(rows)s::json) as m(
  attempt_id uuid, segments smallint, price_micros bigint, currency text, words_off boolean, complete boolean)
where a.attempt_id = m.attempt_id
