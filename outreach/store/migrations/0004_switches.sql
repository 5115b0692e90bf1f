-- Kill switches that end, say who set them and leave a record; the touches they hold back; lanes of three levels.

alter table switch add column set_by text not null default 'system';
alter table switch add column until_at timestamptz;         -- null: until somebody lifts it

create table switch_log (                                   -- who paused what and why, who let it go on and how
  switch_log_id uuid primary key,
  at       timestamptz not null,
  action   text not null check (action in ('paused', 'resumed', 'ended')),
  scope    text not null,
  key      text not null,
  by       text not null,
  reason   text not null,
  until_at timestamptz,
  catch_up text check (catch_up in ('drop', 're-decide'))
);
create index switch_log_name on switch_log ((scope || ':' || key), at);

create function switch_log_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the record of kill switches is append-only';
end $$;
create trigger switch_log_append_only before update or delete on switch_log
  for each row execute function switch_log_is_append_only();

alter table touch add column paused_by text[];              -- the switches that hold it back, as scope:key
create index touch_held on touch (expires_at) where state = 'paused' and paused_by is not null;

-- A stop pulls back what a pause holds, too.
drop index touch_open;
create index touch_open on touch (borrower_id) where state in ('planned', 'deferred', 'queued', 'paused');

-- Someone waits for an answer; something just happened; all the rest. outreach.domain.words.Level says the same.
create function lane_level(priority smallint) returns smallint language sql immutable parallel safe as
  $$ select case when priority >= 100 then 2 when priority >= 60 then 1 else 0 end::smallint $$;
create index touch_lane on touch (channel, lane_level(priority), not_before, priority desc)
  where state in ('planned', 'deferred');
create index enrollment_due_prompt on enrollment (next_due_at) where state = 'active' and priority >= 60;

create function places_of(person uuid) returns text[] language sql stable as $$
  select array(
    select distinct place from borrower b
    cross join lateral (
      select unnest(b.jurisdictions || b.located_jurisdictions)
      union all
      select unnest(p.regions) from contact_point p where p.borrower_id = b.borrower_id
    ) known(place)
    where b.borrower_id = person
    order by place)
$$;

create table switch_recall (                                -- calls a pause asked the provider to take back, once each
  attempt_id uuid primary key,
  at         timestamptz not null,
  recalled   boolean not null
);
