-- The house: who owes, how they may be reached, what was planned, decided, sent and heard.
-- Conventions: *_at aware UTC, *_on local date, *_minor integer minor units. No default reads the clock.
-- Hot append-only tables (decision, attempt, timeline, inbox) carry no foreign keys: they are written in bulk from rows that
-- were read under lock in the same transaction, and are meant to be partitioned by month.
-- Columns marked "personal" can be erased; nothing else refers to their content.

create table borrower (
  borrower_id   uuid primary key,
  external_id   text not null unique,
  given_name    text,                        -- personal
  family_name   text,                        -- personal
  birth_year    smallint,                    -- personal, identity check
  postcode      text,                        -- personal, identity check
  address_line  text,                        -- personal
  city          text,                        -- personal
  country       text not null,
  subdivision   text,
  locale        text not null,
  jurisdictions text[] not null default '{}',
  zones         text[] not null default '{}',
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  erased_at     timestamptz
);

create table account (
  account_id       uuid primary key,
  external_id      text not null unique,
  borrower_id      uuid not null references borrower,
  creditor_id      text not null,
  product          text not null,
  currency         text not null,
  balance_minor    bigint not null,
  amount_due_minor bigint not null,
  due_on           date not null,
  updated_at       timestamptz not null
);
create index account_borrower on account (borrower_id);

create table cases (
  case_id       uuid primary key,
  account_id    uuid not null references account,
  borrower_id   uuid not null references borrower,
  creditor_id   text not null,
  state         text not null check (state in ('open', 'closed')),
  stage         text not null default 'early',
  opened_at     timestamptz not null,
  closed_at     timestamptz,
  timeline_seq  integer not null default 0,
  timeline_hash text not null default ''
) with (fillfactor = 80);
create unique index cases_open_account on cases (account_id) where state = 'open';
create index cases_borrower on cases (borrower_id);

create table contact_point (
  contact_point_id uuid primary key,
  borrower_id      uuid not null references borrower,
  kind             text not null check (kind in ('phone', 'email')),
  value            text not null,            -- personal: E.164 or mailbox
  type             text not null,
  label            text not null default 'home',
  state            text not null default 'active',
  state_reason     text,
  regions          text[] not null default '{}',
  zones            text[] not null default '{}',
  priority         smallint not null default 0,
  confirmed        boolean not null default false,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  unique (borrower_id, kind, value)
);
create index contact_point_value on contact_point (value);

create table consent (
  consent_id       uuid primary key,
  borrower_id      uuid not null references borrower,
  contact_point_id uuid,
  kind             text not null,
  channel          text not null,
  state            text not null check (state in ('given', 'revoked')),
  at               timestamptz not null,
  expires_at       timestamptz,
  source           text not null,
  wording          text,
  evidence         text
);
create index consent_borrower on consent (borrower_id);

create table suppression (
  suppression_id   uuid primary key,
  borrower_id      uuid not null references borrower,
  contact_point_id uuid,
  case_id          uuid,
  channel          text not null,
  reason           text not null,
  since_at         timestamptz not null,
  until_at         timestamptz,
  lifted_at        timestamptz,
  evidence         text
);
create index suppression_borrower on suppression (borrower_id);

create table hold (
  hold_id     uuid primary key,
  borrower_id uuid not null references borrower,
  case_id     uuid,
  kind        text not null,
  since_at    timestamptz not null,
  until_at    timestamptz,
  lifted_at   timestamptz,
  source      text not null,
  evidence    text
);
create index hold_borrower on hold (borrower_id);

create table personal_window (
  personal_window_id uuid primary key,
  borrower_id uuid not null references borrower,
  effect      text not null check (effect in ('allow', 'bar')),
  opens       text not null,
  closes      text not null,
  days        text[] not null,
  channel     text not null default 'any',
  since_at    timestamptz not null,
  until_at    timestamptz
);
create index personal_window_borrower on personal_window (borrower_id);

create table permission (                     -- evidence that lifts one named rule for a while
  permission_id uuid primary key,
  borrower_id uuid not null references borrower,
  kind        text not null,
  channel     text not null default 'any',
  since_at    timestamptz not null,
  until_at    timestamptz,
  evidence    text,
  used_at     timestamptz
);
create index permission_borrower on permission (borrower_id, since_at);

create table plan_version (
  version    text primary key,
  name       text not null,
  body       jsonb not null,
  created_at timestamptz not null
);

create table policy_version (
  version    text primary key,
  body       text not null,                  -- canonical JSON, byte for byte: the version is its hash
  created_at timestamptz not null
);

create table campaign (
  campaign_id  uuid primary key,
  name         text not null,
  plan         text not null,
  spec         jsonb not null,
  state        text not null check (state in ('draft', 'running', 'paused', 'finished', 'cancelled')),
  next_run_at  timestamptz,
  last_run_at  timestamptz,
  slot_at      timestamptz,                  -- throughput: the next touch of this campaign may leave here
  day_on       date,                         -- throughput: touches planned on this day so far
  day_count    integer not null default 0,
  created_at   timestamptz not null,
  updated_at   timestamptz not null
);
create unique index campaign_live on campaign (name) where state in ('running', 'paused');

create table enrollment (
  enrollment_id uuid primary key,
  case_id       uuid not null references cases,
  borrower_id   uuid not null,
  plan          text not null,
  plan_version  text not null references plan_version,
  campaign_id   uuid references campaign,
  trigger_key   text not null,               -- why it exists; the same cause enrols a case once
  anchor_on     date,
  anchor_at     timestamptz,
  context       jsonb not null default '{}',
  state         text not null check (state in ('active', 'paused', 'completed', 'stopped', 'holdout')),
  stop_reason   text,
  next_step     smallint not null default 0,
  next_due_at   timestamptz,
  priority      smallint not null default 0,
  created_at    timestamptz not null,
  ended_at      timestamptz,
  unique (case_id, plan, trigger_key)
) with (fillfactor = 80);
create index enrollment_due on enrollment (next_due_at) where state = 'active';
create index enrollment_live on enrollment (borrower_id) where state in ('active', 'paused');
create index enrollment_campaign on enrollment (campaign_id) where campaign_id is not null;

create table touch (
  touch_id         uuid primary key,
  enrollment_id    uuid,
  campaign_id      uuid,
  case_id          uuid not null,
  borrower_id      uuid not null,
  plan             text,
  plan_version     text,
  step_id          text,
  channel          text not null,
  fallback         text[] not null default '{}',
  template         text not null,
  purpose          text not null,
  context          jsonb not null default '{}',
  priority         smallint not null default 0,
  state            text not null,
  reason           text,
  due_at           timestamptz not null,
  not_before       timestamptz not null,
  expires_at       timestamptz not null,
  lease_until      timestamptz,              -- real time: a lease is about processes, not about borrowers
  tries            smallint not null default 0,
  contact_point_id uuid,
  created_at       timestamptz not null,
  settled_at       timestamptz
) with (fillfactor = 70);
create index touch_ready on touch (not_before) where state in ('planned', 'deferred');
create index touch_leased on touch (lease_until) where state = 'queued';
create index touch_open on touch (borrower_id) where state in ('planned', 'deferred', 'queued');
create index touch_case on touch (case_id, due_at);
create index touch_campaign on touch (campaign_id) where campaign_id is not null and state in ('planned', 'deferred', 'queued', 'paused');

create table decision (
  decision_id    uuid primary key,
  touch_id       uuid not null,
  case_id        uuid not null,
  channel        text not null,
  at             timestamptz not null,
  verdict        text not null,
  until_at       timestamptz,
  policy_version text not null,
  reasons        json not null,
  facts          json not null
);
create index decision_touch on decision (touch_id);
create index decision_case on decision (case_id, at);

create table attempt (
  attempt_id       uuid primary key,
  touch_id         uuid not null,
  decision_id      uuid not null,
  case_id          uuid not null,
  borrower_id      uuid not null,
  creditor_id      text not null,
  contact_point_id uuid not null,
  channel          text not null,
  purpose          text not null,
  token            text not null,
  state            text not null,
  outcome          text not null,
  rank             smallint not null,
  anomaly          text,
  template         text not null,
  template_hash    text not null,
  locale           text not null,
  policy_version   text not null,
  subject          text,                     -- personal
  body             text,                     -- personal: exactly what left
  segments         smallint,
  price_micros     bigint,
  provider_ref     text,
  provider_code    text,
  error_code       text,
  answered_by      text,
  duration_seconds integer,
  started_at       timestamptz not null,
  started_real_at  timestamptz not null,     -- real time, for the sweep that finds dead processes
  settled_at       timestamptz,
  lookups          smallint not null default 0,
  lookup_real_at   timestamptz
) with (fillfactor = 80);
create unique index attempt_token on attempt (token);
create index attempt_touch on attempt (touch_id);
create index attempt_borrower on attempt (borrower_id, started_at);
create index attempt_point on attempt (contact_point_id, started_at);
create index attempt_case on attempt (case_id, started_at);
create index attempt_ref on attempt (provider_ref) where provider_ref is not null;
create index attempt_open on attempt (started_real_at) where state = 'started';
create index attempt_unknown on attempt (lookup_real_at) where state = 'unknown';

create table inbox (
  inbox_id     uuid primary key,
  channel      text not null,
  dedupe_key   text not null,
  kind         text not null check (kind in ('receipt', 'reply', 'malformed')),
  state        text not null check (state in ('new', 'applied', 'parked')),
  received_at  timestamptz not null,
  payload      jsonb not null,               -- personal
  note         text,
  tries        smallint not null default 0,
  retry_real_at timestamptz,
  unique (channel, dedupe_key)
);
create index inbox_new on inbox (retry_real_at) where state = 'new';

create table reply (
  reply_id         uuid primary key,
  inbox_id         uuid not null unique,
  borrower_id      uuid not null,
  case_id          uuid,
  contact_point_id uuid,
  channel          text not null,
  body             text,                     -- personal
  received_at      timestamptz not null,
  intent           text not null,
  also             text[] not null default '{}',
  confidence       real not null,
  must_stop        boolean not null,
  reading          jsonb not null
);
create index reply_case on reply (case_id, received_at);

create table dialogue (
  dialogue_id uuid primary key,
  borrower_id uuid not null,
  case_id     uuid not null,
  kind        text not null,
  surface     text not null,
  state       text not null,
  awaiting    text,
  data        jsonb not null default '{}',
  turns       smallint not null default 0,
  opened_at   timestamptz not null,
  updated_at  timestamptz not null,
  expires_at  timestamptz not null,
  closed_at   timestamptz,
  outcome     text
);
create unique index dialogue_open on dialogue (borrower_id, surface) where closed_at is null;

create table arrangement (
  arrangement_id uuid primary key,
  case_id        uuid not null references cases,
  borrower_id    uuid not null,
  state          text not null,
  frequency      text not null,
  total_minor    bigint not null,
  currency       text not null,
  proposed_at    timestamptz not null,
  confirmed_at   timestamptz,
  ended_at       timestamptz,
  source         text not null
);
create unique index arrangement_live on arrangement (case_id) where state in ('proposed', 'confirmed', 'active');

create table installment (
  arrangement_id uuid not null references arrangement,
  no             smallint not null,
  due_on         date not null,
  amount_minor   bigint not null,
  paid_minor     bigint not null default 0,
  primary key (arrangement_id, no)
);

create table promise (
  promise_id   uuid primary key,
  case_id      uuid not null references cases,
  borrower_id  uuid not null,
  state        text not null,
  amount_minor bigint not null,
  currency     text not null,
  due_on       date not null,
  paid_minor   bigint not null default 0,
  made_at      timestamptz not null,
  ended_at     timestamptz,
  source       text not null
);
create unique index promise_live on promise (case_id) where state = 'open';

create table payment (
  source       text not null,
  external_id  text not null,
  case_id      uuid not null references cases,
  amount_minor bigint not null,
  currency     text not null,
  received_at  timestamptz not null,
  reversed_at  timestamptz,
  primary key (source, external_id)
);
create index payment_case on payment (case_id);

create table task (
  task_id    uuid primary key,
  case_id    uuid not null references cases,
  kind       text not null,
  opened_at  timestamptz not null,
  due_at     timestamptz not null,
  closed_at  timestamptz,
  detail     jsonb not null default '{}'
);
create index task_open on task (due_at) where closed_at is null;

create table event_in (
  source      text not null,
  event_id    text not null,
  type        text not null,
  subject     text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  data        jsonb not null,
  primary key (source, event_id)
);

create table switch (                        -- what an operator, or the system itself, has paused
  scope    text not null check (scope in ('everything', 'channel', 'plan', 'campaign', 'jurisdiction')),
  key      text not null,
  since_at timestamptz not null,
  reason   text not null,
  primary key (scope, key)
);

create table alert (
  alert_id  uuid primary key,
  kind      text not null,
  subject   text not null,
  detail    text not null,
  opened_at timestamptz not null,
  closed_at timestamptz
);
create unique index alert_open on alert (kind, subject) where closed_at is null;

create table timeline (
  case_id   uuid not null,
  seq       integer not null,
  at        timestamptz not null,
  kind      text not null,
  data      json not null,                   -- never personal: ids, codes, amounts, digests
  prev_hash text not null,
  hash      text not null,
  primary key (case_id, seq)
);

create function timeline_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the timeline is append-only';
end $$;
create trigger timeline_append_only before update or delete on timeline
  for each row execute function timeline_is_append_only();
