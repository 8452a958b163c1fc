"""The command that builds the module in C, where it cannot."""

import sysconfig

import pytest

from deploy.compiled import main


@pytest.mark.parametrize(("compiler", "possible"), [("/no/such/compiler", False), ("false", True)])
def test_a_module_that_cannot_be_built_is_said_in_a_sentence(
    monkeypatch, capfd, compiler, possible
):
    """Only what is missing may be left out: a source that is refused is never."""
    variables = {"CC": compiler, "EXT_SUFFIX": ".so"}
    monkeypatch.setattr(sysconfig, "get_config_var", variables.get)
    for arguments, status in (([], 1), (["--if-possible"], int(possible))):
        assert main(arguments) == status
        assert capfd.readouterr().err.startswith("The module was not built: ")


def test_without_the_headers_of_python_the_module_is_left_out(monkeypatch, capfd, tmp_path):
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    assert [main([]), main(["--if-possible"])] == [1, 0]
    assert capfd.readouterr().err.count("Python.h is missing") == 2
