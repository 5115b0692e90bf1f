"""The catalog: every template of every locale, found, linked, compiled once, hashed, and known by what it prints."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, MappingProxyType
from typing import Any

from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateSyntaxError, nodes

from outreach.domain.located_yaml import Problem
from outreach.domain.words import Channel
from outreach.rendering.analysis import Linked, analyse, check_source, check_words
from outreach.rendering.forbidden import Lists, load_lists
from outreach.rendering.locales import Locale, Locales, load_locales
from outreach.rendering.manifest import Entry, Manifest, load_manifest
from outreach.rendering.markup import Layout, load_layout
from outreach.rendering.sandbox import TemplateEnvironment
from outreach.rendering.statements import Statements, load_statements

PARTS: Mapping[Channel, tuple[str, ...]] = MappingProxyType(
    {
        Channel.SMS: ("text",),
        Channel.EMAIL: ("subject", "preview", "text"),
        Channel.VOICE: ("live", "voicemail"),
        Channel.IVR: (
            *("greeting", "identity", "identity_retry", "identity_failed", "wrong_party_ack", "balance", "menu"),
            *("menu_retry", "pay_sent", "pay", "installments_offer", "installments_readback", "installments_done"),
            *("installments_none", "promise_ask", "promise_check", "promise_confirmation", "already_paid_ack"),
            *("extension_ask", "extension_check", "extension_done", "plan_standing", "plan_cancel_readback"),
            *(
                "plan_cancelled",
                "dispute_ack",
                "hardship_ack",
                "complaint_ack",
                "agent_connect",
                "person",
                "stop_confirmation",
                "goodbye",
                "voicemail",
            ),
        ),
    }
)
"""The blocks that a template of each medium must have, its own or its parent's."""

SPOKEN_ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "installments_offer": "offers",
        "installments_readback": "arrangement",
        "installments_done": "arrangement",
        "promise_check": "promise",
        "promise_confirmation": "promise",
        "extension_ask": "extension",
        "extension_check": "extension",
        "extension_done": "extension",
        "plan_standing": "arrangement",
        "plan_cancel_readback": "arrangement",
        "plan_cancelled": "arrangement",
    }
)
"""Parts of a call that are said only once there is something to say: the field that each is about."""


LAYOUT = "layout.html.j2"


@dataclass(frozen=True, slots=True)
class Source:
    """One file under templates/, read and parsed. ``sound``: it holds no forbidden words."""

    name: str
    path: Path
    text: str
    blocks: tuple[nodes.Block, ...]
    code: CodeType
    parent: str | None
    sound: bool


@dataclass(frozen=True, slots=True)
class Template:
    """One template in one locale and medium, ready to render.

    ``hash`` covers every file it is made of and the locale's words: equal hashes print equal texts for equal fields.
    ``uses`` are the fields it prints or asks about (``case.amount_due``); ``optional`` those it asks about first.
    ``legible``: it can be put into words, though it may say what it must not; ``valid``: it may be used.
    ``blocks`` holds, by name, the block's functions from the nearest file to the outermost parent.
    """

    name: str
    channel: Channel
    locale: Locale
    file: str
    hash: str
    environment: TemplateEnvironment
    blocks: Mapping[str, list[Callable[..., Iterator[str]]]]
    uses: frozenset[str]
    optional: frozenset[str]
    entry: Entry
    legible: bool
    valid: bool


Key = tuple[str, Channel, str]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every template. ``version`` changes when any file under templates/ does; ``problems`` is what loading found."""

    root: Path
    version: str
    locales: Locales
    manifest: Manifest
    lists: Lists
    statements: Statements
    templates: Mapping[Key, Template]
    layout: Layout
    problems: tuple[Problem, ...] = field(default=())

    @classmethod
    def load(cls, root: Path) -> "Catalog":
        """Read everything under ``root``. A faulty template is kept out and reported in ``problems``, never raised."""
        return _Loader(root).load()

    def find(self, name: str, channel: Channel, locale: str) -> Template | None:
        """Return the template that serves ``locale`` (BCP 47), following its fallbacks."""
        return self.templates.get((name, channel, locale)) or self._fall_back(name, channel, locale)

    def _fall_back(self, name: str, channel: Channel, locale: str) -> Template | None:
        resolved = self.locales.resolve(locale)
        return self.templates.get((name, channel, resolved.code)) if resolved else None

    def has(self, name: str, channel: Channel) -> bool:
        """Say whether a template of that name exists for the medium in every locale (for plan lint)."""
        return bool(self.templates) and all((name, channel, code) in self.templates for code in self.locales.by_code)

    def names(self, channel: Channel | None = None) -> tuple[str, ...]:
        """Return the template names, of one medium or of all, in alphabetical order."""
        return tuple(sorted({key[0] for key in self.templates if channel in {None, key[1]}}))


class _Loader:
    """Builds one catalog; holds what is only needed while doing so."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.locales = load_locales(root / "locales.yaml")
        self.manifest = load_manifest(root / "catalog.yaml")
        self.lists = load_lists(root / "forbidden.yaml")
        self.statements = load_statements(root / "statements.yaml")
        self.layout = self._load_layout(root / LAYOUT)
        self.sources: dict[str, Source] = {}
        self.environments: dict[tuple[str, Channel], TemplateEnvironment] = {}

    def load(self) -> Catalog:
        """Read, link and analyse everything."""
        for one in (self.locales, self.manifest, self.lists, self.statements):
            self.problems += one.problems
        templates: dict[Key, Template] = {}
        if not self.problems:
            self._read_sources()
            for locale in self.locales.by_code.values():
                for entry in self.manifest.entries:
                    template = self._link(entry, locale)
                    if template is not None:
                        templates[entry.name, entry.channel, locale.code] = template
        return Catalog(
            root=self.root,
            version=self._version(),
            locales=self.locales,
            manifest=self.manifest,
            lists=self.lists,
            statements=self.statements,
            templates=MappingProxyType(templates),
            layout=self.layout,
            problems=tuple(dict.fromkeys(self.problems)),
        )

    def _load_layout(self, path: Path) -> Layout:
        try:
            return load_layout(path)
        except OSError as error:
            self._complain(path, 1, f"cannot be read: {error.strerror}")
        except TemplateSyntaxError as error:
            self._complain(path, error.lineno, error.message or "cannot be read as a template")
        return Layout("")

    def _version(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(p for p in self.root.rglob("*") if p.suffix in {".j2", ".yaml"}):
            digest.update(f"{path.relative_to(self.root)}\0".encode() + path.read_bytes() + b"\0")
        return digest.hexdigest()[:16]

    def environment(self, locale: Locale, channel: Channel) -> TemplateEnvironment:
        """Return the one environment of a locale and medium."""
        key = (locale.code, channel)
        if key not in self.environments:
            self.environments[key] = TemplateEnvironment(locale, channel)
        return self.environments[key]

    def _read_sources(self) -> None:
        media = {one.value: one for one in Channel}
        used = {folder for locale in self.locales.by_code.values() for folder in locale.folders}
        for path in sorted(self.root.rglob("*.j2")):
            name = path.relative_to(self.root).as_posix()
            if name == LAYOUT:
                continue
            channel = media.get(path.name.split(".")[-2])
            folder = name.split("/", 1)[0]
            if channel is None:
                self._complain(path, 1, f"must be named <template>.<medium>.j2 with a medium of {', '.join(media)}")
            elif folder not in used:
                self._complain(path, 1, "stands in a folder that no locale of locales.yaml lists")
            else:
                self._read(path, name, channel, folder)

    def _read(self, path: Path, name: str, channel: Channel, folder: str) -> None:
        locale = next(one for one in self.locales.by_code.values() if folder in one.folders)
        environment = self.environment(locale, channel)
        try:
            text = path.read_text(encoding="utf-8")
            tree = environment.parse(text, name, str(path))
            found = check_source(tree, text, str(path))
            words = check_words(tree, text, str(path), self.lists, locale.language)
            self.problems += [*found, *words]
            if not found:
                code = environment.compile(tree, name, str(path))
                blocks = tuple(tree.find_all(nodes.Block))
                self.sources[name] = Source(name, path, text, blocks, code, _parent(tree), not words)
        except UnicodeDecodeError:
            self._complain(path, 1, "is not UTF-8 text")
        except TemplateSyntaxError as error:
            self._complain(path, error.lineno, error.message or "cannot be read as a template")

    def _complain(self, path: Path, line: int, text: str) -> None:
        self.problems.append(Problem(str(path), line, 1, "", text))

    def _link(self, entry: Entry, locale: Locale) -> Template | None:
        chain = self._chain(f"{entry.file}.{entry.channel.value}.j2", locale)
        if not chain:
            return None
        environment = self.environment(locale, entry.channel)
        linked = Linked(
            entry, locale, PARTS[entry.channel], tuple((one.blocks, one.text, str(one.path)) for one in chain)
        )
        analysis = analyse(linked, environment, self.lists)
        self.problems += [*analysis.problems, *analysis.hints]
        blocks: dict[str, list[Callable[..., Iterator[str]]]] = {}
        for source in chain:
            compiled: Any = JinjaTemplate.from_code(environment, source.code, {})
            for name, function in compiled.blocks.items():
                blocks.setdefault(name, []).append(function)
        return Template(
            name=entry.name,
            channel=entry.channel,
            locale=locale,
            file=chain[0].name,
            hash=_hash(chain, locale, self.layout.text if entry.channel is Channel.EMAIL else ""),
            environment=environment,
            blocks=blocks,
            uses=analysis.uses,
            optional=analysis.optional,
            entry=entry,
            legible=not analysis.problems,
            valid=not analysis.problems and not analysis.hints and all(source.sound for source in chain),
        )

    def _chain(self, filename: str, locale: Locale) -> list[Source]:
        """Return the file and its parents, nearest first; empty (and reported) when one is missing."""
        chain: list[Source] = []
        wanted: str | None = filename
        while wanted is not None:
            source = self._locate(wanted, locale)
            if source is None or source in chain:
                place = chain[-1].path if chain else self.root / locale.folders[-1] / filename
                fault = "extends itself" if source else f"{wanted} does not exist, or cannot be read, for {locale.code}"
                self._complain(place, 1, fault)
                return []
            chain.append(source)
            wanted = source.parent
        return chain

    def _locate(self, wanted: str, locale: Locale) -> Source | None:
        """Find ``base.sms.j2`` in the nearest folder of the locale, or ``en/base.sms.j2`` exactly there."""
        if "/" in wanted:
            return self.sources.get(wanted)
        return next((self.sources[name] for f in locale.folders if (name := f"{f}/{wanted}") in self.sources), None)


def _parent(tree: nodes.Template) -> str | None:
    extends = tree.find(nodes.Extends)
    return extends.template.value if extends is not None and isinstance(extends.template, nodes.Const) else None


def _hash(chain: list[Source], locale: Locale, layout: str) -> str:
    digest = hashlib.sha256(layout.encode())
    for source in chain:
        digest.update(source.text.encode() + b"\0")
    for terms in (locale.keys, locale.words, locale.frequencies, locale.products, locale.notices):
        digest.update(repr(sorted(terms.items())).encode() + b"\0")
    digest.update(repr((locale.babel, locale.region, locale.spoken_currency)).encode())
    return digest.hexdigest()[:16]
