-- Approvals of templates.

-- name: approved
select template, channel, locale, hash from template_approval where revoked_at is null

-- name: approvals
select template, channel, locale, hash, approved_by, approved_at, note, revoked_by, revoked_at
from template_approval order by approved_at, template_approval_id

-- name: approve
insert into template_approval (template_approval_id, template, channel, locale, hash, approved_by, approved_at, note)
select r.id, r.template, r.channel, r.locale, r.hash, r.by, r.at, r.note
from jsonb_to_recordset(%(rows)s::jsonb)
  as r(id uuid, template text, channel text, locale text, hash text, by text, at timestamptz, note text)
on conflict (template, channel, locale, hash) where revoked_at is null do nothing
returning template, channel, locale

-- name: revoke
update template_approval a set revoked_by = %(by)s, revoked_at = %(at)s
from jsonb_to_recordset(%(rows)s::jsonb) as r(template text, channel text, locale text)
where a.revoked_at is null and (a.template, a.channel, a.locale) = (r.template, r.channel, r.locale)
returning a.template, a.channel, a.locale

-- name: free_approved
update touch set not_before = %(at)s
where state = 'deferred' and reason = 'template.unapproved' and template = any(%(templates)s)
