-- What went over the wire, redacted.

-- name: insert_exchanges
-- A settlement is written again when nobody knows whether it was committed.
insert into exchange (exchange_id, way, at, channel, ref, ended, trips)
select exchange_id, way, at, channel, ref, ended, trips from json_populate_recordset(null::exchange, %(rows)s::json)
on conflict (exchange_id) do nothing

-- name: purge_exchanges
delete from exchange where exchange_id in (
  select exchange_id from exchange where exchange_id < %(before)s order by exchange_id limit %(limit)s for update skip locked)

-- name: attempts_named
-- The attempts that an id of one, a provider's reference, or a case, account or borrower names, oldest first.
select a.attempt_id, a.touch_id, a.channel, a.state, a.outcome, a.started_at, a.provider_ref, a.token from attempt a
where a.attempt_id::text = %(name)s or a.provider_ref = %(name)s or a.case_id = %(case_id)s
order by a.started_at, a.attempt_id

-- name: exchanges_of
-- The turns of a call that fell on one instant are told apart by the turn in their URL.
select exchange_id, way, at, channel, ref, ended, trips from exchange
where exchange_id = any(%(attempts)s) or ref = any(%(refs)s)
order by at, way desc, trips -> 0 -> 'request' -> 'fields' ->> 'n' nulls first, exchange_id
