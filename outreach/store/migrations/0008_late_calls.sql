-- Calls whose permitted hours end while they still wait at the provider are called back.

alter table attempt add column leave_by timestamptz;        -- calls: the permitted hours and the touch's use end then
create index attempt_late on attempt (leave_by) where leave_by is not null and state = 'accepted' and rank < 30;
