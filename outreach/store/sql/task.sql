-- Tasks for people: listed, taken, closed.

-- name: list_tasks
-- What is open, the most overdue first; closed ones only when asked for, newest first behind them.
select t.task_id, t.case_id, a.external_id, c.creditor_id, t.kind, t.opened_at, t.due_at, t.assigned_to, t.closed_at,
       t.closed_by, t.disposition
from task t join cases c using (case_id) join account a using (account_id)
where (%(closed)s::boolean or t.closed_at is null)
  and (%(kind)s::text is null or t.kind = %(kind)s)
  and (%(due_before)s::timestamptz is null or t.due_at <= %(due_before)s)
  and (%(assigned_to)s::text is null or t.assigned_to = %(assigned_to)s)
order by t.closed_at is not null, case when t.closed_at is null then t.due_at end, t.closed_at desc, t.task_id
limit %(limit)s

-- name: task_counts
select kind, count(*), count(*) filter (where due_at < %(at)s) from task where closed_at is null group by kind order by kind

-- name: task
select t.task_id, t.case_id, c.borrower_id, t.kind, t.opened_at, t.due_at, t.detail, t.assigned_to, t.assigned_at,
       t.closed_at, t.closed_by, t.disposition, t.note
from task t join cases c using (case_id)
where t.task_id = %(task_id)s

-- name: assign_task
update task set assigned_to = %(to)s, assigned_at = %(at)s
where task_id = %(task_id)s and closed_at is null and assigned_to is distinct from %(to)s
returning task_id

-- name: close_task
-- One closes it, whoever comes second finds nothing.
update task set closed_at = %(at)s, closed_by = %(by)s, disposition = %(disposition)s, note = %(note)s
where task_id = %(task_id)s and closed_at is null
returning task_id

-- name: holds_of_task
-- What was placed for the same reason at the same time as the task, on its case or on everything of its borrower.
select h.hold_id, h.kind, h.case_id, h.since_at, h.until_at, h.lifted_at
from hold h
where h.borrower_id = %(borrower_id)s and (h.case_id is null or h.case_id = %(case_id)s)
  and h.evidence = %(evidence)s
order by h.since_at, h.hold_id

-- name: others_open_on
-- How many other open tasks of a borrower rest on the same evidence.
select count(*) from task t join cases c using (case_id)
where c.borrower_id = %(borrower_id)s and t.task_id <> %(task_id)s and t.closed_at is null
  and t.detail ->> 'evidence' = %(evidence)s

-- name: answers_since
-- The answers that a dialogue has given since it began, the newest first: whether what it asked has left.
select template, state, reason, not_before from touch
where case_id = %(case_id)s and channel = %(channel)s and purpose = 'reply' and created_at >= %(since)s
order by created_at desc, touch_id desc
limit 50

-- name: unsaid_answers
-- Of touches that ended without leaving, the answers somebody waits for and that no person has yet: one a case.
select distinct on (t.case_id) t.touch_id, t.case_id, t.channel, t.template, t.reason,
       coalesce(t.context ->> 'evidence', '')
from touch t
where t.touch_id = any(%(touches)s) and t.purpose = 'reply' and t.state in ('blocked', 'expired', 'superseded', 'failed')
  and not exists (
    select from task k
    where k.case_id = t.case_id and k.closed_at is null
      and (k.kind = 'answer_unsaid' or k.detail ->> 'evidence' = t.context ->> 'evidence'))
order by t.case_id, t.touch_id

-- name: lift_one_hold
update hold set lifted_at = %(at)s where hold_id = %(hold_id)s and lifted_at is null returning hold_id

-- name: reply_behind
select intent, also, confidence, channel, received_at from reply where inbox_id = %(inbox_id)s

-- name: insert_call_turn
insert into call_turn (attempt_id, turn, case_id, at, said, heard)
values (%(attempt_id)s, %(turn)s, %(case_id)s, %(at)s, %(said)s, %(heard)s)
on conflict (attempt_id, turn) do nothing

-- name: call_turns
select attempt_id, turn, said, heard from call_turn where case_id = %(case_id)s
