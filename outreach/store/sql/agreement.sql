-- What was agreed with borrowers: arrangements, promises, extensions, and the payments that count toward them.

-- name: insert_arrangement
insert into arrangement (arrangement_id, case_id, borrower_id, state, frequency, total_minor, currency, proposed_at,
  confirmed_at, source, policy, grace_days, fee_minor, down_payment_minor, contact_point_id)
values (%(arrangement_id)s, %(case_id)s, %(borrower_id)s, %(state)s, %(frequency)s, %(total_minor)s, %(currency)s, %(at)s,
  %(confirmed_at)s, %(source)s, %(policy)s, %(grace_days)s, %(fee_minor)s, %(down_payment_minor)s, %(contact_point_id)s)
on conflict (case_id) where state in ('proposed', 'confirmed', 'active') do nothing
returning arrangement_id

-- name: arrangement
select arrangement_id, case_id, borrower_id, state, frequency, total_minor, currency, fee_minor, source, contact_point_id,
       thanked_at, grace_days, confirmed_at, ended_at, ended_by
from arrangement where arrangement_id = %(arrangement_id)s
for no key update

-- name: arrangements_of_case
select arrangement_id from arrangement where case_id = %(case_id)s order by proposed_at, arrangement_id

-- name: end_arrangement
update arrangement set state = %(state)s, ended_at = %(at)s, ended_by = %(by)s where arrangement_id = %(arrangement_id)s

-- name: spare_arrangement
update arrangement set spared_until = greatest(spared_until, %(until)s) where arrangement_id = %(arrangement_id)s

-- name: thank_for_arrangement
update arrangement set thanked_at = %(at)s where arrangement_id = %(arrangement_id)s and thanked_at is null
returning arrangement_id

-- name: other_live_arrangement
select arrangement_id from arrangement
where case_id = %(case_id)s and arrangement_id <> %(arrangement_id)s and state in ('proposed', 'confirmed', 'active')

-- name: late_arrangements
-- With an installment that is past its grace and not paid, oldest first. The day is the latest anywhere on earth: whether
-- it is over on the borrower's own clock is looked at with the zones.
select a.arrangement_id, a.case_id, a.borrower_id, a.grace_days, min(i.due_on) as due_on, a.spared_until, b.zones
from arrangement a join installment i using (arrangement_id) join borrower b on b.borrower_id = a.borrower_id
where a.state in ('confirmed', 'active') and i.paid_minor < i.amount_minor and i.due_on + a.grace_days < %(on)s
  and (a.spared_until is null or a.spared_until < %(on)s)
group by a.arrangement_id, b.zones
order by min(i.due_on) + a.grace_days
limit %(limit)s

-- name: late_promises
select p.promise_id, p.case_id, p.borrower_id, p.grace_days, p.due_on, p.spared_until, b.zones
from promise p join borrower b on b.borrower_id = p.borrower_id
where p.state = 'open' and p.due_on + p.grace_days < %(on)s and (p.spared_until is null or p.spared_until < %(on)s)
order by p.due_on + p.grace_days
limit %(limit)s

-- name: insert_promise
insert into promise (promise_id, case_id, borrower_id, state, amount_minor, currency, due_on, made_at, source, grace_days,
  contact_point_id)
values (%(promise_id)s, %(case_id)s, %(borrower_id)s, 'open', %(amount_minor)s, %(currency)s, %(due_on)s, %(at)s, %(source)s,
  %(grace_days)s, %(contact_point_id)s)
on conflict (case_id) where state = 'open' do update set amount_minor = excluded.amount_minor, due_on = excluded.due_on,
  made_at = excluded.made_at, grace_days = excluded.grace_days
returning promise_id

-- name: promise
select promise_id, case_id, borrower_id, state, amount_minor, currency, due_on, paid_minor, source, contact_point_id, thanked_at,
       grace_days
from promise where promise_id = %(promise_id)s
for no key update

-- name: other_open_promise
select promise_id from promise where case_id = %(case_id)s and promise_id <> %(promise_id)s and state = 'open'

-- name: spare_promise
update promise set spared_until = greatest(spared_until, %(until)s) where promise_id = %(promise_id)s

-- name: thank_for_promise
update promise set thanked_at = %(at)s where promise_id = %(promise_id)s and thanked_at is null
returning promise_id

-- name: count_payment
update payment set arrangement_id = %(arrangement_id)s, promise_id = %(promise_id)s
where source = %(source)s and external_id = %(external_id)s

-- name: payment_counted
select arrangement_id, promise_id from payment where source = %(source)s and external_id = %(external_id)s

-- name: paid_toward
select coalesce(sum(amount_minor) filter (where arrangement_id = %(key)s), 0)::bigint,
       coalesce(sum(amount_minor) filter (where promise_id = %(key)s), 0)::bigint
from payment where (arrangement_id = %(key)s or promise_id = %(key)s) and reversed_at is null

-- name: insert_extension
insert into extension (extension_id, case_id, borrower_id, from_on, to_on, granted_at, source, evidence)
values (%(extension_id)s, %(case_id)s, %(borrower_id)s, %(from_on)s, %(to_on)s, %(at)s, %(source)s, %(evidence)s)

-- name: background
-- What else decides what may be offered: broken arrangements of the borrower, the case's latest extension, their place.
select (select count(*) from arrangement where borrower_id = %(borrower_id)s and state = 'broken' and ended_at > %(since)s),
       (select max(granted_at) from extension where case_id = %(case_id)s),
       b.country, b.subdivision, b.jurisdictions || b.located_jurisdictions
from borrower b where b.borrower_id = %(borrower_id)s

-- name: at_rest
-- Per case: an arrangement in good standing, an open promise, the day an extension reaches, the oldest hold in force.
select c.case_id,
       exists (select from arrangement g where g.case_id = c.case_id and g.state in ('confirmed', 'active')),
       exists (select from promise p where p.case_id = c.case_id and p.state = 'open'),
       (select max(e.to_on) from extension e where e.case_id = c.case_id),
       (select h.kind from hold h
        where h.borrower_id = c.borrower_id and (h.case_id is null or h.case_id = c.case_id)
          and h.lifted_at is null and (h.until_at is null or h.until_at > %(at)s)
        order by h.since_at, h.hold_id limit 1)
from cases c where c.case_id = any(%(cases)s)
