-- Protection around the lanes: news that never came, touches that may change channel while theirs is out of order, contact
-- points whose silence is counted anew, and how far the watch over receipts has come.

alter table attempt add column overdue_at timestamptz;      -- when it was said that no final news had come
-- What ended when, by channel. An attempt gets its place once; receipts change nothing that stands here.
create index attempt_settled on attempt (channel, settled_at, attempt_id) where settled_at is not null;
create index attempt_overdue on attempt (lookup_real_at)
  where state = 'accepted' and overdue_at is not null and lookup_real_at is not null;

create table receipt_watch (                                -- everything of a channel up to here has been looked at once
  channel    text primary key,
  seen_until timestamptz not null,
  seen_id    uuid not null
);

alter table touch add column reconsider_at timestamptz;     -- held back by an outage: ask again whether another channel may
create index touch_reconsider on touch (reconsider_at) where state = 'paused' and reconsider_at is not null;

alter table contact_point add column counted_from timestamptz;  -- it was in use again from here on: older failures are past
create index reply_point on reply (contact_point_id, received_at) where contact_point_id is not null;
