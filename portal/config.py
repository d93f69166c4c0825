"""Settings: read once at boot from the environment, refused by name when they are wrong."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

LEAST_SECRET = 32  # characters: 128 bits in hexadecimal
EASYPOST_API = "https://api.easypost.com/v2"
STRIPE_API = "https://api.stripe.com"
TWILIO_API = "https://api.twilio.com"
WEB = ("https", "http")
POLLS = ("polls_per_minute", "polls_per_day")
SERVING = ("SECRET_KEY", "BASE_URL", "DATABASE_URL")
DEMO_MAIL = "outbox:"  # the demo's SMTP_URL: messages stay in the outbox, where a page shows them


class SettingsError(Exception):
    """One or more settings are wrong. `str()` names each on its own line, with the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """What the operator decided. Field names are the environment's names in lower case.

    An empty string means "not set": the provider it belongs to is off.
    """

    secret_key: str = field(default="", repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    base_url: str = "http://127.0.0.1:8000"
    database_url: str = field(default="", repr=False)
    queue_url: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    media_root: str = ""
    trusted_proxies: int = 0
    easypost_api_key: str = field(default="", repr=False)
    easypost_api_base: str = EASYPOST_API
    easypost_webhook_secret: str = field(default="", repr=False)
    stripe_secret_key: str = field(default="", repr=False)
    stripe_api_base: str = STRIPE_API
    stripe_webhook_secret: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    twilio_api_base: str = TWILIO_API
    metrics_token: str = field(default="", repr=False)
    poll_effort: float = 1.0  # how often carriers are asked; 2 is twice as often
    polls_per_minute: int = 300  # of each provider account, and each day; 0: no limit a day
    polls_per_day: int = 0
    live_slots: int | None = None  # open pages a process of `serve` tells of news; None: its choice

    @property
    def is_https(self) -> bool:
        """Whether the house stands behind TLS: it decides cookies and HSTS."""
        return self.base_url.startswith("https://")

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file on this machine."""
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> Path:
        """The database file. Raises ValueError when the database is a server."""
        if not self.is_sqlite:
            raise ValueError("DATABASE_URL is not a SQLite file")
        return Path(self.database_url.removeprefix("sqlite:///")).resolve()


def read_settings(environ: Mapping[str, str] | None = None, need: Iterable[str] = ()) -> Settings:
    """Read the settings from `environ` (default: the process's own).

    `need` names those that must be present; other commands fall back to `instance/`.
    Raises SettingsError naming every setting that is wrong.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    raw = {f.name.upper(): _read(environ, f.name.upper(), problems) for f in fields(Settings)}
    for name in need:
        if raw[name] is None and not any(name in p for p in problems):
            problems.append(f"{name} is not set. {REMEDIES.get(name, '')}".strip())
    given = {name.lower(): value for name, value in raw.items() if value is not None}
    for name, check in CHECKS.items():
        if name in given:
            problem = check(given[name])
            if problem:
                problems.append(f"{name.upper()} {problem}")
    problems += _pairs(given)
    if problems:
        raise SettingsError(problems)
    return _settings(given)


def _read(environ: Mapping[str, str], name: str, problems: list[str]) -> str | None:
    """The value of one setting, from itself or from the file that its `_FILE` names."""
    value = environ.get(name)
    path = environ.get(f"{name}_FILE")
    if value is not None and path is not None:
        problems.append(f"{name} and {name}_FILE are both set. Keep one.")
        return None
    if path is not None:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not text"
            problems.append(f"{name}_FILE cannot be read ({reason}).")
            return None
    if value is not None and not value.strip():
        problems.append(f"{name} is set but empty. Give it a value or remove it.")
        return None
    return value.strip() if value is not None else None


def _settings(given: dict[str, str]) -> Settings:
    values: dict[str, object] = dict(given)
    values["trusted_proxies"] = int(given.get("trusted_proxies", "0"))
    values |= {name: int(given[name]) for name in POLLS if name in given}
    if "poll_effort" in given:
        values["poll_effort"] = float(given["poll_effort"])
    if "live_slots" in given:
        values["live_slots"] = int(given["live_slots"])
    values["secret_key_fallbacks"] = _listed(given.get("secret_key_fallbacks", ""))
    for name in ("base_url", "stripe_api_base", "twilio_api_base"):
        if name in given:
            values[name] = given[name].rstrip("/")
    if "easypost_api_base" in given:
        base = given["easypost_api_base"].rstrip("/")
        # The vendor's client replaces the text "v2" for beta calls, so it must be there.
        values["easypost_api_base"] = base if urlsplit(base).path else f"{base}/v2"
    values.setdefault("database_url", f"sqlite:///{Path('instance').resolve()}/porchlight.db")
    return Settings(**_places(values))  # type: ignore[arg-type]


def _places(values: dict[str, object]) -> dict[str, object]:
    """Put the queue and the pictures beside the database unless told otherwise."""
    database = str(values["database_url"])
    home = Path("instance").resolve()
    if database.startswith("sqlite:///"):
        path = Path(database.removeprefix("sqlite:///")).resolve()
        values["database_url"] = f"sqlite:///{path}"
        home = path.parent
    values.setdefault("queue_url", f"sqlite:///{home}/queue.db")
    values.setdefault("media_root", str(home / "media"))
    return values


def is_loopback(host: str | None) -> bool:
    """Whether a host name can only mean this machine."""
    if not host:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str, *schemes: str) -> SplitResult | None:
    """The parts of a URL of one of these schemes (default: the web's) that names a host."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in (schemes or WEB) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if good else None


def _check_secret(value: str) -> str:
    if len(value) < LEAST_SECRET or len(set(value)) < 4:
        return f"is too weak: it needs {LEAST_SECRET} random characters. {REMEDIES['SECRET_KEY']}"
    return ""


def _check_fallbacks(value: str) -> str:
    if all(_check_secret(key) == "" for key in _listed(value)):
        return ""
    return "must be the earlier values of SECRET_KEY, parted by commas."


def _listed(value: str) -> tuple[str, ...]:
    return tuple(key.strip() for key in value.split(",") if key.strip())


def _check_key(value: str) -> str:
    good = value.isascii() and value.isprintable() and " " not in value
    return "" if good else "holds characters that no key has. Copy it again."


def _check_folder(value: str) -> str:
    return "must be a folder, and there is a file." if Path(value).is_file() else ""


def _check_origin(value: str) -> str:
    parts = _split(value)
    extra = parts is None or parts.query or parts.fragment or parts.username
    if parts is None or extra or parts.path not in {"", "/"}:
        return "must be an origin such as https://track.example.com, without a path."
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "must begin with https://: plain http is served to this machine only."
    return ""


def _check_api(value: str) -> str:
    parts = _split(value)
    if parts is None:
        return "must be a URL beginning with https://."
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "must begin with https://: keys are never sent in the clear."
    return ""


def _check_database(value: str) -> str:
    if value.startswith("sqlite:///") and value[10:] and ":memory:" not in value:
        return ""
    # A server on a socket has no host, so only its name is looked at.
    if value.startswith("postgresql://") and _path(value).strip("/"):
        return ""
    return "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."


def _path(value: str) -> str:
    try:
        return urlsplit(value).path
    except ValueError:
        return ""


def _check_queue(value: str) -> str:
    good = not _check_redis(value) or not _check_database(value)
    return "" if good else "must be sqlite:///FILE, redis://HOST or postgresql://…/NAME."


def _check_redis(value: str) -> str:
    return "" if _split(value, "redis", "rediss") else "must be redis://HOST or rediss://HOST."


def _check_count(value: str) -> str:
    if value.isdecimal() and int(value) <= 10:
        return ""
    return "must be the number of proxies in front (0 to 10)."


def _check_slots(value: str) -> str:
    if value.isascii() and value.isdecimal() and len(value) < 5:
        return ""
    return "must be how many open pages a process of serve tells of news (0: none)."


def _check_effort(value: str) -> str:
    good = re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", value) and 0.1 <= float(value) <= 10
    return "" if good else "must be a number from 0.1 (rarely) to 10 (ten times as often as 1)."


def _check_polls(value: str) -> str:
    good = value.isascii() and value.isdecimal() and 0 < int(value[:9]) == int(value)
    return "" if good else "must be a whole number of questions, 1 or more."


def _check_smtp(value: str) -> str:
    good = value == DEMO_MAIL or _split(value, "smtp", "smtps")
    return "" if good else "must be smtp://USER:PASSWORD@HOST:PORT or smtps://…."


def _check_address(value: str) -> str:
    # A full parser stands in channels/email.py; here only what would break every message.
    good = "@" in value and not any(c in value for c in "\r\n")
    return "" if good else "must be an address such as Shop <orders@example.com>."


REMEDIES = {
    "SECRET_KEY": 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
    "BASE_URL": "Set it to the origin customers see, such as https://track.example.com.",
    "DATABASE_URL": "Set it to sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
}

CHECKS = {
    "secret_key": _check_secret,
    "secret_key_fallbacks": _check_fallbacks,
    "base_url": _check_origin,
    "database_url": _check_database,
    "queue_url": _check_queue,
    "redis_url": _check_redis,
    "media_root": _check_folder,
    "trusted_proxies": _check_count,
    "easypost_api_key": _check_key,
    "stripe_secret_key": _check_key,
    "twilio_account_sid": _check_key,
    "twilio_auth_token": _check_key,
    "metrics_token": _check_key,
    "poll_effort": _check_effort,
    "polls_per_minute": _check_polls,
    "polls_per_day": _check_polls,
    "live_slots": _check_slots,
    "easypost_api_base": _check_api,
    "stripe_api_base": _check_api,
    "twilio_api_base": _check_api,
    "smtp_url": _check_smtp,
    "mail_from": _check_address,
}


def checkout_origins(settings: Settings) -> list[str]:
    """Where a rehearsal's stand-in for the payment provider shows its checkout pages."""
    bases = (urlsplit(base) for base in (settings.stripe_api_base, settings.easypost_api_base))
    here = (f"{base.scheme}://{base.netloc}" for base in bases if is_loopback(base.hostname))
    return list(dict.fromkeys(here))


LIVE_KEYS = (
    ("easypost_api_key", "EZAK", "easypost_api_base"),
    ("stripe_secret_key", "sk_live_", "stripe_api_base"),
)


def _pairs(given: dict[str, str]) -> list[str]:
    """Settings that are each right and wrong together."""
    problems = []
    for key, prefix, base in LIVE_KEYS:
        url = _split(given.get(base, ""))
        if given.get(key, "").startswith(prefix) and url and is_loopback(url.hostname):
            problems.append(
                f"{key.upper()} is a live key but {base.upper()} points at this machine. "
                "Use a test key for rehearsals."
            )
    if given.get("smtp_url", DEMO_MAIL) != DEMO_MAIL and "mail_from" not in given:
        problems.append("MAIL_FROM is not set. SMTP_URL needs the address messages come from.")
    if ("twilio_account_sid" in given) != ("twilio_auth_token" in given):
        problems.append("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN go together. Set both.")
    return problems
