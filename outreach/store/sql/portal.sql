-- name: first_try
insert into portal_identity (case_id, tried_real_at) values (%(case_id)s, %(real)s) on conflict (case_id) do nothing

-- name: lock_identity
-- Locked, so that guesses made at once are counted one after another.
select tries, tried_real_at, locked_until_real_at from portal_identity where case_id = %(case_id)s for update

-- name: count_try
update portal_identity set tries = %(tries)s, tried_real_at = %(real)s, locked_until_real_at = %(until)s
where case_id = %(case_id)s

-- name: end_personal_windows
-- Takes back the times that a borrower named.
update personal_window set until_at = %(at)s
where borrower_id = %(borrower_id)s and since_at <= %(at)s and (until_at is null or until_at > %(at)s)

-- name: choose_locale
update borrower set locale = %(locale)s, updated_at = %(at)s where borrower_id = %(borrower_id)s
