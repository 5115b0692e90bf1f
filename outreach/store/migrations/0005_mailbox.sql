-- Mailboxes that are read by IMAP: every mail is taken once, whoever reads and however often the reader dies.

create table mailbox (
  mailbox      text primary key,             -- account@host/folder
  uid_validity bigint not null,              -- another one: the server numbered its mails anew
  seen_uid     bigint not null default 0,    -- every mail up to here is stored or parked
  trying_uid   bigint,                       -- the mail that is being taken, and how often it was tried
  tries        smallint not null default 0,
  holder       text not null,                -- the process that reads it, for as long as its lease runs (real time)
  lease_until  timestamptz not null,
  looked_at    timestamptz                   -- when it was last read to its end (real time)
);
