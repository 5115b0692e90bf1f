-- Tasks that people take and close, what was said on calls, and calls that hold a line.

alter table task add column assigned_to text;
alter table task add column assigned_at timestamptz;
alter table task add column closed_by text;
alter table task add column disposition text;
alter table task add column note text;                       -- personal: what a person wrote down
create index task_case on task (case_id, opened_at);

create table call_turn (                                     -- personal: what was said, turn by turn
  attempt_id uuid not null references attempt,
  turn       smallint not null,
  case_id    uuid not null,
  at         timestamptz not null,
  said       text not null,                                  -- by us
  heard      text,                                           -- by them, in words; never keys, never an answer about identity
  primary key (attempt_id, turn)
);
create index call_turn_case on call_turn (case_id, at);

-- A call holds a line from when it is placed until final news of it, or until nobody waits for that any longer.
alter table attempt add column over_at timestamptz;
update attempt set over_at = coalesce(settled_at, started_at) where channel in ('voice', 'ivr');
create index attempt_line on attempt (started_at) where channel in ('voice', 'ivr') and over_at is null;
