-- What an attempt cost and by which data its provider's code was read; and what is done at a provider once it is over: its
-- price is read, and its words are taken off where the sender is configured to.

alter table attempt add column currency text;             -- of price_micros, ISO 4217
alter table attempt add column decided_by text;           -- the data, with its version, that gave provider_code its meaning
alter table attempt add column aftercare_at timestamptz;  -- when the provider is asked about it next; null: not waiting
alter table attempt add column aftercares smallint;       -- how often it was asked
alter table attempt add column words_off_at timestamptz;  -- the provider confirmed that it no longer holds the words
create index attempt_aftercare on attempt (channel, aftercare_at) where aftercare_at is not null;

create table aftercare_watch (                            -- everything of a channel up to here has been put on the list once
  channel    text primary key,
  seen_until timestamptz not null,
  seen_id    uuid not null
);
