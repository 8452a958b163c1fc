"""The command that builds the module in C, where it cannot."""

import sysconfig

import pytest

from deploy.compiled import main


@pytest.mark.parametrize("compiler", ["/no/such/compiler", "false"])
def test_a_module_that_cannot_be_built_is_said_in_a_sentence(monkeypatch, capfd, compiler):
    variables = {"CC": compiler, "EXT_SUFFIX": ".so"}
    monkeypatch.setattr(sysconfig, "get_config_var", variables.get)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert capfd.readouterr().err.startswith("The module was not built: ")
