-- What the lender's systems hear: one order over all timelines, where each webhook stands in it, and what was escalated.

-- The place of an entry among the entries of all cases. It is taken under the lock of the case's head, so for one case it
-- rises as seq does. Entries written before this migration are numbered in the order in which they lie in the table.
alter table timeline add column position bigint generated always as identity;
create unique index timeline_position on timeline (position);

-- Places are handed out before the transactions that take them commit, so a reader who sees 12 may not have seen 11 yet.
-- Whoever writes says, by a shared lock whose key is the last place handed out before, that everything after it is not
-- settled. The lock ends with the transaction, after what it wrote can be seen. Keys below 0 are used for nothing else.
create function timeline_say_where() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(
    -1 - (select case when is_called then last_value else last_value - 1 end from timeline_position_seq));
  return null;
end $$;
create trigger timeline_say_where before insert on timeline
  for each statement execute function timeline_say_where();

-- Up to which place every entry can be seen, or never will be. The order matters: who says so after the look at the locks
-- gets a place after the one looked at before. Read the entries in a later statement than this one.
create function timeline_settled() returns bigint language plpgsql volatile as $$
declare
  last_place bigint;
  open_after bigint;
begin
  select case when is_called then last_value else last_value - 1 end into last_place from timeline_position_seq;
  select min(-1 - ((classid::bigint << 32) | objid::bigint)) into open_after
  from pg_locks
  where locktype = 'advisory' and objsubid = 1 and ((classid::bigint << 32) | objid::bigint) < 0
    and database = (select oid from pg_database where datname = current_database());
  return least(last_place, open_after);
end $$;

create table webhook_endpoint (               -- where each endpoint of config/webhooks.yaml stands; all instants real time
  name          text primary key,
  position      bigint not null,              -- everything up to here was delivered, or is in webhook_delivery
  state         text not null default 'active' check (state in ('active', 'disabled')),
  failures      integer not null default 0,   -- since it last took anything
  failing_since timestamptz,
  next_at       timestamptz,                  -- it failed throughout: nothing is sent before then
  delivered_at  timestamptz,
  note          text,                         -- why it is disabled; the last answer while it fails
  holder        uuid,                         -- the process that sends to it now
  lease_until   timestamptz,
  generation    integer not null default 0    -- a replay starts a new one; what was under way then is not recorded
);

create table webhook_delivery (               -- what was not taken at the first try, and what waits behind it for its case
  name     text not null references webhook_endpoint on delete cascade,
  position bigint not null,
  case_id  uuid not null,
  state    text not null check (state in ('waiting', 'given_up')),
  tries    smallint not null default 0,
  first_at timestamptz,
  next_at  timestamptz not null,
  note     text,
  primary key (name, position)
);
create index webhook_delivery_waiting on webhook_delivery (name, case_id, position) where state = 'waiting';

create table escalation (                     -- a case is handed to the lender's next stage once
  case_id uuid primary key,
  rule    text not null,
  at      timestamptz not null
);
create index promise_case on promise (case_id);
create index arrangement_case on arrangement (case_id);
