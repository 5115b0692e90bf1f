-- What other systems and agencies did, how far a refusal reaches and who has proof of a consent, what is known of a debt and
-- of where a borrower is.

create table recorded_contact (               -- a contact somebody else made; counted beside the attempts
  recorded_contact_id uuid primary key,
  made_by      text not null,                 -- which system or agency
  external_id  text not null,                 -- its own identifier of the contact
  borrower_id  uuid not null,
  account_ids  uuid[] not null default '{}',  -- empty: about the person, or not known about which account
  creditor_id  text not null default '',      -- empty: of several creditors, or not known
  channel      text not null,
  direction    text not null check (direction in ('out', 'in')),
  purpose      text not null,
  outcome      text not null,                 -- raw; only moves forward, as news of an attempt does
  rank         smallint not null,
  notice       text not null default '',
  value        text,                          -- personal: E.164 or mailbox that was used, when known
  at           timestamptz not null,
  recorded_at  timestamptz not null,
  unique (made_by, external_id)
);
create index recorded_contact_borrower on recorded_contact (borrower_id, at);
create index recorded_contact_value on recorded_contact (value, at) where value is not null;

alter table account add column charged_off boolean;     -- null: not known
alter table account add column time_barred boolean;
alter table account add column accelerated boolean;
alter table account add column creditor_kind text not null default '';

alter table borrower add column located_jurisdictions text[] not null default '{}';   -- where the borrower said to be
alter table borrower add column located_zones text[] not null default '{}';
alter table borrower add column located_at timestamptz;

alter table consent add column creditor_id text;        -- the one programme it is about; null: all
alter table consent add column route text;              -- how it was said: agent_note, complaint, web ...
alter table consent add column reopens boolean not null default false;  -- undoes what was refused before, where it applies
alter table consent add column recorded_at timestamptz;

alter table suppression add column creditor_id text;    -- the one programme it is about; null: all
alter table suppression add column route text;

create function consent_is_append_only() returns trigger language plpgsql as $$
begin
  -- Personal columns can be erased; what was said, when and how far it reaches stays.
  if tg_op = 'UPDATE' and new.wording is null and new.evidence is null then
    new.wording := old.wording;
    new.evidence := old.evidence;
    if new is not distinct from old then
      new.wording := null;
      new.evidence := null;
      return new;
    end if;
  end if;
  raise exception 'the consent ledger is append-only';
end $$;
create trigger consent_append_only before update or delete on consent
  for each row execute function consent_is_append_only();
