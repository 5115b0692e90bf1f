-- What went over the wire, redacted: one row an attempt or a callback, dropped when its time is over.

create table exchange (
  exchange_id uuid primary key,              -- the attempt, or the row of the inbox: time-ordered, so it is the index of the purge, too
  way         text not null check (way in ('out', 'in')),
  at          timestamptz not null,
  channel     text not null,
  ref         text,                          -- of what came in: the provider's reference or a digest of our token
  ended       text,                          -- of what went out: accepted, or the code of the error
  trips       json not null                  -- redacted
);
create index exchange_ref on exchange (ref) where ref is not null;
