-- Contacts of other systems on their way in. Staging tables are temporary, as those of a book are.

-- name: open_staging
create temp table contact_line (
  line integer not null, recorded_contact_id uuid not null, made_by text not null, external_id text not null,
  borrower text, accounts text[] not null, channel text not null, direction text not null, purpose text not null,
  outcome text not null, rank smallint not null, notice text not null, value text, at timestamptz not null
);
create temp table contact_account (line integer not null, account text not null);
create temp table contact_conflict (line integer primary key, field text not null, code text not null, other_line integer);

-- name: close_staging
drop table if exists contact_line, contact_account, contact_conflict, contact_known

-- name: copy_contacts
copy contact_line from stdin

-- name: copy_accounts
copy contact_account from stdin

-- name: index_staging
create unique index on contact_line (line);
create index on contact_account (line);
create index on contact_line (made_by, external_id, line);
analyze contact_line, contact_account;

-- name: find_unknown_accounts
insert into contact_conflict (line, field, code)
select distinct s.line, 'account_id', 'unknown'
from contact_account s left join account a on a.external_id = s.account
where a.account_id is null
on conflict (line) do nothing

-- name: find_unknown_borrowers
insert into contact_conflict (line, field, code)
select l.line, 'borrower_id', 'unknown'
from contact_line l left join borrower b on b.external_id = l.borrower
where l.borrower is not null and b.borrower_id is null
on conflict (line) do nothing

-- name: find_foreign_accounts
-- A contact is about one person: every account it names must be theirs.
insert into contact_conflict (line, field, code)
select l.line, 'account_id', 'other_borrower'
from contact_line l
join contact_account s using (line)
join account a on a.external_id = s.account
left join borrower b on b.external_id = l.borrower
group by l.line, b.borrower_id
having count(distinct a.borrower_id) > 1 or b.borrower_id is not null and bool_or(a.borrower_id <> b.borrower_id)
on conflict (line) do nothing

-- name: resolve
create temp table contact_known as
select l.line, coalesce(b.borrower_id, a.borrower_id) as borrower_id, coalesce(a.account_ids, '{}') as account_ids,
       coalesce(a.creditor_id, '') as creditor_id
from contact_line l
left join borrower b on b.external_id = l.borrower
left join lateral (
  select (array_agg(a.borrower_id))[1] as borrower_id, array_agg(a.account_id order by a.account_id) as account_ids,
         case when count(distinct a.creditor_id) = 1 then min(a.creditor_id) end as creditor_id
  from contact_account s join account a on a.external_id = s.account
  where s.line = l.line
) a on true
where l.line not in (select line from contact_conflict);
create unique index on contact_known (line);
analyze contact_known

-- name: find_erased_people
insert into contact_conflict (line, field, code)
select k.line, 'borrower_id', 'erased' from contact_known k join borrower b using (borrower_id) where b.erased_at is not null
on conflict (line) do nothing

-- name: find_repeated_contacts
-- The same contact twice in one file: what came of it furthest counts; none when they differ in anything else.
with repeated as (
  select made_by, external_id, (array_agg(line order by rank desc, line))[1] as first_line,
         count(distinct (borrower_id, account_ids, channel, direction, purpose, notice, value, at)) > 1 as differs
  from contact_line join contact_known using (line)
  group by 1, 2 having count(*) > 1
)
insert into contact_conflict (line, field, code, other_line)
select l.line, 'contact_id', 'repeated',
       case when l.line <> r.first_line then r.first_line
            else (select min(o.line) from contact_line o
                  where o.made_by = l.made_by and o.external_id = l.external_id and o.line <> l.line) end
from repeated r join contact_line l using (made_by, external_id)
where r.differs or l.line <> r.first_line
on conflict (line) do nothing

-- name: find_changed_contacts
-- What was recorded stays as it was recorded; only an outcome moves forward.
insert into contact_conflict (line, field, code)
select l.line, 'contact_id', 'recorded'
from contact_line l
join contact_known k using (line)
join recorded_contact r on r.made_by = l.made_by and r.external_id = l.external_id
where (r.borrower_id, array(select unnest(r.account_ids) order by 1), r.channel, r.direction, r.purpose, r.notice, r.at)
      is distinct from (k.borrower_id, k.account_ids, l.channel, l.direction, l.purpose, l.notice, l.at)
   or l.value is distinct from r.value and r.value is not null
on conflict (line) do nothing

-- name: drop_conflicts
delete from contact_line using contact_conflict where contact_line.line = contact_conflict.line

-- name: conflicts_after
select line, field, code, other_line from contact_conflict where line > %(after)s order by line limit %(most)s

-- name: divide
alter table contact_known add column batch integer;
update contact_known k set batch = d.batch from (
  select line, ((row_number() over (order by line) - 1) / {size})::integer as batch from contact_line
) d where d.line = k.line;
create index on contact_known (batch)

-- name: last_batch
select max(batch) from contact_known

-- name: compare
select count(*) filter (where r.recorded_contact_id is null), count(*) filter (where r.rank < l.rank),
       count(*) filter (where r.rank >= l.rank)
from contact_known k
join contact_line l using (line)
left join recorded_contact r on r.made_by = l.made_by and r.external_id = l.external_id
where k.batch = %(batch)s

-- name: borrowers_of_batch
select distinct borrower_id from contact_known where batch = %(batch)s order by 1

-- name: put_contacts
insert into recorded_contact as r (recorded_contact_id, made_by, external_id, borrower_id, account_ids, creditor_id, channel,
  direction, purpose, outcome, rank, notice, value, at, recorded_at)
select l.recorded_contact_id, l.made_by, l.external_id, k.borrower_id, k.account_ids, k.creditor_id, l.channel, l.direction,
       l.purpose, l.outcome, l.rank, l.notice, l.value, l.at, %(at)s
from contact_known k join contact_line l using (line)
where k.batch = %(batch)s
order by l.line
on conflict (made_by, external_id) do update set outcome = excluded.outcome, rank = excluded.rank
where r.rank < excluded.rank
returning r.recorded_contact_id, r.borrower_id, r.account_ids, r.channel, r.direction, r.purpose, r.outcome, r.notice, r.at,
          r.value

-- name: cases_about
-- The open cases that contacts are about: those of their accounts, else all of the borrower.
select r.recorded_contact_id, c.case_id
from recorded_contact r join cases c on c.borrower_id = r.borrower_id and c.state = 'open'
  and (r.account_ids = '{}' or c.account_id = any(r.account_ids))
where r.recorded_contact_id = any(%(contacts)s)
order by 1, 2

-- name: points_of_values
-- Everyone who has one of these numbers or mailboxes and could still be reached there.
select contact_point_id, borrower_id, value from contact_point
where value = any(%(values)s) and state <> 'wrong_party'
order by contact_point_id
