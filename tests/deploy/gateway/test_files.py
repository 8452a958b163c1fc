"""The command that writes the files of a gateway."""

import re
import subprocess

import pytest

from deploy.gateway import __main__ as command
from deploy.programs.nginx import nginx_program, nginx_version
from tests.support.certificates import Authority

HOST = ("--host", "iam-SERVICE.prod.svc.cluster.local")


def written(folder, *arguments):
    version = ".".join(map(str, nginx_version()))
    options = (*HOST, "--resolver", "127.0.0.11", "--nginx-image", f"nginx:{version}")
    assert command.main([str(folder), *options, *arguments]) == 0
    return (folder / "nginx.conf").read_text()


@pytest.mark.usefixtures("unmeasured")
def test_nginx_accepts_what_the_command_writes(tmp_path):
    certificate = str(Authority(tmp_path, "authority").certify("gateway"))
    text = written(
        tmp_path,
        *("--listen", "127.0.0.1:8443", "--console-listen", "127.0.0.1:8082"),
        *("--tls-certificate", certificate, "--tls-key", certificate),
        *("--redirect-from", "127.0.0.1:8080", "--public-url", "https://iam.example.com/"),
        *("--trusted-proxies", "10.1.0.0/16", "--limits-factor", "2"),
    )
    names = set(re.findall(r"iam-(\w+)\.prod\.svc\.cluster\.local:8080", text))
    assert names == {"identity", "team", "authz", "notification", "audit", "console"}
    assert "set_real_ip_from 10.1.0.0/16;" in text
    assert "return 308 https://iam.example.com$request_uri;" in text
    run = [nginx_program() or "", "-t", "-p", f"{tmp_path}/", "-c", f"{tmp_path}/nginx.conf"]
    checked = subprocess.run([*run, "-e", "stderr"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {"openapi.json", "docs.html"}


@pytest.mark.rule("T18")
def test_the_command_refuses_to_trust_most_addresses(tmp_path):
    with pytest.raises(SystemExit, match="TRUSTED_PROXIES is not valid"):
        written(tmp_path, "--trusted-proxies", "0.0.0.0/0")


@pytest.mark.parametrize(
    ("text", "resolver"),
    [
        ("search a.b\nnameserver 10.96.0.10\nnameserver 10.0.0.2\n", "10.96.0.10"),
        ("nameserver fd00::a\n", "[fd00::a]"),
    ],
)
def test_the_first_name_server_of_the_machine_is_asked(tmp_path, text, resolver):
    file = tmp_path / "resolv.conf"
    file.write_text(text)
    assert command.main([str(tmp_path), *HOST, "--resolv-conf", str(file)]) == 0
    assert f"resolver {resolver} valid=1s" in (tmp_path / "nginx.conf").read_text()


def test_a_machine_without_a_name_server_is_told(tmp_path):
    file = tmp_path / "resolv.conf"
    file.write_text("search a.b\n")
    with pytest.raises(SystemExit, match="names no name server"):
        command.main([str(tmp_path), *HOST, "--resolv-conf", str(file)])
