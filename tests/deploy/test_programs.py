"""Servers as child processes: start, stop, kill, and the death of their parent."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aio_pika
import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from deploy.programs.mongodb import Secantusdb
from deploy.programs.nginx import Nginx
from deploy.programs.program import Program, ProgramError, free_port, listens
from tests.support.forked import Forked
from tests.waiting import wait_for

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])))"
SLEEP = f"{LISTEN}; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
FAIL = "raise SystemExit('no such thing as a listener')"
HANG = "import time; time.sleep(600)"


class Listener(Program):
    name = "listener"
    url = ""
    stop_seconds = 0.2
    start_seconds = 30

    def __init__(self, folder, code=SLEEP, port=None):
        super().__init__(folder, port=port)
        self.code = code

    def command(self):
        script = self.folder / "listener.py"
        script.write_text(self.code)
        return [sys.executable, str(script), str(self.port)]


class ForkedListener(Forked, Listener):
    preloaded = ()


@pytest.fixture(params=[Listener, ForkedListener])
def kind(request):
    return request.param


def test_no_port_is_returned_twice_although_none_has_a_listener_yet():
    ports = [free_port(range(15_000, 18_200)) for _ in range(200)]
    assert len(set(ports)) == len(ports)


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("code", [SLEEP, STUBBORN])
def test_a_program_answers_after_start_and_is_gone_after_its_end(tmp_path, kind, code, how):
    server = kind(tmp_path, code)
    for _ in range(2):
        server.start()
        server.start()
        pid = server.pid
        assert listens(server.port)
        assert server.running
        getattr(server, how)()
        assert not listens(server.port)
        assert not alive(pid)
        assert not server.running


async def test_a_program_that_ended_by_itself_can_be_started_again(tmp_path, kind):
    server = kind(tmp_path)
    server.start()
    os.killpg(server.pid, signal.SIGKILL)
    await wait_for(lambda: not alive(server.pid))
    assert not server.running

    server.start()
    assert listens(server.port)
    server.stop()


def test_a_program_that_ends_at_once_reports_the_reason(tmp_path, kind):
    with pytest.raises(ProgramError, match=r"(?s)ended with status 1.*no such thing") as failed:
        kind(tmp_path, FAIL).start()
    assert "listener.log" in str(failed.value)


def test_a_program_that_never_answers_is_ended(tmp_path, kind):
    server = kind(tmp_path, HANG)
    server.start_seconds = 0.3
    with pytest.raises(ProgramError, match="did not answer"):
        server.start()
    assert not server.running


STARTS = """
import sys, time
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from tests.deploy import test_programs
server = getattr(test_programs, sys.argv[1])(Path(sys.argv[2]), port=int(sys.argv[3]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def test_a_program_dies_with_its_killed_parent_and_can_start_again(tmp_path, kind):
    port = free_port()
    arguments = [sys.executable, "-c", STARTS, kind.__name__, str(tmp_path), str(port), *sys.path]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        os.killpg(parent.pid, signal.SIGKILL)

    server = kind(tmp_path, port=port)
    server.start()
    try:
        assert not alive(pid)
        assert server.running
    finally:
        server.stop()


def test_a_start_waits_for_a_running_predecessor_and_then_fails(tmp_path, kind):
    one, other = kind(tmp_path), kind(tmp_path)
    other.start_seconds = 0.3
    one.start()
    try:
        with pytest.raises(ProgramError, match="still uses"):
            other.start()
    finally:
        one.stop()


STATE = """
import gc, json, os, random, resource, signal, sys, threading, warnings
from pathlib import Path
opened = {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()}
state = {
    "name": __name__,
    "arguments": sys.argv,
    "folder": os.getcwd(),
    "variables": dict(os.environ),
    "leads its session": os.getsid(0) == os.getpgrp() == os.getpid(),
    "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "umask": os.umask(0),
    "files": sorted(name for name in opened if "/proc/" not in name),
    "streams": [os.readlink(f"/proc/self/fd/{number}") for number in range(3)],
    "threads": threading.active_count(),
    "tasks": len(os.listdir("/proc/self/task")),
    "garbage": [gc.isenabled(), gc.get_threshold()],
    "filters": [str(each) for each in warnings.filters],
    "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
}
Path(sys.argv[0] + ".state").write_text(json.dumps(state))
Path(sys.argv[0] + ".random").write_text(str(random.random()))
raise SystemExit(3)
"""
SET_BY_SHELLS = ("_", "PWD", "OLDPWD", "SHLVL")


@pytest.mark.usefixtures("unmeasured")
def test_a_forked_program_begins_in_the_state_of_a_started_one(tmp_path):
    states, drawn = [], set()
    for kind in (Listener, ForkedListener, ForkedListener):
        with pytest.raises(ProgramError, match="ended with status 3"):
            kind(tmp_path, STATE, port=1).start()
        state = json.loads((tmp_path / "listener.py.state").read_text())
        for name in SET_BY_SHELLS:
            state["variables"].pop(name, None)
        states.append(state)
        drawn.add((tmp_path / "listener.py.random").read_text())
    started, *forked = states
    assert forked == [started, started]
    assert len(drawn) == 3


def test_a_killed_database_starts_again_with_its_port_and_data(tmp_path):
    server = Secantusdb(tmp_path)
    server.start()
    url = server.url
    with MongoClient[dict[str, object]](url) as client:
        client.test.kept.insert_one({"_id": "x"})
    server.kill()
    server.start()
    assert server.url == url
    with MongoClient[dict[str, object]](url) as client:
        assert client.test.kept.find_one() == {"_id": "x"}
    server.stop()


def test_the_local_database_receives_no_retryable_writes(tmp_path):
    class Sent(CommandListener):
        numbered = False

        def started(self, event):
            self.numbered |= "txnNumber" in event.command

        def succeeded(self, event): ...

        def failed(self, event): ...

    server, sent = Secantusdb(tmp_path), Sent()
    server.start()
    with MongoClient[dict[str, object]](server.url, event_listeners=[sent]) as client:
        client.test.rows.insert_one({"_id": "x"})
        assert not sent.numbered
        with client.start_session() as session, session.start_transaction():
            client.test.rows.insert_one({"_id": "y"}, session=session)
        assert sent.numbered
    server.stop()


async def test_a_private_broker_keeps_confirmed_messages_over_a_kill(private_rabbitmq):
    node = private_rabbitmq()

    connection = await aio_pika.connect(node.url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True)
        # A new queue does not survive a kill (docs/decisions/0010), so write it to the disk now.
        await asyncio.to_thread(node.control, "eval", "mnesia:sync_log().")
        message = aio_pika.Message(b"x", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        for _ in range(20):
            await channel.default_exchange.publish(message, routing_key=queue.name)
        node.kill()
    await asyncio.to_thread(node.start)

    connection = await aio_pika.connect(node.url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, passive=True)
        assert queue.declaration_result.message_count == 20
    listed = await asyncio.to_thread(node.control, "list_queues", "name", "messages")
    assert listed.split() == ["name", "messages", "kept", "20"]
    with pytest.raises(ProgramError, match="no_such_command"):
        node.control("no_such_command")


NGINX = """
worker_processes 1;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "constant"; }} }}
}}
"""


async def test_nginx_serves_its_given_configuration(tmp_path):
    port = free_port()
    server = Nginx(tmp_path, NGINX.format(port=port), port=port)
    await asyncio.to_thread(server.start)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"constant")
        writer.close()
        await writer.wait_closed()
    finally:
        server.stop()


async def test_the_smtp_server_answers_as_told_and_keeps_accepted_mails(smtp_server):
    smtp_server.replies += ["451 later"]

    def send():
        with socket.create_connection((smtp_server.host, smtp_server.port)) as connection:
            lines = connection.makefile("rw", newline="\r\n")
            answers = [lines.readline()]
            for line in ("HELO x", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>", "DATA"):
                lines.write(line + "\n")
                lines.flush()
                answers.append(lines.readline())
            lines.write("Subject: s\n\nbody\n.\n")
            lines.flush()
            return lines.readline()

    assert (await asyncio.to_thread(send)).startswith("451")
    assert smtp_server.received == []
    assert (await asyncio.to_thread(send)).startswith("250")
    mail = await wait_for(lambda: smtp_server.received)
    assert (mail[0].sender, mail[0].recipients) == ("a@x.example", ("b@x.example",))
    assert mail[0].content.startswith(b"Subject: s")
