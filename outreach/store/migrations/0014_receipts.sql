-- Receipts change outcome and rank and nothing else that an index knows: with rank in no index's condition such an update
-- stays on its page and touches no index. What the query leaves out of late calls it leaves out by itself.
drop index attempt_late;
create index attempt_late on attempt (leave_by) where leave_by is not null and state = 'accepted';
alter table attempt set (fillfactor = 70);
-- Every entry of a timeline moves the head of its case, which stands in no index: room for a second one on the same page.
alter table cases set (fillfactor = 60);
