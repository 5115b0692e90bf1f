-- Reading the case record: for people, for explain, for the ledger.

-- name: find_case
select c.case_id from cases c join account a using (account_id) join borrower b on b.borrower_id = c.borrower_id
where c.case_id::text = %(ref)s or a.external_id = %(ref)s or b.external_id = %(ref)s
order by (c.state = 'open') desc, c.opened_at desc limit 1

-- name: story
select seq, at, kind, data::text, prev_hash, hash from timeline where case_id = %(case_id)s order by seq

-- name: attempt_texts
select attempt_id, channel, subject, body, outcome, anomaly, segments, provider_ref, locale from attempt
where case_id = %(case_id)s order by started_at

-- name: reply_texts
select reply_id, channel, body, intent, confidence, received_at from reply where case_id = %(case_id)s order by received_at

-- name: decisions_of_case
select decision_id, at, verdict, until_at, policy_version, channel, reasons from decision
where case_id = %(case_id)s order by at

-- name: decision
select at, verdict, until_at, policy_version, channel, reasons, facts::text from decision where decision_id = %(decision_id)s

-- name: ledger
-- One line per attempt and one per decision that did not send, in the order of decision.
select d.decision_id, d.at, d.verdict, d.until_at, d.policy_version, d.channel, d.reasons, d.touch_id, d.case_id,
       t.borrower_id, t.step_id, t.plan, t.plan_version, t.campaign_id, t.template, t.purpose,
       a.attempt_id, a.state, a.outcome, a.anomaly, a.provider_ref, a.provider_code, a.error_code, a.segments,
       a.started_at, a.settled_at, a.template_hash, a.locale, a.contact_point_id, acc.external_id, b.external_id, b.zones,
       b.jurisdictions, p.zones, p.regions, a.answered_by, a.duration_seconds, a.price_micros, a.currency, a.decided_by,
       a.words_off_at
from decision d
join touch t using (touch_id)
join cases c on c.case_id = d.case_id
join account acc using (account_id)
join borrower b on b.borrower_id = t.borrower_id
left join attempt a on a.decision_id = d.decision_id
left join contact_point p on p.contact_point_id = a.contact_point_id
where (%(since)s::timestamptz is null or d.at >= %(since)s) and (%(until)s::timestamptz is null or d.at < %(until)s)
order by d.at, d.decision_id

-- name: chains
select case_id, seq, at, kind, data::text, prev_hash, hash from timeline order by case_id, seq

-- name: touches_of_case
select touch_id, state, channel, template, due_at, not_before, reason from touch where case_id = %(case_id)s order by due_at

-- name: counts
select
  (select count(*) from borrower), (select count(*) from cases), (select count(*) from cases where state = 'open'),
  (select count(*) from contact_point), (select count(*) from reply), (select count(*) from arrangement where state <> 'proposed'),
  (select count(*) from promise), (select count(*) from hold where lifted_at is null), (select count(*) from suppression where lifted_at is null),
  (select count(*) from timeline), (select count(*) from event_in), (select count(*) from payment)
