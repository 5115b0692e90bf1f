-- Who approved which words: a template in one channel and locale, by the hash of everything it is made of.

create table template_approval (
  template_approval_id uuid primary key,
  template    text not null,
  channel     text not null,
  locale      text not null,
  hash        text not null,                   -- equal hashes print equal words for equal fields
  approved_by text not null,
  approved_at timestamptz not null,
  note        text not null default '',
  revoked_by  text,
  revoked_at  timestamptz,
  check ((revoked_by is null) = (revoked_at is null))
);
create unique index template_approval_live on template_approval (template, channel, locale, hash) where revoked_at is null;

create function template_approval_is_kept() returns trigger language plpgsql as $$
begin
  -- An approval may be revoked, once; it is never rewritten or taken out of the record.
  if tg_op = 'UPDATE' and old.revoked_at is null and new.revoked_at is not null then
    old.revoked_by := new.revoked_by;
    old.revoked_at := new.revoked_at;
    if new is not distinct from old then
      return new;
    end if;
  end if;
  raise exception 'the record of approvals is append-only';
end $$;
create trigger template_approval_kept before update or delete on template_approval
  for each row execute function template_approval_is_kept();
