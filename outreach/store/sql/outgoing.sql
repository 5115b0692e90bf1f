-- What the lender's systems hear, where each webhook stands in it, and what is escalated.

-- name: settled
select timeline_settled()

-- name: told_after
-- A stretch of all timelines in their common order. Run it after `settled`, in a statement of its own.
select t.position, t.case_id, t.seq, t.at, t.kind, t.data::text, a.external_id, b.external_id, c.creditor_id
from timeline t
join cases c on c.case_id = t.case_id
join account a on a.account_id = c.account_id
join borrower b on b.borrower_id = c.borrower_id
where t.position > %(after)s and t.position <= %(until)s and t.kind = any(%(kinds)s)
order by t.position
limit %(limit)s

-- name: told_at
select t.position, t.case_id, t.seq, t.at, t.kind, t.data::text, a.external_id, b.external_id, c.creditor_id
from timeline t
join cases c on c.case_id = t.case_id
join account a on a.account_id = c.account_id
join borrower b on b.borrower_id = c.borrower_id
where t.position = any(%(positions)s)
order by t.position

-- name: words_of
select reply_id, body from reply where reply_id = any(%(replies)s) and body is not null

-- name: timeline_page
select seq, at, kind, data::text, prev_hash, hash from timeline
where case_id = %(case_id)s and seq > %(after)s order by seq limit %(limit)s

-- name: case_head
select a.external_id, c.state, c.timeline_seq, c.timeline_hash
from cases c join account a using (account_id) where c.case_id = %(case_id)s

-- name: add_endpoint
-- A new endpoint hears what comes from now on; what was before it can be replayed.
insert into webhook_endpoint (name, position) values (%(name)s, %(position)s) on conflict (name) do nothing

-- name: endpoints
select e.name, e.position, e.state, e.failures, e.failing_since, e.next_at, e.delivered_at, e.note,
       count(d.position) filter (where d.state = 'waiting'), count(d.position) filter (where d.state = 'given_up')
from webhook_endpoint e left join webhook_delivery d on d.name = e.name
group by e.name order by e.name

-- name: look_at_endpoint
-- Skipped while another process looks at it or holds it.
select position, failures, failing_since, generation from webhook_endpoint
where name = %(name)s and state = 'active' and (next_at is null or next_at <= %(real)s)
  and (lease_until is null or lease_until <= %(real)s or holder = %(holder)s)
for update skip locked

-- name: hold_endpoint
update webhook_endpoint set holder = %(holder)s, lease_until = %(until)s where name = %(name)s

-- name: due_deliveries
-- What waits, of the cases whose first waiting event is due: the rest of a case never overtakes it. Asked for anyway: what
-- comes first on its case, due or not, the least tried of all.
select d.position, d.case_id, d.tries, d.first_at
from webhook_delivery d
join (
  select distinct on (case_id) case_id, position, next_at from webhook_delivery
  where name = %(name)s and state = 'waiting' order by case_id, position
) head on head.case_id = d.case_id and (head.next_at <= %(real)s or %(anyway)s)
where d.name = %(name)s and d.state = 'waiting' and (not %(anyway)s or d.position = head.position)
order by case when %(anyway)s then d.tries else 0 end, d.position
limit %(limit)s

-- name: waiting_cases
select distinct case_id from webhook_delivery
where name = %(name)s and state = 'waiting' and case_id = any(%(cases)s)

-- name: is_still_held
select 1 from webhook_endpoint
where name = %(name)s and holder = %(holder)s and generation = %(generation)s and lease_until > %(real)s
for update

-- name: move_endpoint
update webhook_endpoint set position = %(position)s, state = %(state)s, failures = %(failures)s,
  failing_since = %(failing_since)s, next_at = %(next_at)s, note = %(note)s,
  delivered_at = coalesce(%(delivered_at)s::timestamptz, delivered_at), lease_until = null, holder = null
where name = %(name)s

-- name: forget_delivered
delete from webhook_delivery where name = %(name)s and position = any(%(positions)s)

-- name: keep_waiting
insert into webhook_delivery (name, position, case_id, state, tries, first_at, next_at, note)
select %(name)s, position, case_id, state, tries, first_at, next_at, note
from json_populate_recordset(null::webhook_delivery, %(rows)s::json)
on conflict (name, position) do update set state = excluded.state, tries = excluded.tries, first_at = excluded.first_at,
  next_at = excluded.next_at, note = excluded.note

-- name: wake_waiting
update webhook_delivery set next_at = %(real)s where name = %(name)s and state = 'waiting' and next_at > %(real)s

-- name: replay_endpoint
update webhook_endpoint set position = %(position)s, generation = generation + 1, holder = null, lease_until = null,
  next_at = null, failures = 0, failing_since = null
where name = %(name)s returning state

-- name: forget_after
delete from webhook_delivery where name = %(name)s and position > %(position)s

-- name: enable_endpoint
update webhook_endpoint set state = 'active', next_at = null, failures = 0, failing_since = null, note = null
where name = %(name)s returning position

-- name: escalation_candidates
-- Cases that may go to the next stage under one rule. Whether they rest is asked here, too: a case at rest is left alone.
select c.case_id, c.borrower_id, %(today)s::date - a.due_on,
       (select count(*) from attempt t where t.case_id = c.case_id and t.state <> 'released')
from cases c
join account a using (account_id)
where c.state = 'open' and a.amount_due_minor > 0 and a.due_on <= %(today)s::date - %(days_past_due)s::integer
  and c.case_id > %(after)s
  and (%(only)s::uuid[] is null or c.case_id = any(%(only)s))
  and (cardinality(%(creditors)s::text[]) = 0 or c.creditor_id = any(%(creditors)s))
  and (cardinality(%(products)s::text[]) = 0 or a.product = any(%(products)s))
  and not exists (select from escalation e where e.case_id = c.case_id)
  and not exists (select from hold h where h.borrower_id = c.borrower_id and (h.case_id is null or h.case_id = c.case_id)
                  and h.lifted_at is null and (h.until_at is null or h.until_at > %(now)s))
  and not exists (select from promise p where p.case_id = c.case_id and p.state = 'open')
  and not exists (select from arrangement r where r.case_id = c.case_id and r.state in ('proposed', 'confirmed', 'active'))
  and not exists (select from task k where k.case_id = c.case_id and k.closed_at is null)
  and case %(when)s::text
    when 'silent' then
      (select count(*) >= %(contacts)s and min(t.started_at) <= %(since)s from attempt t
       where t.case_id = c.case_id and t.state <> 'released')
      and not exists (select from cases m join reply y on y.case_id = m.case_id
                      where m.borrower_id = c.borrower_id and y.received_at > %(since)s)
      and not exists (select from attempt t
                      where t.borrower_id = c.borrower_id and t.started_at > %(since)s and t.outcome = 'conversation')
      and not exists (select from recorded_contact o where o.borrower_id = c.borrower_id and o.at > %(since)s
                      and (o.direction = 'in' or o.outcome = 'conversation'))
      and not exists (select from payment m where m.case_id = c.case_id and m.reversed_at is null
                      and m.received_at > %(since)s)
    else
      exists (
        select from (
          select p.ended_at from promise p where p.case_id = c.case_id and p.state = 'broken'
          union all
          select r.ended_at from arrangement r where r.case_id = c.case_id and r.state = 'broken'
        ) broke
        where broke.ended_at <= %(since)s
          and not exists (select from payment m where m.case_id = c.case_id and m.reversed_at is null
                          and m.received_at > broke.ended_at))
  end
order by c.case_id
limit %(limit)s

-- name: insert_escalations
insert into escalation (case_id, rule, at)
select case_id, %(rule)s, %(at)s from unnest(%(cases)s::uuid[]) as wanted(case_id)
on conflict (case_id) do nothing
returning case_id
