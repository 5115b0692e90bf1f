-- Terms agreed with borrowers: what an arrangement was agreed on, which payments counted toward it, extensions.

alter table arrangement add column policy text;
alter table arrangement add column grace_days smallint not null default 3;
alter table arrangement add column fee_minor bigint not null default 0;
alter table arrangement add column down_payment_minor bigint not null default 0;
alter table arrangement add column contact_point_id uuid;
alter table arrangement add column spared_until date;        -- a payment was taken back: not broken before this day
alter table arrangement add column thanked_at timestamptz;
alter table arrangement add column ended_by text;             -- who cancelled it: borrower, change or an operator's name
create index arrangement_borrower on arrangement (borrower_id, ended_at) where state = 'broken';

alter table promise add column grace_days smallint not null default 1;
alter table promise add column contact_point_id uuid;
alter table promise add column spared_until date;
alter table promise add column thanked_at timestamptz;

-- A payment remembers what it counted toward, so that taking it back undoes exactly that.
alter table payment add column arrangement_id uuid;
alter table payment add column promise_id uuid;
create index payment_arrangement on payment (arrangement_id) where arrangement_id is not null;
create index payment_promise on payment (promise_id) where promise_id is not null;

update payment p set arrangement_id = a.arrangement_id from arrangement a
where a.case_id = p.case_id and p.received_at >= a.confirmed_at
  and (a.ended_at is null or p.received_at <= a.ended_at);
update payment p set promise_id = o.promise_id from promise o
where o.case_id = p.case_id and p.received_at >= o.made_at
  and (o.ended_at is null or p.received_at <= o.ended_at);

create table extension (                                      -- a new due date, granted
  extension_id uuid primary key,
  case_id      uuid not null references cases,
  borrower_id  uuid not null,
  from_on      date not null,
  to_on        date not null,
  granted_at   timestamptz not null,
  source       text not null,
  evidence     text not null
);
create index extension_case on extension (case_id, to_on);
