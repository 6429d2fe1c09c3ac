"""A prefix is trusted by the user's own file, for one endpoint, one bucket, one prefix, and by nothing else."""

import os
import pwd

import pytest

from aios3_nb.errors import OptionError
from aios3_nb.pipeline.trust import configuration_file, is_trusted, trusted_prefix

ONE = '[[trust]]\nbucket = "b"\nprefix = "models/"\n'


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Return a function that writes the configuration file; the current folder is beside it."""
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(work)

    def write(text, folder=home / ".config"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "aios3_nb.toml").write_text(text)
        return folder

    return write


def test_without_a_file_nothing_is_trusted(configured):
    assert not is_trusted("b", "models/m.pkl", None)


def test_a_key_under_the_prefix_is_trusted_at_aws(configured):
    configured(ONE)
    assert is_trusted("b", "models/m.pkl", None)
    assert str(trusted_prefix("b", "models/a/m.pkl", None)) == "s3://b/models/"


@pytest.mark.parametrize(
    ("bucket", "key", "endpoint"),
    [
        ("B", "models/m.pkl", None),
        ("bb", "models/m.pkl", None),
        ("b", "modelsm.pkl", None),
        ("b", "Models/m.pkl", None),
        ("b", "x/models/m.pkl", None),
        ("b", "models/m.pkl", "http://localhost:9000"),
        ("b", "models/m.pkl", "https://s3.evil.example"),
    ],
)
def test_anything_else_is_not(configured, bucket, key, endpoint):
    configured(ONE)
    assert not is_trusted(bucket, key, endpoint)


def test_an_entry_for_an_endpoint_counts_there_only(configured):
    configured(ONE + 'endpoint_url = "http://minio.lab:9000/"\n')
    assert is_trusted("b", "models/m.pkl", "http://MINIO.lab:9000")
    assert str(trusted_prefix("b", "models/m", "http://minio.lab:9000")) == "s3://b/models/ at http://minio.lab:9000/"
    for other in (
        None,
        "https://minio.lab:9000",
        "http://minio.lab:9001",
        "http://minio.lab",
        "http://minio.lab:9000/x",
    ):
        assert not is_trusted("b", "models/m.pkl", other)


def test_the_whole_bucket_has_to_be_said(configured):
    configured('[[trust]]\nbucket = "b"\nprefix = ""\n')
    assert is_trusted("b", "anything", None)
    configured('[[trust]]\nbucket = "b"\n')
    with pytest.raises(OptionError, match="whole bucket"):
        is_trusted("b", "anything", None)


def test_the_file_is_where_the_specification_says(configured, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    configured(ONE, tmp_path / "xdg")
    assert is_trusted("b", "models/m.pkl", None)
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert configuration_file() == tmp_path / "home" / ".config" / "aios3_nb.toml"


def test_a_file_in_the_notebooks_folder_or_below_is_ignored(configured, tmp_path, monkeypatch):
    inside = tmp_path / "work" / "config"
    configured(ONE, inside)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(inside))
    assert not is_trusted("b", "models/m.pkl", None)
    monkeypatch.chdir(tmp_path)
    assert not is_trusted("b", "models/m.pkl", None)


def test_the_accounts_own_file_counts_where_jupyter_was_started_at_home(configured, tmp_path, monkeypatch):
    configured(ONE)
    monkeypatch.chdir(tmp_path / "home")
    assert not is_trusted("b", "models/m.pkl", None)
    account = pwd.getpwuid(os.getuid())
    monkeypatch.setattr(
        pwd, "getpwuid", lambda _: pwd.struct_passwd((*account[:5], str(tmp_path / "home"), account[6]))
    )
    assert is_trusted("b", "models/m.pkl", None)


def test_a_link_to_a_file_in_the_notebooks_folder_is_ignored_too(configured, tmp_path):
    inside = configured(ONE, tmp_path / "work")
    folder = tmp_path / "home" / ".config"
    folder.mkdir(parents=True)
    os.symlink(inside / "aios3_nb.toml", folder / "aios3_nb.toml")
    assert not is_trusted("b", "models/m.pkl", None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[trust]\n", r"aios3_nb\.toml is not TOML.*line 1"),
        ("trust = 1\n", r"write \[\[trust\]\]"),
        ("trust = [1]\n", "number 1 is not a table"),
        (ONE + ONE + "owner = 'x'\n", "number 2 has 'owner'"),
        ('[[trust]]\nbucket = "b"\nprefix = 3\n', "texts in quotes"),
        ('[[trust]]\nprefix = ""\n', "needs a bucket"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named_with_the_place(configured, text, says):
    configured(text)
    with pytest.raises(OptionError, match=says):
        is_trusted("b", "models/m.pkl", None)
