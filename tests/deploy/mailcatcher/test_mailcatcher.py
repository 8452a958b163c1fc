"""The mail catcher: accepting, keeping and showing mails without running their contents."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import aiohttp
import aiosmtplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.mailcatcher import MailCatcher
from deploy.mailcatcher.mailbox import Mailbox, WriteBytes
from deploy.mailcatcher.mails import RawMail, read
from deploy.mailcatcher.pages import linked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def mail(
    subject: str = "Welcome",
    *,
    to: str = "ada@example.com",
    text: str = "Open https://rolecall.example/verify#token=a.1.b&code=ABCD2345.",
    html: str | None = None,
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Rolecall <no-reply@rolecall.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{abs(hash(subject))}@rolecall.example>"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def received(content: bytes, *, to: str = "ada@example.com") -> RawMail:
    return RawMail(
        received_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        sender="no-reply@rolecall.example",
        recipients=(to,),
        content=content,
    )


@pytest.fixture
async def catcher(tmp_path: Path) -> AsyncIterator[MailCatcher]:
    async with running(tmp_path) as catcher:
        yield catcher


@asynccontextmanager
async def running(folder: Path | None, write: WriteBytes = os.write) -> AsyncIterator[MailCatcher]:
    catcher = MailCatcher(data_dir=folder, write=write)
    await catcher.start()
    try:
        yield catcher
    finally:
        await catcher.stop()


async def send(catcher: MailCatcher, message: EmailMessage) -> None:
    host, port = catcher.smtp_address
    await aiosmtplib.send(message, hostname=host, port=port)


async def items(catcher: MailCatcher, query: str = "") -> list[dict[str, Any]]:
    async with aiohttp.request("GET", f"{catcher.url}/api/messages{query}") as answer:
        assert answer.status == 200
        found: list[dict[str, Any]] = (await answer.json())["items"]
        return found


async def page(catcher: MailCatcher, path: str) -> tuple[str, str]:
    """The page and its content security policy."""
    async with aiohttp.request("GET", f"{catcher.url}{path}") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        return await answer.text(), answer.headers["Content-Security-Policy"]


async def test_a_multipart_mail_is_listed_with_text_and_html(catcher: MailCatcher):
    await send(catcher, mail("Grüße, 世界 & <b>you</b>", html="<p>Hello <b>Ada</b></p>"))
    [item] = await items(catcher)
    received_at = datetime.fromisoformat(item.pop("received_at"))
    assert abs((datetime.now(UTC) - received_at).total_seconds()) < 60
    assert item.pop("message_id").endswith("@rolecall.example>")
    assert item == {
        "id": 1,
        "from": "Rolecall <no-reply@rolecall.example>",
        "to": "ada@example.com",
        "subject": "Grüße, 世界 & <b>you</b>",
        "text": "Open https://rolecall.example/verify#token=a.1.b&code=ABCD2345.\n",
        "html": "<p>Hello <b>Ada</b></p>\n",
    }


async def test_with_a_key_only_those_who_know_it_get_in():
    catcher = MailCatcher(key="the-key")
    await catcher.start()
    try:
        host, port = catcher.smtp_address
        known: dict[str, Any] = {"hostname": host, "port": port, "username": "mail"}
        with pytest.raises(aiosmtplib.SMTPException, match="Authentication required"):
            await send(catcher, mail())
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await aiosmtplib.send(mail(), **known, password="another")
        await aiosmtplib.send(mail("in"), **known, password="the-key")
        assert [item["subject"] for item in await items(catcher)] == ["in"]

        shown, _ = await page(catcher, "")
        links = re.findall(r'(?:href|action|src)="(/[^"]*)"', shown)
        assert len(links) == 4
        assert all(link.startswith("/the-key") for link in links)
        origin = catcher.url.removesuffix("/the-key")
        for path in ("/", "/api/messages", "/messages/1", "/another/api/messages"):
            async with aiohttp.request("GET", origin + path) as answer:
                assert answer.status == 404
                assert "it ends with a key" in await answer.text()
    finally:
        await catcher.stop()


@pytest.mark.parametrize("key", ["", "the-key"])
async def test_every_path_works_with_and_without_a_slash_at_its_end(key: str):
    catcher = MailCatcher(key=key)
    await catcher.start()
    try:
        host, port = catcher.smtp_address
        sender: dict[str, Any] = {"username": "mail", "password": key} if key else {}
        await aiosmtplib.send(mail(html="<p>"), hostname=host, port=port, **sender)
        for path in ("", "/messages/1", "/messages/1/html", "/style.css", "/api/messages"):
            for end in ("", "/"):
                async with aiohttp.request("GET", f"{catcher.url}{path}{end}") as answer:
                    assert answer.status == 200, (path, end)
        async with aiohttp.request("DELETE", f"{catcher.url}/api/messages/") as answer:
            assert answer.status == 204
        assert await items(catcher) == []
    finally:
        await catcher.stop()


async def test_a_web_page_cannot_read_mails_under_a_name_of_its_own(catcher: MailCatcher):
    for path in ("/", "/api/messages", "/style.css"):
        headers = {"Host": "evil.example"}
        async with aiohttp.request("GET", catcher.url + path, headers=headers) as answer:
            assert answer.status == 421


async def test_the_newest_mail_comes_first_and_queries_narrow_the_list(catcher: MailCatcher):
    for number in range(1, 6):
        await send(catcher, mail(f"mail {number}", to=f"user{number % 2}@example.com"))

    async def subjects(query: str = "") -> list[str]:
        return [item["subject"] for item in await items(catcher, query)]

    assert await subjects() == ["mail 5", "mail 4", "mail 3", "mail 2", "mail 1"]
    assert await subjects("?limit=2") == ["mail 5", "mail 4"]
    assert await subjects("?to=USER0@example.com") == ["mail 4", "mail 2"]
    assert await subjects("?to=user0@example.com&limit=1") == ["mail 4"]
    assert await subjects("?to=user") == []


@pytest.mark.parametrize("limit", ["-1", "x", "", "1e3", "9" * 30])
async def test_a_limit_that_is_not_a_number_is_refused(catcher: MailCatcher, limit: str):
    async with aiohttp.request("GET", f"{catcher.url}/api/messages?limit={limit}") as answer:
        assert answer.status == 400


async def test_deleted_mails_are_gone_also_after_a_restart(tmp_path: Path):
    async with running(tmp_path) as catcher:
        await send(catcher, mail())
        async with aiohttp.request("DELETE", f"{catcher.url}/api/messages") as answer:
            assert answer.status == 204
        assert await items(catcher) == []
        await send(catcher, mail("after"))
        assert [item["subject"] for item in await items(catcher)] == ["after"]
    async with running(tmp_path) as catcher:
        assert [item["subject"] for item in await items(catcher)] == ["after"]


async def test_mails_are_still_there_after_a_restart(tmp_path: Path):
    async with running(tmp_path) as catcher:
        await send(catcher, mail("one", html="<p>1</p>"))
        await send(catcher, mail("two"))
        before = await items(catcher)
    async with running(tmp_path) as catcher:
        assert await items(catcher) == before
        await send(catcher, mail("three"))
        assert [item["subject"] for item in await items(catcher)] == ["three", "two", "one"]


async def test_an_accepted_mail_survives_a_kill(tmp_path: Path):
    options = ["--smtp-port", "0", "--http-port", "0", "--data-dir", str(tmp_path)]
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.mailcatcher", *options), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert program.stdout
        line = (await asyncio.wait_for(program.stdout.readline(), 30)).decode()
        port = int(line.split(":")[1].split(",")[0])
        await aiosmtplib.send(mail("kept"), hostname="127.0.0.1", port=port)
    finally:
        program.send_signal(signal.SIGKILL)
        await program.wait()
    with (tmp_path / "mails.jsonl").open("ab") as file:
        file.write(b'{"received_at": "2026-01-01T00:00')  # the remains of a killed write
    async with running(tmp_path) as catcher:
        await send(catcher, mail("next"))
    async with running(tmp_path) as catcher:
        assert [item["subject"] for item in await items(catcher)] == ["next", "kept"]


async def test_a_mail_that_cannot_be_written_is_not_accepted(tmp_path: Path):
    free_bytes = [3]

    def write_to_a_full_disk(file: int, line: bytes) -> int:
        return os.write(file, line[: free_bytes.pop()] if free_bytes else line)

    async with running(tmp_path, write_to_a_full_disk) as catcher:
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await send(catcher, mail("lost"))
        assert refused.value.code == 452
        await send(catcher, mail("kept"))
        assert [item["subject"] for item in await items(catcher)] == ["kept"]
    async with running(tmp_path) as catcher:
        assert [item["subject"] for item in await items(catcher)] == ["kept"]


async def test_a_stop_does_not_wait_for_a_client_that_stays_connected():
    async with running(None) as catcher:
        client = aiosmtplib.SMTP(hostname=catcher.smtp_host, port=catcher.smtp_port)
        await client.connect()
        await asyncio.wait_for(catcher.stop(), 5)
        client.close()
        await catcher.start()


async def test_a_start_that_fails_leaves_nothing_open(tmp_path: Path):
    async with running(None) as other:
        catcher = MailCatcher(smtp_port=other.smtp_port, data_dir=tmp_path)
        with pytest.raises(OSError, match="in use"):
            await catcher.start()


def test_only_the_newest_mails_are_kept(tmp_path: Path):
    box = Mailbox(tmp_path, limit=3)
    for number in range(5):
        box.add(received(f"Subject: {number}\r\n\r\n".encode()))
    assert [each.subject for each in box.newest_first()] == ["4", "3", "2"]
    box.close()
    box = Mailbox(tmp_path, limit=3)
    assert [each.subject for each in box.newest_first()] == ["4", "3", "2"]
    box.close()
    assert len((tmp_path / "mails.jsonl").read_bytes().splitlines()) == 3


def test_only_the_owner_can_read_the_kept_mails(tmp_path: Path):
    for _ in range(2):
        box = Mailbox(tmp_path)
        box.add(received(b"\r\n"))
        box.close()
        assert (tmp_path / "mails.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?b?5LiW55WM?= and\r\n =?utf-8?b?5LiW?=", "世界 and 世"),
        (b"folded\r\n line", "folded line"),
        (b"=?no-such-charset?q?=41?=", "A"),
        (b"=?utf-8?b?not base64?=", "=?utf-8?b?not base64?="),
        (b"=?utf-8?b?A?=", "=?utf-8?b?A?="),
        (b"=?utf-8?q?x=0d=0aBcc:evil@example.com?=", "x\r\nBcc:evil@example.com"),
        ("roh: ü".encode(), "roh: ü"),
        (b"", ""),
    ],
)
def test_a_subject_is_decoded_as_far_as_possible(header: bytes, shown: str):
    assert read(received(b"Subject: " + header + b"\r\n\r\n"), number=1).subject == shown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"no headers at all",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n--b\r\n',
        b"Content-Type: text/plain; charset=no-such\r\n\r\nx\xe4",
        b"Content-Type: text/plain; charset*=utf-8''%ff%00\r\n\r\nx",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 666 x\r\n\xff",
        b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody",
    ],
)
def test_a_malformed_mail_can_be_read(content: bytes):
    assert read(received(content), number=1).recipients == ("ada@example.com",)


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_no_bytes_break_the_reader(content: bytes, header: bytes):
    read(received(content), number=1)
    one = received(b"Subject: " + header + b"\r\nContent-Type: " + header + b"\r\n\r\n" + content)
    assert read(one, number=1).number == 1
    assert RawMail.from_line(one.to_line()) == one


async def test_a_malformed_mail_is_accepted_over_smtp(catcher: MailCatcher):
    host, port = catcher.smtp_address
    async with aiosmtplib.SMTP(hostname=host, port=port) as client:
        await client.sendmail("a@example.com", ["b@example.com", "c@example.com"], b"\xff=?\r\n")
    [item] = await items(catcher)
    assert item["from"] == "a@example.com"
    assert item["to"] == "b@example.com, c@example.com"


async def test_the_page_lists_and_shows_mails_with_clickable_links(catcher: MailCatcher):
    await send(catcher, mail("First"))
    listing, _ = await page(catcher, "/")
    assert 'href="/messages/1"' in listing
    assert "First" in listing
    shown, _ = await page(catcher, "/messages/1")
    url = "https://rolecall.example/verify#token=a.1.b&amp;code=ABCD2345"
    assert f'<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>.' in shown
    assert "<iframe" not in shown
    async with aiohttp.request("GET", f"{catcher.url}/messages/2") as answer:
        assert answer.status == 404


async def test_the_contents_of_a_mail_are_shown_and_never_run(catcher: MailCatcher):
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    await send(catcher, mail(attack, text=attack, html=f"<p>{attack}</p>"))
    for path in ("/", "/messages/1", f"/?to={attack}"):
        shown, policy = await page(catcher, path)
        assert "<script" not in shown
        assert "<img" not in shown
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
    shown, policy = await page(catcher, "/messages/1/html")
    assert attack in shown
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src")
    assert "script-src" not in policy
    frame, _ = await page(catcher, "/messages/1")
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "at http://a.example/x, or",
            'at <a href="http://a.example/x" {}>http://a.example/x</a>, or',
        ),
        ("(https://a.example/x)", '(<a href="https://a.example/x" {}>https://a.example/x</a>)'),
        ('https://a.example/"x', '<a href="https://a.example/" {}>https://a.example/</a>&#34;x'),
        ("javascript:alert(1) <b>", "javascript:alert(1) &lt;b&gt;"),
        ("", ""),
    ],
)
def test_only_web_addresses_become_links(text: str, html: str):
    assert linked(text) == html.format('target="_blank" rel="noopener noreferrer"')
