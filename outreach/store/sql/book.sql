-- A book on its way in. Staging tables are temporary: nobody else sees them, and they leave no trace in the log of changes.

-- name: open_staging
create temp table book_line (
  line integer not null, borrower text not null, borrower_id uuid not null, given_name text, family_name text,
  birth_year smallint, locale text not null, country text not null, subdivision text, postcode text, city text,
  address_line text, jurisdictions text[] not null, zones text[] not null
);
create temp table book_account (
  line integer not null, account text not null, account_id uuid not null, case_id uuid not null, creditor_id text not null,
  product text not null, currency text not null, balance_minor bigint not null, amount_due_minor bigint not null,
  due_on date not null, charged_off boolean, time_barred boolean, accelerated boolean, creditor_kind text not null
);
create temp table book_point (
  line integer not null, contact_point_id uuid not null, kind text not null, value text not null, type text not null,
  label text not null, regions text[] not null, zones text[] not null, priority smallint not null
);
create temp table book_consent (
  line integer not null, consent_id uuid not null, kind text not null, channel text not null, state text not null,
  at timestamptz not null, expires_at timestamptz
);
create temp table book_conflict (line integer primary key, field text not null, code text not null, other_line integer);

-- name: close_staging
drop table if exists book_line, book_account, book_point, book_consent, book_conflict, book_borrower

-- name: copy_lines
copy book_line from stdin

-- name: copy_accounts
copy book_account from stdin

-- name: copy_points
copy book_point from stdin

-- name: copy_consents
copy book_consent from stdin

-- name: index_staging
create unique index on book_line (line);
create index on book_line (borrower, line);
create index on book_account (account, line);
create index on book_account (line);
create index on book_point (line);
create index on book_consent (line);
analyze book_line, book_account, book_point, book_consent;

-- name: find_differing_borrowers
-- Nobody can tell which of two addresses is the right one, so no line of such a borrower goes in.
with first as (
  select distinct on (borrower) * from book_line order by borrower, line
), odd as (
  select l.line, l.borrower, f.line as first_line,
         case when l.given_name is distinct from f.given_name then 'given_name'
              when l.family_name is distinct from f.family_name then 'family_name'
              when l.birth_year is distinct from f.birth_year then 'birth_year'
              when l.locale <> f.locale then 'locale'
              when l.country <> f.country then 'country'
              when l.subdivision is distinct from f.subdivision then 'subdivision'
              when l.postcode is distinct from f.postcode then 'postcode'
              when l.city is distinct from f.city then 'city'
              when l.address_line is distinct from f.address_line then 'address_line'
              else 'time_zone' end as field
  from book_line l join first f using (borrower)
  where (l.given_name, l.family_name, l.birth_year, l.locale, l.country, l.subdivision, l.postcode, l.city,
         l.address_line, l.zones)
        is distinct from
        (f.given_name, f.family_name, f.birth_year, f.locale, f.country, f.subdivision, f.postcode, f.city,
         f.address_line, f.zones)
), example as (
  select distinct on (borrower) * from odd order by borrower, line
)
insert into book_conflict (line, field, code, other_line)
select l.line, coalesce(o.field, e.field), 'differs', case when l.line = e.first_line then e.line else e.first_line end
from example e
join book_line l using (borrower)
left join odd o on o.line = l.line
on conflict (line) do nothing

-- name: find_repeated_accounts
-- The same account twice in the same words: the first counts. In other words: nobody can tell which is right.
with repeated as (
  select a.account, min(a.line) as first_line, count(*) > count(distinct a.line) as within_line,
         count(distinct (l.borrower, a.creditor_id, a.product, a.currency, a.balance_minor, a.amount_due_minor, a.due_on,
                           a.charged_off, a.time_barred, a.accelerated, a.creditor_kind)) > 1 as differs
  from book_account a join book_line l using (line)
  group by a.account having count(*) > 1
)
insert into book_conflict (line, field, code, other_line)
select distinct on (a.line) a.line, 'account_id', 'repeated',
       case when a.line <> r.first_line then r.first_line
            else (select min(o.line) from book_account o where o.account = a.account and o.line > a.line) end
from repeated r join book_account a using (account)
where r.differs or r.within_line or a.line <> r.first_line
order by a.line
on conflict (line) do nothing

-- name: find_moved_accounts
insert into book_conflict (line, field, code)
select distinct on (s.line) s.line, 'account_id', 'other_borrower'
from book_account s
join book_line l using (line)
join account a on a.external_id = s.account
join borrower b on b.borrower_id = a.borrower_id
where b.external_id <> l.borrower
on conflict (line) do nothing

-- name: find_erased_borrowers
insert into book_conflict (line, field, code)
select l.line, 'borrower_id', 'erased'
from book_line l join borrower b on b.external_id = l.borrower
where b.erased_at is not null
on conflict (line) do nothing

-- name: drop_conflicts
delete from book_line using book_conflict where book_line.line = book_conflict.line

-- name: conflicts_after
select line, field, code, other_line from book_conflict where line > %(after)s order by line limit %(most)s

-- name: divide
create temp table book_borrower as
select borrower, first_line, ((row_number() over (order by first_line) - 1) / {size})::integer as batch
from (select borrower, min(line) as first_line from book_line group by borrower) as people;
create index on book_borrower (batch);
analyze book_borrower;

-- name: last_batch
select max(batch) from book_borrower

-- name: lock_borrowers
select b.borrower_id
from book_borrower s join borrower b on b.external_id = s.borrower
where s.batch = %(batch)s
order by b.borrower_id
for no key update of b

-- name: compare
with people as (
  select l.*, b.borrower_id as stored_id,
         (b.given_name, b.family_name, b.birth_year, b.locale, b.country, b.subdivision, b.postcode, b.city,
          b.address_line, b.jurisdictions, b.zones)
         is distinct from
         (l.given_name, l.family_name, l.birth_year, l.locale, l.country, l.subdivision, l.postcode, l.city,
          l.address_line, l.jurisdictions, l.zones) as changed
  from book_borrower s
  join book_line l on l.borrower = s.borrower and l.line = s.first_line
  left join borrower b on b.external_id = s.borrower
  where s.batch = %(batch)s
), lines as (
  select l.line, l.borrower, p.stored_id from people p join book_line l on l.borrower = p.borrower
), facts as (
  select 'borrowers' as fact, stored_id is null as fresh, changed from people
  union all
  select 'accounts', a.account_id is null,
         (a.creditor_id, a.product, a.currency, a.balance_minor, a.amount_due_minor, a.due_on, a.charged_off, a.time_barred,
          a.accelerated, a.creditor_kind)
         is distinct from
         (s.creditor_id, s.product, s.currency, s.balance_minor, s.amount_due_minor, s.due_on,
          coalesce(s.charged_off, a.charged_off), coalesce(s.time_barred, a.time_barred),
          coalesce(s.accelerated, a.accelerated), coalesce(nullif(s.creditor_kind, ''), a.creditor_kind))
  from lines l join book_account s using (line) left join account a on a.external_id = s.account
  union all
  select 'points', c.contact_point_id is null,
         (c.type, c.label, c.regions, c.zones, c.priority) is distinct from (s.type, s.label, s.regions, s.zones, s.priority)
  from (
    select distinct on (l.borrower, p.kind, p.value) l.borrower, l.stored_id, p.*
    from lines l join book_point p using (line) order by l.borrower, p.kind, p.value, p.line
  ) s left join contact_point c on c.borrower_id = s.stored_id and c.kind = s.kind and c.value = s.value
  union all
  select 'consents', not exists (
    select from consent c
    where c.borrower_id = s.stored_id and c.kind = s.kind and c.channel = s.channel and c.state = s.state
      and c.at = s.at and c.expires_at is not distinct from s.expires_at and c.source = %(source)s
  ), false
  from (
    select distinct l.borrower, l.stored_id, c.kind, c.channel, c.state, c.at, c.expires_at
    from lines l join book_consent c using (line)
  ) s
)
select fact, count(*) filter (where fresh), count(*) filter (where not fresh and changed),
       count(*) filter (where not fresh and not changed)
from facts group by fact

-- name: put_borrowers
insert into borrower as b
  (borrower_id, external_id, given_name, family_name, birth_year, locale, country, subdivision, postcode, city,
   address_line, jurisdictions, zones, created_at, updated_at)
select l.borrower_id, l.borrower, l.given_name, l.family_name, l.birth_year, l.locale, l.country, l.subdivision,
       l.postcode, l.city, l.address_line, l.jurisdictions, l.zones, %(at)s, %(at)s
from book_borrower s join book_line l on l.borrower = s.borrower and l.line = s.first_line
where s.batch = %(batch)s
on conflict (external_id) do update set
  given_name = excluded.given_name, family_name = excluded.family_name, birth_year = excluded.birth_year,
  locale = excluded.locale, country = excluded.country, subdivision = excluded.subdivision,
  postcode = excluded.postcode, city = excluded.city, address_line = excluded.address_line,
  jurisdictions = excluded.jurisdictions, zones = excluded.zones, updated_at = excluded.updated_at
where b.erased_at is null
  and (b.given_name, b.family_name, b.birth_year, b.locale, b.country, b.subdivision, b.postcode, b.city,
       b.address_line, b.jurisdictions, b.zones)
      is distinct from
      (excluded.given_name, excluded.family_name, excluded.birth_year, excluded.locale, excluded.country,
       excluded.subdivision, excluded.postcode, excluded.city, excluded.address_line, excluded.jurisdictions,
       excluded.zones)

-- name: put_accounts
-- What a book does not say of the state of a debt stays as it was: another book or an event may have said it.
insert into account as a
  (account_id, external_id, borrower_id, creditor_id, product, currency, balance_minor, amount_due_minor, due_on, updated_at,
   charged_off, time_barred, accelerated, creditor_kind)
select c.account_id, c.account, b.borrower_id, c.creditor_id, c.product, c.currency, c.balance_minor, c.amount_due_minor,
       c.due_on, %(at)s, c.charged_off, c.time_barred, c.accelerated, c.creditor_kind
from book_borrower s
join book_line l on l.borrower = s.borrower
join book_account c on c.line = l.line
join borrower b on b.external_id = s.borrower
where s.batch = %(batch)s
on conflict (external_id) do update set
  creditor_id = excluded.creditor_id, product = excluded.product, currency = excluded.currency,
  balance_minor = excluded.balance_minor, amount_due_minor = excluded.amount_due_minor, due_on = excluded.due_on,
  updated_at = excluded.updated_at, charged_off = coalesce(excluded.charged_off, a.charged_off),
  time_barred = coalesce(excluded.time_barred, a.time_barred),
  accelerated = coalesce(excluded.accelerated, a.accelerated),
  creditor_kind = coalesce(nullif(excluded.creditor_kind, ''), a.creditor_kind)
where a.borrower_id = excluded.borrower_id
  and (a.creditor_id, a.product, a.currency, a.balance_minor, a.amount_due_minor, a.due_on, a.charged_off, a.time_barred,
       a.accelerated, a.creditor_kind)
      is distinct from
      (excluded.creditor_id, excluded.product, excluded.currency, excluded.balance_minor, excluded.amount_due_minor,
       excluded.due_on, coalesce(excluded.charged_off, a.charged_off), coalesce(excluded.time_barred, a.time_barred),
       coalesce(excluded.accelerated, a.accelerated), coalesce(nullif(excluded.creditor_kind, ''), a.creditor_kind))

-- name: accounts_put_first
-- Accounts that this batch inserted are those that carry the identifier proposed for them. An account that was there before
-- keeps its case, and a closed case stays closed.
select c.case_id, a.account_id, a.borrower_id, a.creditor_id, a.currency, a.amount_due_minor, a.due_on
from book_borrower s
join book_line l on l.borrower = s.borrower
join book_account c on c.line = l.line
join account a on a.account_id = c.account_id
where s.batch = %(batch)s

-- name: open_cases
insert into cases (case_id, account_id, borrower_id, creditor_id, state, opened_at, timeline_seq, timeline_hash)
select case_id, account_id, borrower_id, creditor_id, 'open', %(at)s, timeline_seq, timeline_hash
from json_populate_recordset(null::cases, %(rows)s::json)

-- name: begin_timelines
insert into timeline (case_id, seq, at, kind, data, prev_hash, hash)
select case_id, seq, at, kind, data, prev_hash, hash from json_populate_recordset(null::timeline, %(rows)s::json)

-- name: put_points
-- What the system has learned about a point (state, confirmed) is never overwritten by a book.
insert into contact_point as p
  (contact_point_id, borrower_id, kind, value, type, label, regions, zones, priority, created_at, updated_at)
select distinct on (b.borrower_id, c.kind, c.value)
       c.contact_point_id, b.borrower_id, c.kind, c.value, c.type, c.label, c.regions, c.zones, c.priority, %(at)s, %(at)s
from book_borrower s
join book_line l on l.borrower = s.borrower
join book_point c on c.line = l.line
join borrower b on b.external_id = s.borrower
where s.batch = %(batch)s
order by b.borrower_id, c.kind, c.value, c.line
on conflict (borrower_id, kind, value) do update set
  type = excluded.type, label = excluded.label, regions = excluded.regions, zones = excluded.zones,
  priority = excluded.priority, updated_at = excluded.updated_at
where (p.type, p.label, p.regions, p.zones, p.priority)
      is distinct from (excluded.type, excluded.label, excluded.regions, excluded.zones, excluded.priority)

-- name: put_consents
insert into consent (consent_id, borrower_id, kind, channel, state, at, expires_at, source)
select distinct on (b.borrower_id, c.kind, c.channel, c.state, c.at, c.expires_at)
       c.consent_id, b.borrower_id, c.kind, c.channel, c.state, c.at, c.expires_at, %(source)s
from book_borrower s
join book_line l on l.borrower = s.borrower
join book_consent c on c.line = l.line
join borrower b on b.external_id = s.borrower
where s.batch = %(batch)s and not exists (
  select from consent k
  where k.borrower_id = b.borrower_id and k.kind = c.kind and k.channel = c.channel and k.state = c.state
    and k.at = c.at and k.expires_at is not distinct from c.expires_at and k.source = %(source)s
)
order by b.borrower_id, c.kind, c.channel, c.state, c.at, c.expires_at, c.line

-- name: put_suppressions
-- A revoked consent bars its channel wherever the borrower lives, also where no law asks for consent.
insert into suppression (suppression_id, borrower_id, channel, reason, since_at, evidence)
select distinct on (k.borrower_id, k.channel) k.consent_id, k.borrower_id, k.channel, %(reason)s, k.at, k.source
from (
  select distinct on (c.borrower_id, c.kind, c.channel) c.*
  from book_borrower s
  join borrower b on b.external_id = s.borrower
  join consent c on c.borrower_id = b.borrower_id and c.source = %(source)s
  where s.batch = %(batch)s
  order by c.borrower_id, c.kind, c.channel, c.at desc, c.consent_id desc
) k
where k.state = 'revoked' and not exists (
  select from suppression u
  where u.borrower_id = k.borrower_id and u.channel = k.channel and u.reason = %(reason)s and u.since_at >= k.at
)
order by k.borrower_id, k.channel, k.at desc

-- name: lift_suppressions
-- A later consent in a book undoes what an earlier book revoked, and nothing that the borrower told us.
update suppression u set lifted_at = %(at)s
from book_borrower s
join borrower b on b.external_id = s.borrower
where s.batch = %(batch)s and u.borrower_id = b.borrower_id and u.reason = %(reason)s and u.lifted_at is null
  and not exists (
    select from (
      select distinct on (c.kind) c.state from consent c
      where c.borrower_id = u.borrower_id and c.channel = u.channel and c.source = %(source)s
      order by c.kind, c.at desc, c.consent_id desc
    ) k where k.state = 'revoked'
  )
