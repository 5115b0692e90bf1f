-- Mailboxes that are read by IMAP: how far, by whom, and what is being tried.

-- name: hold_mailbox
insert into mailbox as m (mailbox, uid_validity, holder, lease_until)
values (%(mailbox)s, %(uid_validity)s, %(holder)s, %(until)s)
on conflict (mailbox) do update set
  seen_uid     = case when m.uid_validity = excluded.uid_validity then m.seen_uid else 0 end,
  trying_uid   = case when m.uid_validity = excluded.uid_validity then m.trying_uid end,
  uid_validity = excluded.uid_validity,
  holder       = excluded.holder,
  lease_until  = excluded.lease_until
where m.holder = excluded.holder or m.lease_until <= %(real)s
returning seen_uid

-- name: try_mail
update mailbox set
  tries       = case when trying_uid = %(uid)s then tries + %(counts)s else 1 end,
  trying_uid  = %(uid)s,
  lease_until = %(until)s
where mailbox = %(mailbox)s and uid_validity = %(uid_validity)s and holder = %(holder)s and seen_uid < %(uid)s
returning tries

-- name: pass_mail
update mailbox set seen_uid = %(uid)s, trying_uid = null, tries = 0
where mailbox = %(mailbox)s and uid_validity = %(uid_validity)s and seen_uid < %(uid)s
returning seen_uid

-- name: release_mailbox
update mailbox set lease_until = %(real)s, looked_at = coalesce(%(looked_at)s, looked_at)
where mailbox = %(mailbox)s and holder = %(holder)s

-- name: mailboxes
select mailbox, seen_uid, looked_at from mailbox order by mailbox
