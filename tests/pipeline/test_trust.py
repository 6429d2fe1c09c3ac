"""A prefix is trusted by the user's own file, for one endpoint, one bucket, one prefix, and by nothing else."""

import os

import pytest

from aios3_nb.errors import OptionError
from aios3_nb.pipeline.trust import configuration_file, trusted_prefix

pwd = pytest.importorskip("pwd", reason="Windows has no such list, and nothing is trusted by it there")

ONE = '[[trust]]\nbucket = "b"\nprefix = "models/"\n'


@pytest.fixture
def configured(tmp_path, account_home):
    """Return a function that writes the configuration file, as nobody but the user could."""

    def write(text, folder=account_home / ".config"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        (folder / "aios3_nb.toml").write_text(text)
        (folder / "aios3_nb.toml").chmod(0o644)
        return folder

    return write


def test_without_a_file_nothing_is_trusted(configured):
    assert trusted_prefix("b", "models/m.pkl", "") is None


def test_a_key_under_the_prefix_is_trusted_at_aws(configured):
    configured(ONE)
    assert trusted_prefix("b", "models/m.pkl", "") is not None
    assert str(trusted_prefix("b", "models/a/m.pkl", "")) == "s3://b/models/"


@pytest.mark.parametrize(
    ("bucket", "key", "endpoint"),
    [
        ("B", "models/m.pkl", ""),
        ("bb", "models/m.pkl", ""),
        ("b", "modelsm.pkl", None),
        ("b", "Models/m.pkl", None),
        ("b", "x/models/m.pkl", None),
        ("b", "models/m.pkl", None),
        ("b", "models/m.pkl", "http://localhost:9000"),
        ("b", "models/m.pkl", "https://s3.evil.example"),
    ],
)
def test_anything_else_is_not(configured, bucket, key, endpoint):
    configured(ONE)
    assert trusted_prefix(bucket, key, endpoint) is None


def test_an_entry_for_an_endpoint_counts_there_only(configured):
    configured(ONE + 'endpoint_url = "http://minio.lab:9000/"\n')
    assert trusted_prefix("b", "models/m.pkl", "http://MINIO.lab:9000") is not None
    assert str(trusted_prefix("b", "models/m", "http://minio.lab:9000")) == "s3://b/models/ at http://minio.lab:9000/"
    for other in (
        None,
        "",
        "http://minio.lab.:9000",
        "https://minio.lab:9000",
        "http://minio.lab:9001",
        "http://minio.lab",
        "http://minio.lab:9000/x",
    ):
        assert trusted_prefix("b", "models/m.pkl", other) is None


def test_the_whole_bucket_has_to_be_said(configured):
    configured('[[trust]]\nbucket = "b"\nprefix = ""\n')
    assert trusted_prefix("b", "anything", "") is not None
    configured('[[trust]]\nbucket = "b"\n')
    with pytest.raises(OptionError, match="whole bucket"):
        trusted_prefix("b", "anything", "")


@pytest.mark.parametrize("name", ["HOME", "XDG_CONFIG_HOME"])
def test_a_file_that_only_the_environment_names_is_ignored_and_said(configured, tmp_path, monkeypatch, name):
    folder = tmp_path / "work" / ".config"
    configured(ONE, folder)
    monkeypatch.setenv(name, str(folder if name.startswith("XDG") else folder.parent))
    with pytest.warns(UserWarning, match=r"work/.config/aios3_nb.toml is ignored: only the account's own file"):
        assert trusted_prefix("b", "models/m.pkl", "") is None


def test_a_relative_folder_of_configuration_is_not_looked_at(configured, tmp_path, monkeypatch):
    configured(ONE, tmp_path / "work")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", "work")
    assert trusted_prefix("b", "models/m.pkl", "") is None


def test_the_accounts_own_file_counts_where_jupyter_was_started_at_home(configured, account_home, monkeypatch):
    configured(ONE)
    monkeypatch.chdir(account_home)
    assert trusted_prefix("b", "models/m.pkl", "") is not None


def test_a_user_whom_the_system_does_not_know_trusts_nothing(configured, tmp_path, monkeypatch):
    configured(ONE)

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert configuration_file() is None
    with pytest.warns(UserWarning, match="and there is none"):
        assert trusted_prefix("b", "models/m.pkl", "") is None


def test_the_system_is_asked_once_for_all_loads_where_the_home_is(configured, monkeypatch):
    configured(ONE)
    account, asked = pwd.getpwuid(os.getuid()), []
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: asked.append(uid) or account)
    for key in ("models/a.pkl", "models/b.pkl", "other.pkl"):
        assert (trusted_prefix("b", key, "") is None) == (key == "other.pkl")
    assert asked == [os.getuid()]


@pytest.mark.parametrize(("place", "mode"), [("home", 0o777), ("home", 0o775), (".config", 0o757), ("file", 0o666)])
def test_what_others_may_write_is_ignored_and_said(configured, account_home, place, mode):
    folder = configured(ONE)
    {"home": account_home, ".config": folder, "file": folder / "aios3_nb.toml"}[place].chmod(mode)
    with pytest.warns(UserWarning, match=r"is ignored.*others may write to .*chmod go-w"):
        assert trusted_prefix("b", "models/m.pkl", "") is None


def test_what_belongs_to_another_user_is_ignored_and_said(configured, monkeypatch):
    configured(ONE)
    account, user = pwd.getpwuid(os.getuid()), os.getuid()
    monkeypatch.setattr(pwd, "getpwuid", lambda _: account)
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    with pytest.warns(UserWarning, match="belongs to another user"):
        assert trusted_prefix("b", "models/m.pkl", "") is None


def test_a_link_out_of_the_home_is_ignored_and_said(configured, tmp_path, account_home):
    inside = configured(ONE, tmp_path / "work")
    folder = account_home / ".config"
    folder.mkdir()
    os.symlink(inside / "aios3_nb.toml", folder / "aios3_nb.toml")
    with pytest.warns(UserWarning, match="it is a link out of"):
        assert trusted_prefix("b", "models/m.pkl", "") is None


def test_a_link_within_the_home_counts_where_only_the_user_writes(configured, account_home):
    dotfiles = configured(ONE, account_home / "dotfiles")
    folder = account_home / ".config"
    folder.mkdir(mode=0o755)
    os.symlink(dotfiles / "aios3_nb.toml", folder / "aios3_nb.toml")
    assert trusted_prefix("b", "models/m.pkl", "") is not None
    dotfiles.chmod(0o777)
    with pytest.warns(UserWarning, match="others may write to"):
        assert trusted_prefix("b", "models/m.pkl", "") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[trust]\n", r"aios3_nb\.toml is not TOML.*line 1"),
        ("trust = 1\n", r"write \[\[trust\]\]"),
        ("trust = [1]\n", "number 1 is not a table"),
        (ONE + ONE + "owner = 'x'\n", "number 2 has 'owner'"),
        ('[[trust]]\nbucket = "b"\nprefix = 3\n', "texts in quotes"),
        ('[[trust]]\nprefix = ""\n', "needs a bucket"),
        (ONE + 'endpoint_url = "https://minio.lab#.amazonaws.com"\n', r"number 1: The endpoint .* is not used"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named_with_the_place(configured, text, says):
    configured(text)
    with pytest.raises(OptionError, match=says):
        trusted_prefix("b", "models/m.pkl", "")
