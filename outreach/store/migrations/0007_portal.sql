-- The borrower portal: wrong answers to the identity question are counted here, a case, whatever link they came by.

create table portal_identity (
  case_id         uuid primary key references cases,
  tries           smallint not null default 0,
  tried_real_at   timestamptz not null,      -- real time, as is the lock: guessing is done by machines
  locked_until_real_at timestamptz
);
