"""E-mail over SMTP, with one stable Message-ID a message and no doubt left unsaid."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageDefect
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from portal import clock
from portal.channels import ChannelError
from portal.config import DEMO_MAIL, is_loopback
from portal.deadline import cut_after

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 30.0
LONGEST_ADDRESS = 254
NEVER_IN_ADDRESS = frozenset(' ,:;<>()[]\\"')
PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. `message_id` without angle brackets; `name` is the sender's."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    name: str = ""
    reply_to: str = ""
    list_unsubscribe: str = ""  # a link at which one POST ends it: RFC 8058
    headers: Mapping[str, str] = field(default_factory=dict)


def send(message: Mail, smtp_url: str, sender: str) -> str:
    """Hand the mail to the server at `smtp_url` (smtp, smtps or the demo's `outbox:`).

    `sender` is an address such as `Shop <orders@example.com>`; the mail's own `name` wins.
    Gives the Message-ID. Raises ChannelError.
    """
    composed = compose(message, sender)
    if smtp_url == DEMO_MAIL:
        return message.message_id
    try:
        parts = urlsplit(smtp_url)
        _converse(parts, composed, parseaddr(sender)[1], message.to)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _refused(code, text) from error
    except smtplib.SMTPAuthenticationError as error:
        # The house's own key is wrong, not the message: it waits until somebody puts it right.
        raise ChannelError("The mail server refused our user name or password.") from error
    except smtplib.SMTPConnectError as error:
        raise ChannelError(f"The mail server is not taking mail ({error.smtp_code}).") from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise ChannelError(f"The mail server cannot do this: {error}.", permanent=True) from error
    except (smtplib.SMTPException, OSError) as error:
        raise ChannelError(f"The mail server did not answer ({type(error).__name__}).") from error
    return message.message_id


def greet(smtp_url: str, sender: str) -> None:
    """Sign in at the mail server and leave: whether mail could be handed over.

    Raises ChannelError.
    """
    parts = urlsplit(smtp_url)
    try:
        with _connected(parts, address(parseaddr(sender)[1]).rpartition("@")[2]) as client:
            if parts.username:
                client.login(unquote(parts.username), unquote(parts.password or ""))
    except smtplib.SMTPAuthenticationError as error:
        raise ChannelError("The mail server refused our user name or password.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise ChannelError(f"The mail server did not answer ({type(error).__name__}).") from error


def compose(message: Mail, sender: str) -> EmailMessage:
    """The mail as it travels: plain text and HTML side by side. Raises ChannelError, permanent."""
    try:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(
            one_line(message.name or parseaddr(sender)[0]), addr_spec=address(parseaddr(sender)[1])
        )
        mail["To"] = Address(addr_spec=address(message.to))
        if message.reply_to:
            mail["Reply-To"] = Address(addr_spec=address(message.reply_to))
        mail["Subject"] = one_line(message.subject)
        mail["Date"] = format_datetime(clock.now())
        mail["Message-ID"] = f"<{_ascii(message.message_id)}>"
        mail["Auto-Submitted"] = "auto-generated"
        if message.list_unsubscribe:
            mail["List-Unsubscribe"] = f"<{_ascii(message.list_unsubscribe)}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        for name, value in message.headers.items():
            mail[one_line(name)] = one_line(value)
    except (ValueError, HeaderParseError, MessageDefect, IndexError) as error:
        raise ChannelError(f"The mail could not be made: {error}.", permanent=True) from error
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail


def one_line(value: str) -> str:
    """The value of a header as it is. Raises ValueError for anything that could begin another."""
    if any(ord(c) < 32 or c in "\x7f\x85\u2028\u2029" for c in value):
        raise ValueError("a header holds a line break or a control character")
    return value


def _ascii(value: str) -> str:
    if not value.isascii():
        raise ValueError("an id or a link holds a letter outside ASCII")
    return one_line(value)


def address(given: str) -> str:
    """The one address `given` is, its domain in ASCII. Raises ValueError for anything else."""
    one_line(given)
    local, _, domain = given.rpartition("@")
    if not local or not domain or len(given) > LONGEST_ADDRESS or set(given) & NEVER_IN_ADDRESS:
        raise ValueError("the address is not one address")
    if not domain.isascii():
        domain = domain.encode("idna").decode()
    return Address(addr_spec=f"{local}@{domain}").addr_spec


def _refused(code: int, text: bytes | str) -> ChannelError:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    said = " ".join(said.split())[:200]
    return ChannelError(f"The mail server answered {code} {said}".strip(), permanent=code >= 500)


class _InDoubt:
    """Remembers whether the content was on its way when a conversation broke."""

    in_doubt = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.in_doubt = True
        answer: tuple[int, bytes] = super().data(msg)  # type: ignore[misc]
        self.in_doubt = False
        return answer


class _Plain(_InDoubt, smtplib.SMTP):
    pass


class _Tls(_InDoubt, smtplib.SMTP_SSL):
    pass


def _converse(parts: SplitResult, mail: EmailMessage, sender: str, to: str) -> None:
    own_name = address(sender).rpartition("@")[2]
    with _connected(parts, own_name) as client:
        try:
            if parts.username:
                client.login(unquote(parts.username), unquote(parts.password or ""))
            refused = client.send_message(mail, address(sender), [address(to)])
        except smtplib.SMTPResponseException:
            raise  # an answer is never in doubt
        except (smtplib.SMTPException, OSError) as error:
            if client.in_doubt:
                raise ChannelError(
                    "The connection broke after the mail was handed over: it may have been taken.",
                    outcome_unknown=True,
                ) from error
            raise
        for code, text in refused.values():
            raise _refused(code, text)


@contextmanager
def _connected(parts: SplitResult, own_name: str) -> Iterator[_Plain | _Tls]:
    """A greeted client, behind TLS wherever the other side is not this machine.

    `own_name` is what we say in EHLO; asking the resolver for our name can take seconds.
    """
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    trust = ssl.create_default_context()
    client = (
        _Tls(local_hostname=own_name, timeout=CONNECT_SECONDS, context=trust)
        if parts.scheme == "smtps"
        else _Plain(local_hostname=own_name, timeout=CONNECT_SECONDS)
    )
    with cut_after(TOTAL_SECONDS, lambda: client.sock):
        try:
            # The name to be proved by TLS; smtplib sets it only where it connects by itself.
            client._host = host  # type: ignore[union-attr]
            code, text = client.connect(host, port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, text)
            client.ehlo_or_helo_if_needed()
            if parts.scheme == "smtp" and not is_loopback(host):
                _start_tls(client, trust, has_password=bool(parts.username))
            yield client
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
        finally:
            client.close()


def _start_tls(client: smtplib.SMTP, trust: ssl.SSLContext, *, has_password: bool) -> None:
    if client.has_extn("starttls"):
        client.starttls(context=trust)
        client.ehlo()
    elif has_password:
        raise ChannelError("The mail server offers no TLS, so we did not tell it our password.")
