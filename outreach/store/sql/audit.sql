-- Reading decisions and attempts back, to decide and to count them again. Every query is bounded or streamed.

-- name: count_sends
select count(*) from attempt
where (%(since)s::timestamptz is null or started_at >= %(since)s)
  and (%(until)s::timestamptz is null or started_at < %(until)s)

-- name: sends
-- One line per attempt with the decision it names, one borrower after the other.
select a.attempt_id, a.touch_id, a.decision_id, a.case_id, a.borrower_id, a.creditor_id, a.contact_point_id, a.channel,
       a.purpose, a.state, a.policy_version, a.started_at,
       d.touch_id, d.case_id, d.channel, d.at, d.verdict, d.until_at, d.policy_version, d.reasons::text, d.facts::text
from attempt a left join decision d on d.decision_id = a.decision_id
where (%(since)s::timestamptz is null or a.started_at >= %(since)s)
  and (%(until)s::timestamptz is null or a.started_at < %(until)s)
  and (%(parts)s = 1 or mod(hashtext(a.borrower_id::text)::bigint + 2147483648, %(parts)s) = %(part)s)
order by a.borrower_id, a.started_at, a.attempt_id

-- name: count_unsent
select count(*) from decision d
where (%(since)s::timestamptz is null or d.at >= %(since)s)
  and (%(until)s::timestamptz is null or d.at < %(until)s)
  and not exists (select from attempt a where a.touch_id = d.touch_id and a.decision_id = d.decision_id)

-- name: unsent
-- Decisions that no attempt followed: deferred, refused, or sent back because their words could not be written.
select d.decision_id, d.touch_id, d.case_id, d.channel, d.at, d.verdict, d.until_at, d.policy_version, d.reasons::text,
       d.facts::text
from decision d
where (%(since)s::timestamptz is null or d.at >= %(since)s)
  and (%(until)s::timestamptz is null or d.at < %(until)s)
  and (%(parts)s = 1 or mod(hashtext(d.case_id::text)::bigint + 2147483648, %(parts)s) = %(part)s)
  and not exists (select from attempt a where a.touch_id = d.touch_id and a.decision_id = d.decision_id)

-- name: contacts_before
-- What left to these borrowers, and to whoever has the same number or mailbox, whatever became of it.
select a.borrower_id, a.attempt_id, a.touch_id, a.started_at, a.channel, a.outcome, a.state, a.case_id, a.creditor_id,
       a.contact_point_id, a.purpose, true
from attempt a
where a.borrower_id = any(%(borrowers)s) and a.started_at > %(since)s and a.started_at <= %(until)s
union all
select ours.borrower_id, a.attempt_id, a.touch_id, a.started_at, a.channel, a.outcome, a.state, a.case_id, a.creditor_id,
       ours.contact_point_id, a.purpose, false
from contact_point ours
join contact_point theirs
  on theirs.value = ours.value and theirs.kind = ours.kind and theirs.borrower_id <> ours.borrower_id
cross join lateral (
  select attempt_id, touch_id, started_at, channel, outcome, state, case_id, creditor_id, purpose
  from attempt
  where contact_point_id = theirs.contact_point_id and started_at > %(since)s and started_at <= %(until)s
  offset 0
) a
where ours.borrower_id = any(%(borrowers)s)

-- name: refusals_and_holds
-- What spoke against contact with these borrowers, from when to when; "creditor" when it is about that one only.
select s.borrower_id, 'suppression', s.reason, s.since_at, s.until_at, s.lifted_at, s.creditor_id
from suppression s where s.borrower_id = any(%(borrowers)s)
union all
select h.borrower_id, 'hold', h.kind, h.since_at, h.until_at, h.lifted_at, null from hold h where h.borrower_id = any(%(borrowers)s)

-- name: live_plans
-- The plans and campaigns that may still plan a touch of a case, and those of touches that wait.
select plan, campaign_id from enrollment where case_id = %(case_id)s and state in ('active', 'paused')
union
select plan, campaign_id from touch
where case_id = %(case_id)s and state in ('planned', 'deferred', 'queued', 'paused') and plan is not null

-- name: contacts_elsewhere
-- What other systems did with these borrowers, and when we were told.
select borrower_id, at, channel, outcome, recorded_at from recorded_contact
where borrower_id = any(%(borrowers)s) and at > %(since)s and at <= %(until)s

-- name: newest_decision
select max(at) from decision

-- name: count_decisions
select count(*) from decision where at > %(since)s

-- name: decisions
select touch_id, at, verdict, policy_version, facts::text from decision where at > %(since)s

-- name: policy_versions
select version, created_at from policy_version order by created_at desc limit 20
